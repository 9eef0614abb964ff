"""Text inside a PNG (W3C PNG, third edition, chunks tEXt and iTXt), without a codec.

Chunks are put behind IHDR, where every reader finds them before the pixels.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PART_BYTES = 1024 * 1024
_IHDR_END = len(SIGNATURE) + 25


class NotPng(ValueError):
    """The bytes are no PNG, or one whose chunks do not add up."""


def with_text(data: bytes, texts: Mapping[str, str]) -> bytes:
    """The same picture with these texts; former texts under the same keywords are replaced."""
    kept = [data[:_IHDR_END]]
    kept += [_text_chunk(keyword, text) for keyword, text in texts.items()]
    for kind, start, end in _chunks(data):
        if kind != b"IHDR" and _keyword(kind, data[start:end]) not in texts:
            kept.append(data[start - 8 : end + 4])
    return b"".join(kept)


def file_with_text(path: Path, texts: Mapping[str, str]) -> tuple[int, Iterator[bytes]]:
    """The same of a file that has no texts yet, without holding it: its size, and its parts."""
    added = b"".join(_text_chunk(keyword, text) for keyword, text in texts.items())
    return path.stat().st_size + len(added), _parts(path, added)


def _parts(path: Path, added: bytes) -> Iterator[bytes]:
    with open(path, "rb") as file:
        head = file.read(_IHDR_END)
        if head[: len(SIGNATURE)] != SIGNATURE or head[12:16] != b"IHDR":
            raise NotPng("no PNG signature")
        yield head
        yield added
        while part := file.read(PART_BYTES):
            yield part


def read_text(data: bytes) -> dict[str, str]:
    """Every uncompressed text by keyword. Texts with a wrong checksum are left out."""
    texts: dict[str, str] = {}
    for kind, start, end in _chunks(data):
        body = data[start:end]
        keyword = _keyword(kind, body)
        if keyword is not None and _checksum(kind, body) == data[end : end + 4]:
            text = _text_of(kind, body)
            if text is not None:
                texts[keyword] = text
    return texts


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start, end) of each chunk's body."""
    if data[: len(SIGNATURE)] != SIGNATURE or data[12:16] != b"IHDR":
        raise NotPng("no PNG signature")
    position, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        if position + 12 > len(data):
            raise NotPng("ends within a chunk")
        length, kind = struct.unpack_from(">I4s", data, position)
        start, end = position + 8, position + 8 + length
        if end + 4 > len(data):
            raise NotPng("ends within a chunk")
        yield kind, start, end
        position = end + 4


def _text_chunk(keyword: str, text: str) -> bytes:
    name, text = keyword.encode("latin-1"), text.replace("\0", "")
    if all(c in "\n\t" or "\x20" <= c <= "\x7e" or "\xa0" <= c <= "\xff" for c in text):
        return _chunk(b"tEXt", name + b"\0" + text.encode("latin-1"))
    body = name + b"\0" + b"\0\0" + b"\0" + b"\0" + text.encode("utf-8", "replace")
    return _chunk(b"iTXt", body)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + _checksum(kind, body)


def _checksum(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def _keyword(kind: bytes, body: bytes) -> str | None:
    if kind not in (b"tEXt", b"iTXt", b"zTXt"):
        return None
    return body.partition(b"\0")[0].decode("latin-1")


def _text_of(kind: bytes, body: bytes) -> str | None:
    rest = body.partition(b"\0")[2]
    if kind == b"tEXt":
        return rest.decode("latin-1")
    if kind == b"iTXt" and rest[:1] == b"\0":
        return rest[2:].split(b"\0", 2)[-1].decode("utf-8", "replace")
    return None
