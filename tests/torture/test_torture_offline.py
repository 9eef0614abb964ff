"""Point 7: the whole main job opens no connection, in the front and in the engine.

An audit hook sees what Python code asks for; strace, where it may be used, sees every connect() and
sendto() of every thread, also of native code. Then the same job where there is no network at all.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.rpc.child import Child, starter
from tests.torture.counts import LONG, ONLY_LONG

GUARDED = Path(__file__).parent / "guarded"
LOCAL = re.compile(r"sa_family=(AF_UNIX|AF_LOCAL|AF_NETLINK)|NULL, 0\)")
NATIVE_CONNECT = """
import ctypes, socket, struct
address = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(9), bytes([127, 0, 0, 1]))
native = socket.socket()
ctypes.CDLL(None).connect(native.fileno(), address, len(address))
"""
PYTHON_CONNECT = "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="strace, and namespaces of Linux"),
    pytest.mark.timeout(600),
]


def works(*command: str) -> bool:
    """Whether that tool is there and may be used here."""
    return shutil.which(command[0]) is not None and (
        subprocess.run(command, capture_output=True, timeout=30).returncode == 0
    )


STRACE = works("strace", "-f", "-e", "trace=connect", "true")
NO_NETWORK = ("unshare", "--map-root-user", "--net")


class Guard:
    """What to start a program with, and what it was seen doing."""

    def __init__(self, folder: Path) -> None:
        self._python, self._native = folder / "audit", folder / "strace"
        notes = {"SIDECAR_TORTURE_CONNECTIONS": str(self._python), "PYTHONPATH": str(GUARDED)}
        self.environment = {**os.environ, **notes}
        trace = ("strace", "-f", "-qq", "-o", str(self._native), "-e", "trace=connect,sendto")
        self.under: tuple[str, ...] = trace if STRACE else ()

    def processes(self) -> int:
        """How many Python processes were guarded."""
        return len(re.findall("^[0-9]+ guarded", self._python.read_text(), re.MULTILINE))

    def asked_by_python(self) -> list[str]:
        return [line for line in self._python.read_text().splitlines() if " socket." in line]

    def asked_natively(self) -> list[str]:
        lines = self._native.read_text().splitlines() if STRACE else []
        calls = [line for line in lines if "connect(" in line or "sendto(" in line]
        return [line for line in calls if not LOCAL.search(line)]


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    return Guard(tmp_path)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    yield from starter(tmp_path, ("--threads", "1"))


def main_job(child: Child) -> None:
    """What an app does with a sidecar, from the handshake to the time machine."""
    child.call("initialize", client={"name": "offline"})
    for look in ("list_models", "list_loras", "status", "vram_report", "rpc.discover"):
        child.call(look)
    child.call("load_model", model="starter")
    child.call("inspect_lora", name="night")
    child.call("switch_lora", name="night", alpha=0.8)
    child.call("preview", prompt="red apple", session="s", steps=2)
    child.call("set_alpha", alpha=0.5)
    made = child.call("generate", prompt="red apple", seed=1, steps=3, delivery="both")["images"][0]
    child.call("upscale", image={"path": made["path"]}, scale=2)
    child.call("enhance", image={"path": made["path"]}, scale=2, anyway=True)
    child.call("history_list")
    child.call("history_rollback", id=made["history_id"])
    child.call("repeat", id=made["history_id"])
    child.call("unload_model")
    child.call("shutdown")
    assert child.stop() == 0


@pytest.mark.parametrize("program", [NATIVE_CONNECT, PYTHON_CONNECT], ids=["native", "python"])
def test_the_guard_sees_a_connection(guard: Guard, program: str) -> None:
    if program == NATIVE_CONNECT and not STRACE:
        pytest.skip("strace is not installed or may not trace here; the audit hook is all there is")
    command = [*guard.under, sys.executable, "-c", program]
    subprocess.run(command, env=guard.environment, check=True, timeout=300)
    assert bool(guard.asked_by_python()) is (program == PYTHON_CONNECT)
    assert bool(guard.asked_natively()) is STRACE


@pytest.mark.engine
def test_the_main_job_opens_no_connection(start: Callable[..., Child], guard: Guard) -> None:
    main_job(start(env=guard.environment, under=guard.under))
    assert guard.processes() >= 2, "front and engine"
    assert guard.asked_by_python() == []
    assert guard.asked_natively() == []


@pytest.mark.engine
@pytest.mark.skipif(not LONG, reason=ONLY_LONG)
def test_the_main_job_is_done_where_there_is_no_network(start: Callable[..., Child]) -> None:
    if not works(*NO_NETWORK, "true"):
        pytest.skip("no network namespace can be made here")
    main_job(start(under=NO_NETWORK))
