"""Which pictures of a request are drawn together."""

from __future__ import annotations

from sidecar.engine.contract import RenderSpec
from sidecar.engine.diffusion.components import Components
from sidecar.engine.diffusion.low_vram import ONE_AT_A_TIME

BATCH_LATENTS = {"cpu": 1024, "mps": 16384, "cuda": 65536}
"""Latent cells beyond which another picture in the batch brings no speed any more."""


def most_at_once(networks: Components, spec: RenderSpec, rung: str) -> int:
    """How many are worth drawing together on that rung; fewer the larger they are."""
    if ONE_AT_A_TIME in networks.measures_of(rung):
        return 1
    scale = networks.vae.downscale
    area = (spec.width // scale) * (spec.height // scale)
    worth = max(BATCH_LATENTS[networks.device.kind] // area, 1)
    return max(min(worth, spec.count - spec.seed_offset), 1)


def batches(spec: RenderSpec, at_once: int) -> list[tuple[int, ...]]:
    """Indices of the pictures that are left, in batches."""
    indices = range(spec.seed_offset, spec.count)
    return [tuple(indices[i : i + at_once]) for i in range(0, len(indices), at_once)]
