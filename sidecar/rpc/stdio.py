"""Takes the real stdin and stdout away from everything else in the process.

The wire's descriptors are duplicated to private ones; fd 0 then reads nothing and fd 1 is stderr,
so that neither `print` nor a C library's `printf` can put a byte on the wire. Must run before any
third-party import.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TextIO

STDIN, STDOUT, STDERR = 0, 1, 2


@dataclass(frozen=True)
class Wire:
    """Private descriptors of the wire; not inherited by children."""

    read_fd: int
    write_fd: int


def claim() -> Wire:
    """Duplicate fd 0 and 1, guard the originals, and give `sys.std*` somewhere safe to go.

    Raises OSError when the process was started without a stdin or stdout.
    """
    _flush_what_is_pending()
    wire = Wire(os.dup(STDIN), os.dup(STDOUT))
    if sys.platform == "win32":
        _binary_mode(wire)
    _point_at_null(STDIN, os.O_RDONLY)
    if not _is_open(STDERR):
        _point_at_null(STDERR, os.O_WRONLY)
    os.dup2(STDERR, STDOUT, inheritable=True)
    sys.stdin = open(STDIN, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = _text_on(STDOUT)
    if _absent(sys.stderr):
        sys.stderr = _text_on(STDERR)
    return wire


def _absent(stream: TextIO | None) -> bool:
    """A windowed Windows program has None where a stream should be."""
    return stream is None


def _flush_what_is_pending() -> None:
    for stream in (sys.stdout, sys.stderr):
        if not _absent(stream):
            stream.flush()


def _text_on(fd: int) -> TextIO:
    return open(fd, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _point_at_null(fd: int, flags: int) -> None:
    null = os.open(os.devnull, flags)
    if null != fd:
        os.dup2(null, fd, inheritable=True)
        os.close(null)


def _binary_mode(wire: Wire) -> None:
    """Without it Windows turns line feeds into CR LF and stops at Ctrl-Z."""
    import msvcrt

    setmode = getattr(msvcrt, "setmode")  # noqa: B009  (absent in other systems' stubs)
    for fd in (wire.read_fd, wire.write_fd):
        setmode(fd, getattr(os, "O_BINARY"))  # noqa: B009
