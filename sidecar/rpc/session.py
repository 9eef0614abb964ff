"""One session: builds the front, reads the wire until it ends, and leaves nothing behind."""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import threading
from collections.abc import Sequence
from importlib import import_module
from time import monotonic
from types import FrameType
from typing import Any

from sidecar.engine.contract import MemoryReport
from sidecar.engine.link import Link
from sidecar.errors import SidecarError
from sidecar.jobs.hooks import Hooks
from sidecar.jobs.job import Job
from sidecar.jobs.queue import JobQueue
from sidecar.protocol.events import EngineStateEvent
from sidecar.rpc.context import Front
from sidecar.rpc.dispatch import Dispatcher
from sidecar.rpc.framing import Fault, Framed
from sidecar.rpc.greeting import Greeting
from sidecar.rpc.handlers import HANDLERS
from sidecar.rpc.notify import LogToWire, Notifier
from sidecar.settings import Settings

LAST_CANCEL, LAST_HANG_UP, LAST_FLUSH = 0.4, 0.2, 0.3
"""Seconds for each step of the end; together less than one second."""
PATIENCE = 1.0
"""Seconds between looks at signals, which Windows does not tell to who waits for a lock."""
MEMORY_INTERVAL = 1.0
PREWARM = "sidecar.rpc.prewarm"

log = logging.getLogger(__name__)


class Session:
    """`greeting`: has both ends of the wire, and reads first. `first`: the engine process that was
    spawned already."""

    def __init__(
        self,
        settings: Settings,
        greeting: Greeting,
        command: Sequence[str],
        first: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self._greeting = greeting
        self._outbox = greeting.outbox
        self._notifier = Notifier(self._outbox)
        self._ending = False
        self._closed = False
        self._close_lock = threading.Lock()
        self._told_state: str | None = None
        self._state_lock = threading.Lock()
        self._asked_memory = 0.0
        self._will_look = False
        jobs = JobQueue(self._hooks(), settings.queue_limit, settings.cancel_deadline)
        self._link = Link(command, jobs, first)
        jobs.attach(self._link)
        self._outbox.on_room = jobs.go_on
        self.front = Front(settings, jobs, self._notifier, self._link.send, self._end)
        self._dispatcher = Dispatcher(self.front, HANDLERS, self._outbox.send)

    def run(self) -> int:
        """Until the client hangs up or says exit; the exit code."""
        self._greeting.on_broken = self._end_now
        logging.getLogger("sidecar").addHandler(LogToWire(self._notifier))
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._on_signal)
        self._link.start()
        self._read_all(self._preload())
        if self.front.settings.finish and not self._ending:
            self._finish()
        self._close()
        return 0

    # ----------------------------------------------------------------- reading

    def _read_all(self, unfit: SidecarError | None) -> None:
        """`unfit`: why the first model cannot be loaded, which is told in the caller's language."""
        items, ended = self._greeting.left()
        self.front.locale = self._greeting.locale
        self._take(items)
        if unfit is not None:
            self.front.warn(unfit.kind, unfit.fields)
        if not ended:
            self._dispatcher.warm_up(self._imported)
        while not (self._ending or ended):
            self._outbox.wait_for_room(self._hung_up)
            items = self._greeting.read()
            ended = items is None
            self._take(self._greeting.parser.end() if items is None else items)

    def _imported(self) -> None:
        """There is time for what nobody waits for."""
        self.front.watch_library()
        self.front.unfinished.clean()

    def _hung_up(self) -> bool:
        """Whether the client closed our stdin, seen without reading from it."""
        if not hasattr(select, "poll"):
            return False
        poll = select.poll()
        poll.register(self._greeting.wire.read_fd, 0)
        return bool(poll.poll(0))

    def _take(self, items: list[Framed]) -> None:
        for item in items:
            self._outbox.wait_for_room(self._hung_up)
            if self._ending:
                return
            if isinstance(item, Fault):
                self._dispatcher.fault(item.error)
            else:
                self._receive(item)

    def _receive(self, body: bytes) -> None:
        """Whatever a message does to us, the next one is read."""
        try:
            self._dispatcher.receive(body)
        except Exception:
            log.exception("a message of %d bytes could not be handled", len(body))
            self._dispatcher.fault(SidecarError())

    def _preload(self) -> SidecarError | None:
        """Why the model of the command line cannot be loaded, if it cannot."""
        model = self.front.settings.preload_model
        return None if model is None else import_module(PREWARM).preload(self.front, model)

    def _prewarm(self) -> None:
        import_module(PREWARM).prewarm(self.front)

    # ----------------------------------------------------------------- hooks of the queue

    def _hooks(self) -> Hooks:
        return Hooks(
            state=self._tell_state,
            idle=self._job_ended,
            warning=lambda kind, fields: self.front.warn(kind, fields),
            memory=self._memory_arrived,
            died=self._engine_died,
            restarted=self._prewarm,
            room=lambda: not self._outbox.full,
        )

    def _tell_state(self) -> None:
        with self._state_lock:
            facts = self.front.jobs.facts
            state = facts.state
            if state != self._told_state:
                self._told_state = state
                event = EngineStateEvent(state=state, detail=facts.missing)
                self._notifier("engine_state", event)
            look = facts.busy and not self._will_look
            self._will_look |= look
        if look:
            timer = threading.Timer(MEMORY_INTERVAL, self._look_at_memory)
            timer.daemon = True
            timer.start()

    def _look_at_memory(self) -> None:
        """Work has been going on for a while; from now on to its end."""
        with self._state_lock:
            self._will_look = False
        if not self.front.shutting_down:
            self.front.memory.watch()

    def _job_ended(self, job: Job) -> None:
        now = monotonic()
        if now - self._asked_memory >= MEMORY_INTERVAL:
            self._asked_memory = now
            self.front.memory.watch()

    def _engine_died(self) -> None:
        self.front.unfinished.engine_died()

    def _memory_arrived(self, report: MemoryReport) -> None:
        self.front.memory.arrived(report)

    # ----------------------------------------------------------------- the end

    def _finish(self) -> None:
        """Nothing more is asked for; what was asked for is done, answered and read."""
        while not self._dispatcher.answered(PATIENCE):
            pass
        while not self._outbox.flush(PATIENCE):
            pass

    def _end(self) -> None:
        """`exit`: called on the reading thread, which stops at the next message."""
        self._ending = True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        log.info("signal %d", number)
        threading.Thread(target=self._end_now, name="signal", daemon=True).start()

    def _end_now(self) -> None:
        """The end while the reading thread still waits for input: nobody reads, or a signal."""
        self._close()
        os._exit(0)

    def _close(self) -> None:
        with self._close_lock:
            if self._closed:
                return
            self._closed = True
            self.front.shutting_down = True
            idle: Any = self.front.jobs.close(LAST_CANCEL)
            if not _ended(idle, LAST_CANCEL + 0.1):
                self.front.jobs.abandon()
            self._link.close(LAST_HANG_UP)
            self._outbox.flush(LAST_FLUSH)
            self.front.close()


def _ended(future: Any, seconds: float) -> bool:
    try:
        future.result(seconds)
    except TimeoutError:
        log.warning("work did not end in time")
        return False
    return True
