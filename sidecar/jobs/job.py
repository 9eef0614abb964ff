"""One piece of work for the engine, from acceptance to its answer."""

from __future__ import annotations

import logging
import os
import secrets
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal, Protocol

from sidecar.engine.contract import Command, Event, ModelSpec, Outcome
from sidecar.errors import SidecarError

JobKind = Literal[
    "load_model", "unload_model", "switch_lora", "preview", "generate", "prewarm", "enlarge"
]
RequestId = int | float | str | None

log = logging.getLogger(__name__)


class Work(Protocol):
    """What is particular to one kind of job. `command` is asked again when a job is repeated."""

    def accepted(self, job: Job) -> None:
        """It is in the queue now; nothing has happened yet."""
        ...

    def command(self, job_id: str) -> Command: ...

    def event(self, event: Event) -> None:
        """Something happened; from the link's thread. A raised `SidecarError` ends the job."""
        ...

    def result(self, outcome: Outcome) -> Any:
        """The answer."""
        ...


def discard(file: str) -> None:
    """Remove what the engine handed over, if nobody took it."""
    try:
        os.unlink(file)
    except FileNotFoundError:
        return
    except OSError as exc:
        log.warning("%s stays: %s", file, exc)


class Ended:
    """The work of a job that is over. A job and its work know each other, and pictures are large:
    they do not wait for the garbage collector to find that out."""

    def accepted(self, job: Job) -> None:
        """Nothing is accepted twice."""

    def command(self, job_id: str) -> Command:
        raise SidecarError()

    def event(self, event: Event) -> None:
        """Too late."""

    def result(self, outcome: Outcome) -> Any:
        raise SidecarError()


def new_job_id() -> str:
    return secrets.token_hex(6)


@dataclass(eq=False)
class Job:
    """`model`: what must be resident; None for work that needs none.

    `gate`: done when the job may go to the engine; its exception ends the job. None: at once.
    `error`: why it is being ended, once it is. `deaths`: engines that died while working on it.
    `files`: that the engine handed over for it. `rung`: of the low-memory ladder, where one of them
    died of it; else what `model` says.
    """

    kind: JobKind
    model: ModelSpec | None
    work: Work
    request_id: RequestId = None
    session: str | None = None
    gate: Future[None] | None = None
    id: str = field(default_factory=new_job_id)
    future: Future[Any] = field(default_factory=lambda: Future[Any]())
    accepted: float = field(default_factory=perf_counter)
    started: float | None = None
    error: SidecarError | None = None
    deaths: int = 0
    files: list[str] = field(default_factory=list[str])
    rung: str | None = None

    @property
    def may_start(self) -> bool:
        return self.gate is None or (self.gate.done() and self.gate.exception() is None)

    @property
    def queue_ms(self) -> float:
        """How long it waited."""
        return ((self.started or perf_counter()) - self.accepted) * 1000

    def succeed(self, value: Any) -> None:
        if not self.future.done():
            self.future.set_result(value)

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)

    def let_go(self) -> None:
        """It has its answer, and the engine is through with it."""
        self.work, self.gate = Ended(), None
        for file in self.files:
            discard(file)
