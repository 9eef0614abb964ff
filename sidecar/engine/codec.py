"""Commands and events as bytes on the pipe between front and engine.

A message is: 4 bytes length of the header (big-endian), the header as JSON
`{"message": {...}, "blobs": [sizes]}`, then the blobs. A dataclass stands in it as an object with
its class name under `$type`, a `bytes` value as `{"$blob": index}`, so pictures are never base64
on this pipe. Sequences come out as tuples, as the contract has them.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Callable, Sequence
from typing import Any, cast, get_args

from sidecar.engine import contract

_LENGTH = struct.Struct(">I")
_TYPES: dict[str, Callable[..., Any]] = {
    name: cls
    for name, cls in vars(contract).items()
    if isinstance(cls, type) and dataclasses.is_dataclass(cls)
}
_MESSAGES = (*get_args(contract.Command), *get_args(contract.Event))

Message = contract.Command | contract.Event
ReadExactly = Callable[[int], bytes]


class BrokenPipeMessage(Exception):
    """The other side sent something that is not a message, or ended within one."""


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

    header = json.dumps(
        {"message": plain(message), "blobs": [len(b) for b in blobs]}, separators=(",", ":")
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
        message = _put_back(header["message"], blobs)
    except (ValueError, KeyError, IndexError, TypeError, struct.error) as exc:
        raise BrokenPipeMessage(str(exc)) from exc
    if not isinstance(message, _MESSAGES):
        raise BrokenPipeMessage(f"{type(message).__name__} is no message")
    return message


def _exactly(read: ReadExactly, size: int) -> bytes:
    data = read(size)
    if len(data) != size:
        raise BrokenPipeMessage(f"{len(data)} of {size} bytes, then the end of the stream")
    return data


def _put_back(value: object, blobs: list[bytes]) -> Any:
    """The value as it was before `plain`. Raises TypeError for fields that a class has not."""
    if isinstance(value, list):
        return tuple(_put_back(item, blobs) for item in cast(list[Any], value))
    if isinstance(value, dict):
        return _object(cast(dict[str, Any], value), blobs)
    return value


def _object(members: dict[str, Any], blobs: list[bytes]) -> Any:
    if "$blob" in members:
        index: int = members["$blob"]
        return blobs[index]
    fields = {k: _put_back(v, blobs) for k, v in members.items() if k != "$type"}
    return _TYPES[members["$type"]](**fields) if "$type" in members else fields
