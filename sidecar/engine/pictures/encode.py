"""Finished pictures and small looks at them, as bytes."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

MIME = {"png": "image/png", "webp": "image/webp"}


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
    small = shrunk(picture, longest)
    out = BytesIO()
    small.save(out, "WEBP", quality=80, method=0)
    return out.getvalue(), *small.size


def shrunk(picture: Image.Image, longest: int) -> Image.Image:
    """RGB or RGBA whose longer side is `longest` pixels; also enlarged, where it is smaller."""
    scale = longest / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    how = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    if picture.mode not in ("RGB", "RGBA"):
        picture = picture.convert("RGBA" if "A" in picture.getbands() else "RGB")
    gap = 3.0 if scale < 0.25 else None
    return picture.resize((width, height), how, reducing_gap=gap) if scale != 1 else picture
