"""Differentiable augmentation of latents (Zhao et al. 2020, arXiv 2006.10738), for denoising.

As in the paper both sides of the comparison are treated alike, so that nothing leaks into the
drawings: translation and colour change the clean latent before noise is added, hence input and
target; cutout hides a square of prediction and target from the loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from sidecar.engine.train.tensors import integers

SHIFT = 0.125
COLOR = 0.05
CUTOUT = 0.5


def augment(latents: Tensor, policy: Sequence[str], generator: torch.Generator) -> Tensor:
    """Clean latents (N, C, H, W) moved and tinted, each by its own draw."""
    if "color" in policy:
        latents = tint(latents, generator)
    if "translation" in policy:
        latents = translate(latents, generator)
    return latents


def tint(latents: Tensor, generator: torch.Generator) -> Tensor:
    """Each channel's contrast and brightness by up to 5%."""
    shape = (latents.shape[0], latents.shape[1], 1, 1)
    gain = 1 + COLOR * (2 * torch.rand(shape, generator=generator) - 1)
    offset = COLOR * (2 * torch.rand(shape, generator=generator) - 1)
    return latents * gain + offset


def translate(latents: Tensor, generator: torch.Generator) -> Tensor:
    """By up to an eighth of the side; the border is repeated, as a plain ground goes on."""
    count, _, height, width = latents.shape
    reach = (round(height * SHIFT), round(width * SHIFT))
    dy = torch.randint(-reach[0], reach[0] + 1, (count,), generator=generator)
    dx = torch.randint(-reach[1], reach[1] + 1, (count,), generator=generator)
    wide = F.pad(latents, (reach[1], reach[1], reach[0], reach[0]), mode="replicate")
    return torch.stack(
        [
            wide[i, :, reach[0] + y : reach[0] + y + height, reach[1] + x : reach[1] + x + width]
            for i, (y, x) in enumerate(zip(integers(dy), integers(dx), strict=True))
        ]
    )


def cutout(shape: torch.Size, policy: Sequence[str], generator: torch.Generator) -> Tensor:
    """What of each picture counts, (N, 1, H, W): all but a square of half the side."""
    count, _, height, width = shape
    seen = torch.ones(count, 1, height, width)
    if "cutout" not in policy:
        return seen
    tall, broad = round(height * CUTOUT), round(width * CUTOUT)
    tops = torch.randint(-tall // 2, height - tall // 2, (count,), generator=generator)
    lefts = torch.randint(-broad // 2, width - broad // 2, (count,), generator=generator)
    for i, (top, left) in enumerate(zip(integers(tops), integers(lefts), strict=True)):
        seen[i, :, max(top, 0) : top + tall, max(left, 0) : left + broad] = 0
    return seen
