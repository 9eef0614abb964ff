"""Points 2 and 3, on the real engine: killed in mid-picture, killed twice, stuck for good."""

from __future__ import annotations

import base64
import io
import random
import signal
import sys
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

import psutil
import pytest
from PIL import Image

from tests.rpc.child import PATIENCE, Child, Message, gone, starter
from tests.torture.counts import LONG, ONLY_LONG, count, promised

DEADLINE = 1.0
KILL_SECONDS = promised(1.0)
"""What noticing and killing may take beyond the deadline."""
STYLE = "night"
LASTING = {"steps": 150}
"""So many that a test that was held up still finds it in work."""
APPLE = {"prompt": "red apple", "seed": 11, "steps": 12, "delivery": "inline"}

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and SIGSTOP"),
    pytest.mark.timeout(900 if LONG else 600),
]


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """The starter with one style on."""
    options = ("--threads", "1", "--cancel-deadline", str(DEADLINE))
    for start in starter(tmp_path_factory.mktemp("engine"), options):
        child = start()
        child.call("load_model", model="starter")
        child.call("switch_lora", name=STYLE, alpha=0.8)
        yield child


@pytest.fixture(scope="module")
def undisturbed(child: Child) -> bytes:
    return pixels(child.call("generate", **APPLE))


def pixels(result: Message) -> bytes:
    encoded = result["images"][0]["data_url"].partition(",")[2]
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        return image.tobytes()


def request_at_step(child: Child, step: int, **more: Any) -> int:
    """A picture that is being drawn and has come this far."""
    request = child.request("generate", **{**APPLE, **more})
    wait_for_step(child, request, step)
    return request


def wait_for_step(child: Child, request: int, step: int) -> None:
    child.notification(
        "progress",
        lambda p: p["request_id"] == request and p["phase"] == "denoise" and p["step"] >= step,
    )


@pytest.mark.parametrize("seed", range(count(1, 12)))
def test_a_picture_is_the_same_when_the_engine_is_killed_at_any_step(
    child: Child, undisturbed: bytes, seed: int
) -> None:
    engine = child.engine()
    request = request_at_step(child, random.Random(seed).randint(1, 11))
    engine.kill()
    assert pixels(child.answer(request)["result"]) == undisturbed
    assert [lora["name"] for lora in child.call("status")["stack"]] == [STYLE]
    assert pixels(child.call("generate", **APPLE)) == undisturbed, "the style is not back"


def test_a_picture_that_kills_the_engine_twice_is_given_up_and_the_next_is_drawn(
    child: Child, undisturbed: bytes
) -> None:
    engine = child.engine()
    request = request_at_step(child, 2, **LASTING)
    engine.kill()
    assert gone(engine, PATIENCE)
    next_engine(child, engine.pid).kill()
    assert child.answer(request)["error"]["data"]["kind"] == "engine_crashed"
    assert pixels(child.call("generate", **APPLE)) == undisturbed


def next_engine(child: Child, former: int) -> psutil.Process:
    """The engine that follows the one that died."""
    end = monotonic() + PATIENCE
    while monotonic() < end:
        pid = child.call("status")["pids"].get("engine")
        if pid not in (None, former):
            return psutil.Process(pid)
        threading.Event().wait(0.02)
    raise AssertionError("no engine followed")


def test_a_cancel_of_a_step_that_never_returns_ends_in_a_kill_within_its_deadline(
    child: Child, undisturbed: bytes
) -> None:
    engine = child.engine()
    request = request_at_step(child, 2, **LASTING)
    engine.send_signal(signal.SIGSTOP)
    waiting = child.request("generate", **APPLE)
    began = monotonic()
    child.notify("$/cancelRequest", id=request)
    assert child.answer(request)["error"]["code"] == -32800
    assert DEADLINE <= monotonic() - began <= DEADLINE + KILL_SECONDS
    assert gone(engine, KILL_SECONDS)
    assert pixels(child.answer(waiting)["result"]) == undisturbed


@pytest.mark.skipif(not LONG, reason=ONLY_LONG)
def test_a_newer_preview_frees_itself_from_a_stuck_one(child: Child) -> None:
    child.call("generate", **APPLE)
    stuck = child.request("preview", prompt="a", session="slider", steps=50, seed=1)
    wait_for_step(child, stuck, 1)
    child.engine().send_signal(signal.SIGSTOP)
    newer = child.request("preview", prompt="b", session="slider", seed=1)
    assert child.answer(stuck)["error"]["code"] == -32801
    assert child.answer(newer)["result"]["image"]["bytes"] > 0


@pytest.mark.skipif(not LONG, reason=ONLY_LONG)
def test_a_stuck_engine_does_not_outlive_its_front(child: Child) -> None:
    request_at_step(child, 2, **LASTING)
    engine: psutil.Process = child.engine()
    engine.send_signal(signal.SIGSTOP)
    began = monotonic()
    assert child.stop() == 0
    assert gone(engine, KILL_SECONDS)
    assert monotonic() - began < 1.0 + KILL_SECONDS
