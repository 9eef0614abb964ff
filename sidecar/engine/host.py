"""The engine's process: reads commands, runs one job at a time, sends events.

The main thread works; a second thread reads the pipe, so that cancel and memory reports are never
behind a job. The end of the pipe ends the process at once, also in the middle of a step.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import traceback
from collections.abc import Callable
from typing import Any

import psutil

from sidecar.engine import allocator
from sidecar.engine.codec import BrokenPipeMessage, decode_from, encode
from sidecar.engine.contract import (
    ApplyLoras,
    CancelJob,
    CancelToken,
    Command,
    Engine,
    EngineReady,
    Enhance,
    Event,
    JobDone,
    JobFailed,
    LoadModel,
    MemoryReport,
    Outcome,
    Render,
    ReportMemory,
    Upscale,
    Work,
)
from sidecar.errors import SidecarError

IDLE_SECONDS = 2.0

MakeEngine = Callable[[], Engine]

log = logging.getLogger(__name__)


class Host:
    """Runs one engine on a pair of descriptors."""

    def __init__(self, make_engine: MakeEngine, read_fd: int, write_fd: int) -> None:
        self._make_engine = make_engine
        self._input = os.fdopen(read_fd, "rb")
        self._write_fd = write_fd
        self._write_lock = threading.Lock()
        self._work: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._tokens: dict[str, CancelToken] = {}
        self._engine: Engine | None = None
        self._warm = threading.Lock()
        self._unanswered: list[ReportMemory] = []

    def run(self) -> int:
        """Never returns while the front lives, unless the engine cannot work at all."""
        self.emit(EngineReady(os.getpid()))
        threading.Thread(target=self._read, name="engine-pipe", daemon=True).start()
        try:
            engine = self._make_engine()
            self.emit(engine.warm_up())
        except ImportError as exc:
            self._refuse(exc)
            return 1
        with self._warm:
            self._engine = engine
        for report in self._unanswered:
            self.emit(self._memory(report))
        while True:
            self._run_job(engine, self._next())

    def _next(self) -> Work:
        """The next job. Nothing to do for a while: freed memory goes back to the system."""
        try:
            return self._work.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            allocator.give_back()
        return self._work.get()

    def emit(self, event: Event) -> None:
        """Send one event; thread-safe. A front that is gone ends the process."""
        view = memoryview(encode(event))
        try:
            with self._write_lock:
                while view:
                    view = view[os.write(self._write_fd, view) :]
        except OSError:
            os._exit(0)

    def _refuse(self, exc: ImportError) -> None:
        """A `JobFailed` without a job: no job will ever work."""
        package = exc.name or str(exc)
        report = "".join(traceback.format_exception(exc))
        self.emit(JobFailed("", "engine_missing", {"package": package}, report))

    # ----------------------------------------------------------------- reading

    def _read(self) -> None:
        try:
            while (command := decode_from(self._input.read)) is not None:
                self._take(command)  # type: ignore[arg-type]
        except BrokenPipeMessage as exc:
            log.error("the front's pipe carried something else: %s", exc)
        finally:
            os._exit(0)

    def _take(self, command: Command) -> None:
        if isinstance(command, CancelJob):
            token = self._tokens.get(command.job_id)
            if token is not None:  # else the job is over
                token.cancel()
        elif isinstance(command, ReportMemory):
            self._report(command)
        else:
            self._tokens.setdefault(command.job_id, CancelToken())
            self._work.put(command)

    def _report(self, command: ReportMemory) -> None:
        """At once, unless it takes a warm engine to answer."""
        with self._warm:
            if self._engine is None and command.planned is not None:
                self._unanswered.append(command)
                return
        self.emit(self._memory(command))

    def _memory(self, command: ReportMemory) -> MemoryReport:
        engine = self._engine
        if engine is not None:
            try:
                return engine.memory(command.ticket, command.planned)
            except Exception:
                log.exception("the engine could not report its memory")
        return MemoryReport(command.ticket, psutil.Process().memory_info().rss, (), ())

    # ----------------------------------------------------------------- working

    def _run_job(self, engine: Engine, command: Work) -> None:
        job_id = command.job_id
        token = self._tokens.setdefault(job_id, CancelToken())
        try:
            token.check()
            event: Event = JobDone(job_id, self._perform(engine, command, token))
        except Exception as exc:
            event = _failure(job_id, exc)
        finally:
            self._tokens.pop(job_id, None)
        self.emit(event)

    def _perform(self, engine: Engine, command: Work, token: CancelToken) -> Outcome:
        job_id, emit = command.job_id, self.emit
        if isinstance(command, LoadModel):
            return engine.load_model(job_id, command.model, emit, token)
        if isinstance(command, ApplyLoras):
            return engine.apply_loras(job_id, command.model, command.loras, emit, token)
        if isinstance(command, Render):
            return engine.render(job_id, command.spec, emit, token)
        if isinstance(command, Upscale):
            return engine.upscale(job_id, command.spec, emit, token)
        if isinstance(command, Enhance):
            return engine.enhance(job_id, command.spec, emit, token)
        return engine.unload_model()


def _failure(job_id: str, exc: Exception) -> JobFailed:
    """What goes to the front; an unexpected one as its traceback, for the log only."""
    if isinstance(exc, SidecarError):
        cause = "".join(traceback.format_exception(exc)) if exc.__cause__ else ""
        return JobFailed(job_id, exc.kind, _plain(exc.fields), cause)
    report = "".join(traceback.format_exception(exc))
    kind = "out_of_memory" if isinstance(exc, MemoryError) else "internal_error"
    return JobFailed(job_id, kind, {}, report)


def _plain(fields: dict[str, Any]) -> dict[str, object]:
    return {k: v if isinstance(v, int | float | str | list) else str(v) for k, v in fields.items()}
