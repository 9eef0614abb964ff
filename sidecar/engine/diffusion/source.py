"""What a model is made of, wherever it comes from: configs, tensors in files, tokenizers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.engine.diffusion.checkpoint_names import Slots
from sidecar.engine.diffusion.nets.clip_text import ACTIVATIONS
from sidecar.engine.diffusion.nets.unet_config import Unbuildable
from sidecar.engine.diffusion.tokenizer import PromptTokenizer
from sidecar.engine.diffusion.weights import Stored

VAE_BLOCKS = {"DownEncoderBlock2D", "UpDecoderBlock2D"}


@dataclass(frozen=True)
class PartSource:
    """One network: its config as diffusers or transformers write it, and its tensors.

    `strict`: see `weights.Part`.
    """

    config: Mapping[str, Any]
    tensors: Mapping[str, Stored]
    slots: Slots
    strict: bool = True


@dataclass(frozen=True)
class Source:
    """`text` and `tokenizers`: one of each, or two of each for SDXL.

    `zero_negative`: no negative prompt means zeros, and not the embedding of an empty text.
    """

    family: str
    unet: PartSource
    vae: PartSource
    text: tuple[PartSource, ...]
    tokenizers: tuple[PromptTokenizer, ...]
    noise: Mapping[str, Any]
    zero_negative: bool = False


def check(source: Source) -> None:
    """Whether the parts can be built and fit each other. Raises Unbuildable."""
    _check_vae(source.vae.config, source.unet.config)
    for part in source.text:
        _check_text(part.config)
    width = sum(part.config["hidden_size"] for part in source.text)
    if width != source.unet.config.get("cross_attention_dim", 1280):
        raise Unbuildable("its text encoder and its UNet do not fit each other")
    if str(source.noise.get("_class_name", "")).startswith("EDM"):
        raise Unbuildable("its scheduler is of the EDM kind")


def _check_vae(config: Mapping[str, Any], unet: Mapping[str, Any]) -> None:
    if config.get("_class_name", "AutoencoderKL") != "AutoencoderKL":
        raise Unbuildable(f"its VAE is a {config['_class_name']}")
    strange = {*config["down_block_types"], *config["up_block_types"]} - VAE_BLOCKS
    scaled = config.get("shift_factor") or config.get("latents_mean") or config.get("latents_std")
    if strange or config.get("act_fn", "silu") != "silu" or scaled:
        raise Unbuildable(f"its VAE has parts of another kind ({', '.join(sorted(strange))})")
    if config["latent_channels"] != unet.get("in_channels", 4):
        raise Unbuildable(
            f"its UNet takes {unet.get('in_channels', 4)} channels"
            f" and its VAE gives {config['latent_channels']}"
        )


def _check_text(config: Mapping[str, Any]) -> None:
    if config.get("model_type", "clip_text_model") != "clip_text_model":
        raise Unbuildable(f"its text encoder is a {config['model_type']}")
    if config.get("hidden_act", "quick_gelu") not in ACTIVATIONS:
        raise Unbuildable(f"its text encoder has hidden_act = {config['hidden_act']}")
