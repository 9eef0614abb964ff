"""Children on pipes: bare ones for the wire's own figures, and the resident diffusers peer."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measuring import PEERS
from sidecar.paths import starter_folder

ANSWER_SECONDS = 120.0
SERVE = (sys.executable, "-m", "sidecar", "serve")


class Child:
    """A child spoken with in lines or in messages with headers; nothing between us and the pipe.

    A child that does not answer in time is killed, so that no wait is endless.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdin
        assert self.process.stdout
        self._in, self._out = self.process.stdin, self.process.stdout

    def send_line(self, line: bytes) -> None:
        self._in.write(line)
        self._in.flush()

    def read_line(self) -> bytes:
        return self._out.readline()

    def send_message(self, body: bytes) -> None:
        self._in.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._in.flush()

    def read_message(self) -> bytes:
        size = 0
        while header := self._out.readline().strip():
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                size = int(value)
        return self._out.read(size)

    def answer_to(self, request_id: int) -> dict[str, Any]:
        """Reads lines until the answer to that request."""
        while line := self.read_line():
            message = json.loads(line)
            if message.get("id") == request_id and "method" not in message:
                return message
        raise RuntimeError("the child ended before it answered")

    def end(self) -> None:
        self._in.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self._out.close()


@contextmanager
def running(command: Sequence[str], seconds: float = 600.0) -> Iterator[Child]:
    """A child that ends with the block, and is killed when it lives longer than that."""
    child = Child(command)
    watch = threading.Timer(seconds, child.process.kill)
    watch.daemon = True
    watch.start()
    try:
        yield child
    finally:
        watch.cancel()
        child.end()


class DiffusersWorker:
    """The resident peer; each call returns the milliseconds it took by the peer's own clock."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self.facts: dict[str, Any] = json.loads(child.read_line())

    def __call__(self, op: str, **values: Any) -> float:
        return float(self.ask(op, **values)["ms"])

    def ask(self, op: str, **values: Any) -> dict[str, Any]:
        self._child.send_line(json.dumps({"op": op, **values}).encode() + b"\n")
        return json.loads(self._child.read_line())


@contextmanager
def diffusers_worker(model: Path | None = None) -> Iterator[DiffusersWorker]:
    folder = starter_folder() if model is None else model
    command = (sys.executable, str(PEERS / "diffusers_worker.py"), str(folder))
    with running(command, 1200.0) as child:
        yield DiffusersWorker(child)
