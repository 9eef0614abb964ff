"""The engine as an operating-system process: how it is started, and that it never outlives us.

Linux: the engine asks the kernel to be killed when the thread that spawned it ends, so spawn from
a thread that lives as long as the process. Windows: a job object that kills on close. Every POSIX
system: a thread of the engine looks who its parent is. Everywhere: the engine ends at the end of
its input (see `sidecar.engine.host`).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sidecar.paths import program

PR_SET_PDEATHSIG = 1
WATCH_SECONDS = 0.5
_kill_on_close: Any = None


def engine_command(
    kind: str,
    threads: int | None,
    log_level: str,
    log_format: str,
    remembered: Path | None = None,
) -> list[str]:
    """The command that starts an engine: this program again, also when it is frozen.

    `remembered`: the file that keeps what runs took of this machine's memory.
    """
    options = ["--kind", kind, "--log-level", log_level, "--log-format", log_format]
    if threads is not None:
        options += ["--threads", str(threads)]
    if remembered is not None:
        options += ["--remembered", str(remembered)]
    return [*program(), "engine", *options, "--parent", str(os.getpid())]


def spawn(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start the engine with pipes for its stdin and stdout; its stderr is ours.

    Raises OSError when it cannot be started.
    """
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        creationflags=flags,
    )
    if sys.platform == "win32":
        _put_in_job_object(process)
    return process


def die_with_parent(parent: int, ask_kernel: bool = sys.platform == "linux") -> None:
    """Called by the engine, first: be killed when the front dies. Exits if it is dead already.

    The kernel kills also an engine that is stuck. Where there is no such kernel (macOS), a thread
    has to run Python for it: it comes to that only once native code lets go of the interpreter,
    between two operators of torch for example, and never if that code is stuck for good.
    """
    if ask_kernel:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.name == "posix":
        _exit_if_orphaned(parent)
        threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()


def _watch(parent: int) -> None:
    """For as long as the process lives: an orphan has another parent."""
    never = threading.Event()
    while not never.wait(WATCH_SECONDS):
        _exit_if_orphaned(parent)


def _exit_if_orphaned(parent: int) -> None:
    if os.getppid() != parent:
        os._exit(0)


def _put_in_job_object(process: subprocess.Popen[bytes]) -> None:
    """Windows kills every process of a job object when its last handle goes, as it does with us."""
    global _kill_on_close
    import ctypes

    kernel32: Any = getattr(ctypes, "windll").kernel32  # noqa: B009  (Windows only)
    if _kill_on_close is None:
        _kill_on_close = _new_job_object(kernel32)
    handle = int(getattr(process, "_handle"))  # noqa: B009
    if not kernel32.AssignProcessToJobObject(_kill_on_close, ctypes.c_void_p(handle)):
        raise OSError("AssignProcessToJobObject failed")


def _new_job_object(kernel32: Any) -> Any:
    import ctypes

    class BasicLimits(ctypes.Structure):
        _fields_ = [
            ("PerProcessUserTimeLimit", ctypes.c_int64),
            ("PerJobUserTimeLimit", ctypes.c_int64),
            ("LimitFlags", ctypes.c_uint32),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", ctypes.c_uint32),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", ctypes.c_uint32),
            ("SchedulingClass", ctypes.c_uint32),
        ]

    class ExtendedLimits(ctypes.Structure):
        _fields_ = [
            ("BasicLimitInformation", BasicLimits),
            ("IoInfo", ctypes.c_uint64 * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        ]

    extended_limit_information, kill_on_job_close = 9, 0x2000
    kernel32.CreateJobObjectW.restype = ctypes.c_void_p
    job = ctypes.c_void_p(kernel32.CreateJobObjectW(None, None))
    limits = ExtendedLimits()
    limits.BasicLimitInformation.LimitFlags = kill_on_job_close
    if not kernel32.SetInformationJobObject(
        job, extended_limit_information, ctypes.byref(limits), ctypes.sizeof(limits)
    ):
        raise OSError("SetInformationJobObject failed")
    return job
