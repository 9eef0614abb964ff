"""From LoRA files to adapters of the resident model: names found, shapes checked, refusals told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from sidecar.engine.diffusion.lora_file import Factors, LoraFile
from sidecar.engine.diffusion.lora_names import LayerNames
from sidecar.engine.diffusion.merge import Layer
from sidecar.errors import LoraIncompatible, LoraWithoutEffect

UNKNOWN = "another model"
CROSS_WIDTHS = {768: "sd15", 1024: "sd21", 2048: "sdxl"}
STARTER_BELOW = 512  # no published Stable Diffusion has a text encoder this narrow
CROSS_MARKS = ("attn2.to_k", "attn2_to_k", "attn2.to_v", "attn2_to_v")


@dataclass(frozen=True)
class Fitted:
    """The layers of a file that the model has, and the keys of those that it has not."""

    layers: dict[Layer, Factors]
    matched_keys: int
    unsupported: tuple[str, ...]


class Fitter:
    """Fits files to one model; the same file is fitted once."""

    def __init__(self, family: str, weights: Mapping[Layer, Tensor]) -> None:
        self._family = family
        self._weights = weights
        self._names = LayerNames(weights)
        self._fitted: dict[str, Fitted] = {}

    def fit(self, name: str, file: LoraFile) -> Fitted:
        """Raises LoraIncompatible or LoraWithoutEffect."""
        found = self._fitted.get(file.sha256)
        if found is None:
            found = self._fit(name, file)
            self._fitted[file.sha256] = found
        return found

    def _fit(self, name: str, file: LoraFile) -> Fitted:
        layers: dict[Layer, Factors] = {}
        unmatched: list[str] = []
        for spelling, factors in file.layers.items():
            layer = self._names.find(spelling)
            if layer is None:
                unmatched.append(spelling)
                continue
            self._check_shape(name, file, layer, factors)
            layers[layer] = factors
        self._check_effect(name, file, layers)
        return Fitted(
            layers=layers,
            matched_keys=sum(factors.keys for factors in layers.values()),
            unsupported=(*file.unsupported, *sorted(unmatched)),
        )

    def _check_shape(self, name: str, file: LoraFile, layer: Layer, factors: Factors) -> None:
        weight = self._weights[layer]
        needed = (weight.shape[0], weight.numel() // weight.shape[0])
        given = (factors.up.shape[0], factors.down.shape[1])
        if needed != given:
            raise self._incompatible(
                name,
                file,
                f"{'.'.join(layer)} is {given[0]}×{given[1]} in the file"
                f" and {needed[0]}×{needed[1]} in the model",
            )

    def _check_effect(self, name: str, file: LoraFile, layers: Mapping[Layer, Factors]) -> None:
        if not layers:
            family = family_of(file)
            if family is not None and family != self._family:
                raise self._incompatible(name, file, "none of its layers are in the model")
            raise LoraWithoutEffect(
                name=name, reason=f"none of its {file.total_keys} keys belongs to this model"
            )
        if all(factors.square * factors.scale**2 == 0 for factors in layers.values()):
            raise LoraWithoutEffect(name=name, reason="all its numbers come to zero")

    def _incompatible(self, name: str, file: LoraFile, reason: str) -> LoraIncompatible:
        said, seen = file.family, family_by_shape(file)
        family = seen if said in (None, self._family) else said
        return LoraIncompatible(
            name=name,
            lora_family=UNKNOWN if family in (None, self._family) else family,
            model_family=self._family,
            reason=reason,
        )


def family_of(file: LoraFile) -> str | None:
    """What a file was made for: as it says, or as its shapes tell."""
    return file.family or family_by_shape(file)


def family_by_shape(file: LoraFile) -> str | None:
    """What a file was made for, by its text encoders and the width of its cross-attention."""
    if any(layer.startswith(("lora_te2_", "text_encoder_2.")) for layer in file.layers):
        return "sdxl"
    widths = [f.down.shape[1] for name, f in file.layers.items() if name.endswith(CROSS_MARKS)]
    if not widths:
        return None
    return "starter" if max(widths) < STARTER_BELOW else CROSS_WIDTHS.get(max(widths))
