"""Stage `latents`: unit-variance latents for all pictures that the UNet and decoder learn from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from starter.art import JITTERED, STYLES, Art
from starter.colour import COLOURS
from starter.subjects import SUBJECTS
from starter.training import RunLog
from starter.vae import LATENT_CHANNELS, to_tensor

VARIANTS: tuple[str, ...] = ("flat", *JITTERED, *COLOURS, *STYLES)


@torch.no_grad()
def encode(vae: AutoencoderKL, pictures: np.ndarray) -> torch.Tensor:
    """uint8 (N, 128, 128, 3) to latent means (N, 8, 16, 16)."""
    parts = np.array_split(pictures, max(1, len(pictures) // 16))
    return torch.cat([vae.encode(to_tensor(part)).latent_dist.mean for part in parts])


@torch.no_grad()
def fold_normalisation(vae: AutoencoderKL, latents: torch.Tensor) -> None:
    """Put the latents' mean and spread into the 1x1 convolutions beside the bottleneck.

    Afterwards each latent channel has mean 0 and deviation 1 over the flat art, and the pipeline's
    own `scaling_factor` is 1. The encoder's variance is set to (almost) nothing.
    """
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    encoder, decoder = vae.quant_conv, vae.post_quant_conv
    encoder.weight[:LATENT_CHANNELS] /= deviation[:, None, None, None]
    encoder.bias[:LATENT_CHANNELS] = (encoder.bias[:LATENT_CHANNELS] - mean) / deviation
    encoder.weight[LATENT_CHANNELS:] = 0
    encoder.bias[LATENT_CHANNELS:] = -12.0
    weight = decoder.weight.clone()
    decoder.bias += weight[:, :, 0, 0] @ mean
    decoder.weight.copy_(weight * deviation[None, :, None, None])
    vae.register_to_config(scaling_factor=1.0, force_upcast=False)


@torch.no_grad()
def signal_to_noise(vae: AutoencoderKL, latents: torch.Tensor, pictures: np.ndarray) -> float:
    """PSNR in dB of decoded latents against the pictures."""
    errors = []
    for part, wanted in zip(latents.float().split(16), np.split(
        pictures, range(16, len(pictures), 16)), strict=True):  # fmt: skip
        errors.append((vae.decode(part).sample - to_tensor(wanted)).square().mean((1, 2, 3)))
    return float(10 * torch.log10(4 / torch.cat(errors).mean()))


def build_latents(work: Path) -> None:
    """Write `work/latents/vae`, `latents.pt` and `keys.json`."""
    folder = work / "latents"
    if (folder / "keys.json").exists():
        return
    torch.set_num_threads(2)
    art = Art(work)
    vae = AutoencoderKL.from_pretrained(work / "vae" / "raw").eval()
    flats = np.stack([art[f"{subject}|flat"] for subject in SUBJECTS])
    fold_normalisation(vae, encode(vae, flats))
    keys = [f"{s}|{v}" for s in SUBJECTS for v in VARIANTS if f"{s}|{v}" in art]
    latents = encode(vae, np.stack([art[key] for key in keys])).half()
    vae.save_pretrained(folder / "vae")
    torch.save(latents, folder / "latents.pt")
    (folder / "keys.json").write_text(json.dumps(keys))
    log = {}
    for variant in ("flat", "green", *STYLES):
        chosen = [i for i, key in enumerate(keys) if key.endswith(f"|{variant}")]
        pictures = np.stack([art[keys[i]] for i in chosen])
        log[variant] = round(signal_to_noise(vae, latents[chosen], pictures), 2)
    print("latents: PSNR before the decoder stage", log, flush=True)
    RunLog(work).write("latents", {"psnr": log, "pictures": len(keys)})


class Latents:
    """The cached latents: `latents[key]` is float of shape (8, 16, 16)."""

    def __init__(self, work: Path) -> None:
        self.keys: list[str] = json.loads((work / "latents" / "keys.json").read_text())
        self.values = torch.load(work / "latents" / "latents.pt", weights_only=True).float()
        self.where = {key: i for i, key in enumerate(self.keys)}

    def __getitem__(self, key: str) -> torch.Tensor:
        return self.values[self.where[key]]

    def __contains__(self, key: str) -> bool:
        return key in self.where
