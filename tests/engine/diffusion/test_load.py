"""Loading: what is refused and how, and that the former model stays."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from sidecar.engine.contract import CancelToken, ModelLoading, ModelSpec
from sidecar.engine.diffusion.engine import DiffusionEngine
from sidecar.errors import Cancelled, ModelCorrupt, ModelNotFound, ModelUnsupported, SidecarError
from sidecar.paths import starter_folder
from tests.engine.diffusion.drawing import STARTER, Draw, render_spec

pytestmark = pytest.mark.engine

UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "model"
    shutil.copytree(starter_folder(), target)
    return target


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def cut(folder: Path) -> None:
    file = folder / UNET
    file.write_bytes(file.read_bytes()[:-5000])


def header_bomb(folder: Path) -> None:
    (folder / UNET).write_bytes((2**60).to_bytes(8, "little") + b"{}")


def no_config(folder: Path) -> None:
    (folder / "vae" / "config.json").unlink()


def broken_json(folder: Path) -> None:
    (folder / "unet" / "config.json").write_text("{")


def missing_weight(folder: Path) -> None:
    tensors = load_file(folder / UNET)
    tensors.pop("conv_out.bias")
    save_file(tensors, folder / UNET)


def wrong_shape(folder: Path) -> None:
    edit(folder / "unet" / "config.json", norm_num_groups=16, out_channels=16)


def no_tokenizer(folder: Path) -> None:
    shutil.rmtree(folder / "tokenizer")


def pickled(folder: Path) -> None:
    (folder / UNET).rename(folder / "unet" / "diffusion_pytorch_model.bin")


def flux(folder: Path) -> None:
    edit(folder / "model_index.json", _class_name="FluxPipeline")


def half_an_sdxl(folder: Path) -> None:
    edit(folder / "model_index.json", _class_name="StableDiffusionXLPipeline")


def strange_blocks(folder: Path) -> None:
    config = json.loads((folder / "unet" / "config.json").read_text())
    blocks = ["KDownBlock2D", *config["down_block_types"][1:]]
    edit(folder / "unet" / "config.json", down_block_types=blocks)


def inpainting(folder: Path) -> None:
    edit(folder / "unet" / "config.json", in_channels=9)


def no_index(folder: Path) -> None:
    (folder / "model_index.json").unlink()


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (cut, ModelCorrupt),
        (header_bomb, ModelCorrupt),
        (no_config, ModelCorrupt),
        (broken_json, ModelCorrupt),
        (missing_weight, ModelCorrupt),
        (wrong_shape, ModelCorrupt),
        (no_tokenizer, ModelCorrupt),
        (pickled, ModelUnsupported),
        (flux, ModelUnsupported),
        (half_an_sdxl, ModelCorrupt),
        (strange_blocks, ModelUnsupported),
        (inpainting, ModelUnsupported),
        (no_index, ModelUnsupported),
        (shutil.rmtree, ModelNotFound),
    ],
)
def test_a_model_that_cannot_be_loaded_is_refused_and_the_former_one_stays(
    engine: DiffusionEngine,
    draw: Draw,
    folder: Path,
    damage: Callable[[Path], None],
    error: type[SidecarError],
) -> None:
    before = engine._resident
    damage(folder)
    spec = replace(STARTER, name="copy", path=str(folder))
    with pytest.raises(error) as refusal:
        engine.load_model("x", spec, lambda event: None, CancelToken())
    assert refusal.value.fields["model"] == "copy"
    assert engine._resident is before


@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".bin", ".gguf"])
def test_a_pickle_is_refused_unread_and_the_former_model_stays(
    engine: DiffusionEngine, tmp_path: Path, suffix: str
) -> None:
    before = engine._resident
    path = tmp_path / f"model{suffix}"
    path.write_bytes(b"\x80\x04.")
    words = "no .safetensors" if suffix == ".gguf" else "save it as .safetensors first"
    with pytest.raises(ModelUnsupported, match=words):
        engine.load_model("x", ModelSpec("m", str(path), "sd15"), lambda e: None, CancelToken())
    assert engine._resident is before


def test_loading_tells_its_progress_and_can_be_cancelled(
    engine: DiffusionEngine, folder: Path
) -> None:
    spec = replace(STARTER, name="copy", path=str(folder))
    events: list[Any] = []
    cancel = CancelToken()

    def emit(event: Any) -> None:
        events.append(event)
        if len(events) == 5:
            cancel.cancel()

    before = engine._resident
    with pytest.raises(Cancelled):
        engine.load_model("x", spec, emit, cancel)
    assert engine._resident is before
    percents = [event.percent for event in events if isinstance(event, ModelLoading)]
    assert percents == sorted(percents)
    assert 0 < percents[-1] < 100


@pytest.fixture
def fresh() -> DiffusionEngine:
    engine = DiffusionEngine(threads=1)
    engine.warm_up()
    return engine


def test_a_model_is_loaded_by_the_first_render_and_can_be_unloaded(fresh: DiffusionEngine) -> None:
    events: list[Any] = []
    fresh.render("x", render_spec(steps=1), events.append, CancelToken())
    loading = [event.percent for event in events if isinstance(event, ModelLoading)]
    assert loading[-1] == 100
    assert fresh.unload_model().freed_bytes > 1_000_000
    assert fresh.memory(1).components == ()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_draws_nearly_the_same_picture(
    fresh: DiffusionEngine, draw: Draw, dtype: str
) -> None:
    from tests.engine.diffusion.drawing import Drawn

    half = Drawn()
    spec = render_spec(model=replace(STARTER, dtype=dtype, no_half_vae=True), steps=3)
    fresh.render("x", spec, half.events.append, CancelToken())
    loaded = fresh.load_model("x", spec.model, lambda event: None, CancelToken())
    assert loaded.dtype == dtype
    assert {c.name: c.dtype for c in loaded.components}["vae"] == "float32"
    assert abs(half.images[0] - draw(steps=3).images[0]).mean() < 40


def test_another_vae_can_be_given_as_a_folder(
    fresh: DiffusionEngine, draw: Draw, folder: Path
) -> None:
    from tests.engine.diffusion.drawing import Drawn

    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    tensors["decoder.conv_out.bias"] = tensors["decoder.conv_out.bias"] + 0.5
    save_file(tensors, weights)
    drawn = Drawn()
    spec = render_spec(model=replace(STARTER, vae=str(folder / "vae")), steps=2)
    fresh.render("x", spec, drawn.events.append, CancelToken())
    assert drawn.images[0].mean() > draw(steps=2).images[0].mean() + 1


def test_another_vae_alone_leaves_the_other_networks_and_what_is_merged(
    fresh: DiffusionEngine, folder: Path
) -> None:
    from tests.engine.diffusion.drawing import BUNDLED, Drawn, lora

    def render(model: ModelSpec) -> Drawn:
        drawn = Drawn()
        spec = render_spec(model=model, loras=(lora(BUNDLED[0]),), steps=2)
        fresh.render("x", spec, drawn.events.append, CancelToken())
        return drawn

    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    tensors["decoder.conv_out.bias"] = tensors["decoder.conv_out.bias"] + 0.5
    save_file(tensors, weights)
    own = render(STARTER)
    resident = fresh._resident
    assert resident is not None
    other = render(replace(STARTER, vae=str(folder / "vae")))
    assert fresh._resident is not None
    assert fresh._resident is not resident
    assert fresh._resident.components.unet is resident.components.unet
    assert fresh._resident.merger is resident.merger
    placed = [e for e in other.events if isinstance(e, ModelLoading)]
    assert {event.stage for event in placed} == {"vae"}
    assert other.images[0].mean() > own.images[0].mean() + 1
    assert (render(STARTER).images[0] == own.images[0]).all()


def test_old_names_of_text_encoder_and_vae_attention_are_understood(
    fresh: DiffusionEngine, folder: Path
) -> None:
    file = folder / "text_encoder" / "model.safetensors"
    renamed = {f"text_model.{k}": v for k, v in load_file(file).items()}
    renamed["text_model.embeddings.position_ids"] = torch.arange(16)[None]
    save_file(renamed, file)
    spec = replace(STARTER, path=str(folder))
    assert fresh.load_model("x", spec, lambda event: None, CancelToken()).family == "starter"


def test_warming_up_names_device_versions_and_samplers(fresh: DiffusionEngine) -> None:
    warm = fresh.warm_up()
    assert warm.attention in ("sdpa", "xformers")
    assert warm.versions["torch"] == torch.__version__.split("+")[0] or "torch" in warm.versions
    assert len(warm.samplers) == 7
    assert warm.device_name
