"""Reads networks in ncnn's two files: `.param`, a list of layers, and `.bin`, their numbers.

Formats: https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAGIC = "7767517"
HALF = 0x01306B47
FULL = 0
ARRAY = -23300
"""Parameter `ARRAY - n` is a list of values for parameter n: its length, then the values."""

Array = NDArray[np.generic]


@dataclass(frozen=True)
class Layer:
    """One line of a `.param` file, with its numbers out of the `.bin` file, in their order."""

    kind: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    values: Mapping[int, float]
    lists: Mapping[int, Sequence[float]]
    arrays: Sequence[Array]

    def whole(self, key: int, default: int = 0) -> int:
        return int(self.values.get(key, default))


def read(param: str, data: bytes) -> list[Layer]:
    """All layers in order. Raises ValueError when the two files do not fit each other."""
    magic, _, *lines = param.split("\n")
    if magic.strip() != MAGIC:
        raise ValueError("no ncnn .param file")
    numbers = _Numbers(data)
    layers = [_layer(line.split(), numbers) for line in lines if line.strip()]
    if not numbers.at_end():
        raise ValueError("the .bin file has more numbers than the layers take")
    return layers


class _Numbers:
    """The `.bin` file, from front to back."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def tagged(self, count: int) -> Array:
        """Weights: a tag says whether they are halves, padded to four bytes, or floats."""
        (tag,) = struct.unpack("<I", self._take(4))
        if tag == HALF:
            return np.frombuffer(self._take((count * 2 + 3) // 4 * 4), "<f2")[:count]
        if tag == FULL:
            return self.plain(count)
        raise ValueError(f"weights of an unknown kind ({tag:#010x})")

    def plain(self, count: int) -> Array:
        """Biases and slopes: floats without a tag."""
        return np.frombuffer(self._take(count * 4), "<f4")

    def at_end(self) -> bool:
        return self._position == len(self._data)

    def _take(self, size: int) -> bytes:
        taken = self._data[self._position : self._position + size]
        if len(taken) != size:
            raise ValueError("the .bin file ends too early")
        self._position += size
        return taken


def _layer(words: list[str], numbers: _Numbers) -> Layer:
    kind, _, inputs, outputs, *rest = words
    first, last = int(inputs), int(inputs) + int(outputs)
    values: dict[int, float] = {}
    lists: dict[int, Sequence[float]] = {}
    for word in rest[last:]:
        key, _, value = word.partition("=")
        if int(key) <= ARRAY:
            lists[ARRAY - int(key)] = [float(item) for item in value.split(",")[1:]]
        else:
            values[int(key)] = float(value)
    arrays = _arrays(kind, values, numbers)
    return Layer(kind, rest[:first], rest[first:last], values, lists, arrays)


def _arrays(kind: str, values: Mapping[int, float], numbers: _Numbers) -> Sequence[Array]:
    if kind == "PReLU":
        return [numbers.plain(int(values[0]))]
    if kind != "Convolution":
        return []
    outputs, kernel, size = int(values[0]), int(values.get(1, 0)), int(values[6])
    weight = numbers.tagged(size).reshape(outputs, -1, kernel, kernel)
    return [weight, numbers.plain(outputs)] if values.get(5) else [weight]
