"""What each rung of the low-memory ladder means, and the VAE in tiles.

`vae_tiling` blends overlapping tiles, so large pictures differ a little from those decoded whole,
and latents of large initial pictures from those encoded whole;
`half_storage` rounds weights that were fuller; the others change nothing in a picture.

On a device with memory of its own, weights rest in main memory and are lent to it: a whole network
at a time (`component_offload`) or layer by layer (`sequential_offload`). On a CPU they have nowhere
else to rest; there they are stored in half precision and widened layer by layer (`half_storage`),
and memory that is freed goes back to the system at once (`freed_at_once`, see `allocator`).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sidecar.engine.memory.rungs import AGGRESSIVE, BALANCED, OFF

ONE_AT_A_TIME, VAE_TILING = "one_at_a_time", "vae_tiling"
ATTENTION_SLICING, HALF_STORAGE = "attention_slicing", "half_storage"
COMPONENT_OFFLOAD, SEQUENTIAL_OFFLOAD = "component_offload", "sequential_offload"
FREED_AT_ONCE = "freed_at_once"

TILE = 64
OVERLAP = 16
"""Latents a side of what the VAE sees at once, and those that it shares with the next."""


def measures(rung: str, has_own_memory: bool, dtype: torch.dtype) -> tuple[str, ...]:
    """What is done on that rung, on a device with or without memory of its own.

    `dtype`: what is computed in; weights of half precision already are not stored smaller.
    """
    if rung == OFF:
        return ()
    if rung == BALANCED:
        return (COMPONENT_OFFLOAD if has_own_memory else FREED_AT_ONCE, ONE_AT_A_TIME, VAE_TILING)
    assert rung == AGGRESSIVE, rung
    lent = (SEQUENTIAL_OFFLOAD if has_own_memory else FREED_AT_ONCE,)
    stored = (HALF_STORAGE,) if dtype == torch.float32 else ()
    return (*lent, ONE_AT_A_TIME, VAE_TILING, ATTENTION_SLICING, *stored)


def resting_place(taken: tuple[str, ...]) -> tuple[str, ...]:
    """Those measures that decide where and how weights rest; settled as they are loaded."""
    return tuple(m for m in taken if m in (COMPONENT_OFFLOAD, SEQUENTIAL_OFFLOAD, HALF_STORAGE))


def decode_tiled(decode: Callable[[Tensor], Tensor], latents: Tensor, scale: int) -> Tensor:
    """Pixels of (1, channels, height, width) latents, decoded `TILE`² latents at a time."""
    return _in_tiles(decode, latents, 1, scale, 3)


def encode_tiled(
    moments: Callable[[Tensor], Tensor], pixels: Tensor, scale: int, channels: int
) -> Tensor:
    """`Vae.moments` of (1, 3, height, width) pixels, of `TILE`² latents at a time: float32
    (1, channels, height/scale, width/scale)."""
    return _in_tiles(moments, pixels, scale, 1, channels)


def _in_tiles(
    compute: Callable[[Tensor], Tensor], given: Tensor, before: int, after: int, channels: int
) -> Tensor:
    """Neighbouring tiles share `OVERLAP` latents and fade into each other there.

    `before`, `after`: numbers a side for each latent, in what is given and in what is made.
    """
    height, width = (side // before for side in given.shape[-2:])
    if max(height, width) <= TILE:
        return compute(given)
    total = torch.zeros(1, channels, height * after, width * after, device=given.device)
    weight = torch.zeros(1, 1, height * after, width * after, device=given.device)
    for top in _starts(height):
        for left in _starts(width):
            rows, columns = (slice(first, first + TILE) for first in (top, left))
            made = compute(given[..., _times(rows, before), _times(columns, before)]).float()
            fade = _fade(made.shape[-2], made.shape[-1], OVERLAP * after).to(given.device)
            place = (..., _times(rows, after), _times(columns, after))
            total[place] += made * fade
            weight[place] += fade
    return total / weight


def _times(latents: slice, scale: int) -> slice:
    return slice(latents.start * scale, latents.stop * scale)


def _starts(length: int) -> list[int]:
    """Where tiles begin, so that they overlap and the last one ends at the edge."""
    last = max(length - TILE, 0)
    return [*range(0, last, TILE - OVERLAP), last]


def _fade(height: int, width: int, overlap: int) -> Tensor:
    """Weights that fall towards all edges over the overlap, never to zero."""

    def ramp(length: int) -> Tensor:
        place = torch.arange(length, dtype=torch.float32) + 0.5
        return (torch.minimum(place, length - place) / overlap).clamp(max=1)

    return (ramp(height)[:, None] * ramp(width)[None, :])[None, None]
