"""PNGs written row by row are read back by Pillow as they were."""

from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from sidecar.engine.pictures.png_writer import MOST_BYTES, PngWriter


def written(pixels: np.ndarray, parts: int, icc: bytes | None = None) -> bytes:
    out = io.BytesIO()
    height, width, channels = pixels.shape
    writer = PngWriter(out, width, height, channels, icc)
    for part in np.array_split(pixels, parts):
        if len(part):
            writer.write(part)
    writer.close()
    return out.getvalue()


@settings(max_examples=40)
@given(st.integers(1, 150), st.integers(1, 90), st.sampled_from([1, 2, 3, 4]), st.integers(1, 5))
def test_every_size_and_kind_comes_back(height: int, width: int, channels: int, parts: int) -> None:
    dice = np.random.default_rng(height * width)
    noise = dice.integers(0, 256, (height, width, channels), np.uint8)
    smooth = np.cumsum(noise // 64, axis=1, dtype=np.uint8)
    for pixels in (noise, smooth):
        image = Image.open(io.BytesIO(written(pixels, parts)))
        assert (np.asarray(image).reshape(pixels.shape) == pixels).all()


def test_filters_make_smooth_pictures_small() -> None:
    grey = np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (256, 1, 3))
    assert len(written(grey, 3)) < grey.size / 100


def test_the_colour_profile_is_kept() -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.open(io.BytesIO(written(np.zeros((4, 4, 3), np.uint8), 1, icc)))
    assert image.info["icc_profile"] == icc


def test_wide_pictures_take_no_more_memory_than_narrow_ones_and_are_written_the_same() -> None:
    dice = np.random.default_rng(9)
    pixels = np.cumsum(dice.integers(0, 5, (64, 30_000, 3), np.uint8), axis=1, dtype=np.uint8)
    whole = written(pixels, 1)
    assert whole == written(pixels, 64)
    tracemalloc.start()
    written(pixels, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MOST_BYTES + 2 * len(whole)


def test_missing_rows_are_noticed() -> None:
    writer = PngWriter(io.BytesIO(), 4, 4, 3)
    writer.write(np.zeros((3, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="1 rows"):
        writer.close()
