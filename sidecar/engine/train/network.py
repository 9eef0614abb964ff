"""The LoRA on the UNet (Hu et al. 2021, arXiv 2106.09685), by peft.

Each adapted layer computes W·x + scale · B·A·x. **A stage's `alpha` is that scale while the stage
runs.** When the next stage has another alpha, B is multiplied by old/new, so that the network's
function goes on where it was; alpha therefore acts on how far one optimiser step moves it: a
warm-up at 0.1 moves a tenth as far as the same learning rate does at 1. `folded` multiplies the
last scale into B: the saved file gives, at alpha 1, what the last stage trained.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import peft.utils
import torch
from peft import LoraConfig
from peft.tuners.lora import LoraLayer
from safetensors import SafetensorError
from torch import Tensor, nn

from sidecar.engine.train.tensors import read_tensors
from sidecar.errors import InvalidParams

ADAPTER = "default"

_peft: Any = peft.utils
_random: Any = torch.random


class LoraNetwork:
    """The trainable factors of a UNet. They start as no change at all (B is zero)."""

    def __init__(self, unet: Any, rank: int, target_modules: list[str], seed: int) -> None:
        with _random.fork_rng():
            _random.manual_seed(seed)
            config = LoraConfig(
                r=rank,
                lora_alpha=rank,
                init_lora_weights="gaussian",
                target_modules=list(target_modules),
            )
            try:
                unet.add_adapter(config, adapter_name=ADAPTER)
            except ValueError as exc:
                message = "no layer of the model has one of these names"
                raise _invalid("target_modules", message) from exc
        self._unet = unet
        self.rank = rank
        self.layers: list[Any] = [m for m in unet.modules() if isinstance(m, LoraLayer)]
        named = cast("list[tuple[str, nn.Parameter]]", list(unet.named_parameters()))
        trained = [(name, p) for name, p in named if p.requires_grad]
        self.parameters: list[nn.Parameter] = [p for _, p in trained]
        self._is_up = [".lora_B." in name for name, _ in trained]
        self.scale = 1.0

    def set_scale(self, scale: float) -> None:
        """Change the scale alone; the function changes with it."""
        for layer in self.layers:
            layer.scaling[ADAPTER] = scale
        self.scale = scale

    @contextmanager
    def at_scale(self, scale: float) -> Generator[None]:
        """Another scale inside this block; 0 is the bare model."""
        former = self.scale
        self.set_scale(scale)
        try:
            yield
        finally:
            self.set_scale(former)

    def rescaled(self, values: list[Tensor], factor: float) -> list[Tensor]:
        """Copies of `values` (in the order of `parameters`) with B multiplied by `factor`."""
        return [
            v.detach() * factor if up else v.detach().clone()
            for v, up in zip(values, self._is_up, strict=True)
        ]

    @torch.no_grad()
    def put(self, values: list[Tensor]) -> None:
        """Copy `values` into the parameters."""
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter.copy_(value)

    @contextmanager
    def holding(self, values: list[Tensor]) -> Generator[None]:
        """The parameters hold `values` inside this block."""
        former = [p.detach().clone() for p in self.parameters]
        self.put(values)
        try:
            yield
        finally:
            self.put(former)

    def start_from(self, file: Path) -> None:
        """Begin where another LoRA of the same shape ended. Raises InvalidParams."""
        try:
            given = read_tensors(file)
        except (OSError, SafetensorError) as exc:
            raise _invalid("init", f"{file.name} cannot be read as a LoRA file") from exc
        own = self.folded()
        if {k: v.shape for k, v in given.items()} != {k: v.shape for k, v in own.items()}:
            raise _invalid("init", f"{file.name} has other layers or another rank")
        state = {
            key.removeprefix("unet."): value.float() / (self.scale if ".lora_B." in key else 1.0)
            for key, value in given.items()
        }
        _peft.set_peft_model_state_dict(self._unet, state, adapter_name=ADAPTER)

    def folded(self) -> dict[str, Tensor]:
        """Tensors for the file, with the scale multiplied into B: peft's own key names.

        Only this form: the renamed keys of `convert_state_dict_to_diffusers` cover attention
        alone, and a loader that meets both forms drops those layers without a word.
        """
        state = cast("dict[str, Tensor]", _peft.get_peft_model_state_dict(self._unet))
        return {
            f"unet.{key}": (value * self.scale if ".lora_B." in key else value).detach().cpu()
            for key, value in state.items()
        }


def _invalid(path: str, message: str) -> InvalidParams:
    return InvalidParams(errors=[{"path": path, "message": message}], summary=f"{path}: {message}")


class Average:
    """Exponential moving average of parameters, with a short memory at the start."""

    def __init__(self, parameters: list[nn.Parameter], decay: float) -> None:
        self._parameters, self._decay = parameters, decay
        self.values: list[Tensor] = [p.detach().clone() for p in parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the parameters after step `step` (from 0) of a stage."""
        decay = min(self._decay, (step + 1) / (step + 10))
        for value, parameter in zip(self.values, self._parameters, strict=True):
            value.lerp_(parameter.detach(), 1 - decay)
