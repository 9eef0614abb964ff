"""Point 8: very many requests at once, and a slider that is dragged without end."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

import psutil
import pytest

from tests.rpc.child import PATIENCE, Child, starter
from tests.torture.counts import LONG, ONLY_LONG, count

MIB = 1024 * 1024
AT_ONCE = 2000
PREVIEWS_A_SECOND = 200
SECONDS = count(3, 60)
GROWTH = 25 * MIB
"""Of the front, over all previews; the cache of previews is kept out of it by its size."""
PING_P99 = 0.050
STARTED_LATER = 8
"""Descriptors and threads of what begins in the background: the watch over the LoRA folders."""
NO_CACHE = ("--preview-cache-bytes", "0")

pytestmark = pytest.mark.timeout(900 if LONG else 180)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    yield from starter(tmp_path, ("--engine", "fake"))


def loaded(child: Child) -> Child:
    child.call("load_model", model="starter")
    return child


def by_id(child: Child, wanted: set[int]) -> dict[int, Any]:
    """Each request's answer, exactly one."""
    pause = threading.Event()
    end = monotonic() + 2 * PATIENCE
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
    """Somebody who drags: previews of one session at an even pace."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self.requests: list[int] = []

    def drag(self, seconds: float, meanwhile: Callable[[], None]) -> None:
        pause = threading.Event()
        begin = monotonic()
        for number in range(int(seconds * PREVIEWS_A_SECOND)):
            wait = begin + number / PREVIEWS_A_SECOND - monotonic()
            if wait > 0:
                pause.wait(wait)
            self.requests.append(self._preview(number))
            if number % 20 == 0:
                meanwhile()

    def _preview(self, number: int) -> int:
        return self._child.request(
            "preview", prompt=f"[delay=2] {number}", seed=1, session="slider", steps=4
        )


def test_of_a_slider_s_previews_the_latest_wins_and_memory_stays_flat(
    start: Callable[..., Child],
) -> None:
    child = loaded(start(*NO_CACHE))
    front = psutil.Process(child.process.pid)
    slider = Slider(child)
    slider.drag(1.0, lambda: None)
    before = front.memory_info().rss
    slider.drag(SECONDS, lambda: None)
    assert "result" in child.answer(slider.requests[-1]), "the latest did not win"
    grown = front.memory_info().rss - before
    found = by_id(child, set(slider.requests))
    others = {m["error"]["code"] for m in found.values() if "error" in m}
    assert others <= {-32801}
    finished = [request for request in slider.requests if "result" in found[request]]
    assert finished == sorted(finished)
    assert grown < GROWTH


@pytest.mark.skipif(not LONG, reason=ONLY_LONG)
def test_ping_is_answered_in_time_while_a_slider_is_dragged(start: Callable[..., Child]) -> None:
    child = loaded(start(*NO_CACHE))
    times: list[float] = []

    def ping() -> None:
        began = perf_counter()
        child.call("ping")
        times.append(perf_counter() - began)

    Slider(child).drag(SECONDS, ping)
    times.sort()
    p99 = times[int(len(times) * 0.99)]
    print(
        f"{len(times)} pings, p50 {times[len(times) // 2] * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms"
    )
    assert p99 < PING_P99, f"{p99 * 1000:.1f} ms"


@pytest.mark.skipif(sys.platform == "win32", reason="counts descriptors")
def test_sessions_that_come_and_go_leave_nothing_in_the_front(start: Callable[..., Child]) -> None:
    child = loaded(start(*NO_CACHE))
    front = psutil.Process(child.process.pid)
    child.call("preview", prompt="x", session="first", steps=1)
    before = front.num_fds(), front.num_threads()
    for number in range(count(200, 5000)):
        child.call("preview", prompt="x", session=f"s{number}", seed=number, steps=1)
    assert front.num_fds() <= before[0] + STARTED_LATER
    assert front.num_threads() <= before[1] + STARTED_LATER
