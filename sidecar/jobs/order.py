"""Who goes first.

Interactive work overtakes pictures that wait, as long as it needs the same model: jumping over a
change of model would make the engine load back and forth. Prewarming is last of all.
"""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.jobs.job import Job

INTERACTIVE = frozenset({"switch_lora", "load_model", "preview"})


def place_for(job: Job, waiting: Sequence[Job]) -> int:
    """The index at which the job enters the queue."""
    index = len(waiting)
    while index > 0 and _overtakes(job, waiting[index - 1]):
        index -= 1
    return index


def _overtakes(job: Job, other: Job) -> bool:
    if other.kind == "prewarm":
        return job.kind != "prewarm"
    return job.kind in INTERACTIVE and other.kind == "generate" and job.model == other.model


def preempts(job: Job, running: Job) -> bool:
    """Whether running background work is in the way. Loading the same model is no obstacle."""
    return running.kind == "prewarm" and job.kind != "prewarm" and job.model != running.model
