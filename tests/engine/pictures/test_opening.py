"""Pictures as people have them: what is broken is told from what is only unusual."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from sidecar.engine.pictures.opening import open_picture
from sidecar.errors import ImageTooLarge, ImageUnreadable


def noisy(size: tuple[int, int] = (120, 90)) -> Image.Image:
    return Image.merge("RGB", [Image.effect_noise(size, 60) for _ in range(3)])


def encoded(picture: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, image_format, **options)
    return out.getvalue()


def test_whole_workflows_in_the_text_of_a_png_are_no_obstacle() -> None:
    """Packed, a few megabytes of JSON; Pillow by itself refuses what unfolds to over one."""
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("workflow", '{"node": 1},' * 400_000, zip=True)
    texts.add_text("prompt", "words " * 300_000, zip=True)
    picture = noisy()
    opened = open_picture(encoded(picture, pnginfo=texts))
    assert np.array_equal(np.asarray(opened.picture), np.asarray(picture))


def test_a_text_that_unfolds_without_end_is_refused() -> None:
    body = b"workflow\0\0" + zlib.compress(b"\0" * (1 << 28))
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body
    chunk += struct.pack(">I", zlib.crc32(b"zTXt" + body))
    data = encoded(noisy())
    with pytest.raises(ImageUnreadable, match="damaged"):
        open_picture(data[:33] + chunk + data[33:])


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
def test_a_file_whose_end_is_missing_is_told_from_a_damaged_one(image_format: str) -> None:
    data = encoded(noisy(), image_format)
    with pytest.raises(ImageUnreadable) as cut:
        open_picture(data[: len(data) * 2 // 3])
    if image_format != "WEBP":  # libwebp does not say which it is
        assert "its end is missing" in cut.value.message()
        assert "download it once more" in cut.value.hint()
    junk = data[:12] + bytes(range(256)) * 4
    with pytest.raises(ImageUnreadable) as broken:
        open_picture(junk)
    assert "BytesIO" not in str(broken.value.to_wire())


def test_a_picture_that_would_unfold_beyond_measure_is_refused_before_it_does() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    with pytest.raises(ImageTooLarge, match="60000×60000; at most 67 million"):
        open_picture(data)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
def test_whichever_way_it_lies_it_is_opened_upright(orientation: int, image_format: str) -> None:
    upright = Image.new("RGB", (64, 48), "white")
    upright.paste((255, 0, 0), (0, 0, 32, 24))
    upright.paste((0, 0, 255), (32, 24, 64, 48))
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    lying = upright.transpose(turn[orientation]) if orientation in turn else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = open_picture(encoded(lying, image_format, exif=exif, quality=95)).picture
    assert opened.size == upright.size
    assert np.abs(np.asarray(opened).astype(int) - np.asarray(upright)).mean() < 6


def test_the_first_picture_of_a_moving_one_is_taken() -> None:
    first, second = noisy(), Image.new("RGB", (120, 90), "red")
    for image_format in ("PNG", "WEBP"):
        moving = encoded(
            first, image_format, save_all=True, append_images=[second], duration=80, lossless=True
        )
        assert np.array_equal(np.asarray(open_picture(moving).picture), np.asarray(first))


def test_a_profile_of_another_kind_of_picture_is_left_out() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert open_picture(encoded(noisy(), icc_profile=srgb)).icc == srgb
    grey = encoded(noisy().convert("L"), "JPEG", icc_profile=srgb)
    assert open_picture(grey).icc is None
