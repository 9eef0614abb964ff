"""Standard output and standard error as every subcommand finds them: there, and in UTF-8.

Windows gives a pipe the code page of the country, a bare POSIX environment ASCII, and a program
without a console no streams at all. None of that may stop a report half-way.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

STDERR = 2


def speak_utf8() -> None:
    """What a terminal's or a pipe's encoding does not have is written all the same."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and _refuses_some(stream.encoding, stream.errors):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _refuses_some(encoding: str, errors: str | None) -> bool:
    """Strict UTF-8 does, too: names of files that are no text."""
    return encoding.lower().replace("-", "") != "utf8" or errors == "strict"


def fill_gaps() -> None:
    """A stream that the caller closed or never gave leads nowhere; its number is not given away.

    Not for those who speak on a wire and must know that it is missing.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        os.set_inheritable(number, True)
    os.close(number)
    if _absent(sys.stdout):
        sys.stdout = _nowhere()
    if _absent(sys.stderr):
        sys.stderr = _nowhere()


def _absent(stream: TextIO | None) -> bool:
    return stream is None


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")
