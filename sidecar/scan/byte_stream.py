"""Addresses and programs among the numbers of a file, at half a gigabyte a second and more.

Weights look like noise: twelve bytes in a row below 128 come up once in 4,096 places, and what is
looked for here (a URL, an e-mail address, the header of a program) has at least as many. So the
bytes are mapped to "below 128 or not", runs are found by `bytes.find`, and only runs are read.
"""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.scan.addresses import mails, urls
from sidecar.scan.findings import Finding

RUN = 12
OVERLAP = 256
"""Bytes of the former piece that are read again, for what lies across two pieces."""
LOOKS_PER_PIECE = 2000
"""At each mark in one piece; more only a file made to waste time has."""

MOST_FINDINGS = 64
MAIL = 14
"""Shorter mail addresses come up by chance, once in a few hundred large files."""

_HIGH = bytes(128) + b"\x01" * 128
_RUN = bytes(RUN)
_BEFORE, _AFTER = 72, 256

_ADDRESS_MARKS = (b"://", b"www.", b"@", b"WWW.")
_PROGRAM_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"\x7fELF", "ELF"),
    (b"PE\x00\x00", "PE"),
    (b"This program cannot be run in DOS mode", "PE"),
    (b"__PAGEZERO\x00", "Mach-O"),
    (b"#!/bin/", "script"),
    (b"#!/usr/", "script"),
)
_MACHINES = {0x014C, 0x8664, 0x01C0, 0x01C4, 0xAA64, 0x0200}
"""Intel and Arm, as PE headers name them (Microsoft PE format, "Machine Types")."""


class ByteStream:
    """Fed with pieces of a file, in order; gathers findings."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int | None], Finding] = {}
        self._tail = b""

    @property
    def findings(self) -> list[Finding]:
        return list(self._found.values())

    def feed(self, piece: bytes, offset: int) -> None:
        """`offset`: of the piece, bytes into the file."""
        data = self._tail + piece
        start = offset - len(self._tail)
        looks: dict[bytes, int] = {}
        for run_start, run_end in ascii_runs(data):
            for finding in _in_run(data, run_start, run_end, start, looks):
                self._note(finding)
        self._tail = data[-OVERLAP:]

    def _note(self, finding: Finding) -> None:
        """What was cut by the end of a piece is found again, and then whole."""
        key = finding.kind, finding.offset
        former = self._found.get(key)
        if former is None and len(self._found) >= MOST_FINDINGS:
            return
        if former is None or len(former.detail) < len(finding.detail):
            self._found[key] = finding


def ascii_runs(data: bytes) -> Iterator[tuple[int, int]]:
    """Where at least RUN bytes in a row are below 128: start and end of each such run."""
    high = data.translate(_HIGH)
    start = high.find(_RUN)
    while start >= 0:
        end = high.find(b"\x01", start + RUN)
        end = len(data) if end < 0 else end
        yield start, end
        start = high.find(_RUN, end)


def _in_run(
    data: bytes, start: int, end: int, offset: int, looks: dict[bytes, int]
) -> Iterator[Finding]:
    for mark in _ADDRESS_MARKS:
        for at in _places(data, mark, start, end, looks):
            yield from _addresses(data, max(start, at - _BEFORE), min(end, at + _AFTER), offset)
    for mark, name in _PROGRAM_MARKS:
        for at in _places(data, mark, start, end, looks):
            if _is_program(data, at, mark):
                yield Finding("executable", detail=name, offset=offset + at)


def _places(
    data: bytes, mark: bytes, start: int, end: int, looks: dict[bytes, int]
) -> Iterator[int]:
    at = data.find(mark, start, end)
    while at >= 0 and looks.get(mark, 0) < LOOKS_PER_PIECE:
        looks[mark] = looks.get(mark, 0) + 1
        yield at
        at = data.find(mark, at + 1, end)


def _addresses(data: bytes, start: int, end: int, offset: int) -> Iterator[Finding]:
    window = data[start:end]
    found = [*urls(window), *(mail for mail in mails(window) if len(mail[1]) >= MAIL)]
    for at, text in found:
        yield Finding("address_in_bytes", detail=text, offset=offset + start + at)


def _is_program(data: bytes, at: int, mark: bytes) -> bool:
    if mark == b"\x7fELF":
        return data[at + 4 : at + 5] in (b"\x01", b"\x02") and data[at + 6 : at + 7] == b"\x01"
    if mark == b"PE\x00\x00":
        return int.from_bytes(data[at + 4 : at + 6], "little") in _MACHINES
    return True
