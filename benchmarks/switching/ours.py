"""Our side: reading, fitting, merging and the receipt, as `DiffusionEngine.apply_loras` does it."""

from __future__ import annotations

from pathlib import Path

import torch

from benchmarks.switching.geometry import TEXT, UNET, filled
from sidecar.engine import allocator
from sidecar.engine.contract import LoraSpec
from sidecar.engine.diffusion.adapters import Fitter, adaptable
from sidecar.engine.diffusion.attention import AttentionBackend
from sidecar.engine.diffusion.lora_file import LoraFiles
from sidecar.engine.diffusion.merge import Adapter, Merger
from sidecar.engine.diffusion.nets.clip_text import ClipTextEncoder
from sidecar.engine.diffusion.nets.unet import UNet


class Side:
    def __init__(self) -> None:
        allocator.keep_freed_blocks()  # as the engine process does
        with torch.device("meta"):
            unet = UNet(UNET, AttentionBackend(torch.device("cpu"), torch.float32))
            text = ClipTextEncoder(TEXT)
        self._unet = unet
        filled(unet)
        unet.fuse_projections()
        self._weights = adaptable({"unet": unet, "text_encoder": filled(text)})
        self._merger = Merger(self._weights)
        self._files, self._fitter = LoraFiles(), Fitter("sd15", self._weights)

    @torch.inference_mode()
    def read(self, lora: str) -> None:
        """Into the cache of parsed files, so that the next switch is a warm one."""
        self._files.read(LoraSpec(Path(lora).stem, lora, 1.0))

    def before_switch(self, cold: bool, **_: object) -> None:
        if cold:
            self._files.clear()
            self._fitter = Fitter("sd15", self._weights)

    @torch.inference_mode()
    def switch(self, lora: str | None, alpha: float, cold: bool) -> None:
        """To that file, or to none."""
        stack: list[Adapter] = []
        if lora is not None:
            file, cached = self._files.read(LoraSpec(Path(lora).stem, lora, alpha))
            assert cached is not cold
            fitted = self._fitter.fit(lora, file)
            assert fitted.matched_keys == file.total_keys
            stack.append(Adapter(file.sha256, alpha, fitted.layers))
        self._merger.apply(stack)
        self._merger.change()

    def alpha(self, lora: str, alpha: float) -> None:
        self.switch(lora, alpha, cold=False)

    @torch.inference_mode()
    def copy(self) -> None:
        """The floor: the touched weights copied once. What was merged is lost by it."""
        for layer, pristine in self._merger._pristine.items():
            self._weights[layer].copy_(pristine)

    @torch.inference_mode()
    def before_step(self, side: int) -> None:
        self._context = self._unet.prepare(torch.randn(2, 77, 768), torch.tensor([500]))
        self._latents = torch.randn(2, 4, side, side)

    @torch.inference_mode()
    def step(self, side: int) -> None:
        self._unet(self._latents, self._context, 0)
