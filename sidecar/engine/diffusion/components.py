"""A model in memory: its networks, and what was decided about them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn

from sidecar.engine.contract import ComponentInfo, LoadedModel, ModelSpec
from sidecar.engine.diffusion.attention import AttentionBackend
from sidecar.engine.diffusion.devices import Device, dtype_name
from sidecar.engine.diffusion.low_vram import ATTENTION_SLICING, MEASURES
from sidecar.engine.diffusion.nets.clip_text import ClipTextEncoder
from sidecar.engine.diffusion.nets.unet import UNet
from sidecar.engine.diffusion.nets.vae import Vae
from sidecar.engine.diffusion.schedule import NoiseSchedule
from sidecar.engine.diffusion.tokenizer import PromptTokenizer


@dataclass
class Components:
    """All parts of one model on one device.

    `text_encoder_2`, `tokenizer_2`: of SDXL. `zero_negative`: see `source.Source`.
    """

    spec: ModelSpec
    family: str
    device: Device
    dtype: torch.dtype
    unet: UNet
    vae: Vae
    text_encoder: ClipTextEncoder
    tokenizer: PromptTokenizer
    schedule: NoiseSchedule
    attend: AttentionBackend
    low_vram: tuple[str, ...]
    load_ms: float
    text_encoder_2: ClipTextEncoder | None = None
    tokenizer_2: PromptTokenizer | None = None
    zero_negative: bool = False

    def use_measures(self, mode: str) -> None:
        """Turn on the low-VRAM measures of that mode, and no others."""
        self.spec = replace(self.spec, low_vram=mode)
        self.low_vram = MEASURES[mode]
        self.attend.slice_size = 1 if ATTENTION_SLICING in self.low_vram else None

    def networks(self) -> dict[str, nn.Module]:
        return {"unet": self.unet, "vae": self.vae, **self.text_encoders()}

    def text_encoders(self) -> dict[str, ClipTextEncoder]:
        """By name, in the order in which their outputs are joined."""
        second = {} if self.text_encoder_2 is None else {"text_encoder_2": self.text_encoder_2}
        return {"text_encoder": self.text_encoder, **second}

    def infos(self) -> tuple[ComponentInfo, ...]:
        return tuple(_info(name, network) for name, network in self.networks().items())

    def loaded(self) -> LoadedModel:
        return LoadedModel(
            spec=self.spec,
            family=self.family,
            components=self.infos(),
            device=self.device.kind,
            dtype=dtype_name(self.dtype),
            attention=self.attend.name,
            low_vram=self.low_vram,
            load_ms=self.load_ms,
        )


def _info(name: str, network: nn.Module) -> ComponentInfo:
    weights = list(network.parameters())
    size = sum(weight.numel() * weight.element_size() for weight in weights)
    return ComponentInfo(name, size, dtype_name(weights[0].dtype), weights[0].device.type)
