"""Whether there is anything in a picture that could be made better."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import dist

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sidecar.errors import ImageBlank, ImageBlurred, ImageTiny

LEAST_SIDE = 32
BLANK = 2.0
"""Standard deviation of brightness, of 0..255, below which a picture is of one colour."""
COARSE = 8
DETAIL = 0.03
"""What a picture must lose, of its own contrast, when it is brought to an eighth and back.
Photographs and drawings lose 0.2 to 2; blurred by a Gaussian of 12 pixels, 0.01 to 0.03."""
LEVELS = 0.8
"""And in levels of 255: less is rounding."""
WHOLE = 256
"""Pixels of the longer side at which the whole picture is looked at."""
PATCH, MOST = 512, 5
"""Pixels a side of what is looked at in its own size, and how many of those along a side."""

Luma = NDArray[np.float32]


def refuse_hopeless(picture: Image.Image) -> None:
    """Raises ImageTiny, ImageBlank or ImageBlurred.

    One sharp place is enough: posters and logos are plain in the middle, portraits defocused.
    """
    if min(picture.size) < LEAST_SIDE:
        raise ImageTiny(width=picture.width, height=picture.height, least=LEAST_SIDE)
    contrast = float(np.std(_luma(_small(picture))))
    least, blank = max(DETAIL * contrast, LEVELS), contrast < BLANK
    for patch in _patches(picture):
        if float(np.std(patch)) < BLANK:
            continue
        if detail(patch) >= least:
            return
        blank = False
    raise ImageBlank() if blank else ImageBlurred()


def detail(luma: Luma) -> float:
    """Root mean square of what is finer than `COARSE` pixels, of the tenth where there is most.

    Not at the borders, where the comparison itself is not exact.
    """
    height, width = (side // COARSE * COARSE for side in luma.shape)
    whole = Image.fromarray(luma[:height, :width])
    small = whole.resize((width // COARSE, height // COARSE), Image.Resampling.BOX)
    back = np.asarray(small.resize(whole.size, Image.Resampling.BICUBIC))
    lost = np.abs(luma[:height, :width] - back)[COARSE:-COARSE, COARSE:-COARSE].ravel()
    tenth = max(1, lost.size // 10)
    most = np.partition(lost, -tenth)[-tenth:]
    return float(np.sqrt(np.mean(most**2)))


def _patches(picture: Image.Image) -> Iterator[Luma]:
    """In full size, since shrinking would make them sharper; from the middle outwards."""
    (width, lefts), (height, tops) = (_places(side) for side in picture.size)
    middle = ((picture.width - width) / 2, (picture.height - height) / 2)
    for left, top in sorted(product(lefts, tops), key=lambda place: dist(place, middle)):
        yield _luma(picture.crop((left, top, left + width, top + height)))


def _places(side: int) -> tuple[int, list[int]]:
    """How long a patch is, and where patches begin, evenly spread."""
    length, count = min(side, PATCH), min(MOST, -(-side // PATCH))
    return length, [round(i * (side - length) / max(1, count - 1)) for i in range(count)]


def _small(picture: Image.Image) -> Image.Image:
    size = [max(1, round(side * min(1.0, WHOLE / max(picture.size)))) for side in picture.size]
    return picture.convert("RGB").resize(size, Image.Resampling.BOX)


def _luma(picture: Image.Image) -> Luma:
    return np.asarray(picture.convert("RGB").convert("L"), dtype=np.float32)
