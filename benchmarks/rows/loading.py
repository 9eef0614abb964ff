"""Memory and time of loading a single-file checkpoint with the geometry of SD 1.5, 1.07 billion
random weights in half precision, into full precision."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmarks.measuring import PEERS, Figure, Peer, Row
from sidecar.engine.diffusion.attention import AttentionBackend
from sidecar.engine.diffusion.nets.clip_text import ClipTextEncoder
from sidecar.engine.diffusion.nets.unet import UNet
from sidecar.engine.diffusion.nets.vae import Vae

CROSS_DOWN, CROSS_UP = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
UNET = {
    "block_out_channels": [320, 640, 1280, 1280],
    "down_block_types": [CROSS_DOWN, CROSS_DOWN, CROSS_DOWN, "DownBlock2D"],
    "up_block_types": ["UpBlock2D", CROSS_UP, CROSS_UP, CROSS_UP],
    "cross_attention_dim": 768,
}
VAE = {"block_out_channels": [128, 256, 512, 512], "layers_per_block": 2, "latent_channels": 4}
TEXT = {
    "vocab_size": 49408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
}
MEGABYTE = 1e6
SECONDS = 600


def measure(scale: float) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path = write_checkpoint(Path(folder) / "sd15.safetensors")
        runs = [_load(path) for _ in range(max(1, round(2 * scale)))]
    growth = Figure(tuple(run["growth"] / MEGABYTE for run in runs), "MB", "max")
    weights = Figure(tuple(run["weights"] / MEGABYTE for run in runs), "MB")
    return [
        Row(
            "peak memory of loading SD 1.5 from one file",
            growth,
            (Peer("the weights themselves", weights, ratio_bar=1.15),),
            note="growth of RSS in a fresh engine; the file is half precision, the weights full",
        ),
        Row(
            "time of it",
            Figure(tuple(run["ms"] for run in runs)),
            note="the file lies in the system's cache",
        ),
    ]


def _load(path: Path) -> dict[str, float]:
    command = [sys.executable, str(PEERS / "load_once.py"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    return json.loads(done.stdout)


def write_checkpoint(path: Path) -> Path:
    """SD 1.5 with small random weights, under the original names of UNet and text encoder."""
    draw = torch.Generator().manual_seed(0)
    with torch.device("meta"):
        unet = UNet(UNET, AttentionBackend(torch.device("cpu"), torch.float32))
        parts: dict[str, nn.Module] = {
            "first_stage_model.": Vae(VAE),
            "cond_stage_model.transformer.text_model.": ClipTextEncoder(TEXT),
        }
    tensors = {
        f"model.diffusion_model.{unet.original_names.to_original(name)}": _random(weight, draw)
        for name, weight in unet.named_parameters()
    }
    for prefix, network in parts.items():
        for name, weight in network.named_parameters():
            tensors[prefix + name] = _random(weight, draw)
    save_file(tensors, path)
    return path


def _random(weight: Tensor, draw: torch.Generator) -> Tensor:
    return (torch.randn(weight.shape, generator=draw) * 0.02).half()
