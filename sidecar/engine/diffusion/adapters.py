"""From LoRA files to adapters of the resident model: names found, shapes checked, refusals told."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from sidecar.engine.diffusion.deltas import Delta
from sidecar.engine.diffusion.lora_file import LoraFile
from sidecar.engine.diffusion.lora_names import Layer, LayerNames
from sidecar.errors import LoraCorrupt, LoraIncompatible, LoraWithoutEffect

UNKNOWN = "unknown"
ADAPTABLE = (nn.Linear, nn.Conv2d, nn.GroupNorm, nn.LayerNorm)

# Half precision ends at 65504. Alphas go up to 2, and the weight itself needs room.
LARGEST_IN_HALF = 16384.0


def adaptable(networks: Mapping[str, nn.Module]) -> dict[Layer, Tensor]:
    """Every parameter that a LoRA may change, of the named networks (UNet and text encoders).

    The tensors are those of the modules, so that writing into them changes the model.
    """
    return {
        (component, name.removesuffix(".weight")): parameter.data
        for component, network in networks.items()
        for name, parameter in network.named_parameters()
        if isinstance(network.get_submodule(name.rpartition(".")[0]), ADAPTABLE)
    }


@dataclass(frozen=True)
class Fitted:
    """The layers of a file that the model has, and the keys of those that it has not."""

    layers: dict[Layer, Delta]
    matched_keys: int
    unsupported: tuple[str, ...]


class Fitter:
    """Fits files to one model; the same file is fitted once.

    `pristine`: a weight of the model without LoRAs, while some may be merged into it.
    """

    def __init__(
        self,
        family: str,
        weights: Mapping[Layer, Tensor],
        pristine: Callable[[Layer], Tensor] | None = None,
    ) -> None:
        self._family = family
        self._weights = weights
        self._pristine = pristine or weights.__getitem__
        self._names = LayerNames(weights)
        self._fitted: dict[str, Fitted] = {}

    def fit(self, name: str, file: LoraFile) -> Fitted:
        """Raises LoraIncompatible, LoraWithoutEffect or LoraCorrupt."""
        found = self._fitted.get(file.sha256)
        if found is None:
            found = self._fit(name, file)
            self._fitted[file.sha256] = found
        return found

    def _fit(self, name: str, file: LoraFile) -> Fitted:
        layers: dict[Layer, Delta] = {}
        unmatched: list[str] = []
        for spelling, changes in file.changes.items():
            found = self._names.find(spelling)
            for suffix, delta in changes.items():
                layer = found and (found[0], f"{found[1]}{suffix}")
                if layer is None or layer not in self._weights:
                    unmatched += file.keys.get((spelling, suffix), ())
                    continue
                self._check_shape(name, file, layer, delta)
                layers[layer] = delta
        self._check_family(name, file, complete=len(layers) == len(file.deltas))
        self._check_effect(name, file, layers)
        return Fitted(
            layers=layers,
            matched_keys=sum(delta.keys for delta in layers.values()),
            unsupported=(*file.unsupported, *sorted(unmatched)),
        )

    def _check_shape(self, name: str, file: LoraFile, layer: Layer, delta: Delta) -> None:
        weight = self._weights[layer]
        needed = (weight.shape[0], weight.numel() // weight.shape[0])
        if delta.shape != needed:
            raise self._incompatible(
                name,
                file,
                f"{'.'.join(layer)} is {delta.shape[0]}×{delta.shape[1]} in the file"
                f" and {needed[0]}×{needed[1]} in the model",
            )

    def _check_family(self, name: str, file: LoraFile, complete: bool) -> None:
        """Refuses a file of another family.

        Where shapes leave several families open, what the file says decides. Where shapes speak
        against the model and yet every layer fits, the model is one of unusual widths.
        """
        verdict = file.verdict
        by_claim = self._family in verdict.possible
        known = verdict.family is not None or not verdict.possible
        if file.changes and known and verdict.family != self._family and (by_claim or not complete):
            raise self._incompatible(name, file, "its layers are those of another family")

    def _check_effect(self, name: str, file: LoraFile, layers: Mapping[Layer, Delta]) -> None:
        if not layers:
            what = "belongs to this model" if file.changes else "is of a kind that can be merged"
            raise LoraWithoutEffect(name=name, reason=f"none of its {file.total_keys} keys {what}")
        for layer, delta in layers.items():
            half = self._weights[layer].dtype == torch.float16
            limit = LARGEST_IN_HALF**2 if half else math.inf
            if not math.isfinite(delta.square) or delta.square >= limit:
                raise LoraCorrupt(name=name, reason=f"{'.'.join(layer)} would overflow")
        if not any(delta.moves(partial(self._matrix, layer)) for layer, delta in layers.items()):
            raise LoraWithoutEffect(name=name, reason="all its numbers come to zero")

    def _matrix(self, layer: Layer) -> Tensor:
        """Of the pristine weight, (outputs, everything else)."""
        weight = self._pristine(layer)
        return weight.reshape(weight.shape[0], -1)

    def _incompatible(self, name: str, file: LoraFile, reason: str) -> LoraIncompatible:
        family = file.verdict.family
        return LoraIncompatible(
            name=name,
            lora_family=UNKNOWN if family in (None, self._family) else family,
            model_family=self._family,
            reason=reason,
        )
