"""Merges LoRAs into the resident weights, always from pristine copies.

W′ = W + Σ Δᵢ(W, αᵢ), each change computed for the pristine W, so that the order of a stack does not
matter. The copies are of just the touched layers and are kept only while a stack is on. Every
merge starts from them, so a thousand switches leave no drift, and an empty stack puts W back bit
for bit. Several low-rank changes of one layer are one product.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sidecar.engine.diffusion.deltas import (
    Delta,
    LowRank,
    on,
    product_square,
    sum_of_squares,
    vector_norm,
)
from sidecar.engine.diffusion.lora_names import Layer, block_of

Parts = list[tuple[Delta, float]]
"""Changes of one layer with their strengths, those of strength zero left out."""


@dataclass(frozen=True)
class Adapter:
    """A LoRA whose layers have been found in the model, and how strongly it is on."""

    sha256: str
    alpha: float
    layers: Mapping[Layer, Delta]

    @property
    def identity(self) -> tuple[str, float]:
        return self.sha256, self.alpha


@dataclass(frozen=True)
class Change:
    """How far weights are from pristine: ‖ΔW‖/‖W‖ (Frobenius), overall and by block."""

    overall: float
    by_block: dict[str, float]


class Merger:
    """The weights of one model that LoRAs may change, and what is merged into them now."""

    def __init__(self, weights: Mapping[Layer, Tensor]) -> None:
        self._weights = dict(weights)
        self._pristine: dict[Layer, Tensor] = {}
        self._squares: dict[Layer, float] = {}
        self._stack: tuple[Adapter, ...] = ()

    @property
    def stack(self) -> tuple[Adapter, ...]:
        return self._stack

    def pristine(self, layer: Layer) -> Tensor:
        """That weight without any LoRA; not to be written to."""
        return self._pristine.get(layer, self._weights[layer])

    def pristine_bytes(self) -> int:
        """Of the copies that are kept while a stack is on."""
        return sum(weight.nbytes for weight in self._pristine.values())

    def in_force(self, stack: Sequence[Adapter]) -> bool:
        """Whether exactly this is merged already."""
        return [a.identity for a in self._stack] == [a.identity for a in stack]

    def state_of(self, component: str) -> tuple[tuple[str, float], ...]:
        """What is merged into that component: the key of anything computed with it."""
        return tuple(
            adapter.identity
            for adapter in self._stack
            if adapter.alpha and any(layer[0] == component for layer in adapter.layers)
        )

    def apply(self, stack: Sequence[Adapter]) -> None:
        """Make `stack` what is merged. When this fails, the former stack is back, bit for bit."""
        former = self._stack
        try:
            self._merge(tuple(stack))
        except BaseException:
            self._restore()
            self._merge(former)
            raise

    def _merge(self, stack: tuple[Adapter, ...]) -> None:
        touched = {layer for adapter in stack for layer in adapter.layers}
        for layer in touched:
            if layer not in self._pristine:
                self._pristine[layer] = self._weights[layer].clone()
        room = _Room()
        for layer in touched:
            self._write(layer, _parts(stack, layer), room)
        for layer in self._pristine.keys() - touched:
            self._weights[layer].copy_(self._pristine[layer])
            del self._pristine[layer]
        self._stack = stack

    def _restore(self) -> None:
        for layer, pristine in self._pristine.items():
            self._weights[layer].copy_(pristine)
        self._pristine.clear()
        self._stack = ()

    def _write(self, layer: Layer, parts: Parts, room: _Room) -> None:
        """One layer's weight, computed in float32 and written once."""
        weight, pristine = self._weights[layer], self._pristine[layer]
        if not parts:
            weight.copy_(pristine)
        elif weight.dtype == torch.float32 and weight.is_contiguous():
            _merged(as_matrix(pristine), parts, as_matrix(weight))
        else:
            base = room.of(pristine, 0).copy_(pristine)
            out = room.of(pristine, 1)
            _merged(as_matrix(base), parts, as_matrix(out))
            weight.copy_(out)

    def change(self) -> Change:
        """Exact; from the factors alone where the change is linear in them."""
        room = _Room()
        squares: dict[str, list[float]] = {}
        for layer, pristine in self._pristine.items():
            sums = squares.setdefault(block_of(layer), [0.0, 0.0])
            sums[0] += _delta_square(_parts(self._stack, layer), pristine, room)
            sums[1] += self._base_square(layer)
        totals = [sum(sums[i] for sums in squares.values()) for i in (0, 1)]
        return Change(
            overall=_ratio(totals[0], totals[1]),
            by_block={block: _ratio(*sums) for block, sums in sorted(squares.items())},
        )

    def _base_square(self, layer: Layer) -> float:
        if layer not in self._squares:
            norm = vector_norm(self._pristine[layer], dtype=torch.float32)
            self._squares[layer] = float(norm) ** 2
        return self._squares[layer]


class _Room:
    """Float32 scratch tensors of one merge, each as large as the largest layer that needs it."""

    def __init__(self) -> None:
        self._flat: dict[int, Tensor] = {}

    def of(self, like: Tensor, number: int) -> Tensor:
        """Scratch tensor `number`, contiguous, in the shape of `like`."""
        flat = self._flat.get(number)
        if flat is None or flat.numel() < like.numel():
            flat = torch.empty(like.numel(), dtype=torch.float32, device=like.device)
            self._flat[number] = flat
        return flat[: like.numel()].view(like.shape)


def as_matrix(weight: Tensor) -> Tensor:
    """A view as (outputs, everything else)."""
    return weight.view(weight.shape[0], -1)


def _parts(stack: Sequence[Adapter], layer: Layer) -> Parts:
    return [(a.layers[layer], a.alpha) for a in stack if layer in a.layers and a.alpha]


def _stacked(parts: Parts) -> tuple[Tensor, Tensor, float] | None:
    """`up`, `down` and a strength whose product is the sum of those changes; None where it is not.

    Products are as cheap as their ranks together, so all of them are one.
    """
    products = [
        (delta, alpha * delta.scale) for delta, alpha in parts if isinstance(delta, LowRank)
    ]
    if len(products) < len(parts) or not products:
        return None
    if len(products) == 1:
        (delta, strength) = products[0]
        return delta.up, delta.down, strength
    up = torch.cat([delta.up.float() * strength for delta, strength in products], dim=1)
    return up, torch.cat([delta.down.float() for delta, _ in products]), 1.0


def _merged(pristine: Tensor, parts: Parts, out: Tensor) -> None:
    """All matrices, float32."""
    product = _stacked(parts)
    if product is not None:
        up, down, strength = product
        torch.addmm(pristine, on(up, out), on(down, out), alpha=strength, out=out)
        return
    out.copy_(pristine)
    for delta, alpha in parts:
        delta.add_to(out, pristine, alpha)


def _delta_square(parts: Parts, pristine: Tensor, room: _Room) -> float:
    if not parts:
        return 0.0
    if len(parts) == 1 and parts[0][0].linear:
        delta, alpha = parts[0]
        return delta.square * alpha**2
    product = _stacked(parts)
    if product is not None:
        return product_square(product[0], product[1]) * product[2] ** 2
    base, formed = room.of(pristine, 0).copy_(pristine), room.of(pristine, 1).zero_()
    for delta, alpha in parts:
        delta.add_to(as_matrix(formed), as_matrix(base), alpha)
    return sum_of_squares(formed)


def _ratio(delta: float, base: float) -> float:
    return math.sqrt(delta / base) if base > 0 else 0.0
