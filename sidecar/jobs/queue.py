"""The queue between requests and the engine: one job runs, the others wait in order.

A job that the engine dies under is sent again once, a rung lower on the low-memory ladder if memory
ran out; jobs carry their whole state, so the picture is the same. Cancelling acts on waiting and
running jobs alike; an engine that does not obey in time is killed. Answers are given outside the
lock.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from time import perf_counter
from typing import Any

from sidecar.engine.contract import (
    CancelJob,
    EngineReady,
    EngineWarm,
    EngineWarning,
    Event,
    ImageReady,
    JobDone,
    JobFailed,
    LoadedModel,
    MemoryReport,
    ModelLoading,
    Unloaded,
)
from sidecar.errors import (
    Cancelled,
    EngineCrashed,
    EngineMissing,
    QueueFull,
    ShuttingDown,
    SidecarError,
    Superseded,
    error_from,
)
from sidecar.jobs.facts import EngineFacts
from sidecar.jobs.hooks import EnginePort, Hooks
from sidecar.jobs.job import Job, RequestId, discard
from sidecar.jobs.ladder import Ladder
from sidecar.jobs.line import Line
from sidecar.jobs.order import preempts

MAX_DEATHS = 2

log = logging.getLogger(__name__)


class JobQueue:
    """Implements `sidecar.engine.link.Listener`. `attach` an engine before submitting."""

    def __init__(
        self,
        hooks: Hooks,
        limit: int,
        cancel_deadline: float = 10.0,
        ladder: Ladder | None = None,
    ) -> None:
        self.facts = EngineFacts()
        self._hooks = hooks
        self._limit = limit
        self._cancel_deadline = cancel_deadline
        self._lock = threading.RLock()
        self._line = Line(limit)
        self._ladder = ladder or Ladder()
        self._engine: EnginePort | None = None
        self._up = False
        self._given_up: SidecarError | None = None
        self._missing: SidecarError | None = None
        self._closing: Future[None] | None = None

    def attach(self, engine: EnginePort) -> None:
        self._engine = engine

    # ----------------------------------------------------------------- requests

    def submit(self, job: Job) -> Future[Any]:
        """Take a job; its future is the answer. Raises QueueFull, ShuttingDown, EngineMissing."""
        with self._lock:
            if self._closing is not None:
                raise ShuttingDown()
            if self._missing is not None:
                raise self._missing
            if self._line.full:
                raise QueueFull(limit=self._limit)
            superseded = self._take_session(job.session) if job.session is not None else []
            self._line.enter(job)
            job.work.accepted(job)
            running = self._line.running
            if running is not None and preempts(job, running):
                self._end(running, Cancelled(), self._cancel_deadline)
            self._wake_engine()
            self._pump()
        for older in superseded:
            older.fail(Superseded())
        self._hooks.state()
        gate = job.gate
        if gate is not None and not job.may_start:
            gate.add_done_callback(lambda gate: self._gate_opened(job, gate.exception()))
        return job.future

    def supersede(self, session: str) -> None:
        """End the previews of that session: something newer is there already."""
        with self._lock:
            superseded = self._take_session(session)
        for older in superseded:
            older.fail(Superseded())

    def cancel(self, job_id: str) -> bool:
        """End a waiting or running job; False when it is not there (any more)."""
        return self._cancel(lambda job: job.id == job_id)

    def cancel_request(self, request_id: RequestId) -> bool:
        return self._cancel(
            lambda job: job.request_id == request_id and type(job.request_id) is type(request_id)
        )

    def go_on(self) -> None:
        """There is room again for what comes of jobs."""
        with self._lock:
            self._pump()
        self._hooks.state()

    @property
    def available(self) -> bool:
        """False when no job would be taken: closing, full, or no engine can run here."""
        with self._lock:
            return self._closing is None and self._missing is None and not self._line.full

    def report(self) -> tuple[str | None, list[str]]:
        """The running job's id and the waiting ones', next first."""
        with self._lock:
            return self._line.ids()

    def close(self, deadline: float) -> Future[None]:
        """Cancel everything, take nothing more. Done when nothing runs, or the engine is killed
        because it took longer than `deadline` seconds."""
        with self._lock:
            if self._closing is None:
                self._closing = Future()
            closing = self._closing
            waiting, running = self._line.take_waiting(), self._line.running
            if running is not None:
                self._end(running, Cancelled(), deadline)
        for job in waiting:
            job.fail(Cancelled())
        if running is None and not closing.done():
            closing.set_result(None)
        return closing

    def abandon(self) -> None:
        """Answer what has not ended; for the end of a session whose engine does not."""
        with self._lock:
            jobs = self._take_all()
        for job in jobs:
            self._ended(job, job.error or Cancelled())

    # ----------------------------------------------------------------- the engine's side

    def engine_started(self, pid: int) -> None:
        with self._lock:
            again = self.facts.crashed
            self.facts.started(pid)
            self._ladder.engine_started()
            self._up = True
            if self._line.running is not None:
                self._send(self._line.running)
            else:
                self._pump()
            idle = self._line.running is None
        self._hooks.state()
        if again:
            self._hooks.warning("engine_restarted", {})
            if idle:
                self._hooks.restarted()

    def engine_stopped(self, exit_code: int | None, given_up: bool) -> None:
        with self._lock:
            self._up = False
            self.facts.stopped()
            running = self._line.running
            lower = None if running is None else self._ladder.engine_died(running, exit_code)
            ended = self._after_death(exit_code)
            if given_up:
                self._given_up = EngineCrashed(exit_code=exit_code)
                ended += [(job, self._given_up) for job in self._take_all()]
            self._pump()
        self._hooks.died()
        if lower is not None and not ended:
            self._hooks.warning("memory_retry", {"rung": lower})
        for job, error in ended:
            self._ended(job, error)
        self._hooks.state()

    def engine_event(self, event: Event) -> None:
        match event:
            case EngineReady():
                pass
            case EngineWarm():
                self.facts.warm, self.facts.versions = event, event.versions
                self._ladder.engine_warm(event.device)
                self._line.begins()
                self._hooks.state()
            case MemoryReport():
                self._hooks.memory(event)
            case EngineWarning():
                self._hooks.warning(event.kind, dict(event.fields))
            case JobFailed(job_id=""):
                self._engine_missing(event)
            case JobDone() | JobFailed():
                self._finished(event)
            case _:
                self._progressed(event)

    # ----------------------------------------------------------------- inside, lock held

    def _wake_engine(self) -> None:
        if self._given_up is not None and self._engine is not None:
            self._given_up = None
            self._engine.wake()

    def _pump(self) -> None:
        job = self._line.start_next() if self._up and self._hooks.room() else None
        if job is not None:
            self._send(job)

    def _send(self, job: Job) -> None:
        assert self._engine is not None
        if job.started is None:
            job.started = perf_counter()
        self.facts.busy = True
        if not self._engine.send(self._ladder.sent(job)):
            log.info("the engine went away; job %s waits for the next one", job.id)

    def _end(self, job: Job, error: SidecarError, deadline: float) -> None:
        """Ask the engine to stop what runs, and kill it when it does not by the deadline."""
        assert self._engine is not None
        job.error = job.error or error
        timer = threading.Timer(deadline, self._kill_if_still_running, (job, job.deaths))
        timer.daemon = True
        timer.start()
        self._engine.send(CancelJob(job.id))

    def _kill_if_still_running(self, job: Job, deaths: int) -> None:
        with self._lock:
            if self._line.running is job and job.deaths == deaths and self._engine is not None:
                log.warning("job %s did not obey its cancel; the engine is killed", job.id)
                self._engine.kill()

    def _take_session(self, session: str) -> list[Job]:
        older = self._line.take_session(session)
        running = self._line.running
        if running is not None and running.session == session and running.error is None:
            self._end(running, Superseded(), self._cancel_deadline)
            older.append(running)
        return older

    def _take_all(self) -> list[Job]:
        self.facts.busy = False
        return self._line.take_all()

    def _after_death(self, exit_code: int | None) -> list[tuple[Job, BaseException]]:
        """Jobs that end with the engine; others stay, to be sent again."""
        job = self._line.running
        if job is None:
            return []
        job.deaths += 1
        error = job.error
        if error is None and job.kind == "prewarm":
            error = Cancelled()
        if error is None and job.deaths >= MAX_DEATHS:
            error = EngineCrashed(exit_code=exit_code)
        if error is None:
            return []
        self._line.running = None
        self.facts.busy = False
        return [(job, error)]

    # ----------------------------------------------------------------- inside, lock not held

    def _cancel(self, wanted: Callable[[Job], bool]) -> bool:
        with self._lock:
            waiting, running = self._line.find(wanted), self._line.running
            if waiting is not None:
                self._line.leave(waiting)
            elif running is not None and wanted(running):
                if running.error is None:
                    self._end(running, Cancelled(), self._cancel_deadline)
                return True
        if waiting is None:
            return False
        waiting.fail(Cancelled())
        return True

    def _gate_opened(self, job: Job, error: BaseException | None) -> None:
        """What the job waited for is known: it goes on, or ends before the engine heard of it."""
        with self._lock:
            if error is not None and job in self._line:
                self._line.leave(job)
            self._pump()
        if error is not None:
            job.fail(error)
        self._hooks.state()

    def _engine_missing(self, event: JobFailed) -> None:
        log.error("the engine cannot work here: %s", event.log or event.fields)
        error = error_from(event.kind, event.fields)
        with self._lock:
            self._missing = error
            self.facts.missing = str(event.fields.get("package", ""))
            jobs = self._take_all()
        for job in jobs:
            self._ended(job, EngineMissing(**error.fields))
        self._hooks.state()

    def _progressed(self, event: Any) -> None:
        """Frames, finished pictures, progress: to the job they belong to."""
        job = self._line.running
        file = event.file if isinstance(event, ImageReady) else ""
        if job is None or job.id != event.job_id or job.error is not None:
            if file:
                discard(file)
            return
        if file:
            job.files.append(file)
        self._note_loading(event)
        try:
            job.work.event(event)
        except SidecarError as exc:
            self._abort(job, exc)
        except Exception:
            log.exception("job %s could not take an event", job.id)
            self._abort(job, SidecarError())

    def _note_loading(self, event: Any) -> None:
        if isinstance(event, ModelLoading):
            self._ladder.model_on(event.rung)
        loading = isinstance(event, ModelLoading) and event.percent < 100
        if loading != self.facts.loading:
            self.facts.loading = loading
            self._hooks.state()

    def _abort(self, job: Job, error: SidecarError) -> None:
        with self._lock:
            if self._line.running is job and job.error is None:
                self._end(job, error, self._cancel_deadline)

    def _finished(self, event: JobDone | JobFailed) -> None:
        with self._lock:
            job = self._line.running
            if job is None or job.id != event.job_id:
                return
            self._line.running = None
            self.facts.busy = self.facts.loading = False
            self._learn(event)
            self._pump()
        if job.error is not None:
            self._ended(job, job.error)
        elif isinstance(event, JobFailed):
            if event.log:
                log.warning("job %s failed (%s): %s", job.id, event.kind, event.log)
            self._ended(job, error_from(event.kind, event.fields))
        else:
            self._answer(job, event)

    def _learn(self, event: JobDone | JobFailed) -> None:
        outcome = event.outcome if isinstance(event, JobDone) else None
        if isinstance(outcome, LoadedModel):
            self.facts.model = outcome
            self._ladder.model_on(outcome.rung)
        elif isinstance(outcome, Unloaded):
            self.facts.model = None

    def _answer(self, job: Job, event: JobDone) -> None:
        try:
            result = job.work.result(event.outcome)
        except Exception as exc:
            self._ended(job, exc)
            return
        self._ended(job, None, result)

    def _ended(self, job: Job, error: BaseException | None, result: Any = None) -> None:
        if error is None:
            job.succeed(result)
        else:
            job.fail(error)
        job.let_go()
        with self._lock:
            closing = self._closing if self._line.running is None else None
        if closing is not None and not closing.done():
            closing.set_result(None)
        self._hooks.state()
        self._hooks.idle(job)
