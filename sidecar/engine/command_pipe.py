"""The pipe into one engine. Whoever sends never waits for the engine, not even for a stuck one.

When nothing waits and the pipe has room, the caller writes by itself, which costs no thread switch.
Otherwise a writer thread takes over, which may then be held for as long as the engine lives; all
that waits goes with the engine.
"""

from __future__ import annotations

import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import IO

PIPE_BUF = getattr(select, "PIPE_BUF", 512)
SPARE_BYTES = 1024 * 1024
"""What may wait before messages that can be done without are refused. The others need no bound:
one job at a time is sent, and its cancel."""


class CommandPipe:
    """Thread-safe; keeps the order. `stdin`: the end that is written to, in blocking mode."""

    def __init__(self, stdin: IO[bytes]) -> None:
        self._stdin = stdin
        self._fd = stdin.fileno()
        self._changed = threading.Condition()
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._thread: threading.Thread | None = None
        self._closed = False
        self._has_room = _probe(self._fd)

    def put(self, data: bytes, spare: bool = False) -> bool:
        """Whether it is on its way. `spare`: refused when much waits already."""
        with self._changed:
            if self._closed or (spare and self._bytes and self._bytes + len(data) > SPARE_BYTES):
                return False
            if not self._bytes and len(data) <= PIPE_BUF and self._has_room():
                return self._write(data)
            self._queue.append(data)
            self._bytes += len(data)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="engine-in", daemon=True)
                self._thread.start()
            self._changed.notify()
            return True

    def close(self) -> bool:
        """Hang up, which ends an engine that reads. False when something waits, and is dropped: a
        writer may be held in the middle of it, and only the engine's death sets that free."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify()
            if not self._bytes:
                self._stdin.close()
            return not self._bytes

    def _run(self) -> None:
        while (data := self._next()) is not None:
            ok = self._write(data)
            with self._changed:
                self._bytes -= len(data)
                self._closed |= not ok
        self._stdin.close()  # not before: the number of a closed descriptor is soon another's

    def _next(self) -> bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            return None if self._closed else self._queue.popleft()

    def _write(self, data: bytes) -> bool:
        """All of it. At most PIPE_BUF bytes into a pipe with room neither block nor split."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            return False
        return True


def _probe(fd: int) -> Callable[[], bool]:
    """Whether PIPE_BUF bytes can be written now; never, where the system does not tell."""
    if sys.platform == "win32" or not hasattr(select, "poll"):
        return lambda: False
    poll = select.poll()
    poll.register(fd, select.POLLOUT)

    def has_room() -> bool:
        events = poll.poll(0)
        return bool(events) and bool(events[0][1] & select.POLLOUT)

    return has_room
