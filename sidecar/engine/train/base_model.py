"""The frozen model that a LoRA is trained on: read from a diffusers folder, used as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from torch import Tensor

from sidecar.errors import ModelCorrupt, ModelNotFound, ModelUnsupported

# Their classes are typed in parts only.
_diffusers: Any = diffusers
_transformers: Any = transformers

TEXT_BATCH = 64
FAMILIES = {768: "sd15", 1024: "sd21"}
STARTER_TEXT_WIDTH_BELOW = 512


@dataclass
class BaseModel:
    """Everything of a Stable Diffusion 1 or 2. `noise`: its schedule, as DDPM.

    The networks are untyped because diffusers and transformers are.
    """

    name: str
    folder: Path
    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    noise: Any
    device: torch.device

    @property
    def family(self) -> str:
        """By the width of the text embedding, as the catalogue tells it."""
        width = int(self.unet.config.cross_attention_dim)
        if width < STARTER_TEXT_WIDTH_BELOW:
            return "starter"
        return FAMILIES.get(width, "unknown")

    @property
    def prediction(self) -> str:
        """What the UNet predicts: "epsilon", "v_prediction" or "sample"."""
        return str(self.noise.config.prediction_type)

    @property
    def resolution(self) -> int:
        """The side in pixels that the model was made for."""
        factor = 2 ** (len(self.vae.config.block_out_channels) - 1)
        return int(self.unet.config.sample_size) * factor

    @torch.no_grad()
    def embed(self, prompts: list[str]) -> Tensor:
        """Text embeddings, (prompts, positions, width)."""
        length = int(self.text_encoder.config.max_position_embeddings)
        parts: list[Tensor] = []
        for start in range(0, len(prompts), TEXT_BATCH):
            ids = self.tokenizer(
                prompts[start : start + TEXT_BATCH],
                padding="max_length",
                max_length=length,
                truncation=True,
                return_tensors="pt",
            ).input_ids
            parts.append(self.text_encoder(ids.to(self.device))[0])
        return torch.cat(parts)

    def pipeline(self) -> Any:
        """A StableDiffusionPipeline of these very networks, with the model's own sampler."""
        pipeline: Any = _diffusers.StableDiffusionPipeline.from_pretrained(
            self.folder,
            unet=self.unet,
            vae=self.vae,
            text_encoder=self.text_encoder,
            tokenizer=self.tokenizer,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
            local_files_only=True,
        )
        pipeline.set_progress_bar_config(disable=True)
        return pipeline


def load_base(folder: Path, name: str, device: torch.device) -> BaseModel:
    """Read and freeze a model. Raises ModelNotFound, ModelUnsupported or ModelCorrupt."""
    if not (folder / "model_index.json").is_file():
        if folder.exists():
            raise ModelUnsupported(model=name, reason="training needs a diffusers folder")
        raise ModelNotFound(model=name, available=["starter"])
    try:
        parts = _read(folder)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as exc:
        raise ModelCorrupt(model=name, reason=str(exc).splitlines()[0]) from exc
    base = BaseModel(name=name, folder=folder, device=device, **parts)
    for network in (base.unet, base.vae, base.text_encoder):
        network.requires_grad_(False)
        network.eval().to(device)
    base.unet.to(memory_format=torch.channels_last)
    return base


def _read(folder: Path) -> dict[str, Any]:
    """Networks in float32, which training on small steps needs."""
    local: dict[str, Any] = {"local_files_only": True}
    wide: dict[str, Any] = {**local, "torch_dtype": torch.float32, "use_safetensors": True}
    text: dict[str, Any] = {**local, "dtype": torch.float32, "use_safetensors": True}
    return {
        "unet": _diffusers.UNet2DConditionModel.from_pretrained(folder, subfolder="unet", **wide),
        "vae": _diffusers.AutoencoderKL.from_pretrained(folder, subfolder="vae", **wide),
        "text_encoder": _transformers.CLIPTextModel.from_pretrained(
            folder, subfolder="text_encoder", **text
        ),
        "tokenizer": _transformers.CLIPTokenizer.from_pretrained(
            folder, subfolder="tokenizer", **local
        ),
        "noise": _diffusers.DDPMScheduler.from_pretrained(folder, subfolder="scheduler", **local),
    }
