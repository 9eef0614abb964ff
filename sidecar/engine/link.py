"""The front's end of the engine: spawn, read its events, spawn again when it dies.

One thread does all of it and lives as long as the front, because on Linux an engine dies with the
thread that spawned it. What an engine was doing when it died is not known here: jobs carry their
whole state, and the queue sends them again.
"""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Sequence
from time import monotonic
from typing import Protocol

from sidecar.engine.codec import BrokenPipeMessage, decode_from, encode
from sidecar.engine.command_pipe import CommandPipe
from sidecar.engine.contract import Command, EngineWarm, Event, JobFailed, ReportMemory
from sidecar.engine.process import spawn

BACK_OFF = (0.0, 0.0, 0.5, 2.0, 5.0)
"""Seconds before the next start, by the number of deaths in the last minute."""
MAX_COLD_DEATHS = 3
"""Deaths in a row before the imports were done, after which only a new job makes us try again."""

log = logging.getLogger(__name__)


class Listener(Protocol):
    """Told what happens, always from the link's thread."""

    def engine_started(self, pid: int) -> None: ...

    def engine_event(self, event: Event) -> None: ...

    def engine_stopped(self, exit_code: int | None, given_up: bool) -> None: ...


class Link:
    """`first`: an engine that the main thread spawned already, to save time at the start."""

    def __init__(
        self,
        command: Sequence[str],
        listener: Listener,
        first: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self._command = command
        self._listener = listener
        self._next = first
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: CommandPipe | None = None
        self._closed = threading.Event()
        self._wanted = threading.Event()
        self._unfit = False
        self._deaths: list[float] = []
        self._cold_deaths = 0
        self._thread = threading.Thread(target=self._run, name="engine-link", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def send(self, command: Command) -> bool:
        """False when there is no engine to take it, or for a question when too many wait. Never
        waits for the engine."""
        pipe = self._pipe
        spare = isinstance(command, ReportMemory)
        return pipe is not None and pipe.put(encode(command), spare)

    def kill(self) -> None:
        """End the engine that runs now; another one follows."""
        process = self._process
        if process is not None:
            process.kill()

    def wake(self) -> None:
        """Try again, if the link gave up."""
        self._wanted.set()

    def close(self, timeout: float) -> None:
        """End the engine for good; killed when it takes longer than `timeout` seconds."""
        self._closed.set()
        self._wanted.set()
        process = self._process or self._next
        if process is None:
            return
        self._hang_up(process, self._pipe)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()

    # ----------------------------------------------------------------- the thread

    def _run(self) -> None:
        while not self._closed.is_set():
            exit_code = self._one_life()
            if self._closed.is_set() or self._unfit:
                return
            given_up = self._cold_deaths >= MAX_COLD_DEATHS
            self._wanted.clear()
            self._listener.engine_stopped(exit_code, given_up)
            if given_up:
                self._wanted.wait()
            else:
                self._closed.wait(self._delay())

    def _one_life(self) -> int | None:
        """From spawn to death; the exit code, None when it could not be started."""
        self._cold_deaths += 1
        try:
            process, self._next = self._next or spawn(self._command), None
        except OSError:
            log.exception("the engine cannot be started")
            return None
        assert process.stdin is not None
        pipe = CommandPipe(process.stdin)
        self._process, self._pipe = process, pipe
        if self._closed.is_set():
            self._hang_up(process, pipe)
        self._listener.engine_started(process.pid)
        self._read_events(process)
        self._process = self._pipe = None
        self._hang_up(process, pipe)
        exit_code = process.wait()
        if not self._closed.is_set():
            log.warning("the engine ended with exit code %s", exit_code)
        return exit_code

    def _read_events(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        read = process.stdout.read
        try:
            while (event := decode_from(read)) is not None:
                if isinstance(event, EngineWarm):
                    self._cold_deaths = 0
                self._unfit |= isinstance(event, JobFailed) and not event.job_id
                self._listener.engine_event(event)  # type: ignore[arg-type]
        except BrokenPipeMessage as exc:
            if process.poll() is None and not self._closed.is_set():
                log.error("the engine's pipe carried something else: %s", exc)
            process.kill()
        finally:
            process.stdout.close()

    def _hang_up(self, process: subprocess.Popen[bytes], pipe: CommandPipe | None) -> None:
        """The end of its input is what ends an engine; one that does not read is killed."""
        try:
            if pipe is None or not pipe.close():
                process.kill()
        except OSError:
            log.debug("the engine closed its input first")

    def _delay(self) -> float:
        now = monotonic()
        self._deaths = [t for t in self._deaths if now - t < 60.0] + [now]
        return BACK_OFF[min(len(self._deaths), len(BACK_OFF) - 1)]
