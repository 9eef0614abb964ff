"""Colours by their profiles, with Little CMS."""

from __future__ import annotations

from io import BytesIO
from typing import Any, cast

from PIL import Image, ImageCms


def in_srgb(picture: Image.Image, icc: bytes | None) -> Image.Image:
    """With the numbers that programs show rightly that know nothing of profiles.

    As it is where it has no profile, or one that is none or of another kind of picture.
    """
    if icc is None:
        return picture
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(icc))
        target: Any = cast("Any", ImageCms).createProfile("sRGB")
        return ImageCms.profileToProfile(picture, source, target, outputMode=mode) or picture
    except (ImageCms.PyCMSError, OSError):
        return picture
