"""The layers of one model that LoRAs may change, under all names that files have for them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sidecar.engine.diffusion.ldm_names import UNetNames
from sidecar.lora_format.keys import UNET, locate

Layer = tuple[str, str]
"""Component ("unet", "text_encoder", "text_encoder_2") and parameter, less its ".weight"."""

_STAGE = re.compile(r"^(down|up)_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.")


class LayerNames:
    """Finds layers by the names of `lora_format.keys.locate`, dots and underscores being one."""

    def __init__(self, layers: Iterable[Layer]) -> None:
        self._layers = {
            (component, name.replace(".", "_")): (component, name) for component, name in layers
        }
        unet = [name for component, name in self._layers.values() if component == UNET]
        self._original = UNetNames(_stages(unet))

    def find(self, name: str) -> Layer | None:
        """The layer that a file calls `name`."""
        component, flat = locate(name)
        found = self._layers.get((component, flat))
        if found is not None or component != UNET:
            return found
        translated = self._original.to_diffusers_flat(flat)
        if translated is not None:
            return self._layers.get((component, translated))
        return self._layers.get((component, f"{flat}_0"))  # the old "to_out" is "to_out.0" today


def _stages(unet: Iterable[str]) -> dict[str, list[str] | list[int]]:
    """The part of a UNet's config that its original block names follow from."""
    counts: dict[tuple[str, int], set[int]] = {}
    attention: set[tuple[str, int]] = set()
    for name in unet:
        found = _STAGE.match(name)
        if found is None:
            continue
        stage = (found.group(1), int(found.group(2)))
        if found.group(3) == "attentions":
            attention.add(stage)
        else:
            counts.setdefault(stage, set()).add(int(found.group(4)))
    downs = sorted(stage for stage in counts if stage[0] == "down")
    ups = sorted(stage for stage in counts if stage[0] == "up")
    return {
        "down_block_types": [_kind(stage, attention) for stage in downs],
        "up_block_types": [_kind(stage, attention) for stage in ups],
        "layers_per_block": [len(counts[stage]) for stage in downs],
    }


def _kind(stage: tuple[str, int], attention: set[tuple[str, int]]) -> str:
    return "CrossAttnBlock2D" if stage in attention else "Block2D"


def block_of(layer: Layer) -> str:
    """The block a layer is reported under: "unet.down_blocks.1", "text_encoder.layers.0"."""
    component, module = layer
    parts = module.removeprefix("encoder.").split(".")
    depth = 2 if len(parts) > 1 and parts[1].isdigit() else 1
    return ".".join([component, *parts[:depth]])
