"""The frozen programs, driven over stdio as an app does it; `make freeze` makes them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sidecar.client import Sidecar, picture_bytes
from sidecar.errors import EngineMissing
from sidecar.paths import package_root
from tests.rpc.child import gone
from tools.freeze.bill import BILL, LICENSES, RULE

DIST = Path(os.environ.get("SIDECAR_FROZEN") or Path(__file__).parents[2] / "dist")
SUFFIX = ".exe" if os.name == "nt" else ""
FULL, LITE = "lora-sidecar", "lora-sidecar-lite"
PRESETS = package_root() / "engine" / "train" / "presets"
LORAS = Path(__file__).parents[2] / "loras"
MEGABYTES = {FULL: 780, LITE: 200}
BARE = {"PATH": str(Path(os.devnull)), "HOME": str(Path(os.sep, "nonexistent"))}
"""No Python to be found, nor anything else."""


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A program in a folder with spaces and letters of many alphabets."""
    place = tmp_path_factory.mktemp("Mein Prógramm 模型 ")

    def program(variant: str) -> Path:
        frozen = DIST / variant
        if not frozen.is_dir():
            pytest.skip(f"make freeze has not made {variant}")
        if not (place / variant).exists():
            shutil.copytree(frozen, place / variant, symlinks=True, copy_function=_link)
        return place / variant / f"lora-sidecar{SUFFIX}"

    yield program
    shutil.rmtree(place)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def spawned(program: Path, data: Path, log: Path) -> Sidecar:
    env = {**BARE, **({"SYSTEMROOT": os.environ["SYSTEMROOT"]} if os.name == "nt" else {})}
    return Sidecar.spawn(data, command=[str(program), "serve"], env=env, log=log, timeout=300)


@pytest.mark.parametrize("variant", [FULL, LITE])
def test_it_is_no_larger_than_promised(variant: str) -> None:
    if not (DIST / variant).is_dir():
        pytest.skip(f"make freeze has not made {variant}")
    files = [path for path in (DIST / variant).rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files if not path.is_symlink())
    assert size / 1e6 <= MEGABYTES[variant]


@pytest.mark.parametrize("variant", [FULL, LITE])
def test_nothing_is_in_it_that_may_not_be_passed_on_or_is_never_imported(variant: str) -> None:
    if not (DIST / variant).is_dir():
        pytest.skip(f"make freeze has not made {variant}")
    names = " ".join(path.name for path in (DIST / variant).rglob("*"))
    unwanted = ("readline", "libtinfo", "curses", "libuuid", "libcudart", "hf_xet.abi3")
    assert [name for name in unwanted if name in names] == []


@pytest.mark.parametrize("variant", [FULL, LITE])
def test_it_says_what_it_is_made_of(variant: str) -> None:
    if not (DIST / variant).is_dir():
        pytest.skip(f"make freeze has not made {variant}")
    inside = DIST / variant / "_internal"
    names = {part["name"] for part in json.loads((inside / BILL).read_text())["components"]}
    assert {"Python", "onnxruntime", "pydantic", "pyinstaller"} <= names
    assert ("torch" in names) == (variant == FULL)
    assert "Permission is hereby granted" in (inside / LICENSES).read_text(encoding="utf-8")


@pytest.mark.parametrize("variant", [FULL, LITE])
def test_the_bill_covers_each_library_and_network_and_there_is_a_licence_for_each_part(
    variant: str,
) -> None:
    if not (DIST / variant).is_dir():
        pytest.skip(f"make freeze has not made {variant}")
    inside = DIST / variant / "_internal"
    parts = json.loads((inside / BILL).read_text(encoding="utf-8"))["components"]
    told = {
        place["location"]
        for part in parts
        for place in part.get("evidence", {}).get("occurrences", [])
    }
    files = [path for path in inside.rglob("*") if path.is_file() and not path.is_symlink()]
    assert told == {path.relative_to(inside).as_posix() for path in files if is_foreign(path)}
    chapters = chapters_of((inside / LICENSES).read_text(encoding="utf-8"))
    titles = {f"{part['name']} {part.get('version', '')}".strip() for part in parts}
    assert titles == set(chapters)
    assert [title for title, body in chapters.items() if len(body) < 30] == []
    assert all(part.get("licenses") for part in parts)


def is_foreign(path: Path) -> bool:
    """A library, a program or a network, by what it begins with or is called."""
    with path.open("rb") as file:
        magic = file.read(4)
    return magic == b"\x7fELF" or path.suffix in (".so", ".onnx", ".safetensors", ".gz", ".pyd")


def chapters_of(licenses: str) -> dict[str, str]:
    """The texts by the titles over them."""
    _, *pieces = re.split(rf"^{RULE}\n(.+)\n{RULE}\n", licenses, flags=re.MULTILINE)
    return dict(zip(pieces[::2], map(str.strip, pieces[1::2]), strict=True))


@pytest.mark.engine
def test_the_main_job_in_the_full_program(moved: Any, tmp_path: Path) -> None:
    with spawned(moved(FULL), tmp_path / "Dàta 数据 x", tmp_path / "log") as sidecar:
        sidecar.load_model("starter")
        receipt = sidecar.switch_lora("ink", 0.8)
        assert receipt.matched_keys == receipt.total_keys
        first = sidecar.preview("red apple", seed=1)
        sidecar.set_alpha(0.2)
        second = sidecar.preview("red apple", seed=1)
        assert picture_bytes(first.image) != picture_bytes(second.image)
        made = sidecar.generate("red apple", seed=1, width=128, height=128).images[0]
        assert made.path is not None
        assert Path(made.path).is_file()
        sidecar.switch_lora(None)
        back = sidecar.call("history_rollback", {"id": made.history_id})
        assert [entry["name"] for entry in back["state"]["loras"]] == ["ink"]
        larger = sidecar.call("upscale", {"image": {"path": made.path}, "scale": 2})
        assert larger["images"][0]["width"] == 256
        processes = [psutil.Process(pid) for pid in sidecar.status().pids.values()]
        assert sidecar.stop() == 0
    assert all(gone(process) for process in processes)


def test_the_lite_program_enlarges_and_says_that_it_cannot_draw(moved: Any, tmp_path: Path) -> None:
    picture = LORAS / "ink.png"
    with spawned(moved(LITE), tmp_path / "data", tmp_path / "log") as sidecar:
        with pytest.raises(EngineMissing):
            sidecar.load_model("starter")
        larger = sidecar.call("upscale", {"image": {"path": str(picture)}, "scale": 2})
        assert Path(larger["images"][0]["path"]).is_file()
        enhanced = sidecar.call("enhance", {"image": {"path": str(picture)}, "scale": 2})
        assert enhanced["path_used"] == "onnx"
        assert sidecar.scan_lora(picture.with_suffix(".safetensors")).verdict == "clean"
        assert sidecar.call("history_list", {})["total"] == 2
        assert sidecar.stop() == 0


@pytest.mark.engine
def test_the_full_program_trains_a_style(moved: Any, tmp_path: Path) -> None:
    """With diffusers, transformers and peft, which nothing else in it uses."""
    preset = json.loads((PRESETS / "starter.json").read_text())
    for stage in preset["stages"]:
        stage["max_epoch"] = 1
    (tmp_path / "short.json").write_text(json.dumps(preset))
    for folder in ("target", "source", "holdout", "negative"):
        for subject, style in (("red apple", "ink"), ("owl", "night")):
            (tmp_path / "data" / folder).mkdir(parents=True, exist_ok=True)
            shutil.copy(LORAS / f"{style}.png", tmp_path / "data" / folder / f"{subject}.png")
            (tmp_path / "data" / folder / f"{subject}.txt").write_text(subject)
    words = [str(moved(FULL)), "train", "--preset", str(tmp_path / "short.json")]
    words += ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "mine.safetensors")]
    done = subprocess.run(words, env=BARE, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert b".lora_A.weight" in (tmp_path / "mine.safetensors").read_bytes()


@pytest.mark.parametrize("variant", [FULL, LITE])
def test_its_doctor_is_content(moved: Any, variant: str, tmp_path: Path) -> None:
    data = tmp_path / "Dàta 数据"
    words = [str(moved(variant)), "doctor", "--data-dir", str(data), "--json"]
    done = subprocess.run(
        words, env=BARE, capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    findings = json.loads(done.stdout)
    assert [finding for finding in findings if finding["state"] == "problem"] == []
    assert str(data) in [finding["text"] for finding in findings if finding["topic"] == "data"]
    assert done.returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="closes streams with a POSIX shell")
def test_its_doctor_needs_no_streams(moved: Any, tmp_path: Path) -> None:
    program = [str(moved(LITE)), "doctor", "--no-drawing", "--data-dir", str(tmp_path)]
    words = ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *program]
    assert subprocess.run(words, env=BARE, timeout=300, check=False).returncode == 0
