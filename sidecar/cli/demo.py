"""`lora-sidecar demo`: drives a sidecar as an app would and writes a contact sheet.

A real child on stdio, through `sidecar.client`: the starter model, every style at three strengths,
a dragged slider, a rollback. What each call took is measured on the caller's side.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypeVar

from sidecar.cli.contact_sheet import Group, Sheet, draw_sheet
from sidecar.cli.terminal import ProgressLine, say, table
from sidecar.client import ClientFault, Sidecar, picture_bytes
from sidecar.errors import SidecarError
from sidecar.protocol.lora import LoraCard
from sidecar.protocol.pictures import GeneratedImage

T = TypeVar("T")

PROMPTS: tuple[tuple[str, int], ...] = (
    ("red apple", 1),
    ("blue apple", 3),
    ("rocket", 1),
    ("castle", 2),
    ("butterfly", 1),
    ("penguin", 1),
    ("owl", 2),
    ("strawberry", 2),
)
"""What is drawn, and the seed of its row."""

ALPHAS = (0.35, 0.7, 1.0)
SLIDER_MOVES = 20
STOPPED = 130
SHEET, TIMINGS = "contact-sheet.png", "timings.txt"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("demo-out"), help="folder for the results")
    parser.add_argument("--prompts", type=int, default=len(PROMPTS), help="how many rows")
    parser.add_argument("--model", default="starter")
    parser.add_argument(
        "--engine", choices=("diffusion", "fake"), default="diffusion", help="fake: for tests"
    )


def run(args: argparse.Namespace) -> int:
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(prefix="lora-sidecar-demo-") as data:
            show = Show(ProgressLine(), args.model, PROMPTS[: max(1, args.prompts)])
            show.perform(Path(data), ("--engine", args.engine))
    except (SidecarError, ClientFault) as exc:
        say(f"The demo stopped: {exc}")
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return STOPPED
    sheet = args.out / SHEET
    draw_sheet(show.sheet()).save(sheet)
    report = show.clock.report()
    (args.out / TIMINGS).write_text(report + "\n", encoding="utf-8")
    say(f"\n{report}\n\n{show.story()}\n{sheet}")
    return 0


@dataclass
class Clock:
    """Durations of calls by name, milliseconds."""

    taken: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def time(self, name: str, call: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = call()
        self.taken.setdefault(name, []).append((time.perf_counter() - start) * 1000)
        return result

    def report(self) -> str:
        rows = [
            (name, str(len(ms)), figure(median(ms)), figure(min(ms)), figure(max(ms)))
            for name, ms in self.taken.items()
        ]
        return table(("what", "calls", "median ms", "fastest", "slowest"), rows)


def words_for(prompt: str, style: LoraCard | None) -> str:
    """The prompt in the words that the style was trained with."""
    if style is None or not style.prompt_template:
        return prompt
    return style.prompt_template.replace("{prompt}", prompt)


def figure(ms: float) -> str:
    return f"{ms:,.1f}" if ms < 100 else f"{ms:,.0f}"


class Show:
    """The demo's acts in order, and what they left: pictures by row and column, and times."""

    def __init__(
        self, progress: ProgressLine, model: str, prompts: tuple[tuple[str, int], ...]
    ) -> None:
        self.clock = Clock()
        self._progress = progress
        self._model = model
        self._prompts = prompts
        self._styles: list[LoraCard] = []
        self._rows: list[list[GeneratedImage]] = [[] for _ in prompts]
        self._cells: list[list[bytes]] = [[] for _ in prompts]
        self._rolled_back = ""
        self._drawing_seconds = 0.0

    def perform(self, data: Path, arguments: tuple[str, ...] = ()) -> None:
        self._progress.show("starting", 0)
        sidecar = self.clock.time(
            "spawn → initialize", lambda: Sidecar.spawn(data, arguments=arguments)
        )
        with sidecar:
            stop = sidecar.on("model_load", self._model_loads)
            self.clock.time("load_model", lambda: sidecar.load_model(self._model))
            stop()
            for _ in range(20):
                self.clock.time("ping", sidecar.ping)
            cards = self.clock.time("list_loras", sidecar.list_loras)
            self._styles = [card for card in cards if card.family in (None, self._model)]
            start = time.perf_counter()
            self._draw_everything(sidecar)
            self._drawing_seconds = time.perf_counter() - start
            self._drag_slider(sidecar)
            self._roll_back(sidecar)
            self.clock.time("stop", sidecar.stop)
        self._progress.clear()

    # ------------------------------------------------------------------ acts

    def _draw_everything(self, sidecar: Sidecar) -> None:
        self._draw_column(sidecar, "no LoRA", None)
        for style in self._styles:
            alpha = ALPHAS[0]
            self.clock.time(
                "switch_lora", lambda name=style.name, alpha=alpha: sidecar.switch_lora(name, alpha)
            )
            self._draw_column(sidecar, f"{style.title}: {alpha}", style)
            for alpha in ALPHAS[1:]:
                self.clock.time("set_alpha", lambda alpha=alpha: sidecar.set_alpha(alpha))
                self._draw_column(sidecar, f"{style.title}: {alpha}", style)

    def _draw_column(self, sidecar: Sidecar, label: str, style: LoraCard | None) -> None:
        for row, (prompt, seed) in enumerate(self._prompts):
            self._progress.show(f"{label}, {prompt}", self._share_done())
            image = self._draw(sidecar, words_for(prompt, style), seed)
            self._rows[row].append(image)
            self._cells[row].append(picture_bytes(image))

    def _draw(self, sidecar: Sidecar, prompt: str, seed: int) -> GeneratedImage:
        def call() -> GeneratedImage:
            return sidecar.generate(prompt, seed=seed, delivery="both").images[0]

        return self.clock.time("generate", call)

    def _drag_slider(self, sidecar: Sidecar) -> None:
        if not self._styles:
            return
        sidecar.switch_lora(self._styles[0].name, 0.0)
        prompt, seed = words_for(self._prompts[0][0], self._styles[0]), self._prompts[0][1]
        for move in range(SLIDER_MOVES):
            alpha = round(move / (SLIDER_MOVES - 1), 3)
            self._progress.show(f"slider: {self._styles[0].title} at {alpha:.2f}", 1.0)

            def drag(alpha: float = alpha) -> None:
                sidecar.set_alpha(alpha)
                sidecar.preview(prompt, seed=seed, session="slider")

            self.clock.time("slider move → preview", drag)

    def _roll_back(self, sidecar: Sidecar) -> None:
        """Back to the last picture of the sheet: same bytes, same style, nothing drawn."""
        image = self._rows[-1][-1]
        result = self.clock.time(
            "history_rollback", lambda: sidecar.history_rollback(image.history_id)
        )
        same = picture_bytes(result.image) == self._cells[-1][-1]
        stack = ", ".join(f"{lora.name} at {lora.alpha:g}" for lora in sidecar.status().stack)
        self._rolled_back = (
            f"Rolled back to “{result.entry.parameters.prompt}”: "
            f"{'the same bytes' if same else 'OTHER BYTES THAN BEFORE'}, "
            f"{stack or 'no LoRA'} in force again, nothing drawn."
        )

    # ------------------------------------------------------------------ what they left

    def sheet(self) -> Sheet:
        p = self._rows[0][0].parameters
        columns = [str(alpha) for alpha in ALPHAS]
        groups = [Group(style.title, columns) for style in self._styles]
        return Sheet(
            title="LoRA Sidecar",
            subtitle=(
                f"{p.model} model, {p.width} px, {p.steps} steps of {p.sampler}. "
                "One seed a row; only the LoRA and its alpha change."
            ),
            footer=self._footer(),
            groups=[Group("No LoRA", [""]), *groups],
            rows=[prompt for prompt, _ in self._prompts],
            cells=self._cells,
        )

    def story(self) -> str:
        return f"{self._footer()}\n{self._rolled_back}"

    def _footer(self) -> str:
        pictures = sum(map(len, self._cells))
        return (
            f"{pictures} pictures with {len(self._styles)} styles in {self._drawing_seconds:.0f} s "
            f"on {os.cpu_count()} cores."
        )

    def _share_done(self) -> float:
        columns = 1 + len(self._styles) * len(ALPHAS)
        return sum(map(len, self._cells)) / (columns * len(self._prompts))

    def _model_loads(self, event: dict[str, object]) -> None:
        percent = event.get("percent")
        share = percent / 100 if isinstance(percent, int | float) else 0.0
        self._progress.show(f"loading {self._model}: {event.get('stage', '')}", share)
