"""The sampling loop: from seeds and prompts to latents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from sidecar.engine.contract import CancelToken
from sidecar.engine.diffusion.components import Components
from sidecar.engine.diffusion.embeddings import Embedded
from sidecar.engine.diffusion.nets.unet import Added, Conditioning
from sidecar.engine.diffusion.samplers import SAMPLERS

OnStep = Callable[[int, int, Tensor], None]
"""Called after each step with its number (from 1), how many there are, and the finished pictures
as they are predicted now, as latents (pictures, channels, height, width)."""


@dataclass(frozen=True)
class Drawing:
    """What to sample. Sizes are pixels.

    `negative` is None where guidance is off. `initial`: `Vae.moments` of a picture to start from.
    """

    prompt: Embedded
    negative: Embedded | None
    guidance_scale: float
    width: int
    height: int
    steps: int
    sampler: str
    seeds: tuple[int, ...]
    initial: Tensor | None
    strength: float


def steps_of(steps: int, initial: bool, strength: float) -> int:
    """How many steps are really taken: with an initial picture, the last ones only."""
    return min(max(int(steps * strength), 1), steps) if initial else steps


def sample(
    components: Components, drawing: Drawing, on_step: OnStep, cancel: CancelToken
) -> Tensor:
    """Latents (seeds, channels, height/8, width/8), float32.

    Each picture has a generator of its own, so it does not depend on the others.
    """
    sampler = SAMPLERS[drawing.sampler](components.schedule, drawing.steps)
    total = len(sampler.timesteps)
    first = total - steps_of(total, drawing.initial is not None, drawing.strength)
    dice = _Dice(components, drawing)
    latents = (
        dice.noise() * sampler.start_scale
        if drawing.initial is None
        else sampler.add_noise(
            components.vae.sample(drawing.initial, dice.noise()), dice.noise(), first
        )
    )
    with components.in_use(components.unet):
        conditioning = _conditioning(components, drawing, sampler.timesteps)
        for i in range(first, total):
            cancel.check()
            shown = sampler.scale_input(latents, i).to(components.dtype)
            output = _predicted(components, drawing, conditioning, shown, i)
            latents, picture = sampler.step(latents, output, i, dice.noise)
            on_step(i - first + 1, total - first, picture)
    return latents


def _predicted(
    components: Components, drawing: Drawing, conditioning: Conditioning, latents: Tensor, step: int
) -> Tensor:
    """What the UNet says, float32; with guidance, both halves at once."""
    if drawing.negative is None:
        return components.unet(latents, conditioning, step).float()
    both = torch.cat([latents, latents])
    without, with_prompt = components.unet(both, conditioning, step).float().chunk(2)
    return without + drawing.guidance_scale * (with_prompt - without)


def _conditioning(components: Components, drawing: Drawing, timesteps: Tensor) -> Conditioning:
    """Of all pictures; with guidance, first without the prompt and then with it."""
    count = len(drawing.seeds)
    parts = [drawing.prompt] if drawing.negative is None else [drawing.negative, drawing.prompt]
    context = torch.cat([part.hidden.expand(count, -1, -1) for part in parts])
    pooled = [part.pooled.expand(count, -1) for part in parts if part.pooled is not None]
    added = Added(torch.cat(pooled), _time_ids(drawing, context)) if pooled else None
    return components.unet.prepare(context, timesteps.to(context.device), added)


def _time_ids(drawing: Drawing, context: Tensor) -> Tensor:
    """Of a picture that was made at the size that is wanted, and not cropped."""
    size = (drawing.height, drawing.width)
    return torch.tensor([[*size, 0, 0, *size]], device=context.device).expand(len(context), -1)


class _Dice:
    """Unit noise for every picture, from its own seed; drawn on the CPU, as diffusers does."""

    def __init__(self, components: Components, drawing: Drawing) -> None:
        scale = components.vae.downscale
        self._shape = (
            1,
            components.unet.shape.in_channels,
            drawing.height // scale,
            drawing.width // scale,
        )
        self._dtype, self._device = components.dtype, components.device.torch
        self._generators = [torch.Generator().manual_seed(seed) for seed in drawing.seeds]

    def noise(self) -> Tensor:
        """(pictures, channels, height, width), float32."""
        drawn = [
            torch.randn(self._shape, generator=generator, dtype=self._dtype)
            for generator in self._generators
        ]
        return torch.cat(drawn).to(self._device, torch.float32)
