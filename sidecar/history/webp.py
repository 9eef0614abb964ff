"""XMP metadata inside a WebP (RIFF container, RFC 9649), without a codec."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_XMP_FLAG, _ALPHA_FLAG = 0x04, 0x10


class NotWebp(ValueError):
    """The bytes are no WebP, or one whose chunks do not add up."""


def with_xmp(data: bytes, xmp: bytes, width: int, height: int) -> bytes:
    """The same picture (`width` × `height` pixels) with `xmp` as its XMP packet.

    A simple file becomes an extended one, as the format asks.
    """
    chunks = [(kind, body) for kind, body in _chunks(data) if kind != b"XMP "]
    if chunks and chunks[0][0] == b"VP8X":
        body = chunks[0][1]
        chunks[0] = (b"VP8X", bytes([body[0] | _XMP_FLAG]) + body[1:])
    else:
        chunks.insert(0, (b"VP8X", _extended_header(chunks, width, height)))
    return _riff([*chunks, (b"XMP ", xmp)])


def read_xmp(data: bytes) -> bytes | None:
    """The XMP packet, or None when there is none."""
    return next((body for kind, body in _chunks(data) if kind == b"XMP "), None)


def _extended_header(chunks: list[tuple[bytes, bytes]], width: int, height: int) -> bytes:
    flags = _XMP_FLAG
    for kind, body in chunks:
        if kind == b"VP8L" and len(body) >= 5 and body[4] & 0x10:  # alpha_is_used, bit 28
            flags |= _ALPHA_FLAG
        if kind == b"ALPH":
            flags |= _ALPHA_FLAG
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes([flags, 0, 0, 0]) + sides


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise NotWebp("no WebP signature")
    position = 12
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        body = data[position + 8 : position + 8 + length]
        if len(body) != length:
            raise NotWebp("ends within a chunk")
        yield kind, body
        position += 8 + length + (length & 1)


def _riff(chunks: list[tuple[bytes, bytes]]) -> bytes:
    parts = [b"WEBP"]
    for kind, body in chunks:
        parts += [kind, struct.pack("<I", len(body)), body, b"\0" * (len(body) & 1)]
    payload = b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(payload)) + payload
