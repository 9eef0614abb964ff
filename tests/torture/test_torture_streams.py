"""Point 5: lines at and over the limit, slow and stalled readers, both framings in one stream."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import psutil
import pytest

from tests.rpc.child import PATIENCE, Child, Start, starter
from tests.torture.counts import LONG, ONLY_LONG, count

MIB = 1024 * 1024
LIMIT = 64 * MIB
AT_THE_LIMIT = 5 * LIMIT
"""What taking a message of 64 MiB may cost for a moment: buffer, message, text and their growth."""
AFTERWARDS = 40 * MIB
UNREAD = LIMIT + 60 * MIB
"""What is kept for a reader that stalls, and the front itself."""
ENDLESS = count(200, 3000) * MIB
PICTURES = count(4, 200)
MANY_PICTURES = 50
"""More of them make room for one another in the history."""

INLINE = count(5, 20)
INLINE_EACH, INLINE_BYTES = 8, 4_000_000
"""Pictures of one answer; as text they are 41 MiB."""
LOAD = b'{"jsonrpc":"2.0","id":-1,"method":"load_model","params":{"model":"starter"}}\n'
QUIET = 3.0
SIP = 7
"""Bytes that a very slow reader takes at a time."""

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory from /proc"),
    pytest.mark.timeout(900 if LONG else 600),
]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    yield from starter(tmp_path, ("--engine", "fake"))


def peak(child: Child) -> int:
    """The most memory the front ever had, in bytes."""
    status = Path(f"/proc/{child.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def rss(child: Child) -> int:
    return int(psutil.Process(child.process.pid).memory_info().rss)


def ping_of(size: int) -> bytes:
    head, tail = b'{"jsonrpc":"2.0","id":"large","method":"ping","params":{"x":"', b'"}}'
    return head + b"x" * (size - len(head) - len(tail)) + tail


def header(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


@pytest.mark.parametrize("headers", [False, True], ids=["lines", "headers"])
def test_a_message_of_64_mib_is_taken_and_one_byte_more_is_refused(
    start: Start, headers: bool
) -> None:
    child = start(headers=headers)
    child.call("initialize")
    before = rss(child)
    fit: Callable[[bytes], bytes] = header if headers else lambda body: body + b"\n"
    child.write(fit(ping_of(LIMIT)))
    assert child.answer("large")["error"]["code"] == -32602
    child.write(fit(ping_of(LIMIT + 1)))
    assert child.answer(None)["error"]["code"] == -32600
    child.call("ping")
    assert peak(child) - before < AT_THE_LIMIT
    assert rss(child) - before < AFTERWARDS


@pytest.mark.parametrize("headers", [False, True], ids=["lines", "headers"])
def test_a_message_without_end_is_not_kept(start: Start, headers: bool) -> None:
    child = start(headers=headers)
    child.call("initialize")
    before = rss(child)
    child.write(b"Content-Length: %d\r\n\r\n" % ENDLESS if headers else b"{")
    for _ in range(ENDLESS // MIB):
        child.write(b"x" * MIB)
    if not headers:
        child.write(b"\n")
    child.call("ping")
    refused = [m for m in child.out if m.get("error", {}).get("code") == -32600]
    assert len(refused) == 1
    assert peak(child) - before < (AFTERWARDS if headers else 2.5 * LIMIT)


def test_bytes_that_come_one_by_one_are_a_message(start: Start) -> None:
    child = start()
    for byte in b'{"jsonrpc":"2.0","id":"slow","method":"ping"}\n':
        child.write(bytes([byte]))
    assert child.answer("slow")["result"] == {}


def test_a_line_in_a_stream_of_headers_and_the_other_way_round_costs_only_itself(
    start: Start,
) -> None:
    ping = b'{"jsonrpc":"2.0","id":"%d","method":"ping"}'
    lines = start()
    lines.call("initialize")
    lines.write(header(ping % 1) + b"\n" + ping % 2 + b"\n")
    assert lines.answer("2")["result"] == {}
    with_headers = start(headers=True)
    with_headers.call("initialize")
    with_headers.write(ping % 1 + b"\n" + header(ping % 2))
    assert with_headers.answer("2")["result"] == {}


class Stalled:
    """A sidecar whose answers nobody reads, until `read_all`."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "sidecar", "serve", "--engine", "fake"]
        with open(folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*command, "--data-dir", str(folder / "data")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdin is not None
        os.set_blocking(self.process.stdin.fileno(), False)
        self.sent = 0
        self._rest = b""
        self.inline: dict[int, int] = {}

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        os.set_blocking(self.process.stdin.fileno(), True)
        self.process.stdin.write(data)
        self.process.stdin.flush()
        os.set_blocking(self.process.stdin.fileno(), False)

    def ask_until_it_takes_no_more(self, request: bytes) -> None:
        """Each request with the next id; until its pipe has been full for seconds."""
        assert self.process.stdin is not None
        rest = b""
        end = monotonic() + 2 * PATIENCE
        while monotonic() < end:
            if not select.select([], [self.process.stdin], [], 3.0)[1]:
                break
            if not rest:
                rest = request % self.sent
                self.sent += 1
            rest = rest[os.write(self.process.stdin.fileno(), rest) :]
        else:
            raise AssertionError("it went on reading although nobody took its answers")
        os.set_blocking(self.process.stdin.fileno(), True)
        self._rest = rest

    def read_all(self) -> list[int]:
        """Ids in the order of the answers, after the input has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        stdin = self.process.stdin

        def finish() -> None:
            os.write(stdin.fileno(), self._rest)

        threading.Thread(target=finish, daemon=True).start()
        ids: list[int] = []
        while len(ids) < self.sent:
            message = json.loads(self.process.stdout.readline())
            ids += [message["id"]] if "id" in message else []
            images = message.get("result", {}).get("images", ())
            self.inline[message.get("id", -1)] = sum(bool(i["data_url"]) for i in images)
        stdin.close()
        return ids


@pytest.mark.skipif(not LONG, reason=ONLY_LONG)
def test_a_reader_that_stalls_costs_bounded_memory_and_then_gets_every_answer(
    tmp_path: Path,
) -> None:
    stalled = Stalled(tmp_path)
    try:
        stalled.ask_until_it_takes_no_more(b'{"jsonrpc":"2.0","id":%d,"method":"rpc.discover"}\n')
        held = psutil.Process(stalled.process.pid).memory_info().rss
        assert held < UNREAD + 80 * MIB
        assert stalled.read_all() == list(range(stalled.sent))
        assert stalled.process.wait(PATIENCE) == 0
    finally:
        stalled.process.kill()


def test_progress_nobody_reads_is_not_piled_up(tmp_path: Path) -> None:
    stalled = Stalled(tmp_path)
    try:
        picture = (
            b'{"jsonrpc":"2.0","id":%d,"method":"generate",'
            b'"params":{"prompt":"x","steps":150,"count":4,"width":64,"height":64}}\n'
        )
        stalled.write(LOAD)
        for number in range(PICTURES):
            stalled.write(picture % number)
        wait_until_drawn(tmp_path / "data" / "images", min(4 * PICTURES, MANY_PICTURES))
        assert psutil.Process(stalled.process.pid).memory_info().rss < 90 * MIB
    finally:
        stalled.process.kill()


def inline_pictures(number: int, each: int, size: int) -> bytes:
    params = {"prompt": f"[pad={size}]", "count": each, "steps": 1, "delivery": "inline"}
    message = {"jsonrpc": "2.0", "id": number, "method": "generate", "params": params}
    return json.dumps(message).encode() + b"\n"


def test_pictures_that_nobody_reads_are_not_piled_up_and_come_inline_once_they_are_read(
    tmp_path: Path,
) -> None:
    stalled = Stalled(tmp_path)
    try:
        stalled.write(LOAD)
        for number in range(INLINE):
            stalled.write(inline_pictures(number, INLINE_EACH, INLINE_BYTES))
        drawn = wait_until_no_more_is_drawn(tmp_path / "data" / "images")
        assert 0 < drawn < INLINE * INLINE_EACH
        held = psutil.Process(stalled.process.pid).memory_info().rss
        assert held < UNREAD + 80 * MIB
        stalled.sent = INLINE + 1  # the model's answer
        assert stalled.read_all() == list(range(-1, INLINE))
        assert [stalled.inline[n] for n in range(INLINE)] == [INLINE_EACH] * INLINE
        assert stalled.process.wait(PATIENCE) == 0
    finally:
        stalled.process.kill()


def test_a_reader_of_a_few_bytes_at_a_time_gets_every_answer_whole_and_in_order(
    tmp_path: Path,
) -> None:
    stalled = Stalled(tmp_path)
    try:
        stalled.write(LOAD)
        for number in range(6):
            stalled.write(inline_pictures(number, 2, 3000))
        assert stalled.process.stdout is not None
        assert stalled.process.stdin is not None
        data = bytearray()
        while b'"id":5,"result"' not in data or not data.endswith(b"\n"):
            data += os.read(stalled.process.stdout.fileno(), SIP)
        answers = [m for m in map(json.loads, data.splitlines()) if "id" in m]
        assert [m["id"] for m in answers] == [-1, *range(6)]
        assert all(i["data_url"] for m in answers[1:] for i in m["result"]["images"])
        stalled.process.stdin.close()
        assert stalled.process.wait(PATIENCE) == 0
    finally:
        stalled.process.kill()


def wait_until_no_more_is_drawn(folder: Path) -> int:
    """How many pictures there were by then; the history keeps more than that."""
    pause = threading.Event()
    drawn, since = 0, monotonic()
    end = since + 2 * PATIENCE
    while monotonic() < end:
        now = len(list(folder.glob("2*.png"))) if folder.is_dir() else 0
        if now != drawn:
            drawn, since = now, monotonic()
        if drawn and monotonic() - since > QUIET:
            return drawn
        pause.wait(0.1)
    raise AssertionError("pictures were drawn without end")


def wait_until_drawn(folder: Path, pictures: int) -> None:
    pause = threading.Event()
    end = monotonic() + 4 * PATIENCE
    while monotonic() < end:
        if folder.is_dir() and len(list(folder.glob("2*.png"))) >= pictures:
            return
        pause.wait(0.1)
    raise AssertionError("the pictures were not drawn while nobody read")
