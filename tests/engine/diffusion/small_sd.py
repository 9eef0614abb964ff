"""A small model with all the structure of SD 1.5, random weights, and LoRA files for it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from safetensors.torch import save_file

from sidecar.paths import starter_folder

SIDE = 64
WORDS = "red apple on a table"
TEXT_WIDTH = 48

UNET = {
    "sample_size": 8,
    "block_out_channels": (32, 48, 64, 64),
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    "layers_per_block": 2,
    "cross_attention_dim": TEXT_WIDTH,
    "attention_head_dim": 4,
    "norm_num_groups": 16,
}
VAE = {
    "block_out_channels": (16, 16, 32, 32),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "latent_channels": 4,
    "norm_num_groups": 8,
    "layers_per_block": 1,
}


def write_model(folder: Path) -> Path:
    """The model as a diffusers folder, always with the same weights."""
    from diffusers import (
        AutoencoderKL,
        DDIMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(11)
    tokenizer = starter_folder() / "tokenizer"
    source = StableDiffusionPipeline.from_pretrained(str(starter_folder()), local_files_only=True)
    text = CLIPTextConfig(
        vocab_size=1981,
        hidden_size=TEXT_WIDTH,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=16,
        bos_token_id=1979,
        eos_token_id=1980,
        pad_token_id=1980,
    )
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL(**VAE),
        text_encoder=CLIPTextModel(text),
        tokenizer=source.tokenizer,
        unet=livelier(UNet2DConditionModel(**UNET)),
        scheduler=DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            clip_sample=False,
            set_alpha_to_one=False,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    shutil.copytree(tokenizer, folder / "tokenizer", dirs_exist_ok=True)
    return folder


def livelier(unet: Any) -> Any:
    """Weights twice as large: a fresh UNet hardly listens to the prompt."""
    with torch.no_grad():
        for name, weight in unet.named_parameters():
            if weight.ndim > 1 and "conv_out" not in name:
                weight.mul_(2)
    return unet


def picture_by_diffusers(pipe: Any, steps: int = 3) -> Any:
    """(side, side, 3) int16."""
    import numpy as np

    image = pipe(
        WORDS,
        num_inference_steps=steps,
        guidance_scale=4.0,
        width=SIDE,
        height=SIDE,
        generator=torch.Generator().manual_seed(5),
    ).images[0]
    return np.asarray(image).astype(np.int16)


def write_lora(path: Path, tensors: dict[str, torch.Tensor], **metadata: str) -> Path:
    save_file({k: v.clone().contiguous() for k, v in tensors.items()}, path, metadata or None)
    return path
