"""What `lora-sidecar doctor` looks at: the program, its parts, the data folder, and a trial run."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import psutil

from sidecar import __version__, paths
from sidecar.client import ClientFault, Sidecar
from sidecar.errors import SidecarError

State = Literal["ok", "note", "problem"]
GIGABYTE = 1e9
LITTLE_DISK_GB, LITTLE_MEMORY_GB = 2.0, 6.0
PATIENCE = 120.0

# Distribution, module, and what does not work without it.
PARTS = (
    ("torch", "torch", "drawing and LoRA switching"),
    ("safetensors", "safetensors", "reading models and LoRAs"),
    ("tokenizers", "tokenizers", "drawing"),
    ("onnxruntime", "onnxruntime", "super-resolution and the checks on pictures"),
    ("pillow", "PIL", "pictures that are not PNG"),
    ("numpy", "numpy", "everything that computes"),
    ("zxing-cpp", "zxingcpp", "finding QR codes"),
)
EXTRAS = (
    ("diffusers", "diffusers", "training styles"),
    ("peft", "peft", "training styles"),
    ("transformers", "transformers", "training styles"),
    ("xformers", "xformers", "its attention, on NVIDIA devices"),
)


@dataclass(frozen=True)
class Finding:
    """`advice`: what to do; empty where nothing needs doing."""

    topic: str
    state: State
    text: str
    advice: str = ""

    def plain(self) -> dict[str, str]:
        return asdict(self)


def examine(data: Path, models: list[Path], loras: list[Path], draw: bool) -> Iterator[Finding]:
    """Everything, in the order in which it is told. `draw`: also draw a picture."""
    yield from program()
    yield from packages()
    yield from assets()
    yield from data_folder(data)
    yield from trial(data, models, loras, draw)


def program() -> Iterator[Finding]:
    frozen = "frozen" if getattr(sys, "frozen", False) else "from Python"
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    yield Finding(
        "program", "ok", f"LoRA Sidecar {__version__}, {frozen}, Python {platform.python_version()}"
    )
    yield Finding("system", "ok", system)
    ram = psutil.virtual_memory()
    cores = psutil.cpu_count(logical=False) or os.cpu_count()
    text = f"{cores} cores, {ram.available / GIGABYTE:.1f} of {ram.total / GIGABYTE:.1f} GB free"
    if ram.total / GIGABYTE < LITTLE_MEMORY_GB:
        yield Finding("memory", "note", text, "Load larger models with low_vram: aggressive.")
    else:
        yield Finding("memory", "ok", text)


def packages() -> Iterator[Finding]:
    frozen = getattr(sys, "frozen", False)
    for name, module, purpose in PARTS:
        if find_spec(module) is not None:
            yield Finding("package", "ok", f"{name} {_version(name)}")
        elif frozen:
            yield Finding("package", "note", f"{name} is not part of this build: no {purpose}.")
        else:
            advice = f"Install it: pip install {name}"
            yield Finding("package", "problem", f"{name} is missing: no {purpose}.", advice)
    for name, module, purpose in EXTRAS:
        if find_spec(module) is not None:
            yield Finding("package", "ok", f"{name} {_version(name)}")
        else:
            yield Finding("package", "note", f"{name} is not here; it is needed for {purpose}.")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(version unknown)"


def assets() -> Iterator[Finding]:
    """Files that come with the package, and those that `make assets` puts there."""
    again = "Install the program again."
    fetch = again if getattr(sys, "frozen", False) else "Run make assets."
    drawing = find_spec("torch") is not None
    starter = paths.starter_folder() / "model_index.json"
    wanted = [
        ("networks that enlarge", any(paths.upscaler_folder().glob("*.onnx")), fetch),
        ("networks that check", paths.check_model("open-nsfw").is_file(), fetch),
    ]
    if drawing:
        styles = any(paths.bundled_lora_folder().glob("*.safetensors"))
        wanted.insert(0, ("the starter model", starter.is_file(), again))
        wanted.insert(1, ("the bundled styles", styles, again))
        wanted.append(("the vocabulary of CLIP", paths.clip_vocabulary().is_file(), fetch))
    for what, there, advice in wanted:
        if there:
            yield Finding("asset", "ok", what)
        else:
            yield Finding("asset", "problem", f"{what}: missing", advice)


def data_folder(data: Path) -> Iterator[Finding]:
    place = next(p for p in (data, *data.parents) if p.exists())
    free = shutil.disk_usage(place).free / GIGABYTE
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as exc:
        advice = "Choose another folder with --data-dir, or change its permissions."
        yield Finding("data", "problem", f"{data} cannot be written to: {exc.strerror}", advice)
    else:
        yield Finding("data", "ok", str(data))
    text = f"{free:.1f} GB free"
    if free < LITTLE_DISK_GB:
        yield Finding("disk", "note", text, "Pictures may soon find no room.")
    else:
        yield Finding("disk", "ok", text)
    yield from _history(paths.DataFolder(data).database)


def _history(database: Path) -> Iterator[Finding]:
    if not database.is_file():
        return
    try:
        connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
        try:
            verdict = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
            count = int(connection.execute("SELECT count(*) FROM entries").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error as exc:
        verdict, count = str(exc), 0
    if verdict == "ok":
        yield Finding("history", "ok", f"{count} pictures")
    else:
        advice = "The sidecar moves it aside at its next start and rebuilds it from the pictures."
        yield Finding("history", "problem", f"{database.name}: {verdict}", advice)


def trial(data: Path, models: list[Path], loras: list[Path], draw: bool) -> Iterator[Finding]:
    """A sidecar of its own, on an empty data folder, with the same models and styles."""
    with tempfile.TemporaryDirectory(prefix="lora-sidecar-doctor-") as folder:
        own = paths.DataFolder(data)
        arguments = [
            word
            for option, places in (
                ("--models", (own.models, *models)),
                ("--loras", (own.loras, *loras)),
            )
            for place in places
            if place.is_dir()
            for word in (option, str(place.absolute()))
        ]
        try:
            yield from _driven(Path(folder), arguments, draw)
        except (SidecarError, ClientFault, OSError) as exc:
            yield Finding("run", "problem", str(exc), "Send this report with a bug report.")


def _driven(folder: Path, arguments: list[str], draw: bool) -> Iterator[Finding]:
    log = folder / "sidecar.log"
    started = time.perf_counter()
    with Sidecar.spawn(folder / "data", arguments=arguments, log=log, timeout=PATIENCE) as sidecar:
        yield Finding("start", "ok", f"answers {_since(started):.0f} ms after it is started")
        yield from _library(sidecar)
        yield from _drawn(sidecar, draw and find_spec("torch") is not None)
        for device in sidecar.vram_report().devices:
            free = "" if device.free is None else f", {device.free / GIGABYTE:.1f} GB free"
            yield Finding("device", "ok", f"{device.name} ({device.kind}){free}")
        code = sidecar.stop()
    if code == 0:
        yield Finding("end", "ok", "ends when its input ends")
    else:
        yield Finding("end", "problem", f"ended with code {code}", _last_line(log))


def _library(sidecar: Sidecar) -> Iterator[Finding]:
    found = sidecar.list_models()
    yield Finding("models", "ok", ", ".join(card.name for card in found) or "none")
    cards = sidecar.list_loras()
    yield Finding("styles", "ok", ", ".join(card.name for card in cards) or "none")
    for card in cards:
        for warning in card.warnings:
            yield Finding("styles", "note", f"{card.name}: {warning}")


def _drawn(sidecar: Sidecar, wanted: bool) -> Iterator[Finding]:
    if not wanted:
        return
    sidecar.load_model("starter")
    started = time.perf_counter()
    sidecar.preview("red apple", seed=1)
    yield Finding("drawing", "ok", f"a preview of the starter model in {_since(started):.0f} ms")


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return json.dumps(lines[-1]) if lines else ""
