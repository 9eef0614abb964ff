"""Merges LoRAs into the resident weights, always from pristine copies.

W′ = W + Σ αᵢ · scaleᵢ · upᵢ · downᵢ. The copies are of just the touched layers and are kept only
while a stack is on. Every merge starts from them, so a thousand switches leave no drift, and an
empty stack puts W back bit for bit. Several LoRAs are one product for each layer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sidecar.engine.diffusion.lora_file import Factors, product_square
from sidecar.engine.diffusion.lora_names import Layer, block_of


@dataclass(frozen=True)
class Adapter:
    """A LoRA whose layers have been found in the model, and how strongly it is on."""

    sha256: str
    alpha: float
    layers: Mapping[Layer, Factors]

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
        for layer in touched:
            self._write(layer, _stacked(stack, layer))
        for layer in self._pristine.keys() - touched:
            self._weights[layer].copy_(self._pristine[layer])
            del self._pristine[layer]
        self._stack = stack

    def _restore(self) -> None:
        for layer, pristine in self._pristine.items():
            self._weights[layer].copy_(pristine)
        self._pristine.clear()
        self._stack = ()

    def _write(self, layer: Layer, product: tuple[Tensor, Tensor, float] | None) -> None:
        """One layer's weight, written once."""
        weight, pristine = self._weights[layer], self._pristine[layer]
        if product is None:
            weight.copy_(pristine)
            return
        up, down, strength = product
        up, down = up.to(weight.device), down.to(weight.device)
        if weight.dtype == torch.float32 and weight.is_contiguous():
            torch.addmm(pristine.flatten(1), up, down, alpha=strength, out=weight.flatten(1))
        else:
            merged = torch.addmm(pristine.float().flatten(1), up, down, alpha=strength)
            weight.copy_(merged.view(weight.shape))

    def change(self) -> Change:
        """Exact, from the factors alone."""
        squares: dict[str, list[float]] = {}
        for layer in self._pristine:
            delta, base = squares.setdefault(block_of(layer), [0.0, 0.0])
            product = _stacked(self._stack, layer)
            squares[block_of(layer)] = [
                delta + self._delta_square(layer, product),
                base + self._base_square(layer),
            ]
        totals = [sum(pair[i] for pair in squares.values()) for i in (0, 1)]
        return Change(
            overall=_ratio(totals[0], totals[1]),
            by_block={block: _ratio(*pair) for block, pair in sorted(squares.items())},
        )

    def _delta_square(self, layer: Layer, product: tuple[Tensor, Tensor, float] | None) -> float:
        if product is None:
            return 0.0
        adapters = [a for a in self._stack if layer in a.layers and a.alpha]
        if len(adapters) == 1:
            factors = adapters[0].layers[layer]
            return factors.square * (factors.scale * adapters[0].alpha) ** 2
        up, down, strength = product
        return product_square(down, up) * strength**2

    def _base_square(self, layer: Layer) -> float:
        if layer not in self._squares:
            self._squares[layer] = float(self._pristine[layer].float().square().sum())
        return self._squares[layer]


def _stacked(stack: Sequence[Adapter], layer: Layer) -> tuple[Tensor, Tensor, float] | None:
    """`up`, `down` and a strength whose product is the change of that layer; None for none."""
    parts = [
        (adapter.layers[layer], adapter.alpha * adapter.layers[layer].scale)
        for adapter in stack
        if layer in adapter.layers and adapter.alpha
    ]
    if not parts:
        return None
    if len(parts) == 1:
        factors, strength = parts[0]
        return factors.up, factors.down, strength
    up = torch.cat([factors.up * strength for factors, strength in parts], dim=1)
    return up, torch.cat([factors.down for factors, _ in parts]), 1.0


def _ratio(delta: float, base: float) -> float:
    return math.sqrt(delta / base) if base > 0 else 0.0
