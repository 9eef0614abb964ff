"""A cheap look at latents: a linear decoder fitted to the model's own VAE.

Each latent pixel and its neighbours give 4×4 pixels of the picture. The fit is least squares over
pictures of random shapes, encoded once when the model has been loaded.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sidecar.engine.diffusion.components import Components

CELL = 4
SIDE = 16
PICTURES = 2
RIDGE = 1e-3


class LatentPreview:
    """Pictures of (batch, channels, height, width) latents at `CELL` times their size."""

    def __init__(self, components: Components) -> None:
        self._weights = _fit(components)

    def __call__(self, latents: Tensor) -> Tensor:
        """Pixels in -1..1, (batch, 3, CELL·height, CELL·width)."""
        weights = self._weights.to(latents.device)
        cells = functional.conv2d(
            functional.pad(latents.float(), (1, 1, 1, 1), mode="replicate"),
            weights[:, :-1].reshape(weights.shape[0], -1, 3, 3),
            weights[:, -1],
        )
        return functional.pixel_shuffle(cells, CELL).clamp(-1, 1)


def _fit(components: Components) -> Tensor:
    """(3·CELL², 9·channels + 1): kernel and bias of a 3×3 convolution to `CELL`² subpixels."""
    vae, device, dtype = components.vae, components.device.torch, components.vae_dtype
    pixels = _shapes(SIDE * vae.downscale).to(device, dtype)
    noise = torch.zeros(PICTURES, vae.latent_channels, SIDE, SIDE).to(device, dtype)
    with components.in_use(vae):
        latents = vae.encode(pixels, noise).float()
    patches = functional.unfold(
        functional.pad(latents, (1, 1, 1, 1), mode="replicate"), 3
    ).transpose(1, 2)
    inputs = functional.pad(patches.flatten(0, 1), (0, 1), value=1.0).double()
    small = functional.adaptive_avg_pool2d(pixels.float(), SIDE * CELL)
    targets = functional.pixel_unshuffle(small, CELL).flatten(2).transpose(1, 2).flatten(0, 1)
    left = (inputs.T @ inputs).cpu().numpy() + RIDGE * len(inputs) * np.eye(inputs.shape[1])
    right = (inputs.T @ targets.double()).cpu().numpy()
    return torch.tensor(np.linalg.solve(left, right).T, dtype=torch.float32)


def _shapes(side: int) -> Tensor:
    """Pictures of plain discs and bars on plain grounds, always the same, in -1..1."""
    draw = torch.Generator().manual_seed(0)

    def rand(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=draw)

    grid = torch.linspace(0, 1, side)
    rows, columns = grid[:, None], grid[None, :]
    pictures = rand(PICTURES, 3, 1, 1).expand(-1, -1, side, side).clone()
    pictures[0] = 1.0
    for picture in pictures:
        for _ in range(14):
            y, x, size, slant = (float(value) for value in rand(4))
            near = (rows - y) ** 2 + (columns - x) ** 2 < (0.05 + 0.2 * size) ** 2
            bar = ((rows - y) + (slant - 0.5) * 3 * (columns - x)).abs() < 0.02 + 0.05 * size
            mask = (near if slant > 0.4 else bar & (near | (size > 0.5)))[None]
            picture.copy_(torch.where(mask, rand(3, 1, 1), picture))
    return pictures * 2 - 1
