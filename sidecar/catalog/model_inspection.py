"""What a model is, from its configs or its header: family, size, defaults. No tensor is read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from sidecar.catalog.families import FAMILIES, Defaults
from sidecar.catalog.safetensors_header import BrokenHeader, Header, read_header
from sidecar.errors import ModelCorrupt, ModelNotFound, ModelUnsupported
from sidecar.lora_format.families import family_of_text_width
from sidecar.model_format.kinds import NotDrawable, is_vae
from sidecar.model_format.measures import measure
from sidecar.protocol.models import ModelCard

INDEX = "model_index.json"
COMPONENTS = ("text_encoder", "unet", "vae")
PIPELINES = ("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline")
XL_PIPELINES = ("StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline")
PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
PICKLED = (
    "it is a pickle, which can carry code; save it as .safetensors first, for example with the"
    " checkpoint merger of a Stable Diffusion program you trust"
)

_LICENSE = re.compile(r"^license:\s*[\"']?([^\"'\s]+)", re.MULTILINE)
_RESOLUTION = re.compile(r"(\d{2,4})x(\d{2,4})")


@dataclass(frozen=True)
class FoundModel:
    """A model that can be loaded; `path` is absolute, a diffusers folder or a single file.

    `name` is what `find` finds it by again: outside the models folders, its path.
    """

    name: str
    path: Path
    family: str
    defaults: Defaults
    card: ModelCard


def inspect(name: str, path: Path) -> FoundModel:
    """Raises ModelNotFound, ModelUnsupported or ModelCorrupt."""
    if path.is_dir():
        return _inspect_folder(name, path)
    if not path.exists():
        raise ModelNotFound(model=name, available=[])
    return _inspect_file(name, path)


def check_vae(name: str, path: Path) -> None:
    """Whether a folder or a file holds a VAE. Raises ModelUnsupported or ModelCorrupt."""
    if path.is_dir():
        inner = path / "vae" if (path / "vae" / "config.json").is_file() else path
        if not (inner / "config.json").is_file():
            raise ModelUnsupported(model=name, reason="the folder holds no VAE")
        kind = _json(inner / "config.json", name).get("_class_name", "AutoencoderKL")
        if kind != "AutoencoderKL":
            raise ModelUnsupported(model=name, reason=f"it is a {kind}, not a VAE")
        _weights_bytes(inner, name)
    elif not is_vae(_shapes(_header(name, path))):
        raise ModelUnsupported(model=name, reason="it holds no VAE")


def _inspect_file(name: str, path: Path) -> FoundModel:
    header = _header(name, path)
    try:
        family = measure(_shapes(header)).kind.family
    except NotDrawable as exc:
        raise ModelUnsupported(model=name, reason=str(exc)) from exc
    except ValueError as exc:
        raise ModelCorrupt(model=name, reason=str(exc)) from exc
    defaults = _defaults_of_file(family, header.metadata)
    license_name = header.metadata.get("modelspec.license")
    return _found(name, path, family, defaults, path.stat().st_size, license_name)


def _header(name: str, path: Path) -> Header:
    """The header of a single file, after a look at what kind of file it says it is."""
    suffix = path.suffix.lower()
    if suffix in PICKLES:
        raise ModelUnsupported(model=name, reason=PICKLED)
    if suffix != ".safetensors":
        raise ModelUnsupported(model=name, reason="it is no .safetensors file")
    try:
        return read_header(path)
    except BrokenHeader as exc:
        raise ModelCorrupt(model=name, reason=str(exc)) from exc
    except OSError as exc:
        raise ModelCorrupt(model=name, reason=str(exc.strerror)) from exc


def _shapes(header: Header) -> dict[str, tuple[int, ...]]:
    return {key: info.shape for key, info in header.tensors.items()}


def _defaults_of_file(family: str, metadata: dict[str, str]) -> Defaults:
    """The family's, at the resolution that the metadata names, where they do (ModelSpec 1.0)."""
    found = _RESOLUTION.fullmatch(metadata.get("modelspec.resolution", ""))
    if found is None:
        return FAMILIES[family].defaults
    return _sized(FAMILIES[family].defaults, int(found[1]), int(found[2]))


def _inspect_folder(name: str, path: Path) -> FoundModel:
    index = _json(path / INDEX, name)
    unet = _json(path / "unet" / "config.json", name)
    family = _family(index, unet, name)
    parts = (*COMPONENTS, "text_encoder_2") if family == "sdxl" else COMPONENTS
    size = sum(_weights_bytes(path / part, name) for part in parts)
    defaults = _defaults(family, unet, _json(path / "vae" / "config.json", name))
    return _found(name, path, family, defaults, size, _license(path))


def _found(
    name: str, path: Path, family: str, defaults: Defaults, size: int, license_name: str | None
) -> FoundModel:
    card = ModelCard(
        name=name,
        family=family,
        path=str(path),
        bytes=size,
        width=defaults.width,
        height=defaults.height,
        steps=defaults.steps,
        guidance_scale=defaults.guidance_scale,
        license=license_name,
    )
    return FoundModel(name, path, family, defaults, card)


def _family(index: dict[str, Any], unet: dict[str, Any], model: str) -> str:
    pipeline = str(index.get("_class_name"))
    if pipeline not in PIPELINES + XL_PIPELINES:
        raise ModelUnsupported(model=model, reason=f"its pipeline is {pipeline}")
    if unet.get("in_channels", 4) == 9:
        raise ModelUnsupported(model=model, reason="it is an inpainting model")
    if pipeline in XL_PIPELINES:
        return "sdxl"
    width = unet.get("cross_attention_dim")
    family = family_of_text_width(width) if isinstance(width, int) else None
    if family is None or family == "sdxl":
        reason = f"its UNet reads text embeddings of width {width}"
        raise ModelUnsupported(model=model, reason=reason)
    return family


def _defaults(family: str, unet: dict[str, Any], vae: dict[str, Any]) -> Defaults:
    """The family's, at the size this very model was trained at where its config says so."""
    defaults = FAMILIES[family].defaults
    latent, blocks = unet.get("sample_size"), vae.get("block_out_channels")
    if not isinstance(latent, int) or not isinstance(blocks, list):
        return defaults
    side = latent * 2 ** (len(cast("list[object]", blocks)) - 1)
    return _sized(defaults, side, side)


def _sized(defaults: Defaults, width: int, height: int) -> Defaults:
    """At another size, if it is one that can be drawn."""
    if any(not 64 <= side <= 2048 or side % 8 for side in (width, height)):
        return defaults
    preview = min(defaults.preview_side, max(width, height))
    return replace(defaults, width=width, height=height, preview_side=preview)


def _json(path: Path, model: str) -> dict[str, Any]:
    part = f"{path.parent.name}/{path.name}" if path.name != INDEX else path.name
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as exc:
        if path.name == INDEX:
            reason = f"the folder has no {INDEX}, so it is no diffusers model"
            raise ModelUnsupported(model=model, reason=reason) from exc
        raise ModelCorrupt(model=model, reason=f"{part} is missing") from exc
    except OSError as exc:
        raise ModelCorrupt(model=model, reason=f"{part}: {exc.strerror}") from exc
    except (ValueError, RecursionError) as exc:
        raise ModelCorrupt(model=model, reason=f"{part} is not valid JSON") from exc
    if not isinstance(value, dict):
        raise ModelCorrupt(model=model, reason=f"{part} is not a JSON object")
    return cast("dict[str, Any]", value)


def _weights_bytes(folder: Path, model: str) -> int:
    """Bytes of the weights that are loaded: of several variants, the plain one."""
    files = list(folder.iterdir()) if folder.is_dir() else []
    weights = [path for path in files if path.suffix == ".safetensors"]
    if not weights and any(path.suffix in PICKLES for path in files):
        reason = f"{folder.name} has only pickled weights, which can carry code"
        raise ModelUnsupported(model=model, reason=reason)
    if not weights:
        raise ModelCorrupt(model=model, reason=f"{folder.name} has no weights")
    plain = [path for path in weights if not _is_variant(path)]
    return sum(path.stat().st_size for path in plain or weights)


def _is_variant(path: Path) -> bool:
    """`model.fp16.safetensors`, `model.fp16-00001-of-00002.safetensors`"""
    return "." in path.stem


def _license(path: Path) -> str | None:
    """From the front matter of the model card (README.md), as model hubs have it."""
    try:
        with open(path / "README.md", encoding="utf-8", errors="replace") as file:
            match = _LICENSE.search(file.read(4096))
    except OSError:
        return None
    return match.group(1) if match else None
