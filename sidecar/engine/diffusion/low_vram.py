"""Measures that trade time for memory, and which of them each mode means.

`vae_tiling` blends overlapping tiles, so large pictures differ a little from those decoded whole;
the others change nothing in a picture.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

ATTENTION_SLICING, ONE_AT_A_TIME, VAE_TILING = "attention_slicing", "one_at_a_time", "vae_tiling"

MEASURES: dict[str, tuple[str, ...]] = {
    "off": (),
    "auto": (),
    "balanced": (ATTENTION_SLICING, ONE_AT_A_TIME),
    "aggressive": (ATTENTION_SLICING, ONE_AT_A_TIME, VAE_TILING),
}

TILE = 64
OVERLAP = 16


def decode_tiled(decode: Callable[[Tensor], Tensor], latents: Tensor, scale: int) -> Tensor:
    """Pixels of (1, channels, height, width) latents, decoded `TILE`² latents at a time.

    Neighbouring tiles share `OVERLAP` latents and fade into each other there.
    """
    height, width = latents.shape[-2:]
    if max(height, width) <= TILE:
        return decode(latents)
    total = torch.zeros(1, 3, height * scale, width * scale, device=latents.device)
    weight = torch.zeros(1, 1, height * scale, width * scale, device=latents.device)
    for top in _starts(height):
        for left in _starts(width):
            tile = latents[..., top : top + TILE, left : left + TILE]
            fade = _fade(tile.shape[-2], tile.shape[-1], scale).to(latents.device)
            rows = slice(top * scale, (top + tile.shape[-2]) * scale)
            columns = slice(left * scale, (left + tile.shape[-1]) * scale)
            total[..., rows, columns] += decode(tile).float() * fade
            weight[..., rows, columns] += fade
    return total / weight


def _starts(length: int) -> list[int]:
    """Where tiles begin, so that they overlap and the last one ends at the edge."""
    last = max(length - TILE, 0)
    return [*range(0, last, TILE - OVERLAP), last]


def _fade(height: int, width: int, scale: int) -> Tensor:
    """Weights that fall towards all edges over the overlap, never to zero."""

    def ramp(length: int) -> Tensor:
        place = torch.arange(length * scale, dtype=torch.float32) + 0.5
        edge = torch.minimum(place, length * scale - place)
        return (edge / (OVERLAP * scale)).clamp(max=1)

    return (ramp(height)[:, None] * ramp(width)[None, :])[None, None]
