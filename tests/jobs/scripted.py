"""A queue with an engine that does only what the test says."""

from __future__ import annotations

import threading
from typing import Any

from sidecar.engine.contract import (
    CancelJob,
    Command,
    Event,
    JobDone,
    JobFailed,
    LoadModel,
    ModelSpec,
    Outcome,
    Unloaded,
)
from sidecar.jobs.hooks import Hooks
from sidecar.jobs.job import Job, JobKind
from sidecar.jobs.ladder import Ladder
from sidecar.jobs.queue import JobQueue

PATIENCE = 60.0
STARTER = ModelSpec("starter", "/starter", "starter")
OTHER = ModelSpec("other", "/other", "sd15")


class PlainWork:
    """Its command says whose it is; its answer is a word."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def accepted(self, job: Job) -> None:
        pass

    def command(self, job_id: str) -> Command:
        return LoadModel(job_id, STARTER)

    def event(self, event: Event) -> None:
        self.events.append(event)

    def result(self, outcome: Outcome) -> Any:
        return "done"


class Scripted:
    """`sent`: ids of jobs in the order in which the engine got them."""

    def __init__(
        self, limit: int = 10, cancel_deadline: float = 10.0, ladder: Ladder | None = None
    ) -> None:
        self.sent: list[str] = []
        self.commands: list[Command] = []
        self.cancelled: list[str] = []
        self.warnings: list[str] = []
        self.restarts = 0
        self.room = True
        self.killed = threading.Event()
        self.woken = threading.Event()
        hooks = Hooks(
            state=lambda: None,
            idle=lambda job: None,
            warning=lambda kind, fields: self.warnings.append(kind),
            memory=lambda report: None,
            restarted=self._restarted,
            room=lambda: self.room,
        )
        self.jobs = JobQueue(hooks, limit, cancel_deadline, ladder)
        self.jobs.attach(self)

    def _restarted(self) -> None:
        self.restarts += 1

    # ------------------------------------------------------------- the engine's port

    def send(self, command: Command) -> bool:
        if isinstance(command, CancelJob):
            self.cancelled.append(command.job_id)
        else:
            self.commands.append(command)
        if isinstance(command, LoadModel):
            self.sent.append(command.job_id)
        return True

    def kill(self) -> None:
        self.killed.set()

    def wake(self) -> None:
        self.woken.set()

    # ------------------------------------------------------------- the script

    def up(self) -> None:
        self.jobs.engine_started(1)

    def down(self, exit_code: int = 139, given_up: bool = False) -> None:
        self.jobs.engine_stopped(exit_code, given_up)

    def submit(self, kind: JobKind = "generate", model: ModelSpec | None = STARTER) -> Job:
        return self.add(Job(kind, model, PlainWork()))

    def add(self, job: Job) -> Job:
        self.jobs.submit(job)
        return job

    def finish(self, job: Job) -> None:
        self.jobs.engine_event(JobDone(job.id, Unloaded(0)))

    def fail(self, job: Job, kind: str) -> None:
        self.jobs.engine_event(JobFailed(job.id, kind))
