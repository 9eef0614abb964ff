"""A model as a diffusers folder: model_index.json, and a folder for each part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sidecar.engine.diffusion.checkpoint_names import Slot, Slots, clip_slots, vae_slots
from sidecar.engine.diffusion.nets.unet_config import Unbuildable
from sidecar.engine.diffusion.source import PartSource, Source
from sidecar.engine.diffusion.tokenizer import PromptTokenizer
from sidecar.engine.diffusion.weights import read_header, shard_names

FAMILIES = {768: "sd15", 1024: "sd21"}
PIPELINES = ("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline")
XL_PIPELINES = ("StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline")
STEMS = ("diffusion_pytorch_model", "model")
VARIANTS = ("", ".fp16")


def folder_source(folder: Path, vae: PartSource | None) -> Source:
    """`vae`: used instead of the folder's own. Raises Unbuildable, OSError or ValueError."""
    if not (folder / "model_index.json").is_file():
        raise Unbuildable("the folder has no model_index.json, so it is not a diffusers model")
    index = read_json(folder / "model_index.json")
    config = read_json(folder / "unet" / "config.json")
    family = _family(index, config)
    encoders = ("text_encoder", "text_encoder_2")[: 2 if family == "sdxl" else 1]
    text = tuple(_part(folder / name, clip_slots) for name in encoders)
    return Source(
        family=family,
        unet=_part(folder / "unet", unet_slots),
        vae=vae or vae_of_folder(folder / "vae"),
        text=text,
        tokenizers=tuple(
            PromptTokenizer.of_folder(
                folder / name.replace("text_encoder", "tokenizer"),
                part.config.get("max_position_embeddings", 77),
            )
            for name, part in zip(encoders, text, strict=True)
        ),
        noise=read_json(folder / "scheduler" / "scheduler_config.json"),
        zero_negative=family == "sdxl" and index.get("force_zeros_for_empty_prompt", True),
    )


def vae_of_folder(folder: Path) -> PartSource:
    """The VAE in a folder with config.json. Raises Unbuildable, OSError or ValueError."""
    config = read_json(folder / "config.json")
    return _part(folder, vae_slots(len(config["block_out_channels"])))


def unet_slots(name: str) -> tuple[Slot, ...]:
    return (Slot(name),)


def _family(index: Mapping[str, Any], unet: Mapping[str, Any]) -> str:
    pipeline = index.get("_class_name")
    if pipeline in XL_PIPELINES:
        if index.get("text_encoder", (None,))[0] is None:
            raise Unbuildable("it is the SDXL refiner, which only finishes pictures")
        return "sdxl"
    if pipeline not in PIPELINES:
        raise Unbuildable(f"it is a {pipeline}")
    return FAMILIES.get(unet.get("cross_attention_dim", 1280), "starter")


def _part(folder: Path, slots: Slots) -> PartSource:
    header = read_header(_weights(folder))
    return PartSource(read_json(folder / "config.json"), header.stored, slots)


def _weights(folder: Path) -> list[Path]:
    """The plain file before half precision, whole files before those cut into pieces."""
    for stem in STEMS:
        for variant in VARIANTS:
            whole = folder / f"{stem}{variant}.safetensors"
            if whole.is_file():
                return [whole]
            index = folder / f"{stem}.safetensors.index{variant}.json"
            if index.is_file():
                return [folder / name for name in shard_names(index)]
    if any(folder.glob("*.bin")) or any(folder.glob("*.ckpt")):
        raise Unbuildable(
            f"the weights of its {folder.name} are a pickle, which can run code; save the model"
            " with save_pretrained(safe_serialization=True)"
        )
    raise FileNotFoundError(2, "no weights", f"{folder.name}/*.safetensors")


def read_json(path: Path) -> dict[str, Any]:
    """Raises OSError, or ValueError with the file's name."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"{path.parent.name}/{path.name} is not valid JSON") from exc
    if not isinstance(value, dict):
        raise ValueError(f"{path.parent.name}/{path.name} is not an object")
    return value  # pyright: ignore[reportUnknownVariableType]
