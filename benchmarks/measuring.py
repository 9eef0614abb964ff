"""What all rows share: a row's figures, alternating measurement, the machine's description."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles

PEERS = Path(__file__).parent / "peers"
PACKAGES = ("torch", "diffusers", "transformers", "peft", "pydantic", "pygls")


@dataclass(frozen=True)
class Figure:
    """Samples of one thing, in `unit`, and the statistic of them that counts."""

    samples: Sequence[float]
    unit: str = "ms"
    statistic: str = "median"

    @property
    def value(self) -> float:
        if self.statistic == "p95":
            return percentile_95(self.samples)
        return max(self.samples) if self.statistic == "max" else median(self.samples)


@dataclass(frozen=True)
class Peer:
    """Something that others do the same with, and how far above or below it we may be."""

    name: str
    figure: Figure
    ratio_bar: float | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table. `bar`: our own limit, in our unit; `note`: how it was measured."""

    what: str
    ours: Figure
    peers: Sequence[Peer] = ()
    bar: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        own = self.bar is None or self.ours.value <= self.bar
        return own and all(
            peer.ratio_bar is None or self.ours.value / peer.figure.value <= peer.ratio_bar
            for peer in self.peers
        )


@dataclass
class Timed:
    """Milliseconds of each run of some contenders, in turns, so that all see the same machine."""

    samples: dict[str, list[float]] = field(default_factory=dict)

    def figure(self, name: str) -> Figure:
        return Figure(tuple(self.samples[name]))


def in_turns(
    contenders: dict[str, Callable[[int], float | None]], rounds: int, warm_up: int = 1
) -> Timed:
    """Runs each contender once a round, the order reversed every other round.

    A contender takes the number of the round and may return its own measurement in milliseconds;
    otherwise its call is timed. The first `warm_up` rounds do not count.
    """
    timed = Timed({name: [] for name in contenders})
    for number in range(warm_up + rounds):
        order = list(contenders.items())
        for name, call in order if number % 2 == 0 else reversed(order):
            start = time.perf_counter()
            own = call(number)
            taken = (time.perf_counter() - start) * 1000 if own is None else own
            if number >= warm_up:
                timed.samples[name].append(taken)
    return timed


def percentile_95(samples: Sequence[float]) -> float:
    return quantiles(samples, n=20, method="inclusive")[-1] if len(samples) > 1 else samples[0]


def machine() -> dict[str, str]:
    """Processor, cores, memory, system and versions; no names of hosts or folders."""
    return {
        "processor": processor_name(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def processor_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"
