"""Commands and events as bytes on the pipe between front and engine.

A message is: 4 bytes length of the header (big-endian), the header as JSON
`{"type": class name, "value": {...}, "blobs": [sizes]}`, then the blobs. A `bytes` value stands
in the header as `{"$blob": index}`, so pictures are never base64 on this pipe.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast, get_args

from pydantic import TypeAdapter

from sidecar.engine import contract

_LENGTH = struct.Struct(">I")
_TYPES: dict[str, Any] = {
    cls.__name__: cls for cls in (*get_args(contract.Command), *get_args(contract.Event))
}

Message = contract.Command | contract.Event
ReadExactly = Callable[[int], bytes]


class BrokenPipeMessage(Exception):
    """The other side sent something that is not a message, or ended within one."""


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_TYPES[name])


def encode(message: Message) -> bytes:
    """The message as one run of bytes."""
    blobs: list[bytes] = []

    def plain(value: Any) -> Any:
        if isinstance(value, bytes):
            blobs.append(value)
            return {"$blob": len(blobs) - 1}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
            return {"$type": type(value).__name__, **fields}
        if isinstance(value, list | tuple):
            return [plain(item) for item in cast(Sequence[Any], value)]
        return value

    value = plain(message)
    name = value.pop("$type")
    header = json.dumps(
        {"type": name, "value": value, "blobs": [len(b) for b in blobs]}, separators=(",", ":")
    ).encode()
    return b"".join((_LENGTH.pack(len(header)), header, *blobs))


def decode_from(read: ReadExactly) -> Message | None:
    """The next message, or None at the end of the stream.

    `read(n)` returns exactly n bytes, or fewer when the stream ends.
    """
    prefix = read(_LENGTH.size)
    if not prefix:
        return None
    try:
        header = json.loads(_exactly(read, _LENGTH.unpack(prefix)[0]))
        blobs = [_exactly(read, size) for size in header["blobs"]]
        return _adapter(header["type"]).validate_python(_put_back(header["value"], blobs))
    except (ValueError, KeyError, struct.error) as exc:
        raise BrokenPipeMessage(str(exc)) from exc


def _exactly(read: ReadExactly, size: int) -> bytes:
    data = read(size)
    if len(data) != size:
        raise BrokenPipeMessage(f"{len(data)} of {size} bytes, then the end of the stream")
    return data


def _put_back(value: Any, blobs: list[bytes]) -> Any:
    if isinstance(value, dict):
        members = cast(dict[str, Any], value)
        if "$blob" in members:
            return blobs[int(members["$blob"])]
        return {k: _put_back(v, blobs) for k, v in members.items() if k != "$type"}
    if isinstance(value, list):
        return [_put_back(item, blobs) for item in cast(list[Any], value)]
    return value
