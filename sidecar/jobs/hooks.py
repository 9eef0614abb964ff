"""What the queue needs from those around it: an engine to send to, and whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sidecar.engine.contract import Command, MemoryReport
from sidecar.jobs.job import Job


class EnginePort(Protocol):
    """The link, as the queue sees it."""

    def send(self, command: Command) -> bool: ...

    def kill(self) -> None: ...

    def wake(self) -> None: ...


@dataclass(frozen=True)
class Hooks:
    """Whom the queue tells: `state`: the engine's state may have changed; `idle`: a job ended;
    `warning`: something a person should know; `memory`: an answer to `ReportMemory`; `died`: an
    engine did, whatever it was doing; `restarted`: a new engine runs in place of a dead one, and no
    job waits for it. `room`: whether the next job may begin; after a no the queue is told to
    `go_on`.
    """

    state: Callable[[], None]
    idle: Callable[[Job], None]
    warning: Callable[[str, dict[str, Any]], None]
    memory: Callable[[MemoryReport], None]
    restarted: Callable[[], None]
    room: Callable[[], bool] = lambda: True
    died: Callable[[], None] = lambda: None
