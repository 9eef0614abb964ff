"""A Stable Diffusion 1.5 in structure, with random weights and hardly any channels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

SIDE = 64
WORDS = ("cat", "dog", "rocket", "apple", "castle", "tree")
HALVED = {"target": 6, "source": 6, "holdout": 2, "negative": 3}

PRESET: dict[str, Any] = {
    "name": "tiny",
    "rank": 4,
    "target_modules": ["to_q", "to_k", "to_v", "to_out.0", "conv1"],
    "seed": 3,
    "resolution": SIDE,
    "ema": 0.9,
    "samples": {"steps": 2, "prompts": ["cat"], "alphas": [0.0, 1.0]},
    "stages": [
        {"name": "warm-up", "alpha": 0.5, "lr": 1e-3, "batch_size": 2, "max_epoch": 1,
         "source_fraction": 0.5, "max_steps": 3, "checkpoint_save_strategy": "steps:2"},
        {"name": "style", "alpha": 1.0, "lr": 1e-3, "batch_size": 2, "max_epoch": 2,
         "early_stopping_patience": 1, "max_steps": 4, "checkpoint_save_strategy": "steps:2"},
        {"name": "hardening", "alpha": 1.0, "lr": 1e-3, "batch_size": 2, "max_epoch": 1,
         "augment": ["translation", "cutout", "color"], "negative_weight": 0.1, "max_steps": 2},
    ],
}  # fmt: skip


def build_model(folder: Path, prediction: str = "epsilon") -> Path:
    """Write the pipeline: 77 tokens, latents of 4 channels scaled by 0.18215, epsilon or v."""
    from diffusers import (
        AutoencoderKL,
        PNDMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(0)
    tokens = _tokenizer_files(folder / "words")
    blocks: dict[str, Any] = {"layers_per_block": 1, "norm_num_groups": 4}
    pipeline = StableDiffusionPipeline(
        unet=UNet2DConditionModel(
            sample_size=SIDE // 8,
            block_out_channels=(8, 16),
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            cross_attention_dim=16,
            attention_head_dim=4,
            **blocks,
        ),
        vae=AutoencoderKL(
            block_out_channels=(4, 4, 4, 4),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=4,
            scaling_factor=0.18215,
            **blocks,
        ),
        text_encoder=CLIPTextModel(
            CLIPTextConfig(
                hidden_size=16,
                intermediate_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                max_position_embeddings=77,
                vocab_size=tokens,
                bos_token_id=tokens - 2,
                eos_token_id=tokens - 1,
                pad_token_id=tokens - 1,
            )
        ),
        tokenizer=CLIPTokenizer.from_pretrained(folder / "words"),
        scheduler=PNDMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            prediction_type=prediction,
            skip_prk_steps=True,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder / "model")
    return folder / "model"


def _tokenizer_files(folder: Path) -> int:
    """A byte-level vocabulary without merges; how many tokens it has."""
    folder.mkdir(parents=True)
    letters = [chr(c) for c in range(33, 127)]
    names = [*letters, *(f"{c}</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({n: i for i, n in enumerate(names)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77,
                "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>",
                "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return len(names)


def build_data(folder: Path) -> Path:
    """Coloured squares with captions in all four folders."""
    from PIL import Image

    draws = np.random.default_rng(0)
    for part, count in HALVED.items():
        (folder / part).mkdir(parents=True)
        for number, word in enumerate(WORDS[:count]):
            pixels = draws.integers(0, 255, (4, 4, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
            Image.fromarray(pixels).save(folder / part / f"{word}-{number}.png")
            (folder / part / f"{word}-{number}.txt").write_text(f"a {word}\n")
    return folder
