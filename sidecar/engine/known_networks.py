"""What is known of super-resolution networks before anything is drawn for them.

A network of ours says it in its file, which is read here without ONNX Runtime and without its
weights. Any other one is opened once.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from sidecar.engine.contract import UpscalerSpec
from sidecar.errors import AssetMissing

VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5
CPU = "CPUExecutionProvider"
LARGEST = 2**31
METADATA = 14
"""Field of `ModelProto` in onnx.proto: pairs of a key (1) and a value (2)."""
TILE = 192
"""Pixels a side of what a network sees at once, where its file does not say: about 0.5 GB for
a network of RRDB's kind."""

Key = tuple[str, int, int]


@dataclass(frozen=True)
class NetworkFacts:
    """`scale`: times it enlarges. `size`: of its file, bytes. `tile`: pixels a side."""

    scale: int
    size: int
    tile: int = TILE


class KnownNetworks:
    """By file, as long as that does not change. Asked by any thread."""

    def __init__(self) -> None:
        self._known: dict[Key, NetworkFacts] = {}

    def of(self, spec: UpscalerSpec) -> NetworkFacts:
        """Raises AssetMissing, ModelCorrupt or ModelUnsupported."""
        key = key_of(spec.path)
        if not self.knows(spec):
            network = import_module("sidecar.engine.upscale.network")
            opened = network.open_network(Path(spec.path), spec.name, 1, _nowhere, [CPU])
            self.opened(spec, opened.scale, opened.tile)
        return self._known[key]

    def knows(self, spec: UpscalerSpec) -> bool:
        """Whether it need not be opened for that."""
        key = key_of(spec.path)
        if key not in self._known and (said := _said(spec, key[2])) is not None:
            self._known[key] = said
        return key in self._known

    def opened(self, spec: UpscalerSpec, scale: int, tile: int) -> None:
        """What turned out."""
        key = key_of(spec.path)
        self._known[key] = NetworkFacts(scale, key[2], tile)


def _said(spec: UpscalerSpec, size: int) -> NetworkFacts | None:
    """What the file says; None where that does not tell the scale."""
    facts = facts_in(Path(spec.path))
    scale, tile = facts.get("scale", ""), facts.get("tile", "")
    if not scale.isdigit():
        return None
    return NetworkFacts(int(scale), size, int(tile) if tile.isdigit() else TILE)


def _nowhere(provider: str, instead: str, for_good: bool) -> None:
    raise AssertionError("there is only the CPU to try")


def facts_in(path: Path) -> dict[str, str]:
    """The metadata of an ONNX file; empty where it has none, or is none."""
    try:
        with open(path, "rb") as file:
            pairs = [dict(_strings(BytesIO(one), (1, 2))) for _, one in _strings(file, (METADATA,))]
            return {pair[1].decode(): pair.get(2, b"").decode() for pair in pairs}
    except (OSError, ValueError, KeyError):
        return {}


def _strings(file: BinaryIO, wanted: Container[int]) -> Iterator[tuple[int, bytes]]:
    """Some fields of a protobuf message, all of variable length; others are passed over."""
    while (tag := _varint(file)) is not None:
        field, kind = tag >> 3, tag & 7
        if kind == LENGTH:
            size = _varint(file) or 0
            if size > LARGEST:
                raise ValueError("longer than a protobuf message can be")
            if field in wanted:
                yield field, file.read(size)
            else:
                file.seek(size, os.SEEK_CUR)
        elif kind == VARINT:
            _varint(file)
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            file.seek(8 if kind == EIGHT_BYTES else 4, os.SEEK_CUR)
        else:
            raise ValueError("this is no protobuf message")


def _varint(file: BinaryIO) -> int | None:
    """None at the end of the file. Raises ValueError where it is no number."""
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("a number of more than 64 bits")


def key_of(path: str) -> Key:
    """Another one when the file has changed. Raises AssetMissing."""
    try:
        found = os.stat(path)
    except OSError as exc:
        raise AssetMissing(asset=Path(path).name) from exc
    return path, found.st_mtime_ns, found.st_size
