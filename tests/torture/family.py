"""All processes that come of one program, found by a mark in their environment.

Neither names nor parents tell: an orphan has lost its parent, and others run Python too. The mark
is inherited by whatever a sidecar starts, and a process is known by its id and its start time.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator

import psutil

MARK = "SIDECAR_TORTURE_MARK"
SCAN_SECONDS = 0.05


class Family:
    """`environment` is what the first process of the family is to be started with."""

    def __init__(self, **more: str) -> None:
        self._mark = uuid.uuid4().hex
        self.environment = {**os.environ, **more, MARK: self._mark}

    def alive(self) -> list[psutil.Process]:
        """Those that run now; what is dead and not yet reaped does not."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def survivors(self, seconds: float) -> list[str]:
        """Waits until all are gone; who is still there after that time, in words."""
        left = self.alive()
        while left and seconds > 0:
            psutil.wait_procs(left, timeout=SCAN_SECONDS)
            seconds -= SCAN_SECONDS
            left = self.alive()
        return [described(process) for process in left]

    def end(self) -> None:
        """Kill whatever is left; for the end of a test that failed."""
        for process in self.alive():
            with contextlib.suppress(psutil.Error):
                process.kill()

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.environ().get(MARK) != self._mark:
                return False
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


@contextlib.contextmanager
def family(**more: str) -> Iterator[Family]:
    """A family of which nothing is left in the end."""
    one = Family(**more)
    try:
        yield one
    finally:
        one.end()


def described(process: psutil.Process) -> str:
    """For the message of a test that fails."""
    with contextlib.suppress(psutil.Error):
        return f"{process.pid} (started {process.create_time()}): {process.cmdline()}"
    return f"{process.pid}: just gone"
