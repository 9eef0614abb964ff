"""From the tensors of one layer of a LoRA file to the changes they mean."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from sidecar.engine.diffusion.deltas import (
    Decomposed,
    Delta,
    Full,
    Kronecker,
    LowRank,
    hadamard,
)

WEIGHT, BIAS = "", ".bias"

Parts = Mapping[str, Tensor]


def suffix_of(part: str) -> str:
    """Which of a layer's parameters a part changes: `WEIGHT` or `BIAS`."""
    return BIAS if part in ("diff_b", "up_bias") else WEIGHT


class NotUnderstood(ValueError):
    """These parts do not make up a change that is known here."""


@dataclass(frozen=True)
class Scales:
    """What a file's metadata says about scales, for layers without an `alpha` of their own.

    diffusers writes peft's configuration as JSON under `lora_adapter_metadata`, its entries
    prefixed with the component.
    """

    config: Mapping[str, Any]

    @staticmethod
    def of(metadata: Mapping[str, Any]) -> Scales:
        try:
            return Scales(as_object(json.loads(metadata.get("lora_adapter_metadata", "null"))))
        except (ValueError, TypeError):
            return Scales({})

    def scale(self, layer: str, alpha: Tensor | None, rank: int) -> float:
        """alpha/rank, or alpha/√rank where peft's config asks for it (rank-stabilised LoRA)."""
        component, _, module = layer.partition(".")
        own = float(alpha) if alpha is not None else self._declared(component, module)
        if own is None:
            return 1.0
        stable = alpha is None and self.config.get(f"{component}.use_rslora") is True
        return own / (math.sqrt(rank) if stable else rank)

    def _declared(self, component: str, module: str) -> float | None:
        for pattern, alpha in as_object(self.config.get(f"{component}.alpha_pattern")).items():
            if module == pattern or module.endswith(f".{pattern}"):
                return float(alpha)
        default: Any = self.config.get(f"{component}.lora_alpha")
        return float(default) if isinstance(default, int | float) else None


def as_object(value: Any) -> dict[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def deltas_of(layer: str, parts: Parts, scales: Scales) -> dict[str, Delta]:
    """The changes of a layer's weight and of its bias. Raises NotUnderstood.

    `parts`: tensors by the names of `lora_format.keys`. Keys of the answer: `WEIGHT` and `BIAS`.
    """
    if not all(tensor.is_floating_point() and tensor.numel() for tensor in parts.values()):
        raise NotUnderstood("empty, or not floating point")
    rest = {name: tensor for name, tensor in parts.items() if name != "alpha"}
    found: dict[str, Delta] = {}
    if "diff_b" in rest:
        found[BIAS] = Full(_column(rest.pop("diff_b")), 1.0, keys=1)
    method = next((m for m in METHODS if m.needs <= rest.keys()), None)
    if method is not None:
        found[WEIGHT] = _weight(method, layer, rest, parts.get("alpha"), scales)
        if "up_bias" in rest:
            scale = scales.scale(layer, parts.get("alpha"), parts["down"].shape[0])
            found[BIAS] = Full(_column(rest["up_bias"]), scale, keys=1)
    elif rest or not found:
        raise NotUnderstood(f"{sorted(parts)} is no method that is known")
    return found


@dataclass(frozen=True)
class Method:
    """A way to store a change: parts it cannot do without, others it may have, how it is read."""

    needs: frozenset[str]
    may: frozenset[str]
    read: Callable[[Parts, float, int], Delta]
    rank: Callable[[Parts], int | None]


def _weight(
    method: Method, layer: str, parts: Parts, alpha: Tensor | None, scales: Scales
) -> Delta:
    if parts.keys() - method.needs - method.may - {"dora_scale", "magnitude", "up_bias"}:
        raise NotUnderstood("parts of several methods at once")
    rank = method.rank(parts)
    scale = 1.0 if rank is None else scales.scale(layer, alpha, rank)
    keys = len(parts) + (alpha is not None) - ("up_bias" in parts)
    try:
        delta = method.read(parts, scale, keys)
    except (RuntimeError, IndexError, ValueError) as exc:
        raise NotUnderstood(str(exc)) from exc
    if "dora_scale" in parts or "magnitude" in parts:
        return _decomposed(delta, parts, keys)
    return delta


def _decomposed(inner: Delta, parts: Parts, keys: int) -> Delta:
    """peft has one number for each output; LyCORIS that, or (older) one for each input: (1, n)."""
    rows, columns = inner.shape
    if "magnitude" in parts:
        magnitude, inside = _column(parts["magnitude"]), True
    else:
        raw, inside = parts["dora_scale"].float(), False
        by_input = raw.ndim > 1 and raw.shape[0] == 1 and raw.shape[1] > 1
        magnitude = raw.reshape(1, -1) if by_input else _column(raw)
    by_rows = magnitude.shape == (rows, 1)
    if not by_rows and (magnitude.shape[1] == 1 or columns % magnitude.shape[1]):
        raise NotUnderstood("the magnitudes are not those of the layer")
    return Decomposed(inner, magnitude, inside, keys, inner.rank)


def _low_rank(parts: Parts, scale: float, keys: int) -> Delta:
    up, down = _kept(parts["up"]), _kept(parts["down"])
    if up.ndim not in (2, 4) or down.ndim not in (2, 4) or up[0, 0].numel() != 1:
        raise NotUnderstood("the factors are no matrices")
    rank = down.shape[0]
    if "mid" in parts:  # Tucker: out ← r ← (kernel) r ← in
        mid = parts["mid"].float()
        down = torch.einsum("mnhw,ni->mihw", mid, down.float().flatten(1))
    return LowRank(*_multiplied(up, down), scale, keys, rank)


def _kept(factor: Tensor) -> Tensor:
    """In the type of the file; float8, with which little can be computed, as float32."""
    return factor if factor.dtype.itemsize in (2, 4) else factor.float()


def _hadamard(parts: Parts, scale: float, keys: int) -> Delta:
    return hadamard(_hada(parts, "1"), _hada(parts, "2"), scale, keys)


def _hada(parts: Parts, number: str) -> tuple[Tensor, Tensor]:
    a, b = parts[f"hada_w{number}_a"].float(), parts[f"hada_w{number}_b"].float()
    if f"hada_t{number}" in parts:  # a: (rank, outputs), b: (rank, inputs)
        core = parts[f"hada_t{number}"].float()
        return _multiplied(a.T, torch.einsum("ijhw,jr->irhw", core, b))
    return _multiplied(a, b)


def _multiplied(up: Tensor, down: Tensor) -> tuple[Tensor, Tensor]:
    """Both as matrices that can be multiplied."""
    up, down = up.flatten(1).contiguous(), down.flatten(1).contiguous()
    if up.shape[1] != down.shape[0]:
        raise NotUnderstood("the factors do not fit each other")
    return up, down


def _kronecker(parts: Parts, scale: float, keys: int) -> Delta:
    left = _kron_factor(parts, "lokr_w1")
    right = _kron_factor(parts, "lokr_w2")
    return Kronecker(left, right, scale, keys, _kron_rank(parts))


def _kron_factor(parts: Parts, name: str) -> Tensor:
    if name in parts:
        return parts[name].float().flatten(1).contiguous()
    a, b = parts[f"{name}_a"].float(), parts[f"{name}_b"].float()
    if name == "lokr_w2" and "lokr_t2" in parts:  # a: (rank, outputs), b: (rank, inputs)
        core = parts["lokr_t2"].float()
        return torch.einsum("ijhw,ip,jr->prhw", core, a, b).flatten(1).contiguous()
    return a.flatten(1) @ b.flatten(1)


def _kron_rank(parts: Parts) -> int | None:
    """None when both factors are whole: LyCORIS then takes no notice of alpha."""
    for name in ("lokr_w1_b", "lokr_w2_b"):
        if name in parts:
            return parts[name].shape[0]
    return None


def _full(parts: Parts, scale: float, keys: int) -> Delta:
    difference = _kept(parts["diff"])
    matrix = difference.flatten(1) if difference.ndim > 1 else difference[:, None]
    return Full(matrix.contiguous(), scale, keys)


def _column(vector: Tensor) -> Tensor:
    return vector.float().reshape(-1, 1).contiguous()


def _kron_method(*needs: str) -> Method:
    tucker = frozenset({"lokr_t2"} if "lokr_w2_a" in needs else ())
    return Method(frozenset(needs), tucker, _kronecker, _kron_rank)


LEFT, RIGHT = ("lokr_w1_a", "lokr_w1_b"), ("lokr_w2_a", "lokr_w2_b")
HADA = frozenset({"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"})
HADA_CORES = frozenset({"hada_t1", "hada_t2"})

METHODS = (
    Method(frozenset({"up", "down"}), frozenset({"mid"}), _low_rank, lambda p: p["down"].shape[0]),
    Method(HADA, HADA_CORES, _hadamard, lambda p: p["hada_w1_b"].shape[0]),
    _kron_method("lokr_w1", "lokr_w2"),
    _kron_method(*LEFT, "lokr_w2"),
    _kron_method("lokr_w1", *RIGHT),
    _kron_method(*LEFT, *RIGHT),
    Method(frozenset({"diff"}), frozenset(), _full, lambda p: None),
)
