"""Nudity and the like, by Yahoo's open_nsfw (https://github.com/yahoo/open_nsfw).

The picture is prepared as in `classify_nsfw.py` there: 256 × 256, a cut of 224 from the middle,
through JPEG once, BGR, less the mean of ImageNet.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from sidecar.engine.checks.network import CheckNetwork

SIDE, CUT = 256, 224
MEAN_BGR = np.array([104.0, 117.0, 123.0], np.float32)


class NsfwCheck:
    def __init__(self, threads: int) -> None:
        self._network = CheckNetwork("open-nsfw", threads)

    def score(self, picture: Image.Image) -> float:
        """0..1 of an RGB picture; more is worse."""
        return float(self._network(_prepared(picture))[0, 1])

    def give_back(self) -> None:
        """Free what looking took."""
        self._network.give_back()


def _prepared(picture: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    edge = (SIDE - CUT) // 2
    small = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    cut = small.crop((edge, edge, edge + CUT, edge + CUT))
    through = BytesIO()
    cut.save(through, "JPEG")
    values = np.asarray(Image.open(through, formats=("JPEG",)), np.float32)
    return (values[:, :, ::-1] - MEAN_BGR)[None]
