"""Writing in pictures, by PP-OCRv4: its detector (DB, Liao et al. 2020) and its recogniser."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sidecar.engine.checks.network import CheckNetwork
from sidecar.engine.checks.rectangles import Points, around
from sidecar.engine.checks.regions import Box, regions

SMALLEST, LARGEST, STEP = 480, 960, 32
"""Of the longer side that the detector sees, and what sides are multiples of."""
SHOWN, SURE = 0.3, 0.6
"""Probability from which a pixel belongs to writing, and that a region must have on average."""
UNCLIP = 1.6
"""The detector finds shrunken lines; they are grown by area · UNCLIP / perimeter."""
LEAST_PX = 3
TURNED = 0.85
"""Of the area of an upright box, what a turned one may have at most to be taken instead."""
LINE_HEIGHT, LINE_WIDTH, LONGEST_LINE = 48, 320, 2400
MOST_LINES = 24
READABLE, CERTAIN = 0.7, 0.9
"""How surely a line must be read to count, and not to be read upside down as well."""
SHORTEST = 2
ADDRESS = re.compile(
    r"https?:|www\.|@[\w-]+\.\w|[\w-]{2,}\.(com|net|org|info|biz|io|ai|app|shop|xyz|cn|de|uk|ru|jp|co|me|tv)\b",
    re.IGNORECASE,
)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """One line of writing. `box`: left, top, width, height. `score`: how surely it was read."""

    text: str
    score: float
    box: Box

    @property
    def is_address(self) -> bool:
        return ADDRESS.search(self.text.replace(" ", "")) is not None


class WritingCheck:
    def __init__(self, threads: int) -> None:
        self._finder = CheckNetwork("text-finder", threads)
        self._reader = CheckNetwork("text-reader", threads)

    def lines(self, picture: Image.Image) -> list[Line]:
        """What can be read in an RGB picture, the largest first."""
        read: list[Line] = []
        for corners in self._found(picture)[:MOST_LINES]:
            text, score = self._read(_cut_out(picture, corners))
            if score >= READABLE and len(text.strip()) >= SHORTEST:
                left, top, right, bottom = _upright(corners, picture.size)
                read.append(Line(text.strip(), score, (left, top, right - left, bottom - top)))
        return read

    def give_back(self) -> None:
        """Free what reading took."""
        self._finder.give_back()
        self._reader.give_back()

    def _found(self, picture: Image.Image) -> list[Points]:
        """Corners of each line in the picture's own pixels, the largest first."""
        seen = picture.resize(_seen_size(picture.size), Image.Resampling.BILINEAR)
        shown = self._finder(_normalised(seen))[0, 0]
        times = np.array([picture.width / seen.width, picture.height / seen.height])
        found = [corners * times for corners in _sure_corners(shown)]
        return sorted(found, key=_area, reverse=True)

    def _read(self, line: Image.Image) -> tuple[str, float]:
        """A line upright, or lying on its side where it is tall; the other way round, where that
        says nothing for certain."""
        if line.height > 1.5 * line.width:
            line = line.transpose(Image.Transpose.ROTATE_90)
        one = self._read_upright(line)
        if one[1] >= CERTAIN:
            return one
        other = self._read_upright(line.transpose(Image.Transpose.ROTATE_180))
        return max(one, other, key=lambda text: text[1])

    def _read_upright(self, line: Image.Image) -> tuple[str, float]:
        width = min(LONGEST_LINE, max(1, -(-LINE_HEIGHT * line.width // line.height)))
        scaled = line.resize((width, LINE_HEIGHT), Image.Resampling.BILINEAR)
        fed = np.zeros((1, 3, LINE_HEIGHT, max(LINE_WIDTH, width)), np.float32)
        fed[:, :, :, :width] = _normalised(scaled)
        return _decoded(self._reader(fed)[0], self._characters)

    @cached_property
    def _characters(self) -> Sequence[str]:
        """By the number that the recogniser gives; 0 is none, the last one a blank."""
        return ["", *self._reader.fact("character").splitlines(), " "]


def _seen_size(size: tuple[int, int]) -> tuple[int, int]:
    longer = max(size)
    scale = min(max(longer, SMALLEST), LARGEST) / longer
    width, height = (max(STEP, round(side * scale / STEP) * STEP) for side in size)
    return width, height


def _normalised(picture: Image.Image) -> Floats:
    """(1, 3, height, width), BGR in -1..1."""
    values = np.asarray(picture, np.float32)[:, :, ::-1] / 127.5 - 1.0
    return values.transpose(2, 0, 1)[None]


def _sure_corners(shown: Floats) -> Iterator[Points]:
    """Of the regions that are writing, by a map of probabilities; grown, and turned where they
    are."""
    for region in regions(shown > SHOWN):
        left, top, right, bottom = region.box
        width, height = right - left, bottom - top
        certainty = np.concatenate([shown[y, start:stop] for y, start, stop in region.runs]).mean()
        if min(width, height) < LEAST_PX or certainty < SURE:
            continue
        turned = around(region.outline)
        if turned.length * turned.height > TURNED * width * height:
            more = _more(width, height)
            yield _corners(left - more, top - more, right + more, bottom + more)
        elif turned.height >= LEAST_PX:
            yield turned.grown(_more(turned.length, turned.height)).corners


def _more(length: float, height: float) -> float:
    return length * height * UNCLIP / (2 * (length + height))


def _corners(left: float, top: float, right: float, bottom: float) -> Points:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)


def _area(corners: Points) -> float:
    """Of a parallelogram."""
    (a, b), (c, d) = corners[1] - corners[0], corners[3] - corners[0]
    return abs(float(a * d - b * c))


def _upright(corners: Points, size: tuple[int, int]) -> Box:
    """The box around it within the picture: left, top, right, bottom."""
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    width, height = size
    return max(0, int(left)), max(0, int(top)), min(width, round(right)), min(height, round(bottom))


def _cut_out(picture: Image.Image, corners: Points) -> Image.Image:
    """Turned back where it is turned."""
    if np.ptp(corners[:2, 1]) == 0:
        return picture.crop(_upright(corners, picture.size))
    upper_left, upper_right, lower_right, lower_left = corners
    length, height = (
        max(1, round(float(np.hypot(*(end - upper_left))))) for end in (upper_right, lower_left)
    )
    where = np.concatenate([upper_left, lower_left, lower_right, upper_right])
    how = (Image.Transform.QUAD, tuple(float(x) for x in where), Image.Resampling.BILINEAR)
    return picture.transform((length, height), *how)


def _decoded(scores: Floats, characters: Sequence[str]) -> tuple[str, float]:
    """The text, and the mean score of its characters (CTC, Graves et al. 2006, best path)."""
    best = scores.argmax(axis=1)
    kept = (best != 0) & np.concatenate(([True], best[1:] != best[:-1]))
    if not kept.any():
        return "", 0.0
    text = "".join(characters[int(number)] for number in best[kept])
    return text, float(scores.max(axis=1)[kept].mean())
