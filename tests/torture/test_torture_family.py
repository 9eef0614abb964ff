"""What the other tests rely on: whoever hides is found."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.torture.family import family

LEAVES_AN_ORPHAN = """
import subprocess, sys
sleeper = [sys.executable, "-c", "import threading; threading.Event().wait(60)"]
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
print(subprocess.Popen(sleeper, start_new_session=True, **quiet).pid, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sessions of POSIX")
def test_an_orphan_in_a_session_of_its_own_is_found_and_ended() -> None:
    with family() as ours:
        done = subprocess.run(
            [sys.executable, "-c", LEAVES_AN_ORPHAN],
            env=ours.environment,
            capture_output=True,
            check=True,
            timeout=300,
        )
        orphan = int(done.stdout)
        assert [process.pid for process in ours.alive()] == [orphan]
        assert str(orphan) in ours.survivors(0.1)[0]
    assert not ours.survivors(60.0)
