"""LoRA files as different programs write them, all of the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from sidecar.engine.diffusion.ldm_names import UNetNames

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Factor:
    """One adapted layer of a diffusers pipeline: `component` and `module` as diffusers has them."""

    component: str
    module: str
    up: torch.Tensor
    down: torch.Tensor
    alpha: float

    @property
    def scale(self) -> float:
        return self.alpha / self.down.shape[0]


def factors_for(networks: Mapping[str, Any], chosen: Callable[[str], bool]) -> list[Factor]:
    """Random factors for those layers, of ranks 2 to 5 and alphas of their own."""
    draw = torch.Generator().manual_seed(23)
    found: list[Factor] = []
    for component, network in networks.items():
        for name, module in network.named_modules():
            if not isinstance(module, torch.nn.Linear | torch.nn.Conv2d) or not chosen(name):
                continue
            rank = 2 + len(found) % 4
            out, columns = module.weight.shape[0], module.weight.shape[1:]
            one = (1,) * (len(columns) - 1)
            size = float(module.weight.detach().norm()) / (out * columns[0] * rank) ** 0.5
            up = torch.randn(out, rank, *one, generator=draw) * size**0.5 * 0.7
            down = torch.randn(rank, *columns, generator=draw) * size**0.5 * 0.7
            found.append(Factor(component, name, up, down, rank * (0.5 + len(found) % 3)))
    return found


def attention(name: str) -> bool:
    return name.rpartition(".")[2] in ("to_q", "to_k", "to_v") or name.endswith("to_out.0")


def text_attention(name: str) -> bool:
    return name.endswith("_proj")


def peft(factors: list[Factor]) -> Tensors:
    """Has no alpha of its own unless the metadata do: it is multiplied in."""
    tensors: Tensors = {}
    for f in factors:
        tensors[f"{f.component}.{f.module}.lora_A.weight"] = f.down
        tensors[f"{f.component}.{f.module}.lora_B.weight"] = f.up * f.scale
    return tensors


def peft_wrapped(factors: list[Factor]) -> Tensors:
    """As peft itself saves an adapted network, the adapter's name left in."""
    return {
        key.replace(f"{component}.", f"{component}.base_model.model.", 1).replace(
            ".weight", ".default.weight"
        ): tensor
        for component in ("unet", "text_encoder")
        for key, tensor in peft(factors).items()
        if key.startswith(f"{component}.")
    }


def old_diffusers(factors: list[Factor]) -> Tensors:
    """Attention processors, before diffusers had peft; of the text encoder, linear layers."""
    tensors: Tensors = {}
    for f in factors:
        if f.component == "unet":
            place, _, last = f.module.replace("to_out.0", "to_out").rpartition(".")
            stem = f"unet.{place}.processor.{last}_lora"
        else:
            stem = f"{f.component}.{f.module}.lora_linear_layer"
        tensors[f"{stem}.down.weight"] = f.down
        tensors[f"{stem}.up.weight"] = f.up * f.scale
    return tensors


def _joined(prefixes: Mapping[str, str], mark: str, rename: Callable[[str], str]) -> Any:
    """A writer of `lora_down`, `lora_up` and `alpha`, names joined by `mark`."""

    def write(factors: list[Factor]) -> Tensors:
        tensors: Tensors = {}
        for f in factors:
            module = rename(f.module) if f.component == "unet" else text(f.module)
            stem = prefixes[f.component] + module.replace(".", mark)
            tensors[f"{stem}.lora_down.weight"] = f.down
            tensors[f"{stem}.lora_up.weight"] = f.up
            tensors[f"{stem}.alpha"] = torch.tensor(f.alpha)
        return tensors

    return write


def text(module: str) -> str:
    """CLIP's layers with the "text_model" that only some versions of transformers have."""
    return module if module.startswith("text_model.") else f"text_model.{module}"


def original(config: Mapping[str, Any]) -> Callable[[str], str]:
    """From the UNet's names in diffusers to those of the original code."""
    ours = UNetNames(config)._ours
    back = {new: old for old, new in ours.items()}

    def rename(module: str) -> str:
        known = max((new for new in back if f"{module}.".startswith(f"{new}.")), key=len)
        return back[known] + module.removeprefix(known)

    return rename


def writers(unet_config: Mapping[str, Any]) -> dict[str, Callable[[list[Factor]], Tensors]]:
    """All spellings, by name. Those in `NATIVE` are read by diffusers itself."""
    to_original = original(unet_config)

    def kohya(unet: str, clip: str) -> dict[str, str]:
        return {"unet": unet, "text_encoder": clip}

    return {
        "peft": peft,
        "peft wrapped": peft_wrapped,
        "old diffusers": old_diffusers,
        "kohya": _joined(kohya("lora_unet_", "lora_te_"), "_", str),
        "kohya, original blocks": _joined(kohya("lora_unet_", "lora_te_"), "_", to_original),
        "OneTrainer": _joined(kohya("lora_unet.", "lora_te."), ".", str),
        "OneTrainer, OMI": _joined(kohya("unet.", "clip_l."), ".", to_original),
        "single file": _joined(
            kohya("model.diffusion_model.", "cond_stage_model.transformer."), ".", to_original
        ),
        "LyCORIS": _joined(kohya("lycoris_", "lora_te_"), "_", str),
    }


def kohya_sdxl(unet_config: Mapping[str, Any]) -> Callable[[list[Factor]], Tensors]:
    prefixes = {"unet": "lora_unet_", "text_encoder": "lora_te1_", "text_encoder_2": "lora_te2_"}
    return _joined(prefixes, "_", original(unet_config))


NATIVE = ("peft", "old diffusers", "kohya")
EVERY_LAYER = ("peft", "peft wrapped", "kohya", "kohya, original blocks", "OneTrainer",
               "OneTrainer, OMI", "single file", "LyCORIS")  # fmt: skip
