"""The wire protocol, version 1: one table of methods, one of notifications, one of errors.

Dispatch, `rpc.discover`, `schema/` and `docs/protocol.md` are all derived from these tables.
"""

PROTOCOL_VERSION = 1
