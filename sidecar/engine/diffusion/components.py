"""A model in memory: its networks, and what was decided about them."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import torch
from torch import nn

from sidecar.engine.contract import ComponentInfo, LoadedModel, ModelSpec
from sidecar.engine.diffusion.attention import AttentionBackend
from sidecar.engine.diffusion.devices import Device, dtype_name
from sidecar.engine.diffusion.low_vram import (
    ATTENTION_SLICING,
    COMPONENT_OFFLOAD,
    SEQUENTIAL_OFFLOAD,
    measures,
)
from sidecar.engine.diffusion.nets.clip_text import ClipTextEncoder
from sidecar.engine.diffusion.nets.unet import UNet
from sidecar.engine.diffusion.nets.vae import Vae
from sidecar.engine.diffusion.offload import lend_by_layer, lent
from sidecar.engine.diffusion.schedule import NoiseSchedule
from sidecar.engine.diffusion.source import Source
from sidecar.engine.diffusion.tokenizer import PromptTokenizer
from sidecar.engine.memory.rungs import OFF


@dataclass
class Components:
    """All parts of one model on one device.

    `source`: what they were made of. `dtype`, `vae_dtype`: what is computed in; weights may be
    stored in less. `rung`, `low_vram`: of the low-memory ladder, and the measures it means.
    `text_encoder_2`, `tokenizer_2`: of SDXL. `zero_negative`: see `source.Source`.
    """

    spec: ModelSpec
    source: Source
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
    vae_dtype: torch.dtype = torch.float32
    rung: str = OFF

    def use_rung(self, rung: str, asked: str) -> None:
        """Take the measures of that rung, and no others. Where weights rest does not change: a rung
        on which they rest elsewhere takes another loading (`low_vram.resting_place`)."""
        self.spec = replace(self.spec, low_vram=asked)
        self.rung = rung
        self.low_vram = self.measures_of(rung)
        self.attend.slice_size = 1 if ATTENTION_SLICING in self.low_vram else None

    def measures_of(self, rung: str) -> tuple[str, ...]:
        return measures(rung, self.device.has_own_memory, self.dtype)

    def settle(self) -> None:
        """Right after loading: lay weights out as they compute fastest, or to be lent."""
        if SEQUENTIAL_OFFLOAD in self.low_vram:
            lend_by_layer(self.unet, self.device)
        elif COMPONENT_OFFLOAD not in self.low_vram:
            self.unet.fuse_projections()
        self.settle_vae()

    def settle_vae(self) -> None:
        """The same for a VAE that was loaded by itself."""
        if SEQUENTIAL_OFFLOAD in self.low_vram:
            lend_by_layer(self.vae, self.device)

    def in_use(self, network: nn.Module) -> AbstractContextManager[None]:
        """Within the block that network computes: it is on the device."""
        by_layer = SEQUENTIAL_OFFLOAD in self.low_vram and network in (self.unet, self.vae)
        rests_elsewhere = {COMPONENT_OFFLOAD, SEQUENTIAL_OFFLOAD} & set(self.low_vram)
        return lent(network, self.device) if rests_elsewhere and not by_layer else nullcontext()

    @property
    def resting_on(self) -> torch.device:
        """Where weights are when they do not compute."""
        rests_elsewhere = {COMPONENT_OFFLOAD, SEQUENTIAL_OFFLOAD} & set(self.low_vram)
        return torch.device("cpu") if rests_elsewhere else self.device.torch

    def networks(self) -> dict[str, nn.Module]:
        return {"unet": self.unet, "vae": self.vae, **self.text_encoders()}

    def text_encoders(self) -> dict[str, ClipTextEncoder]:
        """By name, in the order in which their outputs are joined."""
        second = {} if self.text_encoder_2 is None else {"text_encoder_2": self.text_encoder_2}
        return {"text_encoder": self.text_encoder, **second}

    def stored_bytes(self) -> int:
        """Of all weights, as they rest."""
        return sum(map(stored_bytes, self.networks().values()))

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
            rung=self.rung,
        )


def stored_bytes(network: nn.Module) -> int:
    return sum(weight.numel() * weight.element_size() for weight in network.parameters())


def _info(name: str, network: nn.Module) -> ComponentInfo:
    """`dtype`: that most of it is stored in; `device`: where it rests."""
    sizes: dict[torch.dtype, int] = {}
    for weight in network.parameters():
        sizes[weight.dtype] = sizes.get(weight.dtype, 0) + weight.numel()
    most = max(sizes, key=lambda dtype: sizes[dtype])
    place = next(network.parameters()).device.type
    return ComponentInfo(name, stored_bytes(network), dtype_name(most), place)
