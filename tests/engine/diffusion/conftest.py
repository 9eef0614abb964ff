"""One loaded engine for all tests here, and plain diffusers beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sidecar.engine.contract import CancelToken, LoraSpec
from sidecar.engine.diffusion.engine import DiffusionEngine
from sidecar.paths import starter_folder
from tests.engine.diffusion.drawing import STARTER, Draw, Drawn, render_spec, torch


@pytest.fixture(scope="session")
def engine() -> Iterator[DiffusionEngine]:
    engine = DiffusionEngine(threads=1)
    engine.warm_up()
    engine.load_model("load", STARTER, lambda event: None, CancelToken())
    yield engine
    engine.unload_model()


@pytest.fixture
def draw(engine: DiffusionEngine) -> Draw:
    def draw(**changes: Any) -> Drawn:
        drawn = Drawn()
        drawn.outcome = engine.render(
            "draw", render_spec(**changes), drawn.events.append, CancelToken()
        )
        return drawn

    return draw


@pytest.fixture
def switch(engine: DiffusionEngine) -> Callable[..., Any]:
    def switch(*loras: LoraSpec) -> Any:
        return engine.apply_loras("switch", STARTER, loras, lambda event: None, CancelToken())

    return switch


@pytest.fixture(scope="session")
def plain() -> Any:
    """StableDiffusionPipeline as anybody would use it, with the same weights."""
    from diffusers import StableDiffusionPipeline

    torch.set_num_threads(1)
    pipe = StableDiffusionPipeline.from_pretrained(
        str(starter_folder()), torch_dtype=torch.float32, local_files_only=True
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe
