"""A PNG written from top to bottom, so that a picture larger than memory can be (W3C PNG).

Rows are filtered as libpng does by default: of the five filters, the one whose result has the
smallest sum of absolute values.
"""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
CHUNK_BYTES = 1 << 18
ROWS_AT_ONCE = 64
TEMPORARIES, MOST_BYTES = 32, 16 << 20
"""Bytes that filtering takes for each byte of a row, and how many it may take at once."""

Pixels = NDArray[np.uint8]


class PngWriter:
    """8 bits a channel: grey, grey + alpha, RGB or RGB + alpha. `close` after the last row."""

    def __init__(
        self,
        file: BinaryIO,
        width: int,
        height: int,
        channels: int,
        icc: bytes | None = None,
        level: int = 4,
    ) -> None:
        self._file = file
        self._channels = channels
        self._rows_left = height
        self._above: Pixels = np.zeros(width * channels, np.uint8)
        self._deflate = zlib.compressobj(level, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
        self._waiting = bytearray()
        file.write(SIGNATURE)
        header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[channels], 0, 0, 0)
        self._chunk(b"IHDR", header)
        if icc is not None:
            self._chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))

    def write(self, rows: Pixels) -> None:
        """The next rows, (rows, width, channels)."""
        self._rows_left -= len(rows)
        flat = np.ascontiguousarray(rows).reshape(len(rows), -1)
        step = max(1, min(ROWS_AT_ONCE, MOST_BYTES // (TEMPORARIES * flat.shape[1])))
        for start in range(0, len(flat), step):
            part = flat[start : start + step]
            self._waiting += self._deflate.compress(filtered(part, self._above, self._channels))
            self._above = part[-1].copy()
            self._pass_on()

    def close(self) -> None:
        """Raises ValueError when there are rows missing or too many; the file stays open."""
        if self._rows_left:
            raise ValueError(f"{self._rows_left} rows are missing")
        self._waiting += self._deflate.flush()
        self._pass_on(ends=True)
        self._chunk(b"IEND", b"")

    def _pass_on(self, ends: bool = False) -> None:
        """In chunks of one length, so that the same picture gives the same file."""
        while len(self._waiting) >= CHUNK_BYTES or (ends and self._waiting):
            self._chunk(b"IDAT", bytes(self._waiting[:CHUNK_BYTES]))
            del self._waiting[:CHUNK_BYTES]

    def _chunk(self, kind: bytes, body: bytes) -> None:
        checksum = zlib.crc32(body, zlib.crc32(kind))
        self._file.write(struct.pack(">I4s", len(body), kind))
        self._file.write(body)
        self._file.write(struct.pack(">I", checksum))


def filtered(rows: Pixels, above: Pixels, channels: int) -> bytes:
    """Each row with the number of its filter in front. `above`: the row before the first."""
    up = np.vstack([above[None], rows[:-1]])
    left, corner = _shifted(rows, channels), _shifted(up, channels)
    candidates = np.stack(
        [rows, rows - left, rows - up, rows - _mean(left, up), rows - _paeth(left, up, corner)]
    )
    sizes = np.abs(candidates.view(np.int8).astype(np.int16)).sum(axis=2, dtype=np.int64)
    best = sizes.argmin(axis=0)
    out = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
    out[:, 0] = best
    out[:, 1:] = candidates[best, np.arange(len(rows))]
    return out.tobytes()


def _shifted(rows: Pixels, channels: int) -> Pixels:
    """The byte of the pixel to the left; zero for the first."""
    out = np.zeros_like(rows)
    out[:, channels:] = rows[:, :-channels]
    return out


def _mean(left: Pixels, up: Pixels) -> Pixels:
    return ((left.astype(np.uint16) + up) >> 1).astype(np.uint8)


def _paeth(left: Pixels, up: Pixels, corner: Pixels) -> Pixels:
    """Of the three neighbours, the one nearest to left + up - corner."""
    a, b, c = (part.astype(np.int16) for part in (left, up, corner))
    to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    best_is_a = (to_a <= to_b) & (to_a <= to_c)
    return np.where(best_is_a, left, np.where(to_b <= to_c, up, corner))
