"""Writing in pictures, by PP-OCRv4: its detector (DB, Liao et al. 2020) and its recogniser."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sidecar.engine.checks.network import CheckNetwork
from sidecar.engine.checks.regions import Box, regions

SMALLEST, LARGEST, STEP = 480, 960, 32
"""Of the longer side that the detector sees, and what sides are multiples of."""
SHOWN, SURE = 0.3, 0.6
"""Probability from which a pixel belongs to writing, and that a region must have on average."""
UNCLIP = 1.6
"""The detector finds shrunken lines; they are grown by area · UNCLIP / perimeter."""
LEAST_PX = 3
LINE_HEIGHT, LINE_WIDTH, LONGEST_LINE = 48, 320, 2400
MOST_LINES = 24
READABLE = 0.7
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
        for left, top, right, bottom in self._found(picture)[:MOST_LINES]:
            text, score = self._read(picture.crop((left, top, right, bottom)))
            if score >= READABLE and len(text.strip()) >= SHORTEST:
                read.append(Line(text.strip(), score, (left, top, right - left, bottom - top)))
        return read

    def give_back(self) -> None:
        """Free what reading took."""
        self._finder.give_back()
        self._reader.give_back()

    def _found(self, picture: Image.Image) -> list[Box]:
        """Boxes (left, top, right, bottom) in the picture's own pixels."""
        seen = picture.resize(_seen_size(picture.size), Image.Resampling.BILINEAR)
        shown = self._finder(_normalised(seen))[0, 0]
        across, down = picture.width / seen.width, picture.height / seen.height
        boxes = [
            (
                max(0, int(left * across)),
                max(0, int(top * down)),
                min(picture.width, round(right * across)),
                min(picture.height, round(bottom * down)),
            )
            for left, top, right, bottom in _sure_boxes(shown)
        ]
        return sorted(boxes, key=lambda b: (b[0] - b[2]) * (b[3] - b[1]))

    def _read(self, line: Image.Image) -> tuple[str, float]:
        """A line upright, or lying on its side where it is tall."""
        if line.height > 1.5 * line.width:
            line = line.transpose(Image.Transpose.ROTATE_90)
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


def _sure_boxes(shown: Floats) -> list[tuple[float, float, float, float]]:
    """Grown boxes of the regions that are writing, by a map of probabilities."""
    boxes: list[tuple[float, float, float, float]] = []
    mask = shown > SHOWN
    for left, top, right, bottom in regions(mask):
        width, height = right - left, bottom - top
        part = shown[top:bottom, left:right]
        if min(width, height) < LEAST_PX or part[mask[top:bottom, left:right]].mean() < SURE:
            continue
        more = width * height * UNCLIP / (2 * (width + height))
        boxes.append((left - more, top - more, right + more, bottom + more))
    return boxes


def _decoded(scores: Floats, characters: Sequence[str]) -> tuple[str, float]:
    """The text, and the mean score of its characters (CTC, Graves et al. 2006, best path)."""
    best = scores.argmax(axis=1)
    kept = (best != 0) & np.concatenate(([True], best[1:] != best[:-1]))
    if not kept.any():
        return "", 0.0
    text = "".join(characters[int(number)] for number in best[kept])
    return text, float(scores.max(axis=1)[kept].mean())
