"""An engine that the system ended for lack of memory is followed by one a rung lower."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sidecar.engine.contract import (
    ApplyLoras,
    Command,
    EngineWarm,
    Enhance,
    EnhanceSpec,
    LoadModel,
    ModelLoading,
    ModelSpec,
    Render,
    RenderSpec,
    UnloadModel,
    Upscale,
    UpscalerSpec,
    UpscaleSpec,
)
from sidecar.jobs import ladder as ladder_module
from sidecar.jobs.job import Job, JobKind
from sidecar.jobs.ladder import KILLED, Ladder, system_oom_kills
from tests.jobs.scripted import STARTER, PlainWork, Scripted


class Counter:
    """How many processes the system says it has ended."""

    def __init__(self, count: int | None = 3) -> None:
        self.count = count

    def __call__(self) -> int | None:
        return self.count


class Doing(PlainWork):
    def __init__(self, command: Command) -> None:
        super().__init__()
        self._command = command

    def command(self, job_id: str) -> Command:
        return self._command


def rendering(model: ModelSpec = STARTER, kind: JobKind = "generate") -> Job:
    spec = RenderSpec(model, (), "x", "", 64, 64, 1, 1.0, "euler", 1)
    return Job(kind, model, Doing(Render("job", spec)))


def loading(model: ModelSpec = STARTER) -> Job:
    return Job("load_model", model, Doing(LoadModel("job", model)))


UPSCALE = UpscaleSpec(b"", 2, UpscalerSpec("net", "/net.onnx"), "/unfinished")
DRAWN = RenderSpec(STARTER, (), "x", "", 64, 64, 1, 1.0, "euler", 1)


def enhancing(path: str = "diffusion", render: RenderSpec | None = DRAWN) -> Job:
    spec = EnhanceSpec(UPSCALE, path, render, 1024)
    return Job("enlarge", STARTER if render else None, Doing(Enhance("job", spec)))


def rung_of(command: Any) -> str:
    match command:
        case Render():
            return command.spec.model.low_vram
        case Enhance():
            return command.spec.render.model.low_vram
        case _:
            return command.model.low_vram


@pytest.fixture
def kills() -> Counter:
    return Counter()


@pytest.fixture
def ladder(kills: Counter) -> Ladder:
    ladder = Ladder(kills)
    ladder.engine_started()
    return ladder


def die(ladder: Ladder, kills: Counter, job: Job) -> str | None:
    """The system ends the engine that works on it; then there is another one."""
    kills.count = (kills.count or 0) + 1
    lower = ladder.engine_died(job, KILLED)
    job.deaths += 1
    ladder.engine_started()
    return lower


def test_the_job_is_sent_again_a_rung_below_the_one_it_was_on(
    ladder: Ladder, kills: Counter
) -> None:
    job = rendering()
    assert rung_of(ladder.sent(job)) == "auto"
    ladder.model_on("balanced")
    assert die(ladder, kills, job) == "aggressive"
    assert rung_of(ladder.sent(job)) == "aggressive"


def test_before_the_engine_said_its_rung_the_second_one_is_tried(
    ladder: Ladder, kills: Counter
) -> None:
    assert die(ladder, kills, rendering()) == "balanced"


def test_a_rung_that_was_asked_for_is_lowered_for_this_job_alone(
    ladder: Ladder, kills: Counter
) -> None:
    model = replace(STARTER, low_vram="off")
    job = rendering(model)
    assert die(ladder, kills, job) == "balanced"
    assert rung_of(ladder.sent(job)) == "balanced"
    assert rung_of(ladder.sent(rendering(model))) == "off"


def test_later_jobs_that_leave_the_rung_open_start_there(ladder: Ladder, kills: Counter) -> None:
    die(ladder, kills, rendering())
    assert rung_of(ladder.sent(rendering())) == "balanced"
    other = replace(STARTER, path="/other")
    assert rung_of(ladder.sent(rendering(other))) == "auto"
    apply = Job("switch_lora", STARTER, Doing(ApplyLoras("job", STARTER, ())))
    assert rung_of(ladder.sent(apply)) == "balanced"


def test_asking_for_the_model_anew_gives_the_free_choice_back(
    ladder: Ladder, kills: Counter
) -> None:
    die(ladder, kills, rendering())
    assert rung_of(ladder.sent(loading())) == "auto"
    assert rung_of(ladder.sent(rendering())) == "auto"


def test_below_the_lowest_rung_there_is_none(ladder: Ladder, kills: Counter) -> None:
    job = rendering(replace(STARTER, low_vram="aggressive"))
    assert die(ladder, kills, job) is None
    assert rung_of(ladder.sent(job)) == "aggressive"


def test_anybody_else_s_kill_lowers_nothing(ladder: Ladder) -> None:
    job = rendering()
    assert ladder.engine_died(job, KILLED) is None
    assert ladder.engine_died(job, 139) is None
    assert rung_of(ladder.sent(job)) == "auto"


def test_where_the_system_keeps_no_count_a_kill_is_taken_for_it() -> None:
    ladder = Ladder(Counter(None))
    ladder.engine_started()
    assert ladder.engine_died(rendering(), KILLED) == "balanced"
    assert ladder.engine_died(rendering(), 139) is None


def test_windows_says_it_by_the_exit_status(ladder: Ladder) -> None:
    assert ladder.engine_died(rendering(), 0xC0000017) == "balanced"


def test_work_without_a_model_is_sent_as_it_is(ladder: Ladder, kills: Counter) -> None:
    job = Job("unload_model", None, Doing(UnloadModel("job")))
    assert die(ladder, kills, job) is None
    assert ladder.sent(job) == UnloadModel("job")


def test_a_picture_that_is_redrawn_is_redrawn_a_rung_lower(ladder: Ladder, kills: Counter) -> None:
    job = enhancing()
    ladder.model_on("off")
    assert die(ladder, kills, job) == "balanced"
    assert rung_of(ladder.sent(job)) == "balanced"
    assert rung_of(ladder.sent(enhancing())) == "balanced"


@pytest.mark.parametrize(
    "job",
    [
        enhancing("onnx"),
        enhancing("auto"),
        enhancing("auto", None),
        Job("enlarge", None, Doing(Upscale("job", UPSCALE))),
    ],
    ids=["onnx", "auto_on_a_cpu", "no_model", "upscale"],
)
def test_work_that_draws_nothing_lowers_no_rung(ladder: Ladder, kills: Counter, job: Job) -> None:
    """Not for itself, and not for pictures that are drawn later."""
    before = ladder.sent(job)
    assert die(ladder, kills, job) is None
    assert ladder.sent(job) == before
    assert rung_of(ladder.sent(rendering())) == "auto"


def test_auto_redraws_on_a_gpu_and_so_comes_down_there(ladder: Ladder, kills: Counter) -> None:
    ladder.engine_warm("cuda")
    job = enhancing("auto")
    assert die(ladder, kills, job) == "balanced"
    assert rung_of(ladder.sent(job)) == "balanced"


def test_linux_tells_its_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    stat = tmp_path / "vmstat"
    stat.write_text("nr_free_pages 7\noom_kill 4\npgfault 9\n")
    monkeypatch.setattr(ladder_module, "VMSTAT", stat)
    assert system_oom_kills() == 4
    monkeypatch.setattr(ladder_module, "VMSTAT", tmp_path / "gone")
    assert system_oom_kills() is None


class TestInTheQueue:
    def test_the_replay_runs_lower_and_the_person_is_told(self) -> None:
        kills = Counter()
        script = Scripted(ladder=Ladder(kills))
        script.up()
        job = script.add(rendering())
        script.jobs.engine_event(ModelLoading(job.id, "starter", "unet", 50.0, "off"))
        kills.count = 4
        script.down(KILLED)
        script.up()
        assert [rung_of(command) for command in script.commands] == ["auto", "balanced"]
        assert script.warnings == ["memory_retry", "engine_restarted"]
        script.finish(job)
        assert job.future.result(0) == "done"

    @pytest.mark.parametrize(
        ("device", "rungs", "warnings"),
        [
            ("cpu", ["auto", "auto"], ["engine_restarted"]),
            ("cuda", ["auto", "balanced"], ["memory_retry", "engine_restarted"]),
        ],
    )
    def test_nobody_is_told_of_a_rung_that_nothing_runs_on(
        self, device: str, rungs: list[str], warnings: list[str]
    ) -> None:
        kills = Counter()
        script = Scripted(ladder=Ladder(kills))
        script.up()
        script.jobs.engine_event(EngineWarm({}, device, "test", "sdpa", ()))
        script.add(enhancing("auto"))
        kills.count = 4
        script.down(KILLED)
        script.up()
        assert [rung_of(command) for command in script.commands] == rungs
        assert script.warnings == warnings

    def test_a_second_end_is_answered(self) -> None:
        kills = Counter()
        script = Scripted(ladder=Ladder(kills))
        script.up()
        job = script.add(rendering())
        for _ in range(2):
            kills.count = (kills.count or 0) + 1
            script.down(KILLED)
            script.up()
        assert job.future.exception(5) is not None
        assert script.warnings.count("memory_retry") == 1

    def test_a_job_that_was_cancelled_is_not_tried_lower(self) -> None:
        kills = Counter()
        script = Scripted(ladder=Ladder(kills))
        script.up()
        job = script.add(rendering())
        script.jobs.cancel(job.id)
        kills.count = 9
        script.down(KILLED)
        script.up()
        assert "memory_retry" not in script.warnings
        script.add(rendering())
        assert rung_of(script.commands[-1]) == "auto"
