"""Writing in pictures, as watermarks lie in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from sidecar.engine.checks.writing import Line, WritingCheck
from sidecar.paths import bundled_lora_folder


@pytest.fixture(scope="module")
def check() -> WritingCheck:
    return WritingCheck(2)


def marked(text: str, angle: float, strength: float = 0.8) -> tuple[Image.Image, Image.Image]:
    """A photograph's kind of background with a white watermark over it; and where that is."""
    down, across = np.mgrid[0:400, 0:560]
    waves = 90 + 40 * np.sin(across / 70) + 30 * np.cos((down + across) / 55)
    picture = Image.fromarray(np.stack([waves, waves * 0.8, waves * 0.6], 2).astype(np.uint8))
    where = Image.new("L", picture.size)
    font = ImageFont.load_default(30)
    ImageDraw.Draw(where).text((280, 200), text, 255, font, anchor="mm")
    where = where.rotate(angle, Image.Resampling.BICUBIC)
    white = Image.new("RGB", picture.size, "white")
    return Image.composite(white, picture, where.point(lambda v: round(v * strength))), where


@pytest.mark.parametrize("angle", [0, 8, 30, -30, 45, 75, 90, -90, 180])
def test_a_watermark_is_read_whichever_way_it_lies(check: WritingCheck, angle: float) -> None:
    picture, where = marked("www.stockpictures.com", angle)
    lines = check.lines(picture)
    assert any(line.is_address for line in lines), lines
    largest = lines[0]
    assert "stockpic" in largest.text
    left, top, width, height = largest.box
    inside = np.asarray(where.crop((left, top, left + width, top + height)), float).sum()
    assert inside > 0.8 * np.asarray(where, float).sum()
    room = where.getbbox()
    assert room is not None
    assert width * height < 2.0 * (room[2] - room[0] + 30) * (room[3] - room[1] + 30)


def test_a_faint_one_is_read_too(check: WritingCheck) -> None:
    lines = check.lines(marked("SAMPLE PICTURE", 25, strength=0.4)[0])
    assert "SAMPLE" in "".join(line.text for line in lines).upper()


@pytest.mark.parametrize("path", sorted(bundled_lora_folder().glob("*.png")), ids=lambda p: p.stem)
def test_pictures_of_the_bundled_styles_have_none(check: WritingCheck, path: Path) -> None:
    picture = Image.open(path).convert("RGB")
    assert check.lines(picture) == []
    assert check.lines(picture.resize((512, 512), Image.Resampling.BICUBIC)) == []


@pytest.mark.parametrize(
    ("text", "is_address"),
    [
        ("www.art.com", True),
        ("shop.example.de", True),
        ("me@mail.org", True),
        ("https: //x", True),
        ("photo. net", True),
        ("The end. Come again", False),
        ("3.14", False),
        ("Mr.Cooper", False),
    ],
)
def test_addresses_are_told_from_other_words(text: str, is_address: bool) -> None:
    assert Line(text, 1.0, (0, 0, 1, 1)).is_address is is_address
