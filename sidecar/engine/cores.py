"""How many threads computing pays for, without importing anything that computes."""

from __future__ import annotations

import os

import psutil


def thread_count(asked: int | None) -> int:
    """As many as asked; else as the environment says; else one for each physical core that this
    process may use."""
    if asked is not None:
        return asked
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = min(psutil.cpu_count(logical=False) or 1, allowed or 1)
    return _from_environment() or max(cores, 1)


def _from_environment() -> int | None:
    value = os.environ.get("OMP_NUM_THREADS", "")
    return int(value) if value.isdigit() and int(value) > 0 else None
