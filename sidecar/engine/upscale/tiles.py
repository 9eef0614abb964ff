"""Enlarging piece by piece: pieces overlap, margins are thrown away, seams are blended.

Rows come out from top to bottom as soon as they are finished, so what is held at any time is one
row of pieces, whatever the picture's height.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import pairwise
from math import lcm

import numpy as np
from numpy.typing import NDArray

FEATHER = 8
"""Input pixels over which one piece fades into the next."""
STEP = 4
"""Sides of pieces are multiples of it, where the picture is large enough."""

Pixels = NDArray[np.uint8]
Enlarge = Callable[[Pixels], Pixels]
"""From (height, width, channels) to `scale` times that."""


@dataclass(frozen=True)
class Span:
    """One piece along one side, in input pixels: what it reads, and where it fades in and out."""

    start: int
    stop: int
    fade_in: tuple[int, int]
    fade_out: tuple[int, int]


def spans(
    length: int,
    tile: int,
    margin: int,
    feather: int = FEATHER,
    step: int = STEP,
    multiple: int = 1,
) -> list[Span]:
    """Pieces of equal length over `length` pixels, at most `tile` long where margins allow it.

    Their length is a multiple of `step`, unless there is but one; they begin at multiples of
    `multiple`, and the last one may be that much shorter.
    """
    whole, overlap = (_up(pixels, multiple) for pixels in (length, 2 * margin + feather))
    step = lcm(step, multiple)
    tile = max(tile, overlap + 3 * max(feather, step)) // step * step
    if length <= tile:
        return [Span(0, length, (0, 0), (length, length))]
    count = -(-(whole - overlap) // (tile - overlap))
    even = -(-(whole + (count - 1) * overlap) // count)
    tile = min(whole, _up(even, step))
    starts = [round(i * (whole - tile) / (count - 1) / multiple) * multiple for i in range(count)]
    fades = [_fade(second, first + tile, feather) for first, second in pairwise(starts)]
    begins = [(0, 0), *fades]
    ends = [*fades, (length, length)]
    return [
        Span(start, min(start + tile, length), begin, end)
        for start, begin, end in zip(starts, begins, ends, strict=True)
    ]


def _up(pixels: int, multiple: int) -> int:
    return -(-pixels // multiple) * multiple


def _fade(start: int, stop: int, feather: int) -> tuple[int, int]:
    """In the middle of what two pieces share."""
    first = (start + stop - feather) // 2
    return first, first + feather


def enlarged_rows(
    pixels: Pixels, scale: int, rows: list[Span], columns: list[Span], enlarge: Enlarge
) -> Generator[Pixels]:
    """The enlarged picture in strips, (rows, width · scale, channels)."""
    fading: Pixels | None = None
    for row in rows:
        last_row = row is rows[-1]
        strip = _strip(pixels[row.start : row.stop], scale, columns, enlarge)
        if fading is not None:
            yield _faded(fading, _part(strip, row, *row.fade_in, scale), axis=0)
        yield _part(strip, row, row.fade_in[1], row.fade_out[0], scale)
        fading = None if last_row else _part(strip, row, *row.fade_out, scale).copy()
        del strip  # before the next one is made


def _part(strip: Pixels, row: Span, first: int, stop: int, scale: int) -> Pixels:
    """Rows `first` to `stop` of the picture, out of the strip that this row of pieces gave."""
    return strip[(first - row.start) * scale : (stop - row.start) * scale]


def _strip(pixels: Pixels, scale: int, columns: list[Span], enlarge: Enlarge) -> Pixels:
    """One row of pieces, side by side."""
    height, width, channels = pixels.shape
    strip = np.empty((height * scale, width * scale, channels), np.uint8)
    for column in columns:
        piece = enlarge(pixels[:, column.start : column.stop])
        first, begun = (scale * x for x in column.fade_in)
        origin = scale * column.start
        strip[:, first:begun] = _faded(
            strip[:, first:begun], piece[:, first - origin : begun - origin], axis=1
        )
        stop = scale * column.fade_out[1]
        strip[:, begun:stop] = piece[:, begun - origin : stop - origin]
    return strip


def _faded(before: Pixels, after: Pixels, axis: int) -> Pixels:
    """From one to the other along the axis."""
    length = before.shape[axis]
    weight = (np.arange(length, dtype=np.float32) + 0.5) / max(length, 1)
    weight = weight.reshape([-1 if i == axis else 1 for i in range(3)])
    mixed = before + weight * (after.astype(np.float32) - before)
    return np.rint(mixed).astype(np.uint8)
