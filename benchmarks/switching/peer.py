"""The peer: diffusers' usual calls on a resident pipeline; adapters stay unmerged."""

from __future__ import annotations

import torch

from benchmarks.switching.geometry import TEXT, UNET, filled
from sidecar.paths import starter_folder

NAME = "style"


class Side:
    def __init__(self) -> None:
        from diffusers import StableDiffusionPipeline, UNet2DConditionModel
        from transformers import CLIPTextConfig, CLIPTextModel

        with torch.device("meta"):
            unet, text = UNet2DConditionModel(**UNET), CLIPTextModel(CLIPTextConfig(**TEXT))
        # Tokenizer, scheduler and VAE are not used here.
        self._pipe = StableDiffusionPipeline.from_pretrained(
            str(starter_folder()),
            unet=filled(unet),
            text_encoder=filled(text),
            local_files_only=True,
        )

    def switch(self, lora: str | None, alpha: float) -> None:
        self._pipe.unload_lora_weights()
        if lora is not None:
            self._pipe.load_lora_weights(lora, adapter_name=NAME)
            self.alpha(alpha)

    def alpha(self, alpha: float) -> None:
        self._pipe.set_adapters([NAME], [alpha])

    def before_step(self, side: int) -> None:
        self._context, self._latents = torch.randn(2, 77, 768), torch.randn(2, 4, side, side)

    @torch.inference_mode()
    def step(self, side: int) -> None:
        self._pipe.unet(self._latents, 500, encoder_hidden_states=self._context)
