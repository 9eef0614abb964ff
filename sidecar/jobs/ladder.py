"""After the system has ended an engine because memory ran out: the job is sent again a rung lower
on the low-memory ladder, and so are later ones for that model that leave the rung to the engine.

Linux ends such a process with SIGKILL and keeps count (`oom_kill` in /proc/vmstat), so that it is
told from anybody else's kill. macOS keeps no count; there a kill that was not ours is taken for it.
Windows refuses memory instead, and a process that cannot live with that ends with a status of its
own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sidecar.engine.contract import (
    ApplyLoras,
    Command,
    Enhance,
    EnhanceSpec,
    LoadModel,
    ModelSpec,
    Render,
)
from sidecar.engine.memory.rungs import AUTO, below
from sidecar.jobs.job import Job

KILLED = -9
NO_MEMORY = frozenset({0xC0000017, 0xC000012D})
"""STATUS_NO_MEMORY and STATUS_COMMITMENT_LIMIT."""
VMSTAT = Path("/proc/vmstat")


def system_oom_kills() -> int | None:
    """How many processes the system has ended for lack of memory; None where it does not say."""
    try:
        text = VMSTAT.read_text()
    except OSError:
        return None
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill":
            return int(value)
    return None


class Ladder:
    """Without a lock: the queue, which owns it, holds its own."""

    def __init__(self, oom_kills: Callable[[], int | None] = system_oom_kills) -> None:
        self._oom_kills = oom_kills
        self._device = "cpu"
        self._before: int | None = None
        self._in_force: str | None = None
        self._lowered: dict[str, str] = {}

    def engine_started(self) -> None:
        self._before = self._oom_kills()
        self._in_force = None

    def engine_warm(self, device: str) -> None:
        """Where it computes, which decides whether "auto" enhances by diffusion."""
        self._device = device

    def model_on(self, rung: str) -> None:
        """The engine said on which rung its model is."""
        self._in_force = rung or self._in_force

    def engine_died(self, job: Job, exit_code: int | None) -> str | None:
        """The rung on which the job is sent again; None when it is sent as it was."""
        model = self._run_by(job.work.command(job.id))
        if model is None or job.error is not None or not self._ran_out(exit_code):
            return None
        tried = self._lowered.get(model.path, self._in_force or AUTO)
        lower = below(tried if model.low_vram == AUTO else model.low_vram)
        if lower is not None:
            self._lowered[model.path] = lower
            job.rung = lower
        return lower

    def sent(self, job: Job) -> Command:
        """What the engine is told. Asking for a model anew gives "auto" its free choice back."""
        command = job.work.command(job.id)
        model = self._run_by(command)
        if model is None:
            return command
        if job.kind == "load_model" and not job.deaths:
            self._lowered.pop(model.path, None)
        rung = job.rung
        if rung is None and model.low_vram == AUTO:
            rung = self._lowered.get(model.path)
        return command if rung is None else _on_rung(command, rung)

    def _run_by(self, command: Command) -> ModelSpec | None:
        """The model that it loads or draws with, whose rung decides what it takes; None: none."""
        match command:
            case LoadModel() | ApplyLoras():
                return command.model
            case Render():
                return command.spec.model
            case Enhance(spec=EnhanceSpec(render=render) as spec) if render is not None:
                return render.model if spec.draws(self._device) else None
            case _:
                return None

    def _ran_out(self, exit_code: int | None) -> bool:
        if exit_code in NO_MEMORY:
            return True
        now = self._oom_kills()
        counted = now is not None and self._before is not None
        return exit_code == KILLED and (now != self._before if counted else True)


def _on_rung(command: Command, rung: str) -> Command:
    def lower(model: ModelSpec) -> ModelSpec:
        return replace(model, low_vram=rung)

    match command:
        case LoadModel() | ApplyLoras():
            return replace(command, model=lower(command.model))
        case Render():
            return replace(command, spec=replace(command.spec, model=lower(command.spec.model)))
        case Enhance(spec=EnhanceSpec(render=render) as spec) if render is not None:
            lowered = replace(render, model=lower(render.model))
            return replace(command, spec=replace(spec, render=lowered))
        case _:
            return command
