"""The sidecar as a child process: lines in, lines out, and an end that always comes."""

from __future__ import annotations

import contextlib
import io
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

LOG_LINES = 50
STDERR_JOIN_SECONDS = 1.0
NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""Windows opens a console for a program that a windowed one starts, unless it is told not to."""


class ChildProcess:
    """A child with piped stdin and stdout. Writing never blocks the caller, even if it is deaf.

    Its stderr goes to the file `log`, or its last lines are kept in memory.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str] | None, log: Path | None
    ) -> None:
        self._log_lines: deque[str] = deque(maxlen=LOG_LINES)
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        with contextlib.ExitStack() as stack:
            stderr = stack.enter_context(open(log, "ab")) if log else subprocess.PIPE
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                bufsize=0,
                env=None if env is None else dict(env),
                creationflags=NO_WINDOW,
            )
        self._writer = _start(self._write, "sidecar-client-writer")
        self._drain = _start(self._keep_log, "sidecar-client-stderr")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def send(self, line: bytes) -> None:
        """Queue one line, newline included."""
        self._outgoing.put(line)

    def lines(self) -> Iterator[bytes]:
        """What it writes to stdout, until that ends. For one reader."""
        assert self._process.stdout is not None
        with io.BufferedReader(self._process.stdout, 1 << 16) as reader:  # type: ignore[arg-type]
            yield from reader

    def close_input(self) -> None:
        """End its stdin once everything queued is written: the polite way to ask it to go."""
        self._outgoing.put(None)

    def wait(self, seconds: float) -> int | None:
        """Its exit code, or None when it still runs after that time."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, grace: float) -> int | None:
        """Close stdin, wait, terminate, wait, kill; at most 2 × `grace` and a second."""
        self.close_input()
        for force in (self._process.terminate, self._process.kill):
            if self.wait(grace) is not None:
                break
            force()
        return self.wait(1.0)

    def last_log_lines(self) -> tuple[str, ...]:
        """The end of its stderr; waits a moment for what a dying process still says."""
        if self._process.poll() is not None:
            self._drain.join(STDERR_JOIN_SECONDS)
        return tuple(self._log_lines)

    def _write(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(OSError):  # it is gone: the reader sees that and says so
            while (line := self._outgoing.get()) is not None:
                view = memoryview(line)
                while view:
                    view = view[stdin.write(view) or 0 :]
        with contextlib.suppress(OSError):
            stdin.close()

    def _keep_log(self) -> None:
        if self._process.stderr is None:
            return
        with io.BufferedReader(self._process.stderr) as reader:  # type: ignore[arg-type]
            for line in reader:
                self._log_lines.append(line.decode("utf-8", "replace").rstrip())


def _start(target: object, name: str) -> threading.Thread:
    thread = threading.Thread(target=target, name=name, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread
