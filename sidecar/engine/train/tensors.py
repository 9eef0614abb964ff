"""Small things about tensors that torch and safetensors leave untyped."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import safetensors.torch
from torch import Tensor

_files: Any = safetensors.torch


def integers(tensor: Tensor) -> list[int]:
    """A one-dimensional tensor as a list."""
    return cast("list[int]", cast(Any, tensor).tolist())


def write_tensors(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """A .safetensors file, as readable as others are; `save_file` makes it its owner's alone."""
    path.write_bytes(_files.save(tensors, metadata))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a .safetensors file."""
    return cast("dict[str, Tensor]", _files.load_file(path))
