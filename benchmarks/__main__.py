"""`python -m benchmarks`: measures every row, prints one table, writes it to results/."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from importlib import import_module

from benchmarks.measuring import Row, machine
from benchmarks.report import tell

ROWS = ("ping", "start", "styles", "pictures", "slider", "memory", "loading")
MORE = ("startup", "upscale", "upscale_memory")
"""Measured only when named: the frozen programs, which must have been built; and super-resolution,
which takes long."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=(*ROWS, *MORE), default=ROWS)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of rounds")
    parser.add_argument("--name", help="of the files in results/; without it nothing is written")
    options = parser.parse_args()
    described = {"date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), **machine()}
    rows: list[Row] = []
    for name in options.only:
        rows += measured(name, options.scale)
    tell(described, rows, options.name)
    return 0


def measured(name: str, scale: float) -> list[Row]:
    start = time.perf_counter()
    print(f"{name} … ", end="", file=sys.stderr, flush=True)
    rows: list[Row] = import_module(f"benchmarks.rows.{name}").measure(scale)
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    return rows


if __name__ == "__main__":
    raise SystemExit(main())
