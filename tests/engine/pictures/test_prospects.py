"""What is refused as hopeless, and what only looks so in the middle."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from sidecar.engine.pictures.prospects import refuse_hopeless
from sidecar.errors import ImageBlank, ImageBlurred, ImageTiny
from sidecar.paths import bundled_lora_folder

SIZE = (1400, 1000)


def drawing(size: tuple[int, int] = SIZE) -> Image.Image:
    art = Image.open(bundled_lora_folder() / "ink.png").convert("RGB")
    return art.resize(size, Image.Resampling.LANCZOS)


def middle(picture: Image.Image, radius: int) -> tuple[int, int, int, int]:
    x, y = picture.width // 2, picture.height // 2
    return x - radius, y - radius, x + radius, y + radius


def test_a_poster_that_is_plain_in_the_middle_has_prospects() -> None:
    poster = drawing()
    poster.paste((240, 240, 240), middle(poster, 300))
    refuse_hopeless(poster)


def test_a_portrait_that_is_defocused_in_the_middle_has_prospects() -> None:
    portrait = drawing()
    box = middle(portrait, 320)
    portrait.paste(drawing().filter(ImageFilter.GaussianBlur(16)).crop(box), box[:2])
    refuse_hopeless(portrait)


def test_a_page_with_little_on_it_is_not_blank() -> None:
    page = Image.new("RGB", (2400, 2000), "white")
    ImageDraw.Draw(page).text((2100, 1900), "No. 17", "black", font_size=40)
    refuse_hopeless(page)


def test_transparency_and_grey_are_looked_at_too() -> None:
    for mode in ("RGBA", "LA", "L"):
        refuse_hopeless(drawing((200, 150)).convert(mode))


@pytest.mark.parametrize("noise", [0, 1])
def test_one_colour_is_blank_whatever_the_camera_adds(noise: int) -> None:
    dice = np.random.default_rng(3)
    plain = 128 + noise * dice.standard_normal((SIZE[1], SIZE[0], 3))
    with pytest.raises(ImageBlank):
        refuse_hopeless(Image.fromarray(plain.astype(np.uint8)))


def test_what_is_blurred_everywhere_is_hopeless_and_the_merely_soft_is_not() -> None:
    refuse_hopeless(drawing().filter(ImageFilter.GaussianBlur(4)))
    with pytest.raises(ImageBlurred):
        refuse_hopeless(drawing().filter(ImageFilter.GaussianBlur(24)))


def test_a_slow_gradient_is_no_detail() -> None:
    with pytest.raises(ImageBlurred):
        refuse_hopeless(Image.linear_gradient("L").resize(SIZE, Image.Resampling.BICUBIC))


def test_a_few_pixels_are_too_few() -> None:
    with pytest.raises(ImageTiny):
        refuse_hopeless(drawing((400, 31)))
