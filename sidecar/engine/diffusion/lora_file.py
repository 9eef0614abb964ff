"""LoRA files: read once, checked before anything is changed, kept by the hash of their bytes.

Low-Rank Adaptation (Hu et al. 2021). The names of peft and diffusers, of the older diffusers and
of kohya-ss are understood; `keys` finds the layers of a model for them.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from torch import Tensor

from sidecar.engine.contract import LoraSpec
from sidecar.engine.diffusion.lora_names import split_key
from sidecar.errors import LoraCorrupt, LoraNotFound, LoraUnsafe

KEPT_BYTES = 512 * 1024 * 1024
ZIP, PICKLE = b"PK\x03\x04", b"\x80"
HEADER_LIMIT = 100 * 1024 * 1024


@dataclass(frozen=True)
class Factors:
    """One adapted layer: the change is `scale` · up · down. Both float32 and two-dimensional.

    `down`: (rank, inputs); `up`: (outputs, rank); `inputs` counts a convolution's kernel too.
    `square`: the squared Frobenius norm of up · down, before `scale`.
    """

    down: Tensor
    up: Tensor
    scale: float
    square: float
    keys: int

    @property
    def rank(self) -> int:
        return self.down.shape[0]


@dataclass(frozen=True)
class LoraFile:
    """A file as it was read. `layers`: by the name of the layer as the file spells it."""

    sha256: str
    bytes: int
    layers: dict[str, Factors]
    unsupported: tuple[str, ...]
    total_keys: int
    family: str | None

    @property
    def rank(self) -> int:
        return max((factors.rank for factors in self.layers.values()), default=0)

    @property
    def held_bytes(self) -> int:
        """What it takes in memory, in full precision."""
        return sum(4 * (f.down.numel() + f.up.numel()) for f in self.layers.values())


class LoraFiles:
    """An LRU cache of parsed files. A file is hashed again only when it has changed."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._files: OrderedDict[str, LoraFile] = OrderedDict()
        self._hashes: dict[tuple[str, int, int], str] = {}

    def read(self, spec: LoraSpec) -> tuple[LoraFile, bool]:
        """The file, and whether it was in memory already.

        Raises LoraNotFound, LoraUnsafe or LoraCorrupt.
        """
        path = Path(spec.path)
        try:
            stat = path.stat()
            mark = (spec.path, stat.st_mtime_ns, stat.st_size)
            known = self._files.get(self._hashes.get(mark, ""))
            if known is not None:
                self._files.move_to_end(known.sha256)
                return known, True
            data = path.read_bytes()
        except OSError as exc:
            raise LoraNotFound(name=spec.name, available=[]) from exc
        digest = hashlib.sha256(data).hexdigest()
        file = self._files.get(digest)
        cached = file is not None
        if file is None:
            file = parse(spec.name, data, digest)
        self._hashes[mark] = digest
        self._keep(file)
        return file, cached

    def _keep(self, file: LoraFile) -> None:
        self._files[file.sha256] = file
        self._files.move_to_end(file.sha256)
        while len(self._files) > 1 and self._held() > self._limit:
            self._files.popitem(last=False)

    def _held(self) -> int:
        return sum(file.held_bytes for file in self._files.values())

    def clear(self) -> None:
        self._files.clear()
        self._hashes.clear()


def parse(name: str, data: bytes, digest: str) -> LoraFile:
    """The LoRA in those bytes. Raises LoraUnsafe or LoraCorrupt."""
    metadata = _header_metadata(name, data)
    try:
        tensors = parse_safetensors(data)
    except (SafetensorError, ValueError, TypeError, KeyError) as exc:
        raise LoraCorrupt(name=name, reason=str(exc)) from exc
    _check_finite(name, tensors)
    groups, unsupported = _grouped(tensors)
    layers: dict[str, Factors] = {}
    for layer, parts in groups.items():
        if "down" in parts and "up" in parts and _fit(parts["down"], parts["up"]):
            layers[layer] = _factors(parts, _declared_alpha(metadata, layer))
        else:
            unsupported.extend(key for key in tensors if split_key(key)[0] == layer)
    return LoraFile(
        sha256=digest,
        bytes=len(data),
        layers=layers,
        unsupported=tuple(sorted(unsupported)),
        total_keys=len(tensors),
        family=_declared_family(metadata),
    )


def _header_metadata(name: str, data: bytes) -> dict[str, Any]:
    """The header's free text, after a look at what the file really is."""
    if data[:4] == ZIP:
        raise LoraUnsafe(name=name, reason="it is a zip or pickle checkpoint, which can run code")
    if data[:1] == PICKLE and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        raise LoraUnsafe(name=name, reason="it is a Python pickle, which can run code")
    size = int.from_bytes(data[:8], "little")
    if len(data) < 10 or size > min(HEADER_LIMIT, len(data) - 8):
        raise LoraCorrupt(name=name, reason="it is cut short or is not a safetensors file")
    try:
        header: Any = json.loads(data[8 : 8 + size])
    except (ValueError, RecursionError) as exc:
        raise LoraCorrupt(name=name, reason="its header is not valid JSON") from exc
    return _object(_object(header).get("__metadata__"))


def _object(value: Any) -> dict[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _check_finite(name: str, tensors: Mapping[str, Tensor]) -> None:
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor.float()).all()):
            raise LoraCorrupt(name=name, reason=f"{key} has NaN or infinite numbers")


def _grouped(tensors: Mapping[str, Tensor]) -> tuple[dict[str, dict[str, Tensor]], list[str]]:
    """Tensors by layer and part; a layer with parts of another method is left out whole."""
    groups: dict[str, dict[str, Tensor]] = {}
    strange: set[str] = set()
    for key, tensor in tensors.items():
        layer, part = split_key(key)
        if part is None:
            strange.add(layer)
        else:
            groups.setdefault(layer, {})[part] = tensor
    unsupported = [key for key in tensors if split_key(key)[0] in strange]
    return {layer: parts for layer, parts in groups.items() if layer not in strange}, unsupported


def _fit(down: Tensor, up: Tensor) -> bool:
    """Whether they multiply: the kernel, if any, is in `down`; `up` is 1×1."""
    if not (down.is_floating_point() and up.is_floating_point() and down.ndim == up.ndim):
        return False
    if down.ndim == 4 and tuple(up.shape[2:]) != (1, 1):
        return False
    return down.ndim in (2, 4) and down.shape[0] == up.shape[1] and down.numel() * up.numel() > 0


def _factors(parts: Mapping[str, Tensor], declared: float | None) -> Factors:
    down = parts["down"].float().flatten(1).contiguous()
    up = parts["up"].float().flatten(1).contiguous()
    rank = down.shape[0]
    alpha = float(parts["alpha"]) if "alpha" in parts else declared
    return Factors(
        down=down,
        up=up,
        scale=1.0 if alpha is None else alpha / rank,
        square=product_square(down, up),
        keys=len(parts),
    )


def product_square(down: Tensor, up: Tensor) -> float:
    """‖up · down‖² (Frobenius) without forming the product: tr(upᵀup · down downᵀ)."""
    inner = (up.double().T @ up.double()) * (down.double() @ down.double().T)
    return max(float(inner.sum()), 0.0)


def _declared_alpha(metadata: Mapping[str, Any], layer: str) -> float | None:
    """From peft's config, as diffusers stores it under `lora_adapter_metadata`."""
    try:
        config = _object(json.loads(metadata.get("lora_adapter_metadata", "null")))
    except (ValueError, TypeError):
        return None
    component, _, module = layer.partition(".")
    for pattern, alpha in _object(config.get(f"{component}.alpha_pattern")).items():
        if module == pattern or module.endswith(f".{pattern}"):
            return float(alpha)
    default: Any = config.get(f"{component}.lora_alpha")
    return float(default) if isinstance(default, int | float) else None


def _declared_family(metadata: Mapping[str, Any]) -> str | None:
    for key in ("family", "sidecar.family", "ss_base_model_version", "modelspec.architecture"):
        value = str(metadata.get(key, "")).lower()
        for mark, family in FAMILY_MARKS:
            if mark in value:
                return family
    return None


FAMILY_MARKS = (
    ("starter", "starter"),
    ("xl", "sdxl"),
    ("v2", "sd21"),
    ("sd21", "sd21"),
    ("v1", "sd15"),
    ("sd15", "sd15"),
)
