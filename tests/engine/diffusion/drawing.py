"""What the tests of the real engine share: specs, and what a render sent."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

from PIL import Image  # noqa: E402

from sidecar.engine.contract import (  # noqa: E402
    Frame,
    ImageReady,
    LoraSpec,
    ModelSpec,
    Progress,
    RenderSpec,
)
from sidecar.paths import bundled_lora_folder, starter_folder  # noqa: E402

BUNDLED = sorted(bundled_lora_folder().glob("*.safetensors"))
STARTER = ModelSpec("starter", str(starter_folder()), "starter")


def lora(path: Path, alpha: float = 0.7) -> LoraSpec:
    return LoraSpec(path.stem, str(path), alpha)


def render_spec(**changes: Any) -> RenderSpec:
    spec = RenderSpec(
        model=STARTER,
        loras=(),
        prompt="red apple",
        negative_prompt="",
        width=128,
        height=128,
        steps=4,
        guidance_scale=4.0,
        sampler="dpmpp_2m",
        seed=7,
    )
    return replace(spec, **changes)


def pixels(data: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(np.int16)


@dataclass
class Drawn:
    """What one render sent."""

    events: list[Any] = field(default_factory=list)
    outcome: Any = None

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def images(self) -> list[Any]:
        return [pixels(event.data) for event in self.of(ImageReady)]

    @property
    def frames(self) -> list[Frame]:
        return self.of(Frame)

    @property
    def progress(self) -> list[Progress]:
        return self.of(Progress)


Draw = Callable[..., Drawn]
