"""SD 1.5, 2.1 and XL, as folders and as single files: the pictures of diffusers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sidecar.engine.contract import CancelToken, ModelSpec
from sidecar.engine.diffusion.engine import DiffusionEngine
from tests.engine.diffusion.drawing import Drawn, render_spec
from tests.engine.diffusion.small_models import (
    FAMILIES,
    PROMPT,
    SIDE,
    checkpoint_of,
    opened_by_diffusers,
    picture_by_diffusers,
    write_checkpoint,
    write_folder,
)

pytestmark = pytest.mark.engine

TOLERANCE = 1.0  # of 255, mean absolute difference
PREDICTION = {"sd15": "epsilon", "sd21": "v_prediction", "sdxl": "epsilon"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {name: write_folder(name, root / name, PREDICTION[name]) for name in FAMILIES}


@pytest.fixture(scope="module")
def files(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("files")
    return {
        name: write_checkpoint(
            root / f"{name}.safetensors",
            checkpoint_of(folder, name),
            **{"modelspec.prediction_type": PREDICTION[name]},
        )
        for name, folder in folders.items()
    }


@pytest.fixture(scope="module")
def own() -> DiffusionEngine:
    engine = DiffusionEngine(threads=1)
    engine.warm_up()
    return engine


def model(path: Path, **changes: Any) -> ModelSpec:
    return ModelSpec(path.name, str(path), "", **changes)


def picture(engine: DiffusionEngine, path: Path, **changes: Any) -> Any:
    drawn = Drawn()
    settings = {"prompt": PROMPT, "width": SIDE, "height": SIDE, "sampler": "ddim"} | changes
    spec = render_spec(model=model(path), **settings)
    engine.render("draw", spec, drawn.events.append, CancelToken())
    return drawn.images[0]


def difference(a: Any, b: Any) -> float:
    return float(np.abs(a - b).mean())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_folder_gives_the_picture_of_diffusers(
    own: DiffusionEngine, folders: dict[str, Path], family: str
) -> None:
    pipe = opened_by_diffusers(folders[family])
    ours = picture(own, folders[family])
    assert ours.std() > 5, "a picture with something on it"
    assert difference(ours, picture_by_diffusers(pipe)) <= TOLERANCE
    ours = picture(own, folders[family], negative_prompt="green", guidance_scale=7.0)
    theirs = picture_by_diffusers(pipe, negative_prompt="green", guidance_scale=7.0)
    assert difference(ours, theirs) <= TOLERANCE
    other = picture(own, folders[family], prompt="a rocket")
    assert difference(other, picture(own, folders[family])) > 0.5, "the prompt is listened to"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_single_file_gives_the_very_picture_of_its_folder(
    own: DiffusionEngine, folders: dict[str, Path], files: dict[str, Path], family: str
) -> None:
    assert (picture(own, files[family]) == picture(own, folders[family])).all()
    loaded = own.load_model("x", model(files[family]), lambda event: None, CancelToken())
    assert loaded.family == family
    names = {"unet", "vae", "text_encoder"} | ({"text_encoder_2"} if family == "sdxl" else set())
    assert {component.name for component in loaded.components} == names


def test_sdxl_draws_other_shapes_as_diffusers_does(
    own: DiffusionEngine, folders: dict[str, Path]
) -> None:
    pipe = opened_by_diffusers(folders["sdxl"])
    theirs = picture_by_diffusers(pipe, width=96, height=64, guidance_scale=1.0)
    ours = picture(own, folders["sdxl"], width=96, height=64, guidance_scale=1.0)
    assert difference(ours, theirs) <= TOLERANCE


def test_sdxl_embeddings_are_those_of_diffusers(
    own: DiffusionEngine, folders: dict[str, Path]
) -> None:
    own.load_model("x", model(folders["sdxl"]), lambda event: None, CancelToken())
    assert own._resident is not None
    embeddings = own._resident.renderer._embeddings
    pipe = opened_by_diffusers(folders["sdxl"])
    for text in (PROMPT, "Ünïcode 猫", "long " * 100):
        with torch.inference_mode():
            hidden, _, pooled, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False)
            ours = embeddings.embed(text, ((), ()))
        assert ours.pooled is not None
        assert torch.allclose(ours.hidden, hidden, atol=1e-4)
        assert torch.allclose(ours.pooled, pooled, atol=1e-4)
