"""What the command line says to people: lines, one progress line, tables."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

BAR_CELLS = 24


def say(text: str = "", stream: TextIO | None = None) -> None:
    """One line, on standard output unless told otherwise, written at once."""
    out = sys.stdout if stream is None else stream
    out.write(text + "\n")
    out.flush()


class ProgressLine:
    """A line with a bar, drawn over itself; in a file or a pipe a plain line each tenth."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._over = self._stream.isatty()
        self._said: tuple[str, int] | None = None

    def show(self, label: str, fraction: float) -> None:
        """`fraction`: 0..1 of the whole."""
        share = min(max(fraction, 0.0), 1.0)
        if self._over:
            filled = round(share * BAR_CELLS)
            bar = "█" * filled + "░" * (BAR_CELLS - filled)
            self._write(f"\r\x1b[2K{bar} {share:4.0%}  {label}")
        elif self._said != (now := (label.split(":")[0], int(share * 10))):
            self._said = now
            self._write(f"{share:4.0%}  {label}\n")

    def clear(self) -> None:
        """Makes room for other lines."""
        if self._over:
            self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns set side by side: the first to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        first = row[0].ljust(widths[0])
        rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        return "  ".join((first, *rest)).rstrip()

    rule = "  ".join("─" * width for width in widths)
    return "\n".join((line(head), rule, *map(line, rows)))
