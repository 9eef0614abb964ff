"""Spawn to the reply to `initialize`, and spawn to the first finished picture."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.children import ANSWER_SECONDS, SERVE, Child, running
from benchmarks.measuring import PEERS, Peer, Row, in_turns
from sidecar.catalog.models import ModelCatalog
from sidecar.paths import starter_folder

INITIALIZE_ROUNDS, PICTURE_ROUNDS = 8, 5
PROMPT, SEED = "red apple", 1


def measure(scale: float) -> list[Row]:
    with TemporaryDirectory(prefix="lora-sidecar-bench-") as folder:
        return [initialize_row(Path(folder), scale), first_picture_row(Path(folder), scale)]


def initialize_row(folder: Path, scale: float) -> Row:
    timed = in_turns(
        {
            "ours": lambda _: spawn_and_initialize(folder),
            "diffusers": lambda _: run_to_end((sys.executable, "-c", "import diffusers")),
        },
        rounds=max(2, int(INITIALIZE_ROUNDS * scale)),
    )
    return Row(
        "spawn → reply to `initialize`",
        timed.figure("ours"),
        (Peer('`python -c "import diffusers"`', timed.figure("diffusers"), 0.08),),
        note="the start of the process included on both sides",
    )


def plain_script(folder: Path) -> tuple[str, ...]:
    """The command of the peer: the same picture with diffusers alone."""
    card = ModelCatalog((), starter_folder()).find("starter").card
    return (
        *(sys.executable, str(PEERS / "plain_script.py")),
        *(str(starter_folder()), str(folder / "plain.png")),
        *("--prompt", PROMPT, "--seed", str(SEED)),
        *("--steps", str(card.steps), "--guidance-scale", str(card.guidance_scale)),
    )


def first_picture_row(folder: Path, scale: float) -> Row:
    plain = plain_script(folder)
    timed = in_turns(
        {"ours": lambda _: spawn_and_draw(folder), "plain": lambda _: run_to_end(plain)},
        rounds=max(1, int(PICTURE_ROUNDS * scale)),
    )
    return Row(
        "spawn → first finished starter picture",
        timed.figure("ours"),
        (Peer("a plain diffusers script", timed.figure("plain"), 0.9),),
        note=f"“{PROMPT}”, as many steps on both sides, on disk at the end on both sides",
    )


def spawn_and_initialize(folder: Path, serve: Sequence[str] = SERVE) -> float:
    start = time.perf_counter()
    with running((*serve, "--data-dir", str(folder / "data")), ANSWER_SECONDS) as child:
        ask(child, 1, "initialize", {})
        child.answer_to(1)
        return elapsed(start)


def spawn_and_list(folder: Path, serve: Sequence[str] = SERVE) -> float:
    """As an app does it: `initialize`, and `list_loras` when that is answered."""
    start = time.perf_counter()
    with running((*serve, "--data-dir", str(folder / "data")), ANSWER_SECONDS) as child:
        ask(child, 1, "initialize", {})
        child.answer_to(1)
        ask(child, 2, "list_loras", {})
        answer = child.answer_to(2)
        taken = elapsed(start)
    assert "result" in answer, answer
    return taken


def spawn_and_draw(folder: Path, serve: Sequence[str] = SERVE) -> float:
    """Both requests are sent at once, as soon as the process exists."""
    start = time.perf_counter()
    with running((*serve, "--data-dir", str(folder / "data")), ANSWER_SECONDS) as child:
        ask(child, 1, "load_model", {"model": "starter"})
        ask(child, 2, "generate", {"prompt": PROMPT, "seed": SEED})
        answer = child.answer_to(2)
        taken = elapsed(start)
    assert Path(answer["result"]["images"][0]["path"]).is_file(), answer
    return taken


def run_to_end(command: tuple[str, ...]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, timeout=ANSWER_SECONDS)
    return elapsed(start)


def ask(child: Child, request_id: int, method: str, params: dict[str, Any]) -> None:
    request = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
    child.send_line(json.dumps(request).encode() + b"\n")


def elapsed(start: float) -> float:
    return (time.perf_counter() - start) * 1000
