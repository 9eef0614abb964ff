"""Presets: what the bundled ones say, and what is refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from sidecar.engine.train.preset import load_preset, parse_preset
from sidecar.errors import InvalidParams

pytestmark = pytest.mark.engine

GOOD: dict[str, Any] = {
    "name": "x",
    "rank": 4,
    "target_modules": ["to_q"],
    "stages": [{"name": "one", "alpha": 1.0, "lr": 1e-4, "batch_size": 1, "max_epoch": 1}],
}


def test_the_sd15_preset_has_the_three_stages_with_their_figures() -> None:
    warm_up, style, hardening = load_preset("sd15").stages
    assert (warm_up.alpha, warm_up.lr, warm_up.batch_size, warm_up.max_epoch) == (0.1, 1e-4, 4, 3)
    assert warm_up.source_fraction == 0.5
    assert (style.alpha, style.lr, style.batch_size, style.max_epoch) == (0.5, 5e-5, 2, 5)
    assert style.early_stopping_patience is not None
    assert style.source_fraction == 0
    assert hardening.negative_weight > 0
    assert set(hardening.augment) == {"translation", "cutout", "color"}


@pytest.mark.parametrize("name", ["sd15", "starter"])
def test_each_bundled_preset_warms_up_then_learns_then_hardens(name: str) -> None:
    stages = load_preset(name).stages
    assert [stage.name for stage in stages] == ["warm-up", "style", "hardening"]
    assert stages[0].alpha < stages[1].alpha
    assert stages[0].source_fraction == 0.5
    assert stages[1].early_stopping_patience is not None
    assert stages[2].negative_weight > 0
    assert stages[2].augment


def test_the_trigger_word_takes_the_place_of_the_mark() -> None:
    preset = load_preset("sd15").model_copy(update={"trigger": "sks style"})
    assert preset.template(preset.stages[0]) == "{prompt}, sks style, high quality"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("alpha", 0),
        ("lr", -1e-4),
        ("lr", float("nan")),
        ("batch_size", 0),
        ("max_epoch", 0),
        ("prompt_template", "high quality"),
        ("source_fraction", 1.5),
        ("checkpoint_save_strategy", "sometimes"),
        ("augment", ["rotate"]),
        ("learning_rate", 1e-4),
    ],
)
def test_a_bad_stage_field_is_refused_by_its_path(field: str, value: Any) -> None:
    preset = copy.deepcopy(GOOD)
    preset["stages"][0][field] = value
    with pytest.raises(InvalidParams) as refused:
        parse_preset(preset)
    assert refused.value.fields["errors"][0]["path"].startswith(f"stages.0.{field}")


def test_an_unknown_preset_names_those_that_exist() -> None:
    with pytest.raises(InvalidParams) as refused:
        load_preset("sdxl")
    assert "sd15, starter" in refused.value.message()


@pytest.mark.parametrize("name", ["../starter", "/etc/passwd", ""])
def test_only_names_of_bundled_presets_and_json_files_are_read(name: str) -> None:
    with pytest.raises(InvalidParams):
        load_preset(name)


def test_a_preset_file_that_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(InvalidParams, match="not valid JSON"):
        load_preset(str(tmp_path / "bad.json"))


def test_a_preset_of_ones_own_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text(json.dumps(GOOD))
    assert load_preset(str(tmp_path / "own.json")).rank == 4
