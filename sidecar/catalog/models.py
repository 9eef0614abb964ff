"""Models in their folders: diffusers folders with safetensors weights, and the starter."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from sidecar.catalog.families import FAMILIES, Defaults
from sidecar.catalog.names import is_plain_name, lies_inside
from sidecar.errors import ModelCorrupt, ModelNotFound, ModelUnsupported
from sidecar.lora_format.families import family_of_text_width
from sidecar.protocol.models import ModelCard

__all__ = ["Defaults", "FoundModel", "ModelCatalog"]

STARTER = "starter"
INDEX = "model_index.json"
COMPONENTS = ("text_encoder", "unet", "vae")
PIPELINES = ("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline")

_PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
_LICENSE = re.compile(r"^license:\s*[\"']?([^\"'\s]+)", re.MULTILINE)


@dataclass(frozen=True)
class FoundModel:
    """A model that can be loaded; `path` is absolute, a diffusers folder.

    `name` is what `find` finds it by again: for a folder outside the models folders, its path.
    """

    name: str
    path: Path
    family: str
    defaults: Defaults
    card: ModelCard


class ModelCatalog:
    """The starter, and every diffusers folder inside the models folders; first folder wins."""

    def __init__(self, folders: Sequence[Path], starter: Path) -> None:
        self._folders = tuple(folders)
        self._starter = starter

    def cards(self) -> list[ModelCard]:
        """What can be loaded: the starter first, then by name. Broken folders are left out."""
        cards: list[ModelCard] = []
        for name, path in self._paths().items():
            try:
                cards.append(_inspect(name, path).card)
            except (ModelCorrupt, ModelUnsupported, ModelNotFound):
                continue
        return cards

    def find(self, model: str) -> FoundModel:
        """A model by name, or a diffusers folder by absolute path.

        Raises ModelNotFound; ModelUnsupported for another kind of model and for pickled weights,
        which can carry code; ModelCorrupt when files are missing or cannot be read.
        """
        paths = self._paths()
        if model in paths:
            return _inspect(model, paths[model])
        if os.path.isabs(model) and "\0" not in model and os.path.exists(model):
            path = Path(os.path.abspath(model))
            return _inspect(_name_of(path, paths), path)
        raise ModelNotFound(model=model, available=[card.name for card in self.cards()])

    def _paths(self) -> dict[str, Path]:
        """Every entry of the folders that a name may mean, also those that turn out unusable."""
        paths = {STARTER: Path(os.path.abspath(self._starter))}
        for folder in map(Path, map(os.path.abspath, self._folders)):
            for path in sorted(_listed(folder)):
                if is_plain_name(path.name) and lies_inside(path, folder):
                    paths.setdefault(path.name, path)
        return paths


def _listed(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return []


def _name_of(path: Path, known: dict[str, Path]) -> str:
    """What the history notes, and what `find` finds again: a name, or else the path itself."""
    return next((name for name, other in known.items() if other == path), str(path))


def _inspect(name: str, path: Path) -> FoundModel:
    if not path.is_dir():
        if not path.exists():
            raise ModelNotFound(model=name, available=[])
        raise ModelUnsupported(model=name, reason=_why_not_a_file(path))
    index = _json(path / INDEX, name)
    pipeline = str(index.get("_class_name"))
    if pipeline not in PIPELINES:
        raise ModelUnsupported(model=name, reason=f"its pipeline is {pipeline}")
    size = sum(_weights_bytes(path / part, name) for part in COMPONENTS)
    unet = _json(path / "unet" / "config.json", name)
    family = _family(unet, name)
    defaults = _defaults(family, unet, _json(path / "vae" / "config.json", name))
    card = ModelCard(
        name=name,
        family=family,
        path=str(path),
        bytes=size,
        width=defaults.width,
        height=defaults.height,
        steps=defaults.steps,
        guidance_scale=defaults.guidance_scale,
        license=_license(path),
    )
    return FoundModel(name, path, family, defaults, card)


def _why_not_a_file(path: Path) -> str:
    if path.suffix.lower() in _PICKLES:
        return "it is a pickle, which can carry code"
    return "it is a single file, and this version loads diffusers folders"


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
    files = _listed(folder)
    weights = [path for path in files if path.suffix == ".safetensors"]
    if not weights and any(path.suffix in _PICKLES for path in files):
        reason = f"{folder.name} has only pickled weights, which can carry code"
        raise ModelUnsupported(model=model, reason=reason)
    if not weights:
        raise ModelCorrupt(model=model, reason=f"{folder.name} has no weights")
    plain = [path for path in weights if not _is_variant(path)]
    return sum(path.stat().st_size for path in plain or weights)


def _is_variant(path: Path) -> bool:
    """`model.fp16.safetensors`, `model.fp16-00001-of-00002.safetensors`"""
    return "." in path.stem


def _family(unet: dict[str, Any], model: str) -> str:
    width = unet.get("cross_attention_dim")
    family = family_of_text_width(width) if isinstance(width, int) else None
    if family is None:
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
    if not 64 <= side <= 2048 or side % 8:
        return defaults
    preview = min(defaults.preview_side, side)
    return replace(defaults, width=side, height=side, preview_side=preview)


def _license(path: Path) -> str | None:
    """From the front matter of the model card (README.md), as model hubs have it."""
    try:
        with open(path / "README.md", encoding="utf-8", errors="replace") as file:
            match = _LICENSE.search(file.read(4096))
    except OSError:
        return None
    return match.group(1) if match else None
