"""SD 1.5's UNet and text encoder with random weights, and LoRA files of their shapes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

UNET: dict[str, Any] = {
    "sample_size": 64,
    "block_out_channels": (320, 640, 1280, 1280),
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    "layers_per_block": 2,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}
TEXT: dict[str, Any] = {
    "vocab_size": 49408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "max_position_embeddings": 77,
}
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
SCOPES = ("attention", "all layers + text")
CONVOLUTION_SHARE = 4  # LoCon files give 3×3 convolutions a lower rank than linear layers


def filled(network: nn.Module) -> nn.Module:
    """Memory and small random numbers for a network built without either."""
    network.to_empty(device="cpu")
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.uniform_(-0.02, 0.02, generator=draw)
    return network.requires_grad_(False).eval()


def write_lora(path: Path, scope: str, rank: int, seed: int) -> Path:
    """In half precision and peft's spelling, as trainers write them."""
    torch.manual_seed(seed)
    tensors: dict[str, torch.Tensor] = {}
    for name, shape in adapted(scope):
        own = rank // CONVOLUTION_SHARE if shape[2:].numel() > 1 else rank
        one = (1,) * (len(shape) - 2)
        tensors[f"{name}.lora_A.weight"] = 0.02 * torch.randn(own, *shape[1:])
        tensors[f"{name}.lora_B.weight"] = 0.02 * torch.randn(shape[0], own, *one)
    save_file({key: tensor.half() for key, tensor in tensors.items()}, path)
    return path


def adapted(scope: str) -> Iterator[tuple[str, torch.Size]]:
    """Names and shapes of the weights that a LoRA of that scope changes."""
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    with torch.device("meta"):
        unet, text = UNet2DConditionModel(**UNET), CLIPTextModel(CLIPTextConfig(**TEXT))
    everything = scope != "attention"
    for name, module in unet.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d) and (everything or name.endswith(ATTENTION)):
            yield f"unet.{name}", module.weight.shape
    for name, module in text.named_modules():
        if isinstance(module, nn.Linear) and everything:
            yield f"text_encoder.{name}", module.weight.shape
