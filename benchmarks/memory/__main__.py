"""`python -m benchmarks.memory`: one table, written to results/."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.children import DiffusersWorker, running
from benchmarks.measuring import machine
from benchmarks.memory.geometry import write_model
from benchmarks.memory.report import Drawn, Rested, Run, tell
from sidecar.engine.memory.rungs import RUNGS
from sidecar.paths import starter_folder

SECONDS = 3600.0
STARTER = (
    (128, 128, 1, 4.0),
    (512, 512, 1, 4.0),
    (128, 128, 4, 4.0),
    (128, 128, 1, 1.0),
    (256, 256, 1, 4.0),
    (384, 640, 1, 4.0),
    (768, 768, 1, 4.0),
)
SD15 = ((256, 256, 1, 7.0), (512, 512, 1, 7.0), (256, 256, 1, 1.0), (384, 512, 1, 7.0))
"""Width, height, pictures, guidance (above 1: two rows a picture). In this order, so that what the
first ones took foretells the later ones."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--models", nargs="+", choices=("starter", "sd15"))
    parser.add_argument("--name", help="of the files in results/; without it nothing is written")
    options = parser.parse_args()
    described = {"date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), **machine()}
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="lora-sidecar-bench-") as folder:
        for model in options.models or ("starter", "sd15"):
            runs += measured(model, Path(folder))
        tell(described, runs, options.name)
    return 0


def measured(model: str, scratch: Path) -> Iterator[Run]:
    """Each rung in a process of its own; all share one file of what runs took."""
    sd15 = model == "sd15"
    folder = write_model(scratch / model) if sd15 else starter_folder()
    for rung in RUNGS:
        print(f"{model}, {rung} …", file=sys.stderr, flush=True)
        with worker(folder, model, rung, scratch / f"{model}.json") as ask:
            rested = Rested(**ask("load"))
            cases = SD15 if sd15 else STARTER
            drawn = [
                draw(ask, scratch / f"{model}-{rung}-{number}.png", *case)
                for number, case in enumerate(cases)
            ]
        yield Run(model, rung, rested, drawn)


def draw(ask: Any, save: Path, width: int, height: int, count: int, guidance: float) -> Drawn:
    case = {"width": width, "height": height, "count": count, "guidance": guidance}
    return Drawn(**case, **ask("draw", steps=1, save=str(save), **case))


@contextmanager
def worker(folder: Path, family: str, rung: str, remembered: Path) -> Iterator[Any]:
    command = (sys.executable, "-m", "benchmarks.memory.worker")
    with running((*command, str(folder), family, rung, str(remembered)), SECONDS) as child:
        yield DiffusersWorker(child).ask


if __name__ == "__main__":
    raise SystemExit(main())
