"""What a built wheel holds: the program, the starter model and its styles."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from sidecar.paths import (
    bundled_lora_folder,
    check_model,
    clip_vocabulary,
    starter_folder,
    upscaler_folder,
)

ROOT = Path(__file__).resolve().parents[2]
BUILD_SECONDS = 300


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel built from this checkout, with what is installed already."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    built = subprocess.run(
        [*command, str(ROOT)], capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    with ZipFile(next(out.glob("*.whl"))) as wheel:
        return set(wheel.namelist())


def test_the_wheel_has_every_module(names: set[str]) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "sidecar").rglob("*.py")}
    assert modules <= names


def test_the_wheel_has_the_starter_model(names: set[str]) -> None:
    starter = starter_folder()
    files = {
        f"sidecar/assets/starter/{path.relative_to(starter).as_posix()}"
        for path in starter.rglob("*")
        if path.is_file()
    }
    assert "sidecar/assets/starter/unet/diffusion_pytorch_model.safetensors" in files
    assert files <= names


def test_the_wheel_has_the_bundled_loras(names: set[str]) -> None:
    files = {f"sidecar/assets/loras/{path.name}" for path in bundled_lora_folder().glob("*.*")}
    assert any(name.endswith(".safetensors") for name in files)
    assert files <= names


def test_the_wheel_has_the_vocabulary_of_clip_and_its_licence(names: set[str]) -> None:
    vocabulary = f"sidecar/assets/clip/{clip_vocabulary().name}"
    assert clip_vocabulary().is_file(), "make assets"
    assert {vocabulary, "sidecar/assets/clip/LICENSE"} <= names


def test_the_wheel_has_the_networks_for_pictures_and_their_licences(names: set[str]) -> None:
    files = [*upscaler_folder().iterdir(), *check_model("open-nsfw").parent.iterdir()]
    networks = {path.name for path in files if path.suffix == ".onnx"}
    assert {"realesr-animevideov3.onnx", "open-nsfw.onnx", "text-finder.onnx"} <= networks
    wanted = {f"sidecar/assets/{path.parent.name}/{path.name}" for path in files}
    assert wanted <= names
    assert {"sidecar/assets/upscale/LICENSE", "sidecar/assets/checks/LICENSE"} <= names


def test_the_wheel_has_the_licence_and_no_tests(names: set[str]) -> None:
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any(
        name.startswith(("tests/", "tools/", "benchmarks/", "starter/")) for name in names
    )
