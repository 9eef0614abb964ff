"""Small models with all the structure of SD 1.5, 2.1 and XL and random weights, in every form."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from sidecar.engine.diffusion.tokenizer import END, ZERO, PromptTokenizer
from sidecar.paths import clip_vocabulary
from tests.engine.diffusion import original_layout

SIDE = 64
PROMPT = "red apple on a table"
FAMILIES = ("sd15", "sd21", "sdxl")

CROSS_DOWN, CROSS_UP = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
FOUR_SIZES = {
    "down_block_types": (CROSS_DOWN, CROSS_DOWN, CROSS_DOWN, "DownBlock2D"),
    "up_block_types": ("UpBlock2D", CROSS_UP, CROSS_UP, CROSS_UP),
}
UNETS: dict[str, dict[str, Any]] = {
    "sd15": {
        **FOUR_SIZES,
        "block_out_channels": (32, 64, 64, 64),
        "attention_head_dim": 8,
        "cross_attention_dim": 64,
    },
    "sd21": {
        **FOUR_SIZES,
        "block_out_channels": (64, 64, 128, 128),
        "attention_head_dim": (1, 1, 2, 2),
        "cross_attention_dim": 128,
        "use_linear_projection": True,
    },
    "sdxl": {
        "down_block_types": ("DownBlock2D", CROSS_DOWN, CROSS_DOWN),
        "up_block_types": (CROSS_UP, CROSS_UP, "UpBlock2D"),
        "block_out_channels": (64, 128, 128),
        "attention_head_dim": (1, 2, 2),
        "transformer_layers_per_block": (1, 2, 3),
        "cross_attention_dim": 192,
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 32,
        "projection_class_embeddings_input_dim": 128 + 6 * 32,
    },
}
TEXT: dict[str, list[dict[str, Any]]] = {
    "sd15": [{"hidden_size": 64, "hidden_act": "quick_gelu"}],
    "sd21": [{"hidden_size": 128, "hidden_act": "gelu"}],
    "sdxl": [
        {"hidden_size": 64, "hidden_act": "quick_gelu"},
        {"hidden_size": 128, "hidden_act": "gelu", "projection_dim": 128},
    ],
}
PADS = {"sd15": (END,), "sd21": (ZERO,), "sdxl": (END, ZERO)}
VAE = {
    "block_out_channels": (32, 32, 64, 64),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "latent_channels": 4,
    "layers_per_block": 2,
}
NOISE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}


def write_folder(family: str, folder: Path, prediction: str = "epsilon") -> Path:
    """As diffusers saves it; always the same weights."""
    torch.manual_seed(5)
    _pipeline(family, folder.parent, prediction).save_pretrained(folder)
    return folder


def _pipeline(family: str, scratch: Path, prediction: str) -> Any:
    import diffusers as d

    texts = [_text_encoder(config) for config in TEXT[family]]
    folders = [scratch / f"vocabulary-{number}" for number in range(len(PADS[family]))]
    tokenizers = [_tokenizer(*both) for both in zip(PADS[family], folders, strict=True)]
    parts: dict[str, Any] = {
        "unet": _livelier(d.UNet2DConditionModel(sample_size=SIDE // 8, **UNETS[family])),
        "vae": d.AutoencoderKL(**VAE, scaling_factor=0.13025 if family == "sdxl" else 0.18215),
        "text_encoder": texts[0],
        "tokenizer": tokenizers[0],
        "scheduler": d.DDIMScheduler(**NOISE, prediction_type=prediction),
    }
    if family == "sdxl":
        return d.StableDiffusionXLPipeline(
            **parts, text_encoder_2=texts[1], tokenizer_2=tokenizers[1], add_watermarker=False
        )
    no_checker = {"safety_checker": None, "feature_extractor": None}
    return d.StableDiffusionPipeline(**parts, **no_checker, requires_safety_checker=False)


def _livelier(unet: Any) -> Any:
    """Weights twice as large: a fresh UNet hardly listens to what it is told."""
    with torch.no_grad():
        for name, weight in unet.named_parameters():
            if weight.ndim > 1 and "conv_out" not in name:
                weight.mul_(2)
    return unet


def _text_encoder(config: dict[str, Any]) -> Any:
    import transformers as t

    kind = t.CLIPTextModelWithProjection if "projection_dim" in config else t.CLIPTextModel
    return kind(
        t.CLIPTextConfig(
            **config,
            vocab_size=49408,
            num_hidden_layers=3,
            intermediate_size=2 * config["hidden_size"],
            num_attention_heads=config["hidden_size"] // 64,
            bos_token_id=49406,
            eos_token_id=2 if "projection_dim" not in config else 49407,
        )
    )


def _tokenizer(pad: str, folder: Path) -> Any:
    from transformers import CLIPTokenizer

    folder.mkdir(exist_ok=True)
    ours = PromptTokenizer.of_clip(clip_vocabulary(), END, 77)
    ours._tokenizer.model.save(str(folder))
    return CLIPTokenizer.from_pretrained(str(folder), pad_token=pad, model_max_length=77)


def checkpoint_of(folder: Path, family: str) -> dict[str, torch.Tensor]:
    """The model in a folder, in the layout of single files."""
    parts: dict[str, dict[str, torch.Tensor]] = {}
    configs: dict[str, Any] = {}
    for config in folder.glob("*/config.json"):
        name = config.parent.name
        configs[name] = json.loads(config.read_text())
        parts[name] = load_file(next(config.parent.glob("*.safetensors")))
    return original_layout.checkpoint(family, parts, configs)


def write_checkpoint(path: Path, tensors: dict[str, torch.Tensor], **metadata: str) -> Path:
    save_file({k: v.contiguous().clone() for k, v in tensors.items()}, path, metadata or None)
    return path


def opened_by_diffusers(folder: Path) -> Any:
    from diffusers import DiffusionPipeline

    options: dict[str, Any] = {"local_files_only": True, "torch_dtype": torch.float32}
    pipe = DiffusionPipeline.from_pretrained(str(folder), **options)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def picture_by_diffusers(pipe: Any, **changes: Any) -> Any:
    """(side, side, 3) int16, with the settings of `picture_spec`."""
    settings: dict[str, Any] = {
        "num_inference_steps": 4,
        "guidance_scale": 4.0,
        "width": SIDE,
        "height": SIDE,
        "generator": torch.Generator().manual_seed(7),
    }
    image = pipe(PROMPT, **{**settings, **changes}).images[0]
    return np.asarray(image).astype(np.int16)
