"""What kind of model a safetensors file holds, told by its tensors and never by its name.

The names are those that the original training code gave: CompVis for Stable Diffusion 1,
Stability AI for 2 and XL. Everything that shares files but is drawn in another way is told apart,
so that a refusal can say what the file is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Shapes = Mapping[str, tuple[int, ...]]
"""The shape of each tensor of a file, by its name."""

UNET = "model.diffusion_model."
VAE = "first_stage_model."
CLIP, OPEN_CLIP = "clip", "open_clip"

FIRST_CONVOLUTION = f"{UNET}input_blocks.0.0.weight"
CHANNELS = 4


class NotDrawable(ValueError):
    """The file holds something else; the text goes on from "it cannot be loaded: "."""


@dataclass(frozen=True)
class TextPart:
    """A text encoder in a file. `naming`: "clip" (as transformers) or "open_clip"."""

    component: str
    prefix: str
    naming: str


@dataclass(frozen=True)
class Kind:
    """`family`: "sd15", "sd21" or "sdxl". `has_vae`: some files leave it out."""

    family: str
    text: tuple[TextPart, ...]
    has_vae: bool


def kind_of(shapes: Shapes) -> Kind:
    """Raises `NotDrawable`, which says what the file holds instead."""
    if FIRST_CONVOLUTION not in shapes:
        raise NotDrawable(_without_unet(shapes))
    other = _another_model(shapes)
    if other is not None:
        raise NotDrawable(other)
    text = _text_parts(shapes)
    family = _family(shapes, text)
    if not text:
        raise NotDrawable("it holds a UNet without the text encoder that belongs to it")
    return Kind(family, text, has_vae=_has(shapes, f"{VAE}decoder."))


def is_vae(shapes: Shapes) -> bool:
    """Whether the file holds an autoencoder, on its own or within a checkpoint."""
    return any(f"{prefix}decoder.conv_in.weight" in shapes for prefix in ("", VAE))


def _family(shapes: Shapes, text: tuple[TextPart, ...]) -> str:
    if any(part.component == "text_encoder_2" for part in text):
        return "sdxl"
    projections = [len(shape) for name, shape in shapes.items() if name.endswith("proj_in.weight")]
    return "sd21" if 2 in projections else "sd15"


def _text_parts(shapes: Shapes) -> tuple[TextPart, ...]:
    """Where the text encoders stand: of XL both, of 1 and 2 the only one."""
    first = "conditioner.embedders.0.transformer."
    second = "conditioner.embedders.1.model."
    if _has(shapes, first) and _has(shapes, second):
        return (
            TextPart("text_encoder", first, CLIP),
            TextPart("text_encoder_2", second, OPEN_CLIP),
        )
    for prefix, naming in (
        ("cond_stage_model.transformer.", CLIP),
        ("cond_stage_model.model.", OPEN_CLIP),
        ("conditioner.embedders.0.model.", OPEN_CLIP),
    ):
        if _has(shapes, prefix):
            return (TextPart("text_encoder", prefix, naming),)
    return ()


def _another_model(shapes: Shapes) -> str | None:
    """Models that look much like Stable Diffusion; None where it is one."""
    channels = shapes[FIRST_CONVOLUTION][1] if len(shapes[FIRST_CONVOLUTION]) == 4 else None
    if channels == 9:
        return "it is an inpainting model, which needs a picture and a mask to draw from"
    if channels == 8:
        return "it is an InstructPix2Pix model, which only changes pictures"
    if channels != CHANNELS:
        return f"its UNet takes {channels or 'no'} channels where Stable Diffusion takes {CHANNELS}"
    if _has(shapes, "control_model."):
        return "it is a ControlNet"
    if any(".time_stack." in name or ".motion_modules." in name for name in shapes):
        return "it is a video model"
    if _has(shapes, "embedder.model.visual.") or _has(shapes, "noise_augmentor."):
        return "it is an unCLIP model, which draws from pictures and not from words"
    if "edm_mean" in shapes or "edm_vpred.sigma_max" in shapes:
        return "it was trained with noise of the EDM kind"
    added = _has(shapes, f"{UNET}label_emb.")
    if added and not _has(shapes, "conditioner.embedders.1."):
        return "it is the SDXL refiner, which only finishes pictures that SDXL began"
    return None


def _without_unet(shapes: Shapes) -> str:
    """What a file without Stable Diffusion's UNet holds."""
    for phrase, marks in _MARKS.items():
        if any(mark in name for name in shapes for mark in marks):
            return phrase
    if is_vae(shapes):
        return "it is a VAE; give it as `vae`, together with a model"
    if any(name.startswith(("down_blocks.", "text_model.")) for name in shapes):
        return "it is one part of a diffusers model; name the folder it came from"
    if _has(shapes, "input_blocks."):
        return "it holds a UNet alone, without text encoder and VAE"
    return "its tensors are not those of Stable Diffusion 1, 2 or XL"


_MARKS: dict[str, tuple[str, ...]] = {
    "it is a LoRA; put it into the LoRA folder and use switch_lora": (
        "lora_unet_", "lora_te", ".lora_A.", ".lora_B.", ".lora_up.", ".lora_down.", "_lora.",
    ),
    "it is a Stable Diffusion 3": ("joint_blocks.",),
    "it is a Flux": ("double_blocks.",),
    "it is a ControlNet": ("control_model.", "input_hint_block.", "controlnet_"),
    "it is a textual inversion": ("emb_params", "string_to_param", "clip_g", "clip_l"),
}  # fmt: skip


def _has(shapes: Shapes, prefix: str) -> bool:
    return any(name.startswith(prefix) for name in shapes)
