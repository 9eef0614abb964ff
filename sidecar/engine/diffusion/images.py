"""Pictures between bytes and tensors."""

from __future__ import annotations

import warnings
from io import BytesIO

import numpy as np
import torch
from PIL import (
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)
from torch import Tensor

from sidecar.errors import ImageTooLarge, ImageUnreadable

MAX_PIXELS = 64_000_000
FORMATS = ("PNG", "JPEG", "WEBP")
PLUGINS = (PngImagePlugin, JpegImagePlugin, WebPImagePlugin)
"""Imported by name: asked for a WebP, Pillow would else import all its fifty first."""
MIME = {"png": "image/png", "webp": "image/webp"}


def to_picture(pixels: Tensor) -> Image.Image:
    """From (3, height, width) in -1..1, as diffusers' image processor rounds it."""
    unit = (pixels.float() * 0.5 + 0.5).clamp(0, 1)
    array = unit.permute(1, 2, 0).cpu().numpy()
    return Image.fromarray((array * 255).round().astype("uint8"))


def encode(picture: Image.Image, image_format: str) -> bytes:
    """As "png" or "webp", without any metadata."""
    out = BytesIO()
    if image_format == "webp":
        picture.save(out, "WEBP", quality=90, method=2)
    else:
        picture.save(out, "PNG", compress_level=4)
    return out.getvalue()


def thumbnail(picture: Image.Image, longest: int) -> tuple[bytes, int, int]:
    """A small WebP whose longer side is `longest` pixels, with its width and height."""
    scale = longest / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    how = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    small = picture.resize((width, height), how) if scale != 1 else picture
    out = BytesIO()
    small.save(out, "WEBP", quality=80, method=0)
    return out.getvalue(), width, height


def decode(data: bytes, width: int, height: int) -> Tensor:
    """An initial picture as (1, 3, height, width) in -1..1.

    Turned as its EXIF orientation says, laid over white where transparent, resized. Raises
    ImageUnreadable and, before any pixel is decoded, ImageTooLarge.
    """
    picture = _open(data)
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    array = np.asarray(picture, dtype=np.float32) / 255.0
    return 2.0 * torch.tensor(array).permute(2, 0, 1)[None] - 1.0


def _open(data: bytes) -> Image.Image:
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # our own check says more
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(BytesIO(data), formats=FORMATS)
            _check_size(picture)
            picture.load()
            return _flat(ImageOps.exif_transpose(picture))
    except ImageTooLarge:
        raise
    except Exception as exc:  # broken files make Pillow raise nearly anything
        raise ImageUnreadable(reason=str(exc) or type(exc).__name__) from exc
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _check_size(picture: Image.Image) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ImageTooLarge(width=width, height=height, limit=MAX_PIXELS)


def _flat(picture: Image.Image) -> Image.Image:
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    picture = picture.convert("RGBA")
    white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, picture).convert("RGB")
