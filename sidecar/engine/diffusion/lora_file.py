"""LoRA files: read once, checked before anything is changed, kept by the hash of their bytes."""

from __future__ import annotations

import hashlib
import json
import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from torch import Tensor

from sidecar.engine.contract import LoraSpec
from sidecar.engine.diffusion.deltas import Delta
from sidecar.engine.diffusion.lora_layers import (
    NotUnderstood,
    Scales,
    as_object,
    deltas_of,
    suffix_of,
)
from sidecar.errors import LoraCorrupt, LoraNotFound, LoraUnsafe
from sidecar.lora_format.families import Verdict, judge
from sidecar.lora_format.keys import split_key

KEPT_SHARE = 16
MOST_KEPT = 2 * 1024**3
ZIP, PICKLE = b"PK\x03\x04", b"\x80"
HEADER_LIMIT = 100 * 1024 * 1024


@dataclass(frozen=True)
class LoraFile:
    """A file as it was read.

    `changes`: by the name of the layer as the file spells it, of the layer's weight ("") and of
    its bias (".bias"). `keys`: what each of these was read from. `unsupported`: keys of layers
    whose method is not known here.
    """

    sha256: str
    bytes: int
    changes: dict[str, dict[str, Delta]]
    unsupported: tuple[str, ...]
    total_keys: int
    verdict: Verdict
    keys: Mapping[tuple[str, str], tuple[str, ...]] = field(
        default_factory=dict[tuple[str, str], tuple[str, ...]]
    )

    @property
    def deltas(self) -> list[Delta]:
        return [delta for layer in self.changes.values() for delta in layer.values()]

    @property
    def rank(self) -> int | None:
        return max((delta.rank for delta in self.deltas if delta.rank is not None), default=None)

    @property
    def held_bytes(self) -> int:
        """What it takes in memory."""
        return sum(delta.bytes for delta in self.deltas)


class LoraFiles:
    """An LRU cache of parsed files. A file is hashed again only when it has changed.

    `limit`: bytes; a sixteenth of the machine's memory unless told, and 2 GiB at most. The newest
    file stays whatever its size.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit or min(psutil.virtual_memory().total // KEPT_SHARE, MOST_KEPT)
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
    """The LoRA in those bytes; `name` also tells its family. Raises LoraUnsafe or LoraCorrupt."""
    metadata = _header_metadata(name, data)
    try:
        tensors = parse_safetensors(data)
    except (SafetensorError, ValueError, TypeError, KeyError) as exc:
        raise LoraCorrupt(name=name, reason=str(exc)) from exc
    _check_finite(name, tensors)
    layers = _by_layer(tensors)
    changes, unsupported = _understood(layers, tensors, Scales.of(metadata))
    return LoraFile(
        sha256=digest,
        bytes=len(data),
        changes=changes,
        unsupported=tuple(sorted(unsupported)),
        total_keys=len(tensors),
        verdict=judge({key: tuple(t.shape) for key, t in tensors.items()}, metadata, name),
        keys={
            (layer, suffix): tuple(key for part, key in layers[layer] if suffix_of(part) == suffix)
            for layer, deltas in changes.items()
            for suffix in deltas
        },
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
    return as_object(as_object(header).get("__metadata__"))


def _check_finite(name: str, tensors: Mapping[str, Tensor]) -> None:
    for key, tensor in tensors.items():
        if not tensor.is_floating_point() or _surely_finite(tensor):
            continue
        if not bool(torch.isfinite(tensor.float()).all()):
            raise LoraCorrupt(name=name, reason=f"{key} has NaN or infinite numbers")


def _surely_finite(tensor: Tensor) -> bool:
    """One NaN or infinity makes the sum not finite; a sum that overflows proves nothing."""
    summed = tensor if tensor.dtype.itemsize > 1 else tensor.float()
    return math.isfinite(float(summed.sum(dtype=torch.float32)))


def _by_layer(keys: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """(part, key) of each layer."""
    layers: dict[str, list[tuple[str, str]]] = {}
    for key in keys:
        layer, part = split_key(key)
        layers.setdefault(layer, []).append((part, key))
    return layers


def _understood(
    layers: Mapping[str, list[tuple[str, str]]], tensors: Mapping[str, Tensor], scales: Scales
) -> tuple[dict[str, dict[str, Delta]], list[str]]:
    """The changes of each layer, and the keys of layers that are not understood."""
    changes: dict[str, dict[str, Delta]] = {}
    unsupported: list[str] = []
    for layer, keys in layers.items():
        parts = {part: tensors[key] for part, key in keys}
        try:
            if len(parts) < len(keys):
                raise NotUnderstood("a part is there twice")
            changes[layer] = deltas_of(layer, parts, scales)
        except NotUnderstood:
            unsupported.extend(key for _, key in keys)
    return changes, unsupported
