"""What is minimised: the denoising error, and in hardening a bounded push from bad pictures."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

LEAST_REFERENCE = 0.01


def draw_timesteps(count: int, total: int, power: float, generator: torch.Generator) -> Tensor:
    """One noise level for each sample, spread evenly over the batch, then u**power."""
    order = torch.randperm(count, generator=generator)
    u = (order + torch.rand(count, generator=generator)) / count
    return (u.pow(power) * total).long().clamp(0, total - 1)


def target_of(noise: Any, clean: Tensor, drawn: Tensor, timesteps: Tensor) -> Tensor:
    """What the UNet must predict: the noise, the velocity (arXiv 2202.00512) or the latent."""
    kind = noise.config.prediction_type
    if kind == "epsilon":
        return drawn
    if kind == "sample":
        return clean
    return noise.get_velocity(clean, drawn, timesteps)


def errors(predicted: Tensor, target: Tensor, seen: Tensor) -> Tensor:
    """Mean squared error of each sample, over what is seen of it: (N,)."""
    square = (predicted.float() - target.float()).square() * seen
    counted = seen.sum((1, 2, 3)) * predicted.shape[1]
    return square.sum((1, 2, 3)) / counted.clamp(min=1)


def push(errors: Tensor, reference: Tensor, margin: float) -> Tensor:
    """How much too well bad pictures are denoised, 0 to 1 + margin; the mean over samples.

    `reference`: the bare model's errors for the same samples. A hinge: once the error on a bad
    picture is 1 + margin times the bare model's, its gradient is zero, so the loss is bounded
    on both sides and pushing ends by itself.
    """
    ratio = errors / reference.clamp(min=LEAST_REFERENCE)
    return torch.relu(1 + margin - ratio).mean()
