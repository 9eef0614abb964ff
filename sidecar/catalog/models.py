"""Models and VAEs in their folders: the starter, diffusers folders, single .safetensors files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar.catalog.families import Defaults
from sidecar.catalog.model_inspection import PICKLES, FoundModel, check_vae, inspect
from sidecar.catalog.names import is_plain_name, lies_inside
from sidecar.errors import (
    EngineMissing,
    ModelCorrupt,
    ModelNotFound,
    ModelUnsupported,
    VaeNotFound,
)
from sidecar.protocol.models import ModelCard

__all__ = ["Defaults", "FoundModel", "FoundVae", "ModelCatalog"]

STARTER = "starter"
VAES = "vae"
REFUSALS = (ModelCorrupt, ModelUnsupported, ModelNotFound)

_Mark = tuple[int, int]


@dataclass(frozen=True)
class FoundVae:
    """`name` is what `find_vae` finds it by again; `path` is absolute, a folder or a file."""

    name: str
    path: Path


class ModelCatalog:
    """The starter, and every model inside the models folders; the first folder wins.

    A file goes by its name without the suffix, or with it. What a file is found to be is kept
    until it changes.
    """

    def __init__(self, folders: Sequence[Path], starter: Path) -> None:
        self._folders = tuple(Path(os.path.abspath(folder)) for folder in folders)
        self._starter = starter
        self._files: dict[Path, tuple[_Mark, FoundModel]] = {}

    def cards(self) -> list[ModelCard]:
        """What can be loaded: the starter first, then by name. What is broken is left out."""
        cards: list[ModelCard] = []
        for name, path in self._models().items():
            try:
                cards.append(self._inspect(name, path).card)
            except REFUSALS:
                continue
        return cards

    def find(self, model: str) -> FoundModel:
        """A model by name, or a diffusers folder or single file by absolute path.

        Raises ModelNotFound; ModelUnsupported for another kind of model and for pickled weights,
        which can carry code; ModelCorrupt when files are missing or cannot be read; EngineMissing
        for the starter in a build that comes without it, because it cannot draw.
        """
        names = self._models()
        path = _by_name(model, names) or _by_path(model)
        if model == STARTER and not self._starter.exists():
            raise EngineMissing(package="torch")
        if path is None:
            raise ModelNotFound(model=model, available=[card.name for card in self.cards()])
        return self._inspect(_name_of(path, names), path)

    def find_vae(self, vae: str) -> FoundVae:
        """A VAE by name, from "vae" in a models folder or beside the models, or by absolute path.

        Raises VaeNotFound; ModelUnsupported or ModelCorrupt, naming it, when it is none.
        """
        names = self._vaes()
        path = _by_name(vae, names) or _by_path(vae)
        if path is None:
            raise VaeNotFound(vae=vae, available=self._vae_names(names))
        name = _name_of(path, names)
        check_vae(name, path)
        return FoundVae(name, path)

    def _models(self) -> dict[str, Path]:
        """Every entry of the folders that a name may mean, also those that turn out unusable."""
        starter = {STARTER: Path(os.path.abspath(self._starter))}
        return starter | _named(self._folders, taken=STARTER)

    def _vaes(self) -> dict[str, Path]:
        """Every entry that may be a VAE; those that are set apart as such come first."""
        return {**_named(self._folders), **_named([folder / VAES for folder in self._folders])}

    def _vae_names(self, names: dict[str, Path]) -> list[str]:
        found: list[str] = []
        for name, path in names.items():
            try:
                check_vae(name, path)
            except REFUSALS:
                continue
            if path.parent.name == VAES or not self._is_model(name, path):
                found.append(name)
        return sorted(found)

    def _is_model(self, name: str, path: Path) -> bool:
        try:
            self._inspect(name, path)
        except REFUSALS:
            return False
        return True

    def _inspect(self, name: str, path: Path) -> FoundModel:
        """A file's header takes some milliseconds, so it is read again only when it changed."""
        if path.is_dir() or not path.exists():
            return inspect(name, path)
        stat = path.stat()
        mark = (stat.st_mtime_ns, stat.st_size)
        known = self._files.get(path)
        if known is None or known[0] != mark:
            known = self._files[path] = (mark, inspect(name, path))
        return known[1]


def _named(folders: Sequence[Path], taken: str | None = None) -> dict[str, Path]:
    """Entries by name: of equal ones the first folder's, and there a folder before a file."""
    names: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(_listed(folder), key=_rank):
            name = path.name if path.is_dir() else path.stem
            if name != taken and is_plain_name(path.name) and lies_inside(path, folder):
                names.setdefault(name, path)
    return dict(sorted(names.items()))


def _rank(path: Path) -> tuple[int, str]:
    """Folders, then safetensors, then what is refused."""
    kind = 0 if path.is_dir() else 1 if path.suffix.lower() == ".safetensors" else 2
    return kind, path.name


def _listed(folder: Path) -> list[Path]:
    """Folders and files of weights; other files (cards, previews, configs) are no models."""
    suffixes = (".safetensors", *PICKLES)
    try:
        return [
            path
            for path in folder.iterdir()
            if not path.name.startswith(".") and (path.suffix.lower() in suffixes or path.is_dir())
        ]
    except OSError:
        return []


def _by_name(name: str, names: dict[str, Path]) -> Path | None:
    """By the name, or by a file's name in full."""
    found = names.get(name)
    return found or next((path for path in names.values() if path.name == name), None)


def _by_path(text: str) -> Path | None:
    if os.path.isabs(text) and "\0" not in text and os.path.exists(text):
        return Path(os.path.abspath(text))
    return None


def _name_of(path: Path, known: dict[str, Path]) -> str:
    """What the history notes, and what `find` finds again: a name, or else the path itself."""
    return next((name for name, other in known.items() if other == path), str(path))
