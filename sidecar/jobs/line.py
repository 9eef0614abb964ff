"""The jobs that wait, in the order in which they will go, and the one that runs.

Without a lock: the queue, which owns it, holds its own.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from sidecar.jobs.job import Job
from sidecar.jobs.order import place_for


class Line:
    def __init__(self, limit: int) -> None:
        self.running: Job | None = None
        self._limit = limit
        self._waiting: list[Job] = []

    @property
    def full(self) -> bool:
        return len(self._waiting) >= self._limit

    def __contains__(self, job: Job) -> bool:
        """Whether it waits."""
        return job in self._waiting

    def ids(self) -> tuple[str | None, list[str]]:
        """The running job's id and the waiting ones', next first."""
        return self.running.id if self.running else None, [job.id for job in self._waiting]

    def enter(self, job: Job) -> None:
        self._waiting.insert(place_for(job, self._waiting), job)

    def leave(self, job: Job) -> None:
        self._waiting.remove(job)

    def start_next(self) -> Job | None:
        """The next job, which runs from now on; None when one runs already or none may start."""
        if self.running is not None or not self._waiting or not self._waiting[0].may_start:
            return None
        self.running = self._waiting.pop(0)
        return self.running

    def begins(self) -> None:
        """The engine is warm: what was sent to it while it was importing has waited until now."""
        running = self.running
        if running is not None and not running.deaths:
            running.started = perf_counter()

    def find(self, wanted: Callable[[Job], bool]) -> Job | None:
        """The first waiting job of that description."""
        return next(filter(wanted, self._waiting), None)

    def take_session(self, session: str) -> list[Job]:
        """The waiting jobs of that session, which wait no longer."""
        taken = [job for job in self._waiting if job.session == session]
        self._waiting = [job for job in self._waiting if job.session != session]
        return taken

    def take_waiting(self) -> list[Job]:
        taken, self._waiting = self._waiting, []
        return taken

    def take_all(self) -> list[Job]:
        """The running job first."""
        running = [self.running] if self.running is not None else []
        self.running = None
        return running + self.take_waiting()
