"""How LoRA files spell the names of layers, and which layer of a model each of them means."""

from __future__ import annotations

import re
from collections.abc import Iterable

# The end of a key, and the part of a layer it is. A layer is what stands before.
_PARTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\.lora_A(\.\w+)?\.weight$"), "down"),
    (re.compile(r"\.lora_B(\.\w+)?\.weight$"), "up"),
    (re.compile(r"\.lora_down\.weight$"), "down"),
    (re.compile(r"\.lora_up\.weight$"), "up"),
    (re.compile(r"(_lora|\.lora|\.lora_linear_layer)\.down\.weight$"), "down"),
    (re.compile(r"(_lora|\.lora|\.lora_linear_layer)\.up\.weight$"), "up"),
    (re.compile(r"\.alpha$"), "alpha"),
)
# Parts of other methods (DoRA, LoHa, LoKr, full differences, biases), so that their layer is known.
_OTHER = re.compile(
    r"\.(dora_scale|lora_magnitude_vector(\.\w+)*|hada_\w+|lokr_\w+|lora_mid\.weight|diff|diff_b"
    r"|oft_\w+|boft_\w+|lora_[AB](\.\w+)?\.bias|bias|w_norm|b_norm)$"
)

Layer = tuple[str, str]
"""Component ("unet", "text_encoder") and module path within it."""

KOHYA = {"lora_unet_": "unet", "lora_te_": "text_encoder", "lora_te1_": "text_encoder"}


def split_key(key: str) -> tuple[str, str | None]:
    """The layer a key belongs to and which part it is: "down", "up", "alpha", or None."""
    for pattern, part in _PARTS:
        found = pattern.search(key)
        if found:
            return key[: found.start()], part
    found = _OTHER.search(key)
    return (key[: found.start()] if found else key), None


class LayerNames:
    """The layers of one model that a LoRA may change, under all names files have for them."""

    def __init__(self, layers: Iterable[Layer]) -> None:
        self._layers = set(layers)
        self._flat = {
            (component, module.replace(".", "_")): (component, module)
            for component, module in self._layers
        }

    def find(self, name: str) -> Layer | None:
        """The layer that a file calls `name`."""
        for prefix, component in KOHYA.items():
            if name.startswith(prefix):
                flat = name.removeprefix(prefix)
                return self._flat.get((component, flat.removeprefix("text_model_")))
        component, module = _component(name.removeprefix("base_model.model."))
        module = module.removeprefix("text_model.").replace(".processor.", ".")
        if (component, module) in self._layers:
            return component, module
        longer = (component, f"{module}.0")  # the old "to_out" is "to_out.0" today
        return longer if longer in self._layers else None


def _component(name: str) -> Layer:
    for component in ("unet", "text_encoder"):
        if name.startswith(f"{component}."):
            return component, name.removeprefix(f"{component}.")
    return "unet", name


def block_of(layer: Layer) -> str:
    """The block a layer is reported under: "unet.down_blocks.1", "text_encoder.layers.0"."""
    component, module = layer
    parts = module.removeprefix("encoder.").split(".")
    depth = 2 if len(parts) > 1 and parts[1].isdigit() else 1
    return ".".join([component, *parts[:depth]])
