"""Which computing device there is, found when the engine warms up and never at import."""

from __future__ import annotations

import os
import platform
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

DTYPES: dict[str, torch.dtype] = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}

SMALL_STEP = 10**10
"""Weights times latent cells of one step. Below it, handing parts of each small product to a second
thread costs more than it brings: the starter's step took 26 ms on one thread, 31 to 38 on two."""


def dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


@dataclass(frozen=True)
class Device:
    """`kind` is "cuda", "mps" or "cpu"; `name` is for people."""

    kind: str
    name: str

    @property
    def torch(self) -> torch.device:
        return torch.device(self.kind)

    def dtype(self, asked: str) -> torch.dtype:
        """The asked type, or what suits this device: full precision on a CPU, half elsewhere."""
        if asked != "auto":
            return DTYPES[asked]
        return torch.float32 if self.kind == "cpu" else torch.float16


def probe() -> Device:
    """CUDA before Apple's Metal before the CPU."""
    if torch.cuda.is_available():
        return Device("cuda", torch.cuda.get_device_name())
    if torch.backends.mps.is_available():
        return Device("mps", "Apple GPU")
    return Device("cpu", _cpu_name())


def use_threads(asked: int | None) -> int:
    """Let torch use that many threads, or one for each physical core this process may use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = min(psutil.cpu_count(logical=False) or 1, allowed or 1)
    count = asked if asked is not None else _from_environment() or max(cores, 1)
    torch.set_num_threads(count)
    return count


@contextmanager
def threads_for_step(weights: int, cells: int) -> Generator[None]:
    """As many threads as a step on the CPU is worth: one for small networks, else all.

    `weights`: how many numbers the network has; `cells`: rows × height × width of its input.
    """
    most = torch.get_num_threads()
    torch.set_num_threads(1 if weights * cells < SMALL_STEP else most)
    try:
        yield
    finally:
        torch.set_num_threads(most)


def _from_environment() -> int | None:
    value = os.environ.get("OMP_NUM_THREADS", "")
    return int(value) if value.isdigit() and int(value) > 0 else None


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
