"""Stage `vae`: the autoencoder, 128x128x3 <-> 16x16x8."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from starter.art import JITTERED, STYLES, Art
from starter.colour import COLOURS
from starter.subjects import SUBJECTS
from starter.training import Draws, Stage, Trainer, cosine, launch

LATENT_CHANNELS = 8
PEAK_RATE = 1.3e-3
CROP = 64

SHARES: dict[str, float] = {
    "flat": 0.30,
    "jitter": 0.10,
    "colour": 0.14,
    "style": 0.30,
    "other flat": 0.06,
    "other style": 0.05,
    "other noto": 0.05,
}
"""How often each kind of picture is drawn; `other` are icons that are not subjects."""


def new_vae() -> AutoencoderKL:
    """A small AutoencoderKL (about 1.4 M parameters)."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 32, 64, 96),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=128,
        mid_block_add_attention=False,
        force_upcast=False,
    )


def to_tensor(pictures: np.ndarray) -> torch.Tensor:
    """uint8 (N, H, W, 3) to float (N, 3, H, W) in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def kind_of(key: str) -> str:
    """Which entry of `SHARES` a picture counts to."""
    subject, variant = key.split("|")
    group = (
        "jitter" if variant in JITTERED
        else "colour" if variant in COLOURS
        else "style" if variant in STYLES
        else variant
    )  # fmt: skip
    if subject in SUBJECTS:
        return "other noto" if group == "noto" else group
    return f"other {group}"


def probabilities(keys: list[str]) -> np.ndarray:
    """The chance of each picture to be drawn, after `SHARES`."""
    kinds = [kind_of(key) for key in keys]
    sizes = {kind: kinds.count(kind) for kind in SHARES}
    weights = np.array([SHARES[kind] / sizes[kind] for kind in kinds])
    return weights / weights.sum()


def detailed_crop(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The liveliest of three random 64x64 crops."""
    best: np.ndarray | None = None
    for _ in range(3):
        y, x = 4 * rng.integers(0, (128 - CROP) // 4 + 1, 2)
        crop = picture[y : y + CROP, x : x + CROP]
        if best is None or crop[::4, ::4].std() > best[::4, ::4].std():
            best = crop
        if best[::4, ::4].std() > 35:
            break
    assert best is not None
    return best


def cell_colours(pictures: torch.Tensor) -> torch.Tensor:
    """Mean RGB of each 8x8 cell and of its four quarters: (N, 15, H/8, W/8)."""
    quarters = F.pixel_unshuffle(F.avg_pool2d(pictures, 4), 2)
    return torch.cat([F.avg_pool2d(pictures, 8), quarters], 1)


def chroma(pictures: torch.Tensor) -> torch.Tensor:
    """Red minus green and blue minus green."""
    return torch.stack([pictures[:, 0] - pictures[:, 1], pictures[:, 2] - pictures[:, 1]], 1)


def edge_error(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of the horizontal and vertical gradients."""
    difference = a - b
    vertical = difference[..., 1:, :] - difference[..., :-1, :]
    horizontal = difference[..., 1:] - difference[..., :-1]
    return vertical.abs().mean() + horizontal.abs().mean()


@torch.no_grad()
def fit_colour_head(head: torch.nn.Conv2d, vae: AutoencoderKL, pictures: torch.Tensor) -> None:
    """Least-squares start of the colour head, so that it teaches the encoder from step 0."""
    latents = torch.cat([vae.encode(part).latent_dist.mean for part in pictures.split(8)])
    flat = latents.permute(0, 2, 3, 1).reshape(-1, LATENT_CHANNELS)
    wanted = cell_colours(pictures).permute(0, 2, 3, 1).reshape(len(flat), -1)
    solution = torch.linalg.lstsq(torch.cat([flat, torch.ones(len(flat), 1)], 1), wanted).solution
    head.weight.copy_(solution[:LATENT_CHANNELS].T[:, :, None, None])
    head.bias.copy_(solution[LATENT_CHANNELS])


def train(stage: Stage, rank: int) -> None:
    """One process of the VAE stage; writes `work/vae/raw`."""
    torch.manual_seed(stage.seed)
    art = Art(stage.work)
    chances = probabilities(art.keys)
    vae = new_vae().to(memory_format=torch.channels_last)
    head = torch.nn.Conv2d(LATENT_CHANNELS, 15, 1)
    sample = np.stack([art[f"{subject}|flat"] for subject in SUBJECTS[::3]])
    fit_colour_head(head, vae, to_tensor(sample))
    colour_weights = torch.tensor([2.0] * 3 + [0.5] * 12)

    def batch(draws: Draws, step: int) -> torch.Tensor:
        rng = draws.numpy
        whole = step % 3 == 0
        chosen = rng.choice(len(chances), 1 if whole else stage.batch, p=chances)
        pictures = []
        for index in chosen:
            picture = art.pixels[index]
            if not whole:
                picture = detailed_crop(picture, rng)
            pictures.append(picture[:, ::-1] if rng.random() < 0.5 else picture)
        return to_tensor(np.stack(pictures)).contiguous(memory_format=torch.channels_last)

    def loss(draws: Draws, _: float) -> tuple[torch.Tensor, dict[str, float]]:
        x = batch(draws, trainer.position.step + rank)
        latents = vae.encode(x).latent_dist.mean
        noise = 0.04 * latents.detach().std() * torch.randn_like(latents)
        y = vae.decode(latents + noise).sample
        l1, mse, edges = (y - x).abs().mean(), (y - x).square().mean(), edge_error(y, x)
        colour = (chroma(y) - chroma(x)).abs().mean()
        cells = (head(latents) - cell_colours(x)).square().mean((0, 2, 3)) * colour_weights
        small = latents.square().mean()
        total = l1 + mse + 0.6 * edges + 0.7 * colour + 3 * cells.mean() + 1e-4 * small
        return total, {
            "l1": l1.item(), "mse": mse.item(), "edges": edges.item(),
            "colour": colour.item(), "cells": cells.mean().item(),
        }  # fmt: skip

    modules: dict[str, torch.nn.Module] = {"vae": vae, "head": head}
    parameters = [p for m in modules.values() for p in m.parameters()]
    trainer = Trainer(
        stage,
        rank,
        modules,
        torch.optim.AdamW(
            parameters, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=1e-4, foreach=True
        ),
        loss,
        rate=lambda fraction: cosine(fraction, end=0.04),
        export=lambda: vae.save_pretrained(stage.folder / "raw"),
    )
    trainer.run()


def run(stage: Stage) -> None:
    """Train the VAE, or do nothing if it is finished."""
    if not stage.finished:
        launch(train, stage)
