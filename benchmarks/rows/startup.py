"""The start of the frozen programs beside `python -m sidecar`, and beside diffusers.

The reply to `initialize` is given while the rest is still being imported; what an app asks next,
the list of styles, has to wait for that, and is told too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.children import SERVE
from benchmarks.measuring import Peer, Row, Timed, in_turns
from benchmarks.rows.start import (
    plain_script,
    run_to_end,
    spawn_and_draw,
    spawn_and_initialize,
    spawn_and_list,
)

ROUNDS, PICTURE_ROUNDS = 10, 5
DIST = Path(__file__).parents[2] / "dist"
MODULE, FULL, LITE = "`python -m sidecar`", "frozen, full", "frozen, lite"
BARS = {MODULE: 400.0, FULL: 300.0, LITE: 300.0}
DIFFUSERS = '`python -c "import diffusers"`'


def measure(scale: float) -> list[Row]:
    programs = dict(_programs())
    with TemporaryDirectory(prefix="lora-sidecar-bench-") as folder:
        rounds = max(2, int(ROUNDS * scale))
        replies = _replies(Path(folder), programs, rounds)
        lists = _lists(Path(folder), programs, rounds)
        drawing = {name: serve for name, serve in programs.items() if name != LITE}
        pictures = _pictures(Path(folder), drawing, max(1, int(PICTURE_ROUNDS * scale)))
    return [
        *_reply_rows(programs, replies),
        *_list_rows(programs, lists, Peer(DIFFUSERS, replies.figure(DIFFUSERS))),
        *_picture_rows(drawing, pictures),
    ]


def _programs() -> list[tuple[str, Sequence[str]]]:
    """Those that are there; `make freeze` makes the frozen ones."""
    found: list[tuple[str, Sequence[str]]] = [(MODULE, SERVE)]
    for name, folder in ((FULL, "lora-sidecar"), (LITE, "lora-sidecar-lite")):
        program = (
            DIST / folder / ("lora-sidecar.exe" if sys.platform == "win32" else "lora-sidecar")
        )
        if program.is_file():
            found.append((name, (str(program), "serve")))
    return found


def _replies(folder: Path, programs: dict[str, Sequence[str]], rounds: int) -> Timed:
    def spawn(serve: Sequence[str]) -> Callable[[int], float]:
        return lambda _: spawn_and_initialize(folder, serve)

    diffusers = (sys.executable, "-c", "import diffusers")
    contenders: dict[str, Callable[[int], float | None]] = {
        name: spawn(serve) for name, serve in programs.items()
    }
    return in_turns({**contenders, DIFFUSERS: lambda _: run_to_end(diffusers)}, rounds)


def _reply_rows(programs: dict[str, Sequence[str]], timed: Timed) -> list[Row]:
    return [
        Row(
            f"spawn → reply to `initialize`: {name}",
            timed.figure(name),
            (Peer(DIFFUSERS, timed.figure(DIFFUSERS)),),
            bar=BARS[name],
        )
        for name in programs
    ]


def _lists(folder: Path, programs: dict[str, Sequence[str]], rounds: int) -> Timed:
    def spawn(serve: Sequence[str]) -> Callable[[int], float]:
        return lambda _: spawn_and_list(folder, serve)

    return in_turns({name: spawn(serve) for name, serve in programs.items()}, rounds)


def _list_rows(programs: dict[str, Sequence[str]], timed: Timed, peer: Peer) -> list[Row]:
    return [
        Row(
            f"spawn → list of styles, asked for after `initialize`: {name}",
            timed.figure(name),
            (peer,),
        )
        for name in programs
    ]


def _pictures(folder: Path, programs: dict[str, Sequence[str]], rounds: int) -> Timed:
    def draw(serve: Sequence[str]) -> Callable[[int], float]:
        return lambda _: spawn_and_draw(folder, serve)

    plain = plain_script(folder)
    contenders: dict[str, Callable[[int], float | None]] = {
        name: draw(serve) for name, serve in programs.items()
    }
    return in_turns({**contenders, "plain": lambda _: run_to_end(plain)}, rounds)


def _picture_rows(programs: dict[str, Sequence[str]], timed: Timed) -> list[Row]:
    return [
        Row(
            f"spawn → first finished starter picture: {name}",
            timed.figure(name),
            (Peer("a plain diffusers script", timed.figure("plain"), 0.7),),
        )
        for name in programs
    ]
