"""Point 8: very many requests at once, and a slider that is dragged without end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count as count_up
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

import psutil
import pytest

from tests.rpc.child import PATIENCE, Child, starter, until
from tests.torture.counts import LONG, ONLY_LONG, count

MIB = 1024 * 1024
AT_ONCE = 2000
PREVIEWS_A_SECOND = 200
SECONDS = count(3, 60)
GROWTH = 25 * MIB
"""Of front and engine each, over all previews; the cache of previews is kept out of it."""
PING_P99 = 0.050
PING_PAUSE = 0.01
AT = (0.50, 0.99, 1.0)
STARTED_LATER = 8
"""Descriptors and threads of what begins in the background: the watch over the LoRA folders."""
NO_CACHE = ("--preview-cache-bytes", "0")

pytestmark = pytest.mark.timeout(900 if LONG else 600)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    yield from starter(tmp_path, ("--engine", "fake"))


def loaded(child: Child) -> Child:
    child.call("load_model", model="starter")
    return child


def by_id(child: Child, wanted: set[int]) -> dict[int, Any]:
    """Each request's answer, exactly one."""
    pause = threading.Event()
    end = monotonic() + 4 * PATIENCE
    answers: list[Any] = []
    while len(answers) < len(wanted) and monotonic() < end:
        pause.wait(0.1)
        answers = [message for message in list(child.out) if message.get("id") in wanted]
    found = {message["id"]: message for message in answers}
    assert len(answers) == len(found), "a request was answered twice"
    assert set(found) == wanted, "requests were not answered"
    return found


def test_2000_requests_at_once_are_each_answered_once(start: Callable[..., Child]) -> None:
    child = loaded(start("--queue-limit", "100"))
    methods = ("ping", "status", "list_models", "history_list", "preview", "generate")
    wanted: dict[int, str] = {}
    for number in range(AT_ONCE):
        method = methods[number % len(methods)]
        draws = method in ("preview", "generate")
        params: dict[str, Any] = {"prompt": f"{number}", "steps": 1} if draws else {}
        wanted[child.request(method, **params)] = method
    found = by_id(child, set(wanted))
    refused = [i for i, m in found.items() if "error" in m]
    allowed = {-32801, 1501}  # superseded, queue_full
    assert {found[i]["error"]["code"] for i in refused} <= allowed
    assert all(wanted[i] in ("preview", "generate") for i in refused)
    made = [found[i] for i, m in wanted.items() if m == "generate" and i not in refused]
    assert made, "not one picture was drawn"


class Slider:
    """Somebody who drags: previews of one session at an even pace. `ask` sends one and gives its
    id."""

    def __init__(self, ask: Callable[[str], int]) -> None:
        self._ask = ask
        self.requests: list[int] = []

    def drag(self, seconds: float) -> None:
        pause = threading.Event()
        begin = monotonic()
        for number in range(int(seconds * PREVIEWS_A_SECOND)):
            wait = begin + number / PREVIEWS_A_SECOND - monotonic()
            if wait > 0:
                pause.wait(wait)
            self.requests.append(self._ask(f"[delay=2] {number}"))


def test_of_a_slider_s_previews_the_latest_wins_and_memory_stays_flat(
    start: Callable[..., Child],
) -> None:
    child = loaded(start(*NO_CACHE))
    processes = psutil.Process(child.process.pid), child.engine()
    slider = Slider(
        lambda prompt: child.request("preview", prompt=prompt, seed=1, session="slider", steps=4)
    )
    slider.drag(1.0)
    before = [process.memory_info().rss for process in processes]
    slider.drag(SECONDS)
    assert "result" in child.answer(slider.requests[-1]), "the latest did not win"
    after = [process.memory_info().rss for process in processes]
    found = by_id(child, set(slider.requests))
    others = {m["error"]["code"] for m in found.values() if "error" in m}
    assert others <= {-32801}
    finished = [m["id"] for m in child.out if m.get("id") in found and "result" in m]
    assert finished == sorted(finished), "an older preview arrived after a newer one"
    assert all(now - then < GROWTH for then, now in zip(before, after, strict=True)), after


class Bare:
    """A client that costs next to nothing: nothing is parsed, nothing is kept but the pings.

    Requests are shorter than PIPE_BUF, so that two threads may write them without a lock.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        serve = [sys.executable, "-m", "sidecar", "serve", "--data-dir", str(folder / "data")]
        with open(folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*serve, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        assert self.process.stdin is not None
        self._fd = self.process.stdin.fileno()
        self._ids = count_up(1)
        self._answered = threading.Event()
        self.ready = threading.Event()
        self.previews = 0
        self._drawn = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def load(self) -> None:
        self._write(b'{"jsonrpc":"2.0","id":0,"method":"load_model","params":{"model":"starter"}}')
        assert self.ready.wait(PATIENCE)

    def preview(self, prompt: str) -> int:
        number = next(self._ids)
        params = {"prompt": prompt, "seed": 1, "session": "slider", "steps": 4}
        message = {"jsonrpc": "2.0", "id": number, "method": "preview", "params": params}
        self._write(json.dumps(message).encode())
        return number

    def ping(self) -> float:
        """Seconds from the request to the answer."""
        self._answered.clear()
        began = perf_counter()
        self._write(b'{"jsonrpc":"2.0","id":"ping","method":"ping"}')
        assert self._answered.wait(PATIENCE)
        return perf_counter() - began

    def wait_for_a_preview(self) -> None:
        """After the drag: a slow engine gets to the end of one only when no newer one comes."""
        assert self._drawn.wait(PATIENCE), "the latest was not drawn"

    def _write(self, body: bytes) -> None:
        os.write(self._fd, body + b"\n")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(b'{"jsonrpc":"2.0","id":"ping"'):
                self._answered.set()
            elif line.startswith(b'{"jsonrpc":"2.0","id":0,"result"'):
                self.ready.set()
            elif b'"result"' in line[:60]:
                self.previews += 1
                self._drawn.set()


@pytest.mark.engine
@pytest.mark.skipif(not LONG, reason=ONLY_LONG)
@pytest.mark.parametrize(
    "options", [("--engine", "fake"), ("--threads", "1")], ids=["fake", "real"]
)
def test_ping_is_answered_in_time_while_a_slider_is_dragged(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    bare = Bare(tmp_path, *options, *NO_CACHE)
    try:
        bare.load()
        slider = threading.Thread(target=Slider(bare.preview).drag, args=(SECONDS,))
        slider.start()
        times: list[float] = []
        pause = threading.Event()
        while slider.is_alive():
            times.append(bare.ping())
            pause.wait(PING_PAUSE)
        slider.join()
        bare.wait_for_a_preview()
    finally:
        bare.process.kill()
    times.sort()
    p50, p99, most = (times[min(int(len(times) * at), len(times) - 1)] * 1000 for at in AT)
    print(
        f"{options}: {len(times)} pings, p50 {p50:.2f} ms, p99 {p99:.2f} ms, most {most:.2f} ms;"
        f" {bare.previews} previews drawn; load {os.getloadavg()[0]:.1f}"
    )
    assert p99 < PING_P99 * 1000


@pytest.mark.skipif(sys.platform == "win32", reason="counts descriptors")
def test_sessions_that_come_and_go_leave_nothing_in_the_front(start: Callable[..., Child]) -> None:
    child = loaded(start(*NO_CACHE))
    front = psutil.Process(child.process.pid)
    child.call("preview", prompt="x", session="first", steps=1)
    before = front.num_fds(), front.num_threads()
    for number in range(count(200, 5000)):
        child.call("preview", prompt="x", session=f"s{number}", seed=number, steps=1)
    until(lambda: front.num_fds() <= before[0] + STARTED_LATER)
    until(lambda: front.num_threads() <= before[1] + STARTED_LATER)
