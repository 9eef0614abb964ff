"""What comes out of a network as a picture of bytes."""

from __future__ import annotations

import numpy as np
import pytest

from sidecar.engine.upscale.pieces import BAND, in_bytes


@pytest.mark.parametrize("height", [1, BAND - 1, BAND, 3 * BAND + 5])
@pytest.mark.parametrize("channels", [1, 3])
def test_numbers_are_rounded_and_clipped_to_bytes(height: int, channels: int) -> None:
    planes = np.random.default_rng(height).uniform(-0.3, 1.3, (channels, height, 37))
    picture = planes.astype(np.float32).transpose(1, 2, 0)
    pixels, light = in_bytes(picture)
    plain = np.rint(picture * np.float32(255.0)).clip(0, 255).astype(np.uint8)
    np.testing.assert_array_equal(pixels, plain)
    assert pixels.flags.c_contiguous
    assert light == pytest.approx(float(picture.mean()), abs=1e-6)
