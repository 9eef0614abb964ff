"""Whole runs on a tiny model: resume, early stopping, both predictions, the file that comes out."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from sidecar.catalog import LoraCatalog
from sidecar.engine.contract import CancelToken
from sidecar.engine.train.base_model import load_base
from sidecar.engine.train.dataset import read_dataset
from sidecar.engine.train.job import TrainingJob, train
from sidecar.engine.train.network import LoraNetwork
from sidecar.engine.train.preset import load_preset, parse_preset
from sidecar.engine.train.trainer import Trainer, Update
from sidecar.errors import Cancelled, InvalidParams, ModelNotFound, ModelUnsupported
from tests.engine.train.tiny import PRESET, SIDE, torch

pytestmark = pytest.mark.engine

CPU = torch.device("cpu")


def new_trainer(
    model: Path, data: Path, folder: Path, preset: dict[str, Any], stop_after: int | None = None
) -> Trainer:
    """A trainer that is cancelled once `stop_after` steps were reported."""
    cancel = CancelToken()

    def report(update: Update) -> None:
        if stop_after is not None and update.phase != "encode" and update.done >= stop_after:
            cancel.cancel()

    base = load_base(model, "tiny", CPU)
    return Trainer(base, parse_preset(preset), read_dataset(data), folder, report, cancel)


def often_told(preset: dict[str, Any]) -> dict[str, Any]:
    preset = copy.deepcopy(preset)
    for stage in preset["stages"]:
        stage["log_interval"] = 1
    return preset


def tensors(network: LoraNetwork) -> dict[str, Any]:
    return {name: value.clone() for name, value in network.folded().items()}


@pytest.fixture(scope="module")
def uninterrupted(model: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("whole")
    return tensors(new_trainer(model, data, folder, often_told(PRESET)).run(resume=False))


@pytest.mark.parametrize("stop_after", [1, 2, 3, 5, 8])
def test_a_stopped_run_goes_on_to_the_very_same_bits(
    model: Path, data: Path, tmp_path: Path, uninterrupted: Any, stop_after: int
) -> None:
    preset = often_told(PRESET)
    with pytest.raises(Cancelled):
        new_trainer(model, data, tmp_path, preset, stop_after).run(resume=False)
    resumed = tensors(new_trainer(model, data, tmp_path, preset).run(resume=True))
    assert resumed.keys() == uninterrupted.keys()
    assert all(torch.equal(resumed[name], uninterrupted[name]) for name in resumed)


def test_a_run_cut_off_between_checkpoints_goes_on_from_the_last_one(
    model: Path, data: Path, tmp_path: Path, uninterrupted: Any
) -> None:
    class Cut(Exception):
        pass

    def cut(update: Update) -> None:
        if update.phase == "style" and update.done == 6:
            raise Cut

    trainer = new_trainer(model, data, tmp_path, often_told(PRESET))
    trainer._report = cut  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(Cut):
        trainer.run(resume=False)
    resumed = tensors(new_trainer(model, data, tmp_path, often_told(PRESET)).run(resume=True))
    assert all(torch.equal(resumed[name], uninterrupted[name]) for name in resumed)


def test_a_checkpoint_of_other_settings_is_refused(model: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        new_trainer(model, data, tmp_path, often_told(PRESET), 2).run(resume=False)
    with pytest.raises(InvalidParams, match="another model, preset or data set"):
        new_trainer(model, data, tmp_path, {**often_told(PRESET), "seed": 9}).run(resume=True)


def test_training_lowers_the_held_out_loss_of_what_it_learns(
    model: Path, data: Path, tmp_path: Path
) -> None:
    preset = {**PRESET, "ema": 0.0, "guidance_dropout": 0.0}
    preset["stages"] = [
        {"name": "only", "alpha": 1.0, "lr": 5e-3, "batch_size": 4, "max_epoch": 15}
    ]
    trainer = new_trainer(model, data, tmp_path, preset)
    network = trainer.run(resume=False)
    after = trainer.holdout_loss(trainer.plans[0])
    with network.at_scale(0.0):
        before = trainer.holdout_loss(trainer.plans[0])
    assert after < 0.97 * before


def test_a_stage_that_does_not_improve_ends_early_with_its_best_weights(
    model: Path, data: Path, tmp_path: Path
) -> None:
    preset = {**PRESET, "ema": 0.0}
    preset["stages"] = [
        {"name": "only", "alpha": 1.0, "lr": 1e-6, "batch_size": 6, "max_epoch": 50,
         "early_stopping_patience": 2}
    ]  # fmt: skip
    trainer = new_trainer(model, data, tmp_path, preset)
    losses = iter([3.0, 1.0, 2.0, 2.0, 0.1])
    seen: list[dict[str, Any]] = []

    def judged(_plan: object) -> float:
        seen.append(tensors(trainer.network))
        return next(losses)

    trainer.holdout_loss = judged  # type: ignore[method-assign]
    network = trainer.run(resume=False)
    record = trainer.position.records[0]
    assert (record.steps, record.best_epoch) == (4, 1)
    assert all(torch.equal(v, seen[1][k]) for k, v in network.folded().items())


def test_early_epochs_are_not_judged_where_the_preset_says_so(
    model: Path, data: Path, tmp_path: Path
) -> None:
    preset = {**PRESET, "ema": 0.0}
    preset["stages"] = [
        {"name": "only", "alpha": 1.0, "lr": 1e-6, "batch_size": 6, "max_epoch": 50,
         "early_stopping_patience": 1, "early_stopping_after": 3}
    ]  # fmt: skip
    trainer = new_trainer(model, data, tmp_path, preset)
    losses = iter([1.0, 2.0])
    trainer.holdout_loss = lambda plan: next(losses)  # type: ignore[method-assign]
    trainer.run(resume=False)
    record = trainer.position.records[0]
    assert (record.steps, record.best_epoch, record.holdout_losses) == (5, 3, [1.0, 2.0])


def test_the_function_goes_on_when_the_next_stage_has_another_alpha(
    model: Path, data: Path, tmp_path: Path
) -> None:
    preset = {**PRESET, "ema": 0.0}
    preset["stages"] = [
        {"name": "low", "alpha": 0.1, "lr": 1e-2, "batch_size": 2, "max_epoch": 1},
        {"name": "high", "alpha": 0.5, "lr": 1e-9, "batch_size": 2, "max_epoch": 1, "max_steps": 1},
    ]
    ended: list[dict[str, Any]] = []
    trainer = new_trainer(model, data, tmp_path, preset)
    network = trainer.run(False, lambda plan: ended.append(tensors(trainer.network)))
    assert network.scale == 0.5
    for name, value in network.folded().items():
        assert torch.allclose(value, ended[0][name], atol=1e-6)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_the_sd15_preset_trains_a_model_of_that_structure(
    prediction: str, model: Path, v_model: Path, data: Path, tmp_path: Path
) -> None:
    folder = model if prediction == "epsilon" else v_model
    preset = load_preset("sd15").model_dump()
    preset |= {"resolution": SIDE}
    for stage in preset["stages"]:
        stage["max_steps"] = 2
    trainer = new_trainer(folder, data, tmp_path, preset)
    assert trainer.base.prediction == prediction
    assert trainer.base.embed(["a cat, <target>, high quality"]).shape[1] == 77
    network = trainer.run(resume=False)
    assert [record.name for record in trainer.position.records] == ["warm-up", "style", "hardening"]
    assert max(float(v.abs().max()) for k, v in network.folded().items() if "lora_B" in k) > 0


def job_of(model: Path, data: Path, folder: Path, **changes: Any) -> TrainingJob:
    (folder / "preset.json").write_text(json.dumps(PRESET))
    given: dict[str, Any] = {
        "preset": str(folder / "preset.json"),
        "data": data,
        "out": folder / "loras" / "blocks.safetensors",
        "model": model,
        "model_name": "tiny",
    }
    return TrainingJob(**{**given, **changes})


@pytest.fixture(scope="module")
def finished(model: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished LoRA with sheets beside; its author had written a card before."""
    folder = tmp_path_factory.mktemp("job")
    (folder / "loras").mkdir()
    own = {"title": "My blocks", "license": "MIT", "sources": [{"name": "drawn by me"}]}
    (folder / "loras" / "blocks.json").write_text(json.dumps(own))
    job = job_of(model, data, folder, sheets=folder / "sheets")
    return train(job, lambda update: None, CancelToken())


def test_the_file_loads_in_diffusers_with_every_module(finished: Path, model: Path) -> None:
    from diffusers import StableDiffusionPipeline
    from peft.tuners.lora import LoraLayer
    from safetensors.torch import load_file

    pipeline = StableDiffusionPipeline.from_pretrained(model, local_files_only=True)
    pipeline.load_lora_weights(finished.parent, weight_name=finished.name, adapter_name="x")
    layers = [m for m in pipeline.unet.modules() if isinstance(m, LoraLayer)]
    saved = load_file(finished)
    assert 2 * len(layers) == len(saved) > 0
    assert {layer.scaling["x"] for layer in layers} == {1.0}
    for name, value in saved.items():
        module, _, factor = name.removeprefix("unet.").rpartition(".lora_")
        given = getattr(pipeline.unet.get_submodule(module), f"lora_{factor[0]}")["x"].weight
        assert torch.equal(given, value.float())


def test_the_catalogue_reads_the_file_and_its_card(finished: Path) -> None:
    card = LoraCatalog([finished.parent]).find("blocks").card
    assert (card.title, card.license, card.rank) == ("My blocks", "MIT", 4)
    assert card.alpha_range == (0.3, 1.0)
    assert card.preview is not None
    assert Path(card.preview).is_file()
    assert card.warnings == []


def test_the_header_says_how_the_file_was_made(finished: Path) -> None:
    from safetensors import safe_open

    with safe_open(finished, framework="pt") as file:
        metadata = file.metadata()
    stages = json.loads(metadata["sidecar.stages"])
    assert [stage["name"] for stage in stages] == ["warm-up", "style", "hardening"]
    assert (metadata["ss_network_dim"], metadata["modelspec.sai_model_spec"]) == ("4", "1.0.0")
    assert metadata["modelspec.prediction_type"] == "epsilon"


def test_there_is_a_sample_sheet_for_each_stage_and_nothing_else_is_left(finished: Path) -> None:
    sheets = sorted(p.name for p in (finished.parents[1] / "sheets").iterdir())
    assert sheets == ["blocks-1-warm-up.png", "blocks-2-style.png", "blocks-3-hardening.png"]
    left = sorted(p.name for p in finished.parent.iterdir())
    assert left == ["blocks.json", "blocks.png", "blocks.safetensors"]


def test_a_run_can_begin_from_a_finished_lora(
    finished: Path, model: Path, data: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    trainer = new_trainer(model, data, tmp_path, PRESET)
    trainer.network.set_scale(0.5)
    trainer.network.start_from(finished)
    for name, value in load_file(finished).items():
        assert torch.allclose(trainer.network.folded()[name], value.float(), atol=1e-6)


def test_a_lora_of_another_rank_cannot_be_begun_from(
    finished: Path, model: Path, data: Path, tmp_path: Path
) -> None:
    trainer = new_trainer(model, data, tmp_path, {**PRESET, "rank": 2})
    with pytest.raises(InvalidParams, match="another rank"):
        trainer.network.start_from(finished)


def test_target_modules_that_the_model_has_not_are_refused(
    model: Path, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(InvalidParams, match="no layer of the model"):
        new_trainer(model, data, tmp_path, {**PRESET, "target_modules": ["to_nowhere"]})


def test_a_model_that_is_not_there_or_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        load_base(tmp_path / "none", "none", CPU)
    (tmp_path / "single.safetensors").write_bytes(b"")
    with pytest.raises(ModelUnsupported):
        load_base(tmp_path / "single.safetensors", "single", CPU)
