"""The pipe between front and engine, with real processes at its far end."""

from __future__ import annotations

import os
import queue
import sys
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from sidecar.engine.command_pipe import SPARE_BYTES
from sidecar.engine.contract import (
    CancelJob,
    EngineReady,
    EngineWarm,
    Event,
    JobDone,
    JobFailed,
    LoadModel,
    MemoryReport,
    ModelSpec,
    Progress,
    Render,
    RenderSpec,
    ReportMemory,
)
from sidecar.engine.host import Host
from sidecar.engine.link import Link
from sidecar.engine.process import engine_command
from sidecar.errors import OutOfMemory

PATIENCE = 60.0
NEVER = 100_000.0
"""Seconds, longer than any test may take."""
MIB = 1024 * 1024
DEAF = "import threading; threading.Event().wait()"
"""An engine that never reads."""
MODEL = ModelSpec("starter", "/starter", "starter")


def spec(prompt: str, steps: int = 5, **more: Any) -> RenderSpec:
    return RenderSpec(MODEL, (), prompt, "", 64, 64, steps, 1.0, "euler", 1, **more)


class Ear:
    """Keeps what the link tells, in order."""

    def __init__(self) -> None:
        self.told: queue.Queue[Any] = queue.Queue()

    def engine_started(self, pid: int) -> None:
        self.told.put(("started", pid))

    def engine_event(self, event: Event) -> None:
        self.told.put(event)

    def engine_stopped(self, exit_code: int | None, given_up: bool) -> None:
        self.told.put(("stopped", exit_code, given_up))

    def wait(self, wanted: Callable[[Any], bool]) -> Any:
        while not wanted(told := self.told.get(timeout=PATIENCE)):
            pass
        return told

    def event(self, kind: type[Any]) -> Any:
        return self.wait(lambda told: isinstance(told, kind))

    def state(self, name: str) -> Any:
        return self.wait(lambda told: isinstance(told, tuple) and told[0] == name)


class Rig:
    """A link to a fake engine, or to any program."""

    def __init__(self, command: list[str] | None = None) -> None:
        self.ear = Ear()
        self.pid = 0
        self.link = Link(command or engine_command("fake", None, "info", "json"), self.ear)
        self.link.start()


@pytest.fixture
def rig() -> Any:
    rig = Rig()
    yield rig
    rig.link.close(PATIENCE)


def python(source: str) -> list[str]:
    return [sys.executable, "-c", source]


def test_the_engine_says_that_it_is_there_and_then_that_it_is_warm(rig: Rig) -> None:
    pid = rig.ear.state("started")[1]
    assert rig.ear.event(EngineReady).pid == pid
    assert rig.ear.event(EngineWarm).device == "cpu"


def test_a_cancel_overtakes_the_job_that_runs(rig: Rig) -> None:
    rig.ear.state("started")
    rig.link.send(Render("a", spec("[delay=20]", steps=1000)))
    rig.ear.event(Progress)
    rig.link.send(CancelJob("a"))
    assert rig.ear.event(JobFailed) == JobFailed("a", "cancelled")


def test_a_cancel_reaches_a_job_that_still_waits_in_the_pipe(rig: Rig) -> None:
    rig.ear.state("started")
    rig.link.send(Render("a", spec("[delay=20]", steps=1000)))
    rig.link.send(Render("b", spec("never")))
    rig.link.send(CancelJob("b"))
    rig.link.send(CancelJob("a"))
    assert rig.ear.event(JobFailed) == JobFailed("a", "cancelled")
    assert rig.ear.event(JobFailed) == JobFailed("b", "cancelled")


def test_memory_is_reported_while_a_job_hangs(rig: Rig) -> None:
    rig.ear.state("started")
    rig.link.send(Render("a", spec("[hang@1]")))
    rig.link.send(ReportMemory(7))
    report = rig.ear.event(MemoryReport)
    assert report.ticket == 7
    assert report.rss > 1_000_000


def test_a_cancel_that_comes_after_its_job_leaves_nothing_behind() -> None:
    host = Host(lambda: pytest.fail("no engine is needed"), os.dup(0), os.dup(1))
    host._take(CancelJob("over"))
    assert host._tokens == {}


def test_errors_cross_the_pipe_by_kind_and_fields(rig: Rig) -> None:
    rig.ear.state("started")
    rig.link.send(Render("a", spec("[oom]")))
    assert rig.ear.event(JobFailed).kind == OutOfMemory.kind
    rig.link.send(Render("b", spec("[bug]")))
    failed = rig.ear.event(JobFailed)
    assert failed.kind == "internal_error"
    assert failed.fields == {}
    assert "ValueError: a bug" in failed.log


def test_native_prints_go_to_stderr_and_not_into_the_pipe(rig: Rig) -> None:
    rig.ear.state("started")
    rig.link.send(Render("a", spec("[print]")))
    assert rig.ear.event(JobDone).job_id == "a"


def test_another_engine_follows_one_that_died(rig: Rig) -> None:
    first = rig.ear.state("started")[1]
    psutil.Process(first).kill()
    assert rig.ear.state("stopped")[1:] == (-9, False)
    assert rig.ear.state("started")[1] != first
    rig.link.send(LoadModel("a", MODEL))
    assert rig.ear.event(JobDone).job_id == "a"


def test_closing_the_link_ends_the_engine_also_in_mid_step(rig: Rig) -> None:
    pid = rig.ear.state("started")[1]
    process = psutil.Process(pid)
    rig.link.send(Render("a", spec("[hang@1]")))
    rig.link.send(ReportMemory(1))
    rig.ear.event(MemoryReport)
    rig.link.close(PATIENCE)
    process.wait(PATIENCE)
    assert not process.is_running()


@pytest.fixture
def deaf() -> Any:
    """A link to an engine that reads nothing, its pipe more than full. Who waits for it waits until
    the test's own limit."""
    rig = Rig(python(DEAF))
    rig.pid = rig.ear.state("started")[1]
    assert rig.link.send(Render("a", spec("", init_image=b"x" * MIB)))
    yield rig
    rig.link.close(0.0)


def test_nobody_who_sends_waits_for_an_engine_that_does_not_read(deaf: Rig) -> None:
    assert deaf.link.send(CancelJob("a"))


def test_questions_do_not_pile_up_before_an_engine_that_does_not_read(deaf: Rig) -> None:
    question = ReportMemory(1, spec("", init_image=b"x" * (SPARE_BYTES // 8)))
    deaf.link.kill()  # the waiting picture goes, and with it its room
    second = deaf.ear.state("started")[1]
    assert second != deaf.pid
    taken = [deaf.link.send(question) for _ in range(20)]
    assert 4 <= taken.count(True) <= 8
    assert deaf.link.send(CancelJob("a")), "what cannot be done without was refused"


def test_an_engine_that_does_not_read_is_killed_without_waiting_for_it(deaf: Rig) -> None:
    process = psutil.Process(deaf.pid)
    deaf.link.close(NEVER)
    deaf.link._thread.join(PATIENCE)
    assert not process.is_running()


def test_what_waited_for_an_engine_goes_with_it(deaf: Rig) -> None:
    deaf.link._command = engine_command("fake", None, "info", "json")
    deaf.link.kill()
    deaf.ear.event(EngineReady)
    deaf.link.send(LoadModel("b", MODEL))
    assert deaf.ear.event(JobDone).job_id == "b"


def test_large_and_small_commands_arrive_in_the_order_in_which_they_were_sent(rig: Rig) -> None:
    rig.ear.state("started")
    sizes = [2 * MIB if n % 3 == 0 else 10 for n in range(12)]
    for n, size in enumerate(sizes):
        rig.link.send(Render(str(n), spec("", steps=1, init_image=b"x" * size)))
    assert [rig.ear.event(JobDone).job_id for _ in sizes] == [str(n) for n in range(12)]


def test_nothing_can_be_sent_when_there_is_no_engine() -> None:
    link = Link(["/no/such/program"], Ear())
    assert link.send(ReportMemory(1)) is False


@pytest.mark.parametrize(
    "command",
    [["/no/such/program"], python("raise SystemExit(3)"), python("print('hello' * 99)")],
    ids=["not there", "exits at once", "says something else"],
)
def test_an_engine_that_never_gets_going_is_given_up_and_tried_again_when_asked(
    command: list[str],
) -> None:
    rig = Rig(command)
    for given_up in (False, False, True):
        assert rig.ear.state("stopped")[2] is given_up
    rig.link.wake()
    assert rig.ear.state("stopped")[2] is True
    rig.link.close(PATIENCE)


def test_an_engine_without_its_packages_says_which_and_is_not_tried_again() -> None:
    rig = Rig(
        python(
            "import os\n"
            "from sidecar.engine.host import Host\n"
            "def make(): import no_such_package\n"
            "raise SystemExit(Host(make, os.dup(0), os.dup(1)).run())\n"
        )
    )
    failed = rig.ear.event(JobFailed)
    assert (failed.job_id, failed.kind) == ("", "engine_missing")
    assert failed.fields == {"package": "no_such_package"}
    rig.link._thread.join(PATIENCE)
    assert not rig.link._thread.is_alive()


def test_an_engine_whose_parent_is_another_process_ends_at_once() -> None:
    command = engine_command("fake", None, "info", "json")
    command[-1] = str(os.getpid() + 100_000)
    rig = Rig(command)
    assert rig.ear.state("stopped")[1] == 0
    rig.link.close(PATIENCE)
