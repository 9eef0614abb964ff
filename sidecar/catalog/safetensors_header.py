"""The header of a safetensors file, read and checked without touching a tensor.

Format: 8 bytes little-endian length, that many bytes of JSON, then the data
(https://huggingface.co/docs/safetensors). The same rules as the reference reader: offsets in
bounds, no holes, no overlap, sizes that fit dtype and shape, no name twice.
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

# The reference reader takes 100 MB; the largest honest LoRA header is well under 1 MB.
MAX_HEADER_BYTES = 16 * 1024 * 1024
# A LoRA on every layer of SDXL has some 8,000.
MAX_KEYS = 100_000
TENSOR_FIELDS = ("dtype", "shape", "data_offsets")

_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64,
}  # fmt: skip


class BrokenHeader(ValueError):
    """Not a safetensors file, or one that lies about itself. The text says what is wrong.

    `kind`: which of the findings of `sidecar.scan` it is; `where`: the key in question.
    """

    def __init__(self, text: str, kind: str = "not_safetensors", where: str = "") -> None:
        super().__init__(text)
        self.kind = kind
        self.where = where


class TensorInfo(NamedTuple):
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Header:
    """Tensors by name, and the file's own `__metadata__`.

    `spans`: where each tensor's bytes lie, counted from `data_start`, in that order. `odd_entries`:
    tensors described with more than is needed; `not_text`: keys of metadata that are no text.
    """

    tensors: dict[str, TensorInfo]
    metadata: dict[str, str]
    spans: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    data_start: int = 0
    odd_entries: tuple[str, ...] = ()
    not_text: tuple[str, ...] = ()


def read_header(path: Path) -> Header:
    """The checked header. Raises BrokenHeader, or OSError when the file cannot be read."""
    with open(path, "rb") as file:
        return header_of(file)


def header_of(file: BinaryIO) -> Header:
    """The checked header of an open file, which is left behind it. Raises BrokenHeader, OSError."""
    size = os.fstat(file.fileno()).st_size
    prefix = file.read(8)
    if len(prefix) < 8:
        raise BrokenHeader("the file is too short", "cut_off" if prefix else "empty")
    length = int(struct.unpack("<Q", prefix)[0])
    if length > size - 8:
        raise BrokenHeader(_no_header(prefix))
    if length > MAX_HEADER_BYTES:
        raise BrokenHeader(f"its header claims {length // 1_000_000} MB", "header_bomb")
    return _checked(_parsed(file.read(length)), 8 + length, size - 8 - length)


def _no_header(prefix: bytes) -> str:
    if prefix[:2] == b"PK" or prefix[:1] == b"\x80":
        return "it is a pickle under another name, which can carry code"
    return "it is not a safetensors file, or it is cut off"


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw, object_pairs_hook=_unique)
    except BrokenHeader:
        raise
    except RecursionError as exc:
        raise BrokenHeader("its header is nested without end", "header_bomb") from exc
    except ValueError as exc:
        raise BrokenHeader("its header is not valid JSON", "bad_json") from exc
    if not isinstance(value, dict):
        raise BrokenHeader("its header is not a JSON object", "bad_json")
    return cast("dict[str, Any]", value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of the header; a name given twice would be read differently by others."""
    if len(pairs) > MAX_KEYS:
        raise BrokenHeader(f"its header has {len(pairs)} names", "header_bomb")
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BrokenHeader(f"its header names {_short(key)} twice", "duplicate_keys", key)
        found[key] = value
    return found


def _checked(value: dict[str, Any], data_start: int, data_bytes: int) -> Header:
    metadata: Any = value.pop("__metadata__", {})
    if not isinstance(metadata, dict):
        raise BrokenHeader("its metadata is not a table", "metadata_not_text", "__metadata__")
    tensors: dict[str, TensorInfo] = {}
    spans: list[tuple[int, int, str]] = []
    for name, info in value.items():
        tensors[name], (start, end) = _tensor(name, info)
        spans.append((start, end, name))
    spans.sort()
    _check_layout(spans, data_bytes)
    texts = cast("dict[str, object]", metadata)
    return Header(
        tensors,
        {k: v for k, v in texts.items() if isinstance(v, str)},
        {name: (start, end) for start, end, name in spans},
        data_start,
        tuple(name for name, info in value.items() if len(info) > len(TENSOR_FIELDS)),
        tuple(k for k, v in texts.items() if not isinstance(v, str)),
    )


def _tensor(name: str, info: Any) -> tuple[TensorInfo, tuple[int, int]]:
    try:
        dtype, shape, (start, end) = info["dtype"], info["shape"], info["data_offsets"]
        bits = _BITS[dtype]
    except (TypeError, KeyError, ValueError) as exc:
        raise BrokenHeader(
            f"tensor {_short(name)} is not described as it must be", "bad_tensor", name
        ) from exc
    elements = 1
    if type(shape) is not list:
        raise BrokenHeader(f"tensor {_short(name)} has no shape", "bad_tensor", name)
    sides = cast("list[Any]", shape)
    for side in sides:
        if type(side) is not int or side < 0:
            raise BrokenHeader(f"tensor {_short(name)} has an unknown shape", "bad_tensor", name)
        elements *= side
    if type(start) is not int or type(end) is not int or start < 0:
        raise BrokenHeader(
            f"tensor {_short(name)} is not described as it must be", "bad_tensor", name
        )
    if (elements * bits + 7) // 8 != end - start:
        raise BrokenHeader(
            f"tensor {_short(name)} does not fit the bytes it claims", "bad_tensor", name
        )
    return TensorInfo(dtype, tuple(sides)), (start, end)


def _check_layout(spans: list[tuple[int, int, str]], data_bytes: int) -> None:
    position = 0
    for start, end, name in spans:
        if start != position:
            raise BrokenHeader("its tensors overlap or leave holes", "bad_layout", name)
        position = end
    if position > data_bytes:
        raise BrokenHeader("it is cut off", "cut_off")
    if position < data_bytes:
        raise BrokenHeader("it has bytes left over", "hidden_bytes")


def _short(name: str) -> str:
    return name if len(name) <= 80 else name[:77] + "..."
