"""SD 1.5 in full size with random weights, as a diffusers folder."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from benchmarks.switching.geometry import TEXT, UNET
from sidecar.engine.diffusion.attention import AttentionBackend
from sidecar.engine.diffusion.nets.clip_text import ClipTextEncoder
from sidecar.engine.diffusion.nets.unet import UNet
from sidecar.engine.diffusion.nets.vae import Vae
from sidecar.engine.diffusion.tokenizer import END, PromptTokenizer
from sidecar.paths import clip_vocabulary

VAE: dict[str, Any] = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "latent_channels": 4,
    "layers_per_block": 2,
    "norm_num_groups": 32,
    "scaling_factor": 0.18215,
}
NOISE = {
    "_class_name": "DDIMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}
STEM = "diffusion_pytorch_model.safetensors"


def write_model(folder: Path, dtype: torch.dtype = torch.float32) -> Path:
    """4.3 GB in float32; one network at a time is in memory, the largest takes 3.4 GB."""
    index = {
        "_class_name": "StableDiffusionPipeline",
        **{part: ["diffusers", "-"] for part in ("unet", "vae", "scheduler")},
        **{part: ["transformers", "-"] for part in ("text_encoder", "tokenizer")},
    }
    attend = AttentionBackend(torch.device("cpu"), dtype)
    _write_json(folder / "model_index.json", index)
    _write_json(folder / "scheduler" / "scheduler_config.json", NOISE)
    with torch.device("meta"):
        parts = {
            "unet": (UNet(UNET, attend), UNET, STEM),
            "vae": (Vae(VAE), {"_class_name": "AutoencoderKL", **VAE}, STEM),
            "text_encoder": (ClipTextEncoder(TEXT), TEXT, "model.safetensors"),
        }
    for name, (network, config, file) in parts.items():
        _write_json(folder / name / "config.json", config)
        prefix = "text_model." if name == "text_encoder" else ""
        save_file(_tensors(network, prefix, dtype), folder / name / file)
    tokenizer = PromptTokenizer.of_clip(clip_vocabulary(), END, TEXT["max_position_embeddings"])
    _write_tokenizer(folder / "tokenizer", tokenizer)
    return folder


def _tensors(network: nn.Module, prefix: str, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """As large as trained ones, so that pictures come out sound: norms of one, and the rest such
    that a layer keeps the size of what goes through it."""
    draw = torch.Generator().manual_seed(0)
    found: dict[str, torch.Tensor] = {}
    for name, weight in network.named_parameters():
        tensor = torch.zeros(weight.shape, dtype=dtype)
        if weight.ndim > 1:
            spread = math.sqrt(3 / weight[0].numel())
            tensor.uniform_(-spread, spread, generator=draw)
        elif name.endswith("weight"):
            tensor.fill_(1.0)
        found[prefix + name] = tensor
    return found


def _write_tokenizer(folder: Path, tokenizer: PromptTokenizer) -> None:
    folder.mkdir(parents=True)
    tokenizer._tokenizer.model.save(str(folder))
    _write_json(folder / "tokenizer_config.json", {"pad_token": END})


def _write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
