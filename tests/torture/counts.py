"""How often: the short form is part of `make test`, the long one is `make torture`."""

from __future__ import annotations

import os

from tests.rpc.child import PATIENCE

LONG = os.environ.get("SIDECAR_TORTURE") == "1"
ONLY_LONG = "part of the long form: make torture"


def promised(seconds: float) -> float:
    """A bound in time. The long form has the machine to itself, and holds us to the promise; the
    short one runs beside anything, and asks only that the end comes without anybody's help."""
    return seconds if LONG else PATIENCE


def count(short: int, long: int) -> int:
    return long if LONG else short
