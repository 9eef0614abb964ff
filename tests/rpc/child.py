"""A real sidecar as a child process, spoken to in either framing, everything it says kept."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO

import psutil

PATIENCE = 60.0

Message = dict[str, Any]


class Child:
    """`send` and `wait`; `stop` closes its stdin and gives the exit code."""

    def __init__(
        self,
        data: Path,
        *options: str,
        headers: bool = False,
        env: Mapping[str, str] | None = None,
        under: Sequence[str] = (),
    ) -> None:
        """`under`: words before the command, such as those of a tracer."""
        self.headers = headers
        self.out: list[Any] = []
        self.raw = bytearray()
        self.ended = False
        self._arrived = threading.Condition()
        self._ids = iter(range(1, 1_000_000))
        self.stderr_path = data.with_name(data.name + ".log")
        serve = [sys.executable, "-m", "sidecar", "serve", "--data-dir", str(data), *options]
        command = [*under, *serve]
        with open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=env
            )
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    # ------------------------------------------------------------- speaking

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: Any) -> None:
        body = json.dumps(message).encode()
        head = b"Content-Length: %d\r\n\r\n" % len(body) if self.headers else b""
        self.write(head + body + (b"" if self.headers else b"\n"))

    def notify(self, method: str, **params: Any) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, **params: Any) -> int:
        request_id = next(self._ids)
        self.send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        return request_id

    # ------------------------------------------------------------- hearing

    def wait(self, wanted: Callable[[Any], bool], seconds: float = PATIENCE) -> Any:
        """The first message out that is wanted, now or within the time."""
        end, place = monotonic() + seconds, 0
        with self._arrived:
            while True:
                for message in self.out[place:]:
                    if wanted(message):
                        return message
                place = len(self.out)
                gone_on = not self.ended and self._arrived.wait(max(end - monotonic(), 0.0))
                assert gone_on, f"{self.out[-20:]}\n{self.log()[-3000:]}"

    def answer(self, request_id: Any) -> Message:
        return self.wait(lambda m: isinstance(m, dict) and "id" in m and m["id"] == request_id)

    def call(self, method: str, **params: Any) -> Any:
        answer = self.answer(self.request(method, **params))
        assert "result" in answer, answer
        return answer["result"]

    def error(self, method: str, **params: Any) -> Message:
        answer = self.answer(self.request(method, **params))
        assert "error" in answer, answer
        return answer["error"]

    def notification(
        self, name: str, wanted: Callable[[Message], bool] = lambda p: True
    ) -> Message:
        message = self.wait(
            lambda m: isinstance(m, dict) and m.get("method") == name and wanted(m["params"])
        )
        return message["params"]

    def told(self, name: str) -> list[Message]:
        return [m["params"] for m in self.out if isinstance(m, dict) and m.get("method") == name]

    def log(self) -> str:
        return self.stderr_path.read_text(errors="replace")

    # ------------------------------------------------------------- processes

    def engine(self) -> psutil.Process:
        """The engine process that runs now, or as soon as there is one again."""
        pids: dict[str, int] = {}

        def is_there() -> bool:
            pids.update(self.call("status")["pids"])
            return "engine" in pids

        until(is_there)
        return psutil.Process(pids["engine"])

    def stop(self, seconds: float = PATIENCE) -> int:
        """Hang up and wait; what it still said is in `out`."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        code = self.process.wait(seconds)
        self._reader.join(PATIENCE)
        return code

    def _read(self, stdout: BinaryIO) -> None:
        for body in self._bodies(stdout):
            with self._arrived:
                self.out.append(json.loads(body))
                self._arrived.notify_all()
        with self._arrived:
            self.ended = True
            self._arrived.notify_all()

    def _bodies(self, stdout: BinaryIO) -> Iterator[bytes]:
        """As a client of that framing reads: headers it does not know are skipped."""
        length = 0
        for line in iter(stdout.readline, b""):
            self.raw += line
            if not self.headers:
                yield line
            elif line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            elif line == b"\r\n":
                body = stdout.read(length)
                self.raw += body
                yield body


def until(done: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait for something that nobody tells of, such as a file."""
    pause, end = threading.Event(), monotonic() + seconds
    while not done():
        assert monotonic() < end
        pause.wait(0.02)


def gone(process: psutil.Process, seconds: float = PATIENCE) -> bool:
    """Whether the process ends within that time."""
    try:
        process.wait(seconds)
    except psutil.TimeoutExpired:
        return process.status() == psutil.STATUS_ZOMBIE
    return True


Start = Callable[..., Child]


def starter(folder: Path, options: Sequence[str]) -> Iterator[Start]:
    """For fixtures: starts children, and leaves none behind."""
    children: list[Child] = []

    def start(*more: str, **how: Any) -> Child:
        children.append(Child(folder / "data", *options, *more, **how))
        return children[-1]

    yield start
    for child in children:
        if child.process.poll() is None:
            with contextlib.suppress(psutil.Error):
                for process in psutil.Process(child.process.pid).children(recursive=True):
                    process.kill()
            child.process.kill()
            child.process.wait(PATIENCE)
