"""However a job ends, the memory that its network took is free afterwards."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from sidecar.engine import allocator
from sidecar.engine.contract import CancelToken, Event, UpscalerSpec
from sidecar.engine.pictures.opening import Opened
from sidecar.engine.upscale.upscaler import Enlarged, Upscaler
from sidecar.errors import Cancelled, NumericalFault
from sidecar.paths import upscaler_folder
from tests.engine.upscale.networks import nearest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts on malloc_trim")
NETWORK_MB, PIECE_MB = 25, 60
"""What an open network may keep, and what a piece of 192 pixels takes at the least."""
COMPACT = UpscalerSpec("net", str(upscaler_folder() / "realesr-animevideov3.onnx"))


def resident_mb() -> float:
    gc.collect()
    allocator.give_back()
    return psutil.Process().memory_info().rss / 2**20


class Work:
    """Enlarges in pieces; `stop_after`: cancelled when that part of them is done."""

    def __init__(self, upscaler: Upscaler, spec: UpscalerSpec, stop_after: float = 2.0) -> None:
        self._upscaler, self._spec, self._stop_after = upscaler, spec, stop_after
        self._token = CancelToken()
        self.most_mb = 0.0

    def enlarged(self, picture: Image.Image) -> Enlarged:
        how = (4, self._spec, _ignored, self._token, self._piece_done)
        return self._upscaler.enlarge(Opened(picture), *how)

    def _piece_done(self, done: int, pieces: int) -> None:
        self.most_mb = max(self.most_mb, resident_mb())
        if done >= pieces * self._stop_after:
            self._token.cancel()


def _ignored(event: Event) -> None:
    pass


@pytest.fixture
def upscaler() -> Upscaler:
    upscaler = Upscaler(1)
    Work(upscaler, COMPACT).enlarged(opaque().resize((64, 64))).picture()
    return upscaler


def opaque() -> Image.Image:
    """As screenshots are: with an alpha channel that says nothing."""
    return Image.effect_noise((420, 420), 50).convert("RGBA")


def in_pieces() -> Image.Image:
    """Larger than the network's tile."""
    return Image.effect_noise((700, 700), 50).convert("RGB")


def test_after_a_picture_whose_transparency_is_the_same_all_over(upscaler: Upscaler) -> None:
    before, work = resident_mb(), Work(upscaler, COMPACT)
    work.enlarged(opaque()).picture()
    assert work.most_mb > before + PIECE_MB
    assert resident_mb() < before + NETWORK_MB


def test_after_a_cancel_between_pieces(upscaler: Upscaler) -> None:
    before, work = resident_mb(), Work(upscaler, COMPACT, stop_after=0.25)
    with pytest.raises(Cancelled):
        work.enlarged(in_pieces()).picture()
    assert work.most_mb > before + PIECE_MB
    assert resident_mb() < before + NETWORK_MB


def test_after_rows_that_nobody_wanted_to_the_end(upscaler: Upscaler) -> None:
    before, work = resident_mb(), Work(upscaler, COMPACT)
    rows = work.enlarged(in_pieces()).rows
    assert len(next(rows))
    rows.close()
    assert work.most_mb > before + PIECE_MB
    assert resident_mb() < before + NETWORK_MB


def test_after_a_result_that_is_no_picture(tmp_path: Path) -> None:
    facts = {"scale": "4", "top": "1", "margin": "8", "tile": "900"}
    dark = nearest(tmp_path / "net.onnx", 4, steps=[("Mul", {"inputs": ["dark"]})], facts=facts)
    spec, upscaler = UpscalerSpec("dark", str(dark)), Upscaler(1)
    upscaler.load(spec, _ignored, CancelToken())
    before = resident_mb()
    with pytest.raises(NumericalFault):
        Work(upscaler, spec).enlarged(Image.effect_noise((900, 900), 50)).picture()
    assert resident_mb() < before + NETWORK_MB


def test_a_network_that_gave_back_its_memory_goes_on_as_before(upscaler: Upscaler) -> None:
    screenshot = opaque().resize((96, 80))
    pictures = [Work(upscaler, COMPACT).enlarged(screenshot).picture() for _ in range(2)]
    assert np.array_equal(np.asarray(pictures[0]), np.asarray(pictures[1]))
