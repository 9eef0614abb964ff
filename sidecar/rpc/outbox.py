"""The only writer of the wire: one message, one write, in order.

When nothing waits and the pipe has room, the calling thread writes by itself; a round trip then
costs no thread switch. Otherwise a writer thread takes over. Answers are never dropped; of
notifications that only say how things stand (progress, frames, memory) the newest replaces the
one still waiting, so that a reader that stalls costs neither memory nor the engine's time.
"""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable, Hashable

from sidecar.rpc.framing import Framing, frame

PIPE_BUF = getattr(select, "PIPE_BUF", 512)
MAX_DROPPABLE = 512
HANG_UP_INTERVAL = 0.2
OVERHEAD = 160
"""Bytes that a waiting message takes beside its own."""
MAX_UNREAD = 64 * 1024 * 1024
"""When the client leaves more than this unread, nothing more is taken from it, and nothing more
is begun for it."""

log = logging.getLogger(__name__)


class _Waiting:
    __slots__ = ("data", "key")

    def __init__(self, data: bytes, key: Hashable | None) -> None:
        self.data = data
        self.key = key


class Outbox:
    """Thread-safe. `on_broken` is called once, when nobody reads any more. `on_room`: each time
    that no more than `limit` bytes wait again."""

    def __init__(self, fd: int, on_broken: Callable[[], None], limit: int = MAX_UNREAD) -> None:
        self.on_room: Callable[[], None] = lambda: None
        self.framing = Framing.UNKNOWN
        self._fd = fd
        self._on_broken = on_broken
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._queue: deque[_Waiting] = deque()
        self._latest: dict[Hashable, _Waiting] = {}
        self._bytes = 0
        self._limit = limit
        self._writing = False
        self._broken = False
        self._thread: threading.Thread | None = None
        self._can_write_now = self._make_probe()

    def send(self, body: bytes) -> None:
        """An answer, or a notification that must arrive."""
        self._put(body, None, droppable=False)

    def send_latest(self, body: bytes, key: Hashable) -> None:
        """A notification that replaces a waiting one of the same key."""
        self._put(body, key, droppable=False)

    def send_if_room(self, body: bytes) -> None:
        """A notification that may be lost when very many wait."""
        self._put(body, None, droppable=True)

    @property
    def full(self) -> bool:
        """Whether more waits than should."""
        return self._bytes > self._limit

    def wait_for_room(self, hung_up: Callable[[], bool]) -> None:
        """Hold the caller while it is full: nobody is asked to read on.

        `hung_up` is asked now and then whether the client closed its end meanwhile.
        """
        with self._changed:
            while self.full and not self._broken and not hung_up():
                self._changed.wait(HANG_UP_INTERVAL)

    def flush(self, timeout: float) -> bool:
        """True once everything is written; False when that took longer than `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._broken or not (self._queue or self._writing), timeout
            )

    # ----------------------------------------------------------------- inside

    def _put(self, body: bytes, key: Hashable | None, droppable: bool) -> None:
        with self._changed:
            if self._broken:
                return
            data = frame(self.framing, body)
            idle = not self._queue and not self._writing
            if idle and len(data) <= PIPE_BUF and self._can_write_now():
                self._write_now(data)
            else:
                self._enqueue(data, key, droppable)

    def _write_now(self, data: bytes) -> None:
        """A write of at most PIPE_BUF bytes to a pipe with room neither blocks nor splits."""
        try:
            rest = data[os.write(self._fd, data) :]
        except BlockingIOError:
            rest = data
        except OSError:
            self._break()
            return
        if rest:
            self._enqueue(rest, None, droppable=False)

    def _enqueue(self, data: bytes, key: Hashable | None, droppable: bool) -> None:
        waiting = self._latest.get(key) if key is not None else None
        if waiting is not None:
            self._bytes += len(data) - len(waiting.data)
            waiting.data = data
            return
        if droppable and len(self._queue) >= MAX_DROPPABLE:
            return
        entry = _Waiting(data, key)
        if key is not None:
            self._latest[key] = entry
        self._queue.append(entry)
        self._bytes += len(data) + OVERHEAD
        self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue:
                    self._changed.wait()
                entry = self._queue.popleft()
                if entry.key is not None:
                    del self._latest[entry.key]
                self._writing = True
            ok = self._write_all(entry.data)
            with self._changed:
                self._writing, was_full = False, self.full
                self._bytes -= len(entry.data) + OVERHEAD
                if not ok:
                    self._break()
                    return
                self._changed.notify_all()
            if was_full and not self.full:
                self.on_room()

    def _write_all(self, data: bytes) -> bool:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._fd, view[: 1 << 20]) :]
            except BlockingIOError:
                select.select([], [self._fd], [])
            except OSError:
                return False
        return True

    def _break(self) -> None:
        """Nobody reads: a client that went away. Called with the lock held."""
        self._broken = True
        self._queue.clear()
        self._latest.clear()
        self._changed.notify_all()
        threading.Thread(target=self._on_broken, name="outbox-broken", daemon=True).start()

    def _make_probe(self) -> Callable[[], bool]:
        if sys.platform == "win32" or not hasattr(select, "poll"):
            return lambda: False
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)

        def can_write_now() -> bool:
            events = poll.poll(0)
            return bool(events) and bool(events[0][1] & select.POLLOUT)

        return can_write_now
