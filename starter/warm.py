"""A warm start: UNet, text encoder and tokenizer of an earlier pipeline on this run's autoencoder.

Two autoencoders that were trained with the same colour head put nearly the same eight numbers into
a latent cell, up to a linear map (R2 0.81 to 0.99 per channel here). So the map is fitted by least
squares over the flat art and folded into this autoencoder's 1x1 convolutions; then the earlier UNet
understands its latents at once and needs only some fine-tuning.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from starter.art import Art
from starter.latents import Latents, encode
from starter.training import RunLog
from starter.vae import LATENT_CHANNELS

STRIDE = 2
"""Every second subject is enough to fit 72 numbers."""


def fit_affine(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Least squares over all cells: (9, 8), the last row is the offset. Inputs (N, 8, H, W)."""
    flat_source, flat_target = (z.permute(0, 2, 3, 1).flatten(0, 2) for z in (source, target))
    ones = torch.ones(len(flat_source), 1)
    return torch.linalg.lstsq(torch.cat([flat_source, ones], 1), flat_target).solution


def explained(source: torch.Tensor, target: torch.Tensor, affine: torch.Tensor) -> list[float]:
    """Share of each target channel's variance that the map explains."""
    error = (apply(source, affine) - target).square().mean((0, 2, 3))
    return [round(v, 3) for v in (1 - error / target.var((0, 2, 3))).tolist()]


def apply(latents: torch.Tensor, affine: torch.Tensor) -> torch.Tensor:
    moved = torch.einsum("nchw,cd->ndhw", latents, affine[:-1])
    return moved + affine[-1][None, :, None, None]


@torch.no_grad()
def fold(vae: AutoencoderKL, forth: torch.Tensor, back: torch.Tensor) -> None:
    """After this the autoencoder encodes to, and decodes from, the mapped latents."""
    out, into, half = vae.quant_conv, vae.post_quant_conv, LATENT_CHANNELS
    weight, bias = out.weight[:half, :, 0, 0].clone(), out.bias[:half].clone()
    out.weight[:half, :, 0, 0] = forth[:-1].T @ weight
    out.bias[:half] = forth[:-1].T @ bias + forth[-1]
    weight = into.weight[:, :, 0, 0].clone()
    into.weight[:, :, 0, 0] = weight @ back[:-1].T
    into.bias += weight @ back[-1]


def build_start(
    work: Path, source: Path, pipeline: Path, autoencoder: Path, new: list[str]
) -> None:
    """Fill the fresh folder `work` for a warm start.

    `source` is the work folder of a run whose VAE stage is finished, `autoencoder` the one to take
    from it (`latents/vae` or, with its decoder trained further, `decoder/vae`), `pipeline` the
    folder with the earlier weights, `new` the subjects that those do not know.
    """
    if (work / "start").exists():
        return
    work.mkdir(parents=True, exist_ok=True)
    for name in ("art.npy", "art.json", "npm"):
        if not (work / name).exists():
            (work / name).symlink_to((source / name).resolve())
    art, ours = Art(source), Latents(source)
    keys = [key for key in ours.keys if key.endswith("|flat")][::STRIDE]
    earlier = AutoencoderKL.from_pretrained(pipeline / "vae", torch_dtype=torch.float32)
    theirs = encode(earlier, np.stack([art[key] for key in keys]))
    mine = torch.stack([ours[key] for key in keys])
    forth, back = fit_affine(mine, theirs), fit_affine(theirs, mine)
    vae = AutoencoderKL.from_pretrained(autoencoder)
    fold(vae, forth, back)
    vae.save_pretrained(work / "latents" / "vae")
    torch.save(apply(ours.values, forth).half(), work / "latents" / "latents.pt")
    (work / "latents" / "keys.json").write_text(json.dumps(ours.keys))
    for part in ("unet", "text_encoder"):
        shutil.copytree(pipeline / part, work / "start" / part)
    (work / "start" / "new.json").write_text(json.dumps(new))
    shutil.copytree(pipeline / "tokenizer", work / "tokenizer")
    fits = {"to": explained(mine, theirs, forth), "from": explained(theirs, mine, back)}
    RunLog(work).write("warm", fits)
