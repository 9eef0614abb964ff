"""The only writer: order, no loss, no growth behind a reader that stalls."""

from __future__ import annotations

import os
import threading

from sidecar.rpc.framing import Framing
from sidecar.rpc.outbox import MAX_UNREAD, Outbox

PATIENCE = 60.0


class Pipe:
    """A pipe with an outbox at its writing end."""

    def __init__(self, limit: int = MAX_UNREAD) -> None:
        self.read_fd, self.write_fd = os.pipe()
        self.broken = threading.Event()
        self.outbox = Outbox(self.write_fd, self.broken.set, limit)
        self.outbox.framing = Framing.LINES

    def lines(self, count: int) -> list[bytes]:
        data = b""
        while data.count(b"\n") < count:
            data += os.read(self.read_fd, 65536)
        return data.splitlines()


def test_a_small_message_is_written_by_the_calling_thread() -> None:
    pipe = Pipe()
    pipe.outbox.send(b"{}")
    assert os.read(pipe.read_fd, 100) == b"{}\n"
    assert pipe.outbox._thread is None


def test_messages_keep_their_order_behind_a_large_one() -> None:
    pipe = Pipe()
    large = b"x" * 1_000_000
    pipe.outbox.send(large)
    for n in range(50):
        pipe.outbox.send(b"%d" % n)
    assert pipe.lines(51) == [large, *(b"%d" % n for n in range(50))]
    assert pipe.outbox.flush(PATIENCE)


def test_messages_of_many_threads_are_never_mixed() -> None:
    pipe = Pipe()

    def send(letter: bytes) -> None:
        for _ in range(200):
            pipe.outbox.send(letter * 3000)

    threads = [threading.Thread(target=send, args=(bytes([65 + n]),)) for n in range(4)]
    for thread in threads:
        thread.start()
    lines = pipe.lines(800)
    for thread in threads:
        thread.join(PATIENCE)
    assert len(lines) == 800
    assert all(len(set(line)) == 1 and len(line) == 3000 for line in lines)


def test_only_the_newest_state_waits_for_a_reader_that_stalls() -> None:
    pipe = Pipe()
    pipe.outbox.send(b"x" * 1_000_000)
    for n in range(10_000):
        pipe.outbox.send_latest(b"progress %d" % n, "job")
    pipe.outbox.send(b"answer")
    lines = pipe.lines(3)
    assert lines[-2:] == [b"progress 9999", b"answer"]


def test_log_lines_are_dropped_rather_than_piled_up() -> None:
    pipe = Pipe()
    pipe.outbox.send(b"x" * 1_000_000)
    for _ in range(10_000):
        pipe.outbox.send_if_room(b"log")
    pipe.outbox.send(b"answer")
    data = b""
    while not data.endswith(b"answer\n"):
        data += os.read(pipe.read_fd, 65536)
    assert 0 < data.count(b"log\n") < 1000


def test_a_reader_that_goes_away_is_noticed_once_and_nobody_is_held() -> None:
    pipe = Pipe(limit=1000)
    os.close(pipe.read_fd)
    for _ in range(3):
        pipe.outbox.send(b"{}")
    assert pipe.broken.wait(PATIENCE)
    pipe.outbox.wait_for_room(lambda: False)
    assert pipe.outbox.flush(PATIENCE)


def test_nothing_more_is_taken_in_while_too_much_waits() -> None:
    pipe = Pipe(limit=1000)
    pipe.outbox.send(b"x" * 1_000_000)
    passed = threading.Event()

    def wait() -> None:
        pipe.outbox.wait_for_room(lambda: False)
        passed.set()

    threading.Thread(target=wait, daemon=True).start()
    assert not passed.wait(0.05)
    pipe.lines(1)
    assert passed.wait(PATIENCE)


def test_a_client_that_hangs_up_unread_does_not_hold_us() -> None:
    pipe = Pipe(limit=1000)
    pipe.outbox.send(b"x" * 1_000_000)
    hung_up = threading.Event()
    passed = threading.Event()

    def wait() -> None:
        pipe.outbox.wait_for_room(hung_up.is_set)
        passed.set()

    threading.Thread(target=wait, daemon=True).start()
    assert not passed.wait(0.05)
    hung_up.set()
    assert passed.wait(PATIENCE)


def test_room_is_told_of_each_time_that_there_is_some_again() -> None:
    pipe = Pipe(limit=200_000)
    told = threading.Semaphore(0)
    pipe.outbox.on_room = told.release
    for _ in range(2):
        for _ in range(3):
            pipe.outbox.send(b"x" * 100_000)
        assert pipe.outbox.full
        pipe.lines(3)
        assert told.acquire(timeout=PATIENCE)
        assert not pipe.outbox.full
    assert not told.acquire(blocking=False)


def test_a_reader_of_a_few_bytes_at_a_time_gets_everything_in_order() -> None:
    pipe = Pipe()
    sent = [b"%d:" % n + b"y" * (n * 997 % 9000) for n in range(40)]
    for message in sent:
        pipe.outbox.send(message)
    data = bytearray()
    while data.count(b"\n") < len(sent):
        data += os.read(pipe.read_fd, 7)
    assert bytes(data).splitlines() == sent
