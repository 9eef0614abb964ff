"""From tensors in files to the parameters of networks: planned first, then placed one by one.

Everything that can be refused is refused by the plan, which reads headers only: unknown, missing
and misshapen tensors. Placing maps the files into memory and copies each tensor once, straight
into the type and onto the device it will have. A mapped page counts as memory of the process
until its file is closed, so files are opened anew every `WINDOW` bytes: at the peak there is one
copy of a model and a window, not two copies.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import safe_open
from torch import Tensor, nn

from sidecar.engine.contract import CancelToken
from sidecar.engine.diffusion.checkpoint_names import Slot, Slots
from sidecar.engine.diffusion.nets.unet_config import Unbuildable

WINDOW = 128 * 1024 * 1024
ITEM_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}

Report = Callable[[str, float], None]


class Stored(NamedTuple):
    """A tensor in a file. `place`: where it stands among the file's tensors."""

    file: Path
    key: str
    shape: tuple[int, ...]
    bytes: int
    place: int


@dataclass(frozen=True)
class Header:
    """The tensors of one or more files by name, and the metadata of the first."""

    stored: dict[str, Stored]
    metadata: dict[str, str]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {key: stored.shape for key, stored in self.stored.items()}

    def within(self, prefix: str) -> dict[str, Stored]:
        """The tensors whose names begin with `prefix`, without it."""
        start = len(prefix)
        return {key[start:]: one for key, one in self.stored.items() if key.startswith(prefix)}


@dataclass(frozen=True)
class Part:
    """A network to be filled.

    `tensors`: by their names as `slots` understands them. `strict`: an unknown tensor means that
    it is another network, and not just something left over in the file. `half`: the weights of
    linear layers and convolutions, which are nearly all, are stored in half precision.
    """

    name: str
    network: nn.Module
    tensors: Mapping[str, Stored]
    slots: Slots
    dtype: torch.dtype
    strict: bool = True
    half: bool = False


@dataclass(frozen=True)
class Placement:
    """A tensor of a file, and the parameters of a network that it fills."""

    part: Part
    stored: Stored
    slots: tuple[Slot, ...]


def read_header(files: Sequence[Path]) -> Header:
    """Raises SafetensorError for what is no safetensors file, or one that lies about itself."""
    stored: dict[str, Stored] = {}
    metadata: dict[str, str] | None = None
    for path in files:
        opened: Any = safe_open(path, framework="pt")
        with opened as file:
            metadata = metadata if metadata is not None else (file.metadata() or {})
            for place, key in enumerate(file.offset_keys()):
                stored[key] = _stored(path, key, file.get_slice(key), place)
    return Header(stored, metadata or {})


def _stored(path: Path, key: str, tensor: Any, place: int) -> Stored:
    shape = tuple(tensor.get_shape())
    size = ITEM_BYTES.get(tensor.get_dtype(), 1)
    for side in shape:
        size *= side
    return Stored(path, key, shape, size, place)


def read_tensor(stored: Stored) -> Tensor:
    """One tensor, in a copy of its own."""
    opened: Any = safe_open(stored.file, framework="pt")
    with opened as file:
        return file.get_tensor(stored.key).clone()


def fill(parts: Sequence[Part], device: torch.device, report: Report, cancel: CancelToken) -> None:
    """Give every network its weights, on that device. `report(part, percent of bytes placed)`.

    Raises Unbuildable, ValueError or Cancelled.
    """
    plan = [placement for part in parts for placement in planned(part)]
    total = sum(placement.stored.bytes for placement in plan) or 1
    done, told = 0, -1.0
    for placement, tensor in _read(plan):
        cancel.check()
        for slot in placement.slots:
            _assign(placement.part, slot, tensor, device)
        done += placement.stored.bytes
        percent = 100.0 * done / total
        if percent - told >= 2 or done == total:
            told = percent
            report(placement.part.name, percent)


def planned(part: Part) -> Iterator[Placement]:
    """Which tensor goes where, once it is sure that all fit and none is missing.

    Raises Unbuildable or ValueError.
    """
    wanted = {name: tuple(slot.shape) for name, slot in part.network.named_parameters()}
    placements: list[Placement] = []
    for name, stored in part.tensors.items():
        slots = part.slots(name)
        known = [slot for slot in slots or () if slot.name in wanted]
        if slots and known:
            for slot in known:
                _check_shape(part, slot, stored, wanted.pop(slot.name))
            placements.append(Placement(part, stored, tuple(known)))
        elif part.strict and slots != ():
            raise Unbuildable(f"its {part.name} has an unknown weight {name}")
    if wanted:
        raise ValueError(f"its {part.name} lacks the weight {next(iter(wanted))}")
    yield from placements


def _check_shape(part: Part, slot: Slot, stored: Stored, wanted: tuple[int, ...]) -> None:
    shape = stored.shape[::-1] if slot.transposed else stored.shape
    if slot.third is not None and shape:
        shape = (shape[0] // 3, *shape[1:])
    # A 1×1 convolution and a linear layer hold the same numbers.
    if _squeezed(shape) != _squeezed(wanted):
        raise ValueError(
            f"{part.name}: {slot.name} is {list(shape)} where {list(wanted)} is needed"
        )


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[:2] if shape[2:] == (1, 1) else shape


def _read(plan: Iterable[Placement]) -> Iterator[tuple[Placement, Tensor]]:
    """Each tensor, a view of its mapped file, in the order of the files."""
    by_file: dict[Path, list[Placement]] = {}
    for placement in plan:
        by_file.setdefault(placement.stored.file, []).append(placement)
    for path, placements in by_file.items():
        placements.sort(key=lambda placement: placement.stored.place)
        for window in _windows(placements):
            opened: Any = safe_open(path, framework="pt")
            with opened as file:
                for placement in window:
                    yield placement, file.get_tensor(placement.stored.key)


def _windows(placements: Sequence[Placement]) -> Iterator[list[Placement]]:
    window: list[Placement] = []
    size = 0
    for placement in placements:
        if window and size + placement.stored.bytes > WINDOW:
            yield window
            window, size = [], 0
        window.append(placement)
        size += placement.stored.bytes
    yield window


def _assign(part: Part, slot: Slot, tensor: Tensor, device: torch.device) -> None:
    if slot.third is not None:
        tensor = tensor.chunk(3)[slot.third]
    if slot.transposed:
        tensor = tensor.T
    owner, _, last = slot.name.rpartition(".")
    module = part.network.get_submodule(owner)
    shape = getattr(module, last).shape
    placed = _stored_as(part, module, last, tensor).to(device)
    placed = placed.contiguous().reshape(shape)
    setattr(module, last, nn.Parameter(placed, requires_grad=False))


def storable_in_half(module: nn.Module, parameter: str) -> bool:
    """Layers that widen their weights by themselves (`nets.layers`)."""
    return isinstance(module, nn.Linear | nn.Conv2d) and parameter == "weight"


def _stored_as(part: Part, module: nn.Module, parameter: str, tensor: Tensor) -> Tensor:
    """A copy in the type it is kept in; in full where half precision cannot hold it."""
    if part.half and storable_in_half(module, parameter):
        half = tensor.to(torch.float16, copy=True)
        if bool(torch.isfinite(half).all()):
            return half
    return tensor.to(part.dtype, copy=True)


def shard_names(index: Path) -> list[str]:
    """The files that "….safetensors.index.json" names. Raises ValueError."""
    try:
        names = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
    except (ValueError, KeyError, AttributeError, TypeError) as exc:
        raise ValueError(f"{index.parent.name}/{index.name} cannot be read") from exc
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or "\\" in name:
            raise ValueError(f"{index.parent.name}/{index.name} names a file outside its folder")
    return sorted(names)
