"""What comes out of a network as a picture of bytes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from sidecar.engine.upscale.network import open_network
from sidecar.engine.upscale.pieces import BAND, Piece, in_bytes
from sidecar.paths import upscaler_folder


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


@pytest.mark.parametrize("size", [(96, 80), (1, 7), (3, 3)])
@pytest.mark.parametrize("scale", [2, 4])
def test_what_is_opaque_stays_so_to_the_last_level_and_what_is_clear(
    size: tuple[int, int], scale: int
) -> None:
    """An icon with soft edges; networks by themselves make 254 of 255 here and there."""
    alpha = Image.new("L", (96, 80))
    ImageDraw.Draw(alpha).ellipse((12, 9, 80, 70), fill=255)
    alpha = alpha.filter(ImageFilter.GaussianBlur(1)).resize(size)
    colours = Image.effect_noise(size, 60).convert("RGB")
    colours.putalpha(alpha)
    path = upscaler_folder() / "realesr-animevideov3.onnx"
    network = open_network(path, "net", 1, lambda *_: None)
    out = Piece(network, "net", scale)(np.asarray(colours))[:, :, 3]
    least, most = (
        np.asarray(alpha.filter(of_all)).repeat(scale, 0).repeat(scale, 1)
        for of_all in (ImageFilter.MinFilter(9), ImageFilter.MaxFilter(9))
    )
    assert (out[least == 255] == 255).all()
    assert (out[most == 0] == 0).all()
    if size == (96, 80):
        assert (least == 255).any()
        assert (most == 0).any()
        assert ((out > 60) & (out < 200)).any()
