"""`lora-sidecar train` as a real process: what it prints, and kill -9 in the middle."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.cli.terminal import ProgressLine
from sidecar.cli.train import add_arguments, out_path, run
from tests.engine.train.tiny import PRESET

pytestmark = pytest.mark.engine

LIMIT = 300.0


def command(model: Path, data: Path, folder: Path, *more: str) -> list[str]:
    preset = json.loads(json.dumps(PRESET))
    for stage in preset["stages"]:
        stage |= {"log_interval": 1, "checkpoint_save_strategy": "steps:1"}
    (folder / "preset.json").write_text(json.dumps(preset))
    arguments = ["--preset", str(folder / "preset.json"), "--data", str(data), "--threads", "1"]
    arguments += ["--model", str(model), "--out", str(folder / "blocks.safetensors")]
    return [sys.executable, "-m", "sidecar", "train", *arguments, *more]


@pytest.mark.timeout(2 * LIMIT)
def test_a_killed_training_resumes_and_prints_only_the_path(
    model: Path, data: Path, tmp_path: Path
) -> None:
    checkpoint = tmp_path / ".blocks.training" / "checkpoint.pt"
    first = subprocess.Popen(
        command(model, data, tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert first.stderr is not None
    for line in first.stderr:
        if "step 2 of" in line:
            first.kill()
            break
    first.communicate(timeout=LIMIT)
    assert first.returncode == -signal.SIGKILL
    assert checkpoint.is_file()
    again = subprocess.run(
        command(model, data, tmp_path, "--resume"), capture_output=True, text=True, timeout=LIMIT
    )
    assert again.returncode == 0, again.stderr
    assert again.stdout == f"{tmp_path / 'blocks.safetensors'}\n"
    assert "Going on with stage" in again.stderr
    assert "100%" in again.stderr
    assert (tmp_path / "blocks.json").is_file()
    assert not checkpoint.parent.exists()


def in_process(words: list[str]) -> int:
    """The command's exit code, run here (importing diffusers anew takes seconds)."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args(words[4:]))


@pytest.fixture
def _own_signals() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    former = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, former, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("_own_signals")
def test_a_polite_stop_leaves_a_checkpoint_and_says_how_to_go_on(
    model: Path,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Stopping(ProgressLine):
        def show(self, label: str, fraction: float) -> None:
            if "step 1 of" in label:
                signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("sidecar.cli.train.ProgressLine", Stopping)
    assert in_process(command(model, data, tmp_path)) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert "--resume" in err
    assert (tmp_path / ".blocks.training" / "checkpoint.pt").is_file()


@pytest.mark.usefixtures("_own_signals")
def test_a_bad_data_set_is_one_sentence_on_stderr(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert in_process(command(model, tmp_path / "nothing", tmp_path)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "cannot be used" in err


def test_a_bare_name_goes_into_the_lora_folder_of_the_data(tmp_path: Path) -> None:
    assert out_path("ink", tmp_path) == tmp_path / "loras" / "ink.safetensors"
    assert out_path(f"{tmp_path}/x/ink", None) == tmp_path / "x" / "ink.safetensors"
