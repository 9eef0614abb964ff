"""Whether there is anything in a picture that could be made better."""

from __future__ import annotations

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
LOOKED_AT = 512

Luma = NDArray[np.float32]


def refuse_hopeless(picture: Image.Image) -> None:
    """Raises ImageTiny, ImageBlank or ImageBlurred."""
    if min(picture.size) < LEAST_SIDE:
        raise ImageTiny(width=picture.width, height=picture.height, least=LEAST_SIDE)
    luma = _luma(picture)
    contrast = float(np.std(luma))
    if contrast < BLANK:
        raise ImageBlank()
    if detail(luma) < max(DETAIL * contrast, LEVELS):
        raise ImageBlurred()


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


def _luma(picture: Image.Image) -> Luma:
    """Of a cut from the middle at full size: shrinking would make it sharper."""
    width, height = (min(side, LOOKED_AT) for side in picture.size)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    middle = picture.crop((left, top, left + width, top + height)).convert("RGB").convert("L")
    return np.asarray(middle, dtype=np.float32)
