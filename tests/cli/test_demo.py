"""The demo and the generate command, from start to end, on the fake engine."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from sidecar.cli.contact_sheet import Group, Sheet, draw_sheet
from sidecar.paths import bundled_lora_folder
from sidecar.protocol.openrpc import document

SECONDS = 300


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sidecar", *words],
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )


@dataclass(frozen=True)
class Demo:
    done: subprocess.CompletedProcess[str]
    out: Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo with two prompts, run once."""
    out = tmp_path_factory.mktemp("demo")
    done = command("demo", "--engine", "fake", "--prompts", "2", "--out", str(out))
    assert done.returncode == 0, done.stderr
    return Demo(done, out)


def test_the_demo_writes_a_contact_sheet_and_the_time_of_every_call(demo: Demo) -> None:
    styles = len(list(bundled_lora_folder().glob("*.safetensors")))
    timings = (demo.out / "timings.txt").read_text("utf-8")
    assert f"{2 * (1 + 3 * styles)} pictures with {styles} styles" in demo.done.stdout
    assert timings.strip() in demo.done.stdout
    for call in ("load_model", "switch_lora", "set_alpha", "generate", "history_rollback"):
        assert call in timings
    with Image.open(demo.out / "contact-sheet.png") as sheet:
        assert sheet.width > (1 + 3 * styles) * 256


def test_the_demo_rolls_back_to_the_same_bytes(demo: Demo) -> None:
    assert "the same bytes" in demo.done.stdout
    assert "nothing drawn" in demo.done.stdout


def test_progress_is_told_in_plain_lines_where_there_is_no_terminal(demo: Demo) -> None:
    assert "\r" not in demo.done.stderr
    assert "\x1b" not in demo.done.stderr
    assert "100%  slider" in demo.done.stderr


def test_generate_writes_the_picture_where_it_is_told_to(tmp_path: Path) -> None:
    out = tmp_path / "new" / "apple.png"
    lora = sorted(bundled_lora_folder().glob("*.safetensors"))[0].stem
    done = command(
        *("generate", "red apple", "--engine", "fake", "--data-dir", str(tmp_path / "data")),
        *("--lora", lora, "--alpha", "0.5", "--seed", "3", "--out", str(out)),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{out}  seed 3\n"
    with Image.open(out) as picture:
        assert "Seed: 3" in picture.info["parameters"]


def test_generate_numbers_several_pictures(tmp_path: Path) -> None:
    done = command(
        *("generate", "red apple", "--engine", "fake", "--data-dir", str(tmp_path / "data")),
        *("--count", "2", "--seed", "3", "--out", str(tmp_path / "apple.png")),
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "apple-1.png").is_file()
    assert (tmp_path / "apple-2.png").is_file()


def test_generate_says_in_a_sentence_what_is_wrong(tmp_path: Path) -> None:
    done = command(
        *("generate", "red apple", "--engine", "fake", "--data-dir", str(tmp_path / "data")),
        *("--lora", "nonesuch"),
    )
    assert done.returncode == 1
    assert "There is no LoRA named “nonesuch”" in done.stderr
    assert "Traceback" not in done.stderr


def test_openrpc_prints_the_document() -> None:
    assert json.loads(command("openrpc").stdout) == document()


def test_the_sheet_puts_each_picture_into_its_cell(tmp_path: Path) -> None:
    def solid(colour: str) -> bytes:
        data = BytesIO()
        Image.new("RGB", (16, 16), colour).save(data, "PNG")
        return data.getvalue()

    colours = [["#ff0000", "#00ff00"], ["#0000ff", "#ffff00"]]
    sheet = Sheet(
        title="Title",
        subtitle="Subtitle",
        footer="Footer",
        groups=[Group("No LoRA", [""]), Group("Ink", ["1"])],
        rows=["first", "second"],
        cells=[[solid(colour) for colour in row] for row in colours],
        cell=64,
    )
    picture = draw_sheet(sheet)
    counted = {colour: n for n, colour in picture.getcolors(1 << 24) or []}
    for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)):
        assert counted[colour] == 64 * 64
