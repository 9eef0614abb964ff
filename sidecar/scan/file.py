"""One pass over a file: what it is, what its header says, what lies among its numbers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sidecar.catalog.safetensors_header import BrokenHeader, Header, header_of
from sidecar.scan.byte_stream import ByteStream
from sidecar.scan.findings import Finding, Severity, shown, tidied, worst
from sidecar.scan.first_bytes import what_it_is
from sidecar.scan.layout import look_at_header
from sidecar.scan.numbers import is_finite

PIECE = 1 << 20
"""Small enough that other threads get their turn every millisecond; a multiple of 8."""
ZIP_TAIL = 65_557
"""The end record of a zip archive with the longest comment there may be (PKWARE APPNOTE 4.3.16)."""


class Stopped(Exception):
    """`stop` said so."""


@dataclass(frozen=True)
class Scan:
    """What is known about the bytes of a file. `findings`: the gravest first."""

    sha256: str
    bytes: int
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Severity | None:
        """The severity that decides what happens to the file; None: nothing was found."""
        return worst(self.findings)


def scan_file(path: Path, stop: Callable[[], bool] = lambda: False) -> Scan:
    """Read the whole file once. Raises OSError, and Stopped when `stop` returns true between
    two pieces."""
    findings: list[Finding] = []
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        foreign = what_it_is(file.read(512))
        findings += [foreign] if foreign else []
        findings += _zip_at_the_end(file, size) if foreign is None else []
        file.seek(0)
        header = None
        try:
            header = header_of(file)
        except BrokenHeader as exc:
            findings += [] if foreign else [_broken(exc)]
        else:
            findings += look_at_header(header)
        file.seek(0)
        digest, found = _read_through(file, header, stop)
    return Scan(digest, size, tidied([*findings, *found]))


def _broken(exc: BrokenHeader) -> Finding:
    text = "…" if exc.kind == "bad_json" else shown(str(exc))
    return Finding(exc.kind, shown(exc.where), text)


def _zip_at_the_end(file: BinaryIO, size: int) -> list[Finding]:
    """Zip readers, and so torch.load, look for their record at the end of a file."""
    file.seek(max(0, size - ZIP_TAIL))
    tail = file.read(ZIP_TAIL)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return []
    comment = int.from_bytes(tail[at + 20 : at + 22], "little")
    ends_here = at + 22 + comment == len(tail)
    return [Finding("polyglot", offset=size - len(tail) + at)] if ends_here else []


def _read_through(
    file: BinaryIO, header: Header | None, stop: Callable[[], bool]
) -> tuple[str, list[Finding]]:
    """The hash of all bytes, and what lies among those behind the header."""
    digest, stream = hashlib.sha256(), ByteStream()
    data_start = header.data_start if header else 0
    digest.update(file.read(data_start))
    findings: list[Finding] = []
    offset = data_start
    broken: set[str] = set()
    for name, length in _parts(header):
        for piece in _pieces(file, length):
            if stop():
                raise Stopped()
            digest.update(piece)
            stream.feed(piece, offset)
            offset += len(piece)
            if header and name not in broken and not is_finite(header.tensors[name].dtype, piece):
                broken.add(name)
                findings.append(Finding("not_finite", shown(name)))
    return digest.hexdigest(), [*findings, *stream.findings]


def _parts(header: Header | None) -> Iterator[tuple[str, int | None]]:
    """Names and lengths in the order of the file; without a header, one of any length."""
    if header is None:
        yield "", None
        return
    for name, (start, end) in header.spans.items():
        yield name, end - start


def _pieces(file: BinaryIO, length: int | None) -> Iterator[bytes]:
    while length is None or length > 0:
        piece = file.read(PIECE if length is None else min(PIECE, length))
        if not piece:
            return
        length = None if length is None else length - len(piece)
        yield piece
