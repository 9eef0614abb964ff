"""Pictures between bytes and tensors."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sidecar.engine.pictures.opening import flat, open_picture


def to_picture(pixels: Tensor) -> Image.Image:
    """From (3, height, width) in -1..1, as diffusers' image processor rounds it."""
    unit = (pixels.float() * 0.5 + 0.5).clamp(0, 1)
    array = unit.permute(1, 2, 0).cpu().numpy()
    return Image.fromarray((array * 255).round().astype("uint8"))


def decode(data: bytes, width: int, height: int) -> Tensor:
    """An initial picture as (1, 3, height, width) in -1..1.

    Turned as its EXIF orientation says, laid over white where transparent, resized. Raises
    ImageUnreadable and, before any pixel is decoded, ImageTooLarge.
    """
    picture = flat(open_picture(data))
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    array = np.asarray(picture, dtype=np.float32) / 255.0
    return 2.0 * torch.tensor(array).permute(2, 0, 1)[None] - 1.0
