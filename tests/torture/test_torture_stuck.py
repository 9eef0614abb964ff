"""Point 3, the worst of it: an engine that reads nothing any more, and a pipe to it that is full.

Native code that never lets go of the interpreter looks like this from outside, and so does a
process that was stopped. Nobody in the front may wait for it.
"""

from __future__ import annotations

import base64
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import psutil
import pytest

from tests.rpc.child import PATIENCE, Child, Start, gone, starter
from tests.torture.counts import promised

DEADLINE = 1.0
KILL_SECONDS = promised(1.0)
"""What noticing and killing may take beyond the deadline."""
PING_SECONDS = promised(0.5)
PHOTO_BYTES = 1024 * 1024
"""Many times what a pipe holds."""

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="SIGSTOP"),
]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    yield from starter(tmp_path, ("--engine", "fake", "--cancel-deadline", str(DEADLINE)))


def photo() -> dict[str, str]:
    """A large picture, as far as anybody looks at it."""
    data = b"\x89PNG\r\n\x1a\n" + os.urandom(PHOTO_BYTES)
    return {"data_url": f"data:image/png;base64,{base64.b64encode(data).decode()}"}


def stopped(child: Child) -> psutil.Process:
    engine = child.engine()
    engine.send_signal(signal.SIGSTOP)
    return engine


def ping(child: Child) -> None:
    began = monotonic()
    child.call("ping")
    assert monotonic() - began < PING_SECONDS


def test_a_job_that_a_stuck_engine_never_reads_is_cancelled_by_a_kill(start: Start) -> None:
    child = start()
    engine = stopped(child)
    request = child.request("upscale", image=photo())
    ping(child)
    began = monotonic()
    child.notify("$/cancelRequest", id=request)
    ping(child)
    assert child.answer(request)["error"]["code"] == -32800
    assert DEADLINE <= monotonic() - began <= DEADLINE + KILL_SECONDS
    assert gone(engine, KILL_SECONDS)
    assert child.call("upscale", image=photo())["images"], "the next engine does not work"


def test_a_stuck_engine_with_a_full_pipe_goes_with_its_front(start: Start) -> None:
    child = start()
    engine = stopped(child)
    child.request("upscale", image=photo())
    ping(child)
    began = monotonic()
    assert child.stop(PATIENCE) == 0
    assert gone(engine, KILL_SECONDS)
    assert monotonic() - began < 1.0 + KILL_SECONDS


def test_a_kill_from_outside_frees_a_stuck_engine_s_job(start: Start) -> None:
    child = start()
    engine = stopped(child)
    request = child.request("upscale", image=photo())
    ping(child)
    engine.kill()
    assert child.answer(request)["result"]["images"], "the job was not done by the next engine"


def test_a_large_photo_as_the_first_request_holds_nobody_up(start: Start) -> None:
    child = start()
    child.call("initialize")
    request = child.request("upscale", image=photo())
    ping(child)
    assert child.answer(request)["result"]["images"]
