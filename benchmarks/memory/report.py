"""Two tables: what was foretold beside what was taken, and what each rung holds and costs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.report import RESULTS, cells

MEGABYTE = 1e6
MOST_OFF, MOST_HELD, MOST_DIFFERENT = 0.10, 0.60, 2
FORETOLD = (
    "| model | rung | picture | at once | rows | foretold | taken | off by | from | |",
    "|---|---|---|---|---|---|---|---|---|---|",
)
HELD = (
    "| model | rung | weights | resident | of “off” | peak | of “off” | step | picture | |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True)
class Rested:
    """Bytes of the process without a model and with it; of the weights alone."""

    base: int
    resident: int
    weights: int
    load_ms: float


@dataclass(frozen=True)
class Drawn:
    """One case. `predicted`, `measured`: bytes at the peak. `known`: such runs were measured before
    in this benchmark, at whatever size."""

    width: int
    height: int
    count: int
    guidance: float
    predicted: int
    measured: int
    known: bool
    at_once: int
    step_ms: float
    total_ms: float
    picture: str

    @property
    def off_by(self) -> float:
        return self.predicted / self.measured - 1


@dataclass(frozen=True)
class Run:
    """One model on one rung, in a process of its own."""

    model: str
    rung: str
    rested: Rested
    drawn: Sequence[Drawn]


def tell(described: dict[str, str], runs: Sequence[Run], name: str | None) -> None:
    """Print the tables; with a name, also write them to `results/`."""
    table = as_markdown(described, runs)
    print(table)
    if name is None:
        return
    (RESULTS / f"{name}.md").write_text(table, encoding="utf-8")
    values = {"machine": described, "runs": [_plain(run) for run in runs]}
    (RESULTS / f"{name}.json").write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def _plain(run: Run) -> dict[str, Any]:
    """Without where its pictures lay for a while."""
    values = asdict(run)
    for drawn in values["drawn"]:
        drawn.pop("picture", None)
    return values


def as_markdown(described: dict[str, str], runs: Sequence[Run]) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in described.items())
    lines = ["# Memory", "", f"*{facts}.*", "", "## Foretold and taken", ""]
    lines += [*FORETOLD, *(line for run in runs for line in foretold(run)), ""]
    lines += ["## What each rung holds and costs", "", *HELD]
    lines += [line for run in runs for line in held(run, of_off(runs, run))]
    lines += ["", *NOTES]
    return "\n".join(lines) + "\n"


NOTES = (
    "- Resident size of the engine's process, megabytes of 10⁶ bytes; the peak is the kernel's own"
    " count (VmHWM). One step, since a picture's peak does not depend on how many there are.",
    "- From: “guess” before anything of the kind was measured; “runs” once it was, at this or at"
    " other sizes. Bar: 10% off at most.",
    "- Resident: with the model loaded and nothing drawn yet, without the process itself. Bar:"
    " “aggressive” holds SD 1.5 in 0.6 × “off” at most.",
    "- Peak and step: of all pictures but the first, geometric mean of the ratios to “off”. Other"
    " programs ran on the machine meanwhile, so ratios of times are rough.",
    "- Picture: the largest difference of any channel from the one of “off”, of 255. Bar: 2.",
    "- SD 1.5: its geometry in float32 with random weights.",
)


def foretold(run: Run) -> Iterator[str]:
    for one in run.drawn:
        size = f"{one.width}×{one.height}" + (f" × {one.count}" if one.count > 1 else "")
        rows = one.at_once * (2 if one.guidance > 1 else 1)
        verdict = "met" if abs(one.off_by) <= MOST_OFF else "**missed**"
        yield cells(
            run.model,
            run.rung,
            size,
            str(one.at_once),
            str(rows),
            f"{one.predicted / MEGABYTE:,.0f} MB",
            f"{one.measured / MEGABYTE:,.0f} MB",
            f"{one.off_by:+.1%}",
            "runs" if one.known else "guess",
            verdict,
        )


def of_off(runs: Sequence[Run], run: Run) -> Run:
    return next(other for other in runs if other.model == run.model and other.rung == "off")


def held(run: Run, off: Run) -> Iterator[str]:
    own, its = (r.rested.resident - r.rested.base for r in (run, off))
    pairs = list(zip(run.drawn, off.drawn, strict=True))[1:]
    different = difference(run.drawn[0].picture, off.drawn[0].picture)
    met = different <= MOST_DIFFERENT
    if run.model == "sd15" and run.rung == "aggressive":
        met = met and own <= MOST_HELD * its
    yield cells(
        run.model,
        run.rung,
        f"{run.rested.weights / MEGABYTE:,.0f} MB",
        f"{own / MEGABYTE:,.0f} MB",
        f"{own / its:.2f} ×",
        f"{max(one.measured for one in run.drawn) / MEGABYTE:,.0f} MB",
        f"{mean([a.measured / b.measured for a, b in pairs]):.2f} ×",
        f"{mean([a.step_ms / b.step_ms for a, b in pairs]):.2f} ×",
        f"{different}",
        "met" if met else "**missed**",
    )


def mean(ratios: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(ratios))))


def difference(one: str, other: str) -> int:
    """The largest difference of any channel of two pictures."""
    first, second = (
        np.asarray(Image.open(Path(p)).convert("RGB")).astype(int) for p in (one, other)
    )
    return int(abs(first - second).max())
