"""A machine with as much memory as a test says, and what tests of that share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from sidecar.engine.contract import CancelToken, EngineWarning, Forecast, ModelLoading, ModelSpec
from sidecar.engine.diffusion.devices import Device
from sidecar.engine.diffusion.engine import DiffusionEngine
from tests.engine.diffusion.drawing import STARTER, Drawn, render_spec

PLENTY = 2**50


@dataclass
class Limit:
    bytes: int = PLENTY


@dataclass(frozen=True)
class Tight(Device):
    """`limit`: what this process may have in all; a test changes it at will."""

    limit: Limit = field(default_factory=Limit, compare=False)

    def free(self) -> int:
        return max(self.limit.bytes - self.used(), 0)


class Laptop:
    """An engine on a tight device. Keeps the events of the last job."""

    def __init__(self, remembered: Path | None = None) -> None:
        self.device = Tight("cpu", "test")
        self.engine = DiffusionEngine(threads=1, device=self.device, remembered=remembered)
        self.engine.warm_up()
        self.drawn = Drawn()

    def limit(self, size: int) -> None:
        self.device.limit.bytes = size

    def load(self, spec: ModelSpec = STARTER) -> Any:
        self.drawn = Drawn()
        return self.engine.load_model("load", spec, self.drawn.events.append, CancelToken())

    def draw(self, spec: ModelSpec = STARTER, **changes: Any) -> list[Any]:
        self.drawn = Drawn()
        job = render_spec(model=spec, **{"steps": 1, **changes})
        self.engine.render("draw", job, self.drawn.events.append, CancelToken())
        return self.drawn.images

    def forecast(self, spec: ModelSpec = STARTER, **changes: Any) -> Forecast:
        job = render_spec(model=spec, **{"steps": 1, **changes})
        found = self.engine.memory(1, job).forecast
        assert found is not None
        return found

    @property
    def warnings(self) -> list[EngineWarning]:
        return self.drawn.of(EngineWarning)

    @property
    def loadings(self) -> list[ModelLoading]:
        return self.drawn.of(ModelLoading)

    @property
    def resident(self) -> Any:
        return self.engine._resident


def on(rung: str, model: ModelSpec = STARTER) -> ModelSpec:
    return replace(model, low_vram=rung)


def no_memory(*_: Any, **__: Any) -> torch.Tensor:
    """What torch raises when the allocator of the CPU gives nothing."""
    return torch.empty(2**60)
