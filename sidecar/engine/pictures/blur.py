"""Blurring beyond recognition."""

from __future__ import annotations

from PIL import Image

CELLS = 8
"""What is left of a picture, along its longer side."""


def blurred(picture: Image.Image) -> Image.Image:
    """The same size, with nothing of what it showed but its rough colours."""
    scale = CELLS / max(picture.size)
    small = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return (
        picture.convert("RGB")
        .resize(small, Image.Resampling.BOX)
        .resize(picture.size, Image.Resampling.BICUBIC)
    )
