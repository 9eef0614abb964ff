"""An engine goes with its front also where no kernel sees to it, and nobody hangs up."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from sidecar.engine.process import WATCH_SECONDS

PATIENCE = 60.0
ENGINE = """
import os, sys, threading
from sidecar.engine.process import die_with_parent
die_with_parent(int(sys.argv[1]), ask_kernel=False)
print(os.getpid(), flush=True)
{work}
"""
WORKS = {
    "idle": "threading.Event().wait()",
    "busy": "while True: pass",
}
FRONT = """
import os, subprocess, sys
subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())], stdin=subprocess.DEVNULL)
sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="parents change on POSIX only")


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS.keys())
def test_an_engine_whose_front_was_killed_ends_although_its_input_does_not(work: str) -> None:
    front = subprocess.Popen(
        [sys.executable, "-c", FRONT, ENGINE.format(work=work)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with front:
        assert front.stdout is not None
        engine = psutil.Process(int(front.stdout.readline()))
        try:
            assert engine.is_running()
            front.kill()
            front.wait(PATIENCE)
            _, alive = psutil.wait_procs([engine], timeout=PATIENCE)
            assert not alive or alive[0].status() == psutil.STATUS_ZOMBIE
        finally:
            if engine.is_running():
                engine.kill()


def test_an_engine_whose_front_lives_goes_on() -> None:
    front = subprocess.Popen(
        [sys.executable, "-c", FRONT, ENGINE.format(work=WORKS["idle"])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with front:
        assert front.stdout is not None
        engine = psutil.Process(int(front.stdout.readline()))
        try:
            _, alive = psutil.wait_procs([engine], timeout=3 * WATCH_SECONDS)
            assert alive
        finally:
            engine.kill()
            front.kill()
