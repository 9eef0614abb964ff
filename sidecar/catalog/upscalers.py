"""Super-resolution networks: those of the package, and .onnx files in the models folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar.catalog.names import files_inside, is_plain_name
from sidecar.errors import AssetMissing, ModelNotFound
from sidecar.protocol.finishing import UpscalerCard

DEFAULT = "realesr-animevideov3"
SUFFIX = ".onnx"


@dataclass(frozen=True)
class FoundUpscaler:
    """`path` is absolute."""

    name: str
    path: Path
    bundled: bool


class UpscalerCatalog:
    """Found by name, without the suffix or with it. A user's file wins over a bundled one."""

    def __init__(self, folders: Sequence[Path], bundled: Path) -> None:
        self._folders = tuple(Path(os.path.abspath(folder)) for folder in folders)
        self._bundled = bundled

    def cards(self) -> list[UpscalerCard]:
        """By name, the default first."""
        found = sorted(self._all().values(), key=lambda f: (f.name != DEFAULT, f.name))
        return [
            UpscalerCard(
                name=one.name,
                path=str(one.path),
                bytes=one.path.stat().st_size,
                bundled=one.bundled,
            )
            for one in found
        ]

    def find(self, name: str | None) -> FoundUpscaler:
        """By name; None: the default. Raises ModelNotFound, or AssetMissing for the default."""
        known = self._all()
        if name is None:
            if DEFAULT not in known:
                raise AssetMissing(asset=DEFAULT + SUFFIX)
            return known[DEFAULT]
        found = known.get(name) or known.get(name.removesuffix(SUFFIX))
        if found is None:
            raise ModelNotFound(model=name, available=sorted(known), sought="upscaler")
        return found

    def _all(self) -> dict[str, FoundUpscaler]:
        found: dict[str, FoundUpscaler] = {}
        for folder in (*self._folders, self._bundled):
            for path in files_inside(folder, SUFFIX, depth=2):
                one = FoundUpscaler(path.stem, path, bundled=folder == self._bundled)
                if is_plain_name(path.name):
                    found.setdefault(one.name, one)
        return found
