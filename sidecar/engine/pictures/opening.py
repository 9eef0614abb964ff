"""Pictures as people have them: turned by EXIF, with profiles, palettes, alpha, 16 bits, in grey.

What comes out is 8 bits a channel, upright, in the order grey, grey + alpha, RGB or RGB + alpha.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from sidecar.engine.pictures.profiles import in_srgb
from sidecar.errors import ImageTooLarge, ImageUnreadable

MAX_PIXELS = 2**26
"""8,192 × 8,192."""
MOST_TEXT = 32 << 20
"""Bytes that a text or profile of a PNG may unfold to. Pillow's one megabyte is too little for what
programs leave there: whole workflows."""
CUT_OFF = ("truncated", "broken data stream", "Truncated")
FORMATS = ("PNG", "JPEG", "WEBP")
PLUGINS = (PngImagePlugin, JpegImagePlugin, WebPImagePlugin)
"""Imported by name: asked for a WebP, Pillow would else import all its fifty first."""
CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
PROFILE_SPACE = {"L": b"GRAY", "LA": b"GRAY", "RGB": b"RGB ", "RGBA": b"RGB "}
WHITE = (255, 255, 255, 255)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Opened:
    """`picture` is of a mode in `CHANNELS`. `icc`: the profile that its numbers are in, if any."""

    picture: Image.Image
    icc: bytes | None = None

    @property
    def pixels(self) -> Pixels:
        """(height, width, channels)."""
        array = np.asarray(self.picture)
        return array[:, :, None] if array.ndim == 2 else array

    @property
    def has_alpha(self) -> bool:
        return CHANNELS[self.picture.mode] in (2, 4)


def open_picture(data: bytes, max_pixels: int = MAX_PIXELS) -> Opened:
    """Raises ImageUnreadable and, before any pixel is decoded, ImageTooLarge."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # our own check says more
    PngImagePlugin.MAX_TEXT_CHUNK = MOST_TEXT
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(BytesIO(data), formats=FORMATS)
            _check_size(picture, max_pixels)
            picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
            return _plain(picture)
    except ImageTooLarge:
        raise
    except Exception as exc:  # broken files make Pillow raise nearly anything
        cut_off = any(words in str(exc) for words in CUT_OFF)
        raise ImageUnreadable(problem="truncated" if cut_off else "damaged") from exc
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def flat(opened: Opened) -> Image.Image:
    """As RGB, laid over white where it is transparent."""
    if not opened.has_alpha:
        return opened.picture.convert("RGB")
    picture = opened.picture.convert("RGBA")
    white = Image.new("RGBA", picture.size, WHITE)
    return Image.alpha_composite(white, picture).convert("RGB")


def _check_size(picture: Image.Image, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise ImageTooLarge(width=width, height=height, limit=max_pixels)


def _plain(picture: Image.Image) -> Opened:
    icc = picture.info.get("icc_profile") or None
    if picture.mode == "CMYK":
        return Opened(in_srgb(picture, icc).convert("RGB"))
    plain = _eight_bits(picture)
    fits = icc is not None and len(icc) > 20 and icc[16:20] == PROFILE_SPACE[plain.mode]
    return Opened(plain, icc if fits else None)


def _eight_bits(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        return _from_sixteen_bits(picture)
    transparent = "transparency" in picture.info
    if picture.mode in ("1", "L"):
        return _in_mode(picture, "LA" if transparent else "L")
    if picture.mode in ("LA", "La"):
        return picture.convert("LA")
    alpha = transparent or "A" in picture.getbands() or "a" in picture.getbands()
    return _in_mode(picture, "RGBA" if alpha else "RGB")


def _in_mode(picture: Image.Image, mode: str) -> Image.Image:
    """Pillow would copy also what is in that mode already, and a photo may be large."""
    return picture if picture.mode == mode else picture.convert(mode)


def _from_sixteen_bits(picture: Image.Image) -> Image.Image:
    """Pillow itself would cut everything above 255 off."""
    values = np.asarray(picture).astype(np.float32)
    return Image.fromarray((values / 257.0 + 0.5).clip(0, 255).astype(np.uint8))
