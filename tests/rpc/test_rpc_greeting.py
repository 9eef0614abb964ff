"""The first bytes, read while the rest is imported: answered as the session would, or left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sidecar.paths import DataFolder
from sidecar.protocol.events import NOTIFICATIONS
from sidecar.protocol.lifecycle import InitializeResult
from sidecar.protocol.methods import METHODS
from sidecar.protocol.names import NOTIFICATION_NAMES
from sidecar.rpc.greeting import Greeting
from sidecar.rpc.handlers import HANDLERS
from sidecar.rpc.handshake import main_memory
from sidecar.rpc.stdio import Wire
from sidecar.settings import Settings
from tests.rpc.child import Start
from tests.rpc.in_memory import InMemory

PATIENCE = 60.0
READY = b'{"jsonrpc":"2.0","method":"ready"}'
PLAIN = b'{"jsonrpc":"2.0","id":1,"method":"initialize"'
DISCOVER = b'{"jsonrpc":"2.0","id":2,"method":"rpc.discover"}'


class Pipes:
    """A greeting on pipes; `said` is all it wrote."""

    def __init__(self, folder: Path) -> None:
        read_fd, self.write_fd = os.pipe()
        self.read_fd, write_fd = os.pipe()
        self.greeting = Greeting(
            Settings(DataFolder(folder), engine="fake"), Wire(read_fd, write_fd), READY
        )
        self.broken = threading.Event()
        self.greeting.on_broken = self.broken.set

    def hear(self, data: bytes) -> tuple[list[Any], bool]:
        os.write(self.write_fd, data)
        return self.heard()

    def heard(self) -> tuple[list[Any], bool]:
        """The session comes only after the first bytes."""
        self.greeting.start()
        self.greeting._thread.join(PATIENCE)
        return self.greeting.left()

    def said(self) -> bytes:
        assert self.greeting.outbox.flush(PATIENCE)
        os.set_blocking(self.read_fd, False)
        try:
            return os.read(self.read_fd, 1 << 16)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        wire = self.greeting.wire
        for fd in (wire.read_fd, wire.write_fd, self.read_fd, self.write_fd):
            if fd >= 0:
                os.close(fd)


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Pipes]:
    pipes = Pipes(tmp_path)
    yield pipes
    pipes.close()


PLAIN_ONES = [
    b"",
    b',"params":{}',
    b',"params":{"locale":"zh-CN"}',
    b',"params":{"client":{"name":"app"},"protocol_version":1}',
    b',"params":{"client":{"name":"\xe5\xba\x94\xe7\x94\xa8","version":"2"},"locale":"en"}',
]


@pytest.mark.parametrize("params", PLAIN_ONES)
def test_a_plain_initialize_is_answered_as_the_session_answers_it(
    pipes: Pipes, tmp_path: Path, params: bytes
) -> None:
    left, ended = pipes.hear(PLAIN + params + b"}\n")
    assert not left
    assert not ended
    answer = json.loads(pipes.said())
    session = InMemory(tmp_path)
    session.send(PLAIN + params + b"}")
    expected = session.answer(1)
    for result in (answer["result"], expected["result"]):
        del result["device"]  # by then the session's engine may have looked at it
    assert answer == expected
    assert pipes.greeting.locale == session.front.locale


NOT_PLAIN = [
    b'{"jsonrpc":"2.0","id":1,"method":"ping"}',
    b'{"jsonrpc":"2.0","method":"initialize"}',
    b'{"jsonrpc":"2.0","id":null,"method":"initialize"}',
    b'{"jsonrpc":"2.0","id":1.5,"method":"initialize"}',
    b'{"jsonrpc":"2.0","id":true,"method":"initialize"}',
    b'{"jsonrpc":"2.0","id":[],"method":"initialize"}',
    b'{"jsonrpc":"1.0","id":1,"method":"initialize"}',
    b'{"jsonrpc":"2.0","id":"\\ud800","method":"initialize"}',
    b'{"jsonrpc":"2.0","id":1,"method":"initialize","extra":NaN}',
    b'[{"jsonrpc":"2.0","id":1,"method":"initialize"}]',
    b'"initialize"',
    b"initialize",
    b"\xffinitialize",
    b"[" * 100_000 + b"initialize",
    PLAIN + b',"params":[]}',
    PLAIN + b',"params":null}',
    PLAIN + b',"params":{"locale":"fr"}}',
    PLAIN + b',"params":{"locale":null}}',
    PLAIN + b',"params":{"locale":["en"]}}',
    PLAIN + b',"params":{"protocol_version":true}}',
    PLAIN + b',"params":{"protocol_version":"1"}}',
    PLAIN + b',"params":{"client":{}}}',
    PLAIN + b',"params":{"client":{"name":1}}}',
    PLAIN + b',"params":{"client":{"name":"a","os":"b"}}}',
    PLAIN + b',"params":{"client":"a"}}',
    PLAIN + b',"params":{"unknown":1}}',
]


@pytest.mark.parametrize("body", NOT_PLAIN)
def test_everything_else_is_left_to_the_session(pipes: Pipes, body: bytes) -> None:
    feeder = threading.Thread(target=os.write, args=(pipes.write_fd, body + b"\n"))
    feeder.start()  # more than a pipe holds may be among them
    left, ended = pipes.heard()
    while not left:  # the end of a long one
        left = pipes.greeting.read() or []
    feeder.join()
    assert left == [body]
    assert not ended
    assert pipes.said() == b""


def test_what_follows_in_the_same_bytes_is_left(pipes: Pipes) -> None:
    left, _ = pipes.hear(PLAIN + b"}\n" + DISCOVER + b"\n" + PLAIN + b"}\n" + b'{"half')
    assert left == [DISCOVER, PLAIN + b"}"]
    assert len(pipes.said().splitlines()) == 1


def test_with_headers_ready_is_said_again_before_the_answer(pipes: Pipes) -> None:
    body = PLAIN + b"}"
    left, _ = pipes.hear(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    assert not left
    said = pipes.said()
    assert said.startswith(b"Content-Length: %d\r\n\r\n%b" % (len(READY), READY))
    assert b'"result"' in said.split(READY)[1]


def test_the_end_of_the_stream_is_told(pipes: Pipes) -> None:
    os.write(pipes.write_fd, PLAIN[:9])
    os.close(pipes.write_fd)
    pipes.write_fd = -1
    assert pipes.heard() == ([], False)
    assert pipes.greeting.read() is None


def test_a_reader_that_is_gone_is_told(pipes: Pipes) -> None:
    os.close(pipes.read_fd)
    pipes.read_fd = -1
    pipes.hear(PLAIN + b"}\n")
    assert pipes.broken.wait(PATIENCE)


def test_the_names_told_at_first_are_those_of_the_tables() -> None:
    assert list(HANDLERS) == list(METHODS)  # whose order is that of the documents
    assert list(NOTIFICATION_NAMES) == list(NOTIFICATIONS)


def test_the_answer_is_what_the_schema_says(pipes: Pipes) -> None:
    pipes.hear(PLAIN + b"}\n")
    result = json.loads(pipes.said())["result"]
    assert InitializeResult.model_validate(result).model_dump() == result


def test_an_initialize_that_comes_when_the_session_waits_is_left_to_it(pipes: Pipes) -> None:
    greeting, left = pipes.greeting, []
    greeting.start()
    session = threading.Thread(target=lambda: left.append(greeting.left()))
    session.start()
    while not greeting._awaited:
        session.join(0.001)
    os.write(pipes.write_fd, PLAIN + b"}\n")
    session.join(PATIENCE)
    assert left == [([PLAIN + b"}"], False)]
    assert pipes.said() == b""


def test_a_client_that_speaks_late_is_told_what_the_engine_found(start: Start) -> None:
    child = start()
    child.notification("engine_state", lambda p: p["state"] == "ready")
    assert child.call("initialize")["device"]["name"] == "fake device"


def test_free_memory_is_what_is_available_as_everywhere(pipes: Pipes) -> None:
    total, available = main_memory()
    assert total == psutil.virtual_memory().total
    apart = 0.02 * total
    for _ in range(100):  # somebody else may take or free much in between
        if abs(available - psutil.virtual_memory().available) < apart:
            return
        _, available = main_memory()
    raise AssertionError(f"{available} bytes, and never what psutil finds")


def test_a_model_that_is_not_there_is_told_in_the_language_of_the_caller(start: Start) -> None:
    child = start("--model", "typo")
    child.call("initialize", locale="zh-CN")
    warning = child.notification("warning", lambda p: p["kind"] == "model_not_found")
    assert "typo" in warning["message"]
    assert not warning["message"].isascii()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_the_imports_ends_the_sidecar_cleanly(
    start: Start, number: signal.Signals
) -> None:
    child = start()
    child.wait(lambda message: message["method"] == "ready")
    child.process.send_signal(number)
    assert child.process.wait(PATIENCE) == 0
    assert "Traceback" not in child.log()


def test_the_language_of_the_greeting_holds_for_the_session(start: Start) -> None:
    child = start()
    child.call("initialize", locale="zh-CN")
    assert not child.error("generate", prompt="apple")["message"].isascii()
    assert child.stop() == 0


def test_the_greeting_imports_neither_pydantic_nor_asyncio() -> None:
    code = (
        "import sys, sidecar.cli.serve, sidecar.rpc.logs, sidecar.rpc.greeting;"
        "print([m for m in ('pydantic', 'pydantic_core', 'asyncio', 'psutil', 'sqlite3',"
        " 'jsonrpcserver') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
