"""Who runs when, and that every job is answered exactly once whatever the engine does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.engine.contract import EngineWarm, ImageReady, JobFailed, Progress
from sidecar.errors import (
    Cancelled,
    EngineCrashed,
    EngineMissing,
    QueueFull,
    ShuttingDown,
    StorageFault,
    Superseded,
)
from sidecar.jobs.job import Job
from tests.jobs.scripted import OTHER, PATIENCE, STARTER, PlainWork, Scripted


def run_all(script: Scripted) -> list[str]:
    """Finish whatever runs until nothing does; the ids in the order in which they ran."""
    while (running := script.jobs.report()[0]) is not None:
        script.jobs.engine_event(JobFailed(running, "cancelled"))
    return script.sent


class TestFiles:
    """Of pictures that the engine handed over: none stays when its job is over."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        file = tmp_path / ".upscaled.0.tmp"
        file.touch()
        return file

    def ready(self, job: Job, file: Path) -> ImageReady:
        return ImageReady(job.id, 0, 0, "image/png", 8, 8, b"", b"", str(file))

    def test_one_that_comes_after_the_cancel(self, file: Path) -> None:
        script = Scripted()
        script.up()
        job = script.submit("enlarge")
        script.jobs.cancel(job.id)
        script.jobs.engine_event(self.ready(job, file))
        assert not file.exists()

    def test_one_that_came_before_the_cancel(self, file: Path) -> None:
        script = Scripted()
        script.up()
        job = script.submit("enlarge")
        script.jobs.engine_event(self.ready(job, file))
        assert file.exists()
        script.jobs.cancel(job.id)
        script.finish(job)
        assert not file.exists()

    def test_one_of_an_engine_that_died_before_it_was_done(self, file: Path) -> None:
        script = Scripted()
        script.up()
        job = script.submit("enlarge")
        script.jobs.engine_event(self.ready(job, file))
        script.down()
        script.up()
        script.finish(job)
        assert not file.exists()

    def test_one_whose_job_is_long_over(self, file: Path) -> None:
        script = Scripted()
        script.up()
        job = script.submit("enlarge")
        script.finish(job)
        script.jobs.engine_event(self.ready(job, file))
        assert not file.exists()


class TestOrder:
    def test_jobs_wait_for_the_engine(self) -> None:
        script = Scripted()
        job = script.submit()
        assert script.sent == []
        script.up()
        assert script.sent == [job.id]

    def test_one_job_runs_at_a_time(self) -> None:
        script = Scripted()
        script.up()
        first, second = script.submit(), script.submit()
        assert script.sent == [first.id]
        script.finish(first)
        assert script.sent == [first.id, second.id]
        assert first.future.result(0) == "done"

    def test_nothing_is_begun_for_a_client_that_does_not_read_until_it_reads_again(self) -> None:
        script = Scripted()
        script.up()
        first, second = script.submit(), script.submit()
        script.room = False
        script.finish(first)
        assert script.sent == [first.id]
        assert first.future.result(0) == "done"
        script.room = True
        script.jobs.go_on()
        assert script.sent == [first.id, second.id]

    def test_interactive_work_overtakes_waiting_pictures(self) -> None:
        script = Scripted()
        script.up()
        running, waiting = script.submit(), script.submit()
        preview, switch = script.submit("preview"), script.submit("switch_lora")
        assert run_all(script) == [running.id, preview.id, switch.id, waiting.id]

    def test_nothing_jumps_over_a_change_of_model(self) -> None:
        script = Scripted()
        script.up()
        jobs = [
            script.submit(),
            script.submit(),
            script.submit("load_model", OTHER),
            script.submit("generate", OTHER),
            script.submit("preview", OTHER),
        ]
        expected = [jobs[0], jobs[1], jobs[2], jobs[4], jobs[3]]
        assert run_all(script) == [job.id for job in expected]

    def test_unloading_waits_for_its_turn(self) -> None:
        script = Scripted()
        script.up()
        jobs = [script.submit(), script.submit(), script.submit("unload_model", None)]
        preview = script.submit("preview")
        assert run_all(script) == [*(job.id for job in jobs), preview.id]

    def test_prewarming_is_last_and_gives_way_to_another_model(self) -> None:
        script = Scripted()
        script.up()
        prewarm = script.submit("prewarm", STARTER)
        script.submit("generate", STARTER)
        assert script.cancelled == []
        script.submit("generate", OTHER)
        assert script.cancelled == [prewarm.id]

    def test_a_waiting_prewarm_lets_everything_pass(self) -> None:
        script = Scripted()
        script.up()
        running, prewarm, job = script.submit(), script.submit("prewarm"), script.submit()
        assert run_all(script) == [running.id, job.id, prewarm.id]

    def test_too_many_are_refused(self) -> None:
        script = Scripted(limit=2)
        script.submit()
        script.submit()
        with pytest.raises(QueueFull):
            script.submit()


class TestCancelling:
    def test_a_waiting_job_is_answered_at_once_and_never_runs(self) -> None:
        script = Scripted()
        script.up()
        running, waiting = script.submit(), script.submit()
        assert script.jobs.cancel(waiting.id)
        assert isinstance(waiting.future.exception(0), Cancelled)
        script.finish(running)
        assert script.sent == [running.id]

    def test_a_running_job_is_answered_when_the_engine_obeys(self) -> None:
        script = Scripted()
        script.up()
        job = script.submit()
        assert script.jobs.cancel(job.id)
        assert script.cancelled == [job.id]
        assert not job.future.done()
        script.fail(job, "cancelled")
        assert isinstance(job.future.exception(0), Cancelled)

    def test_a_job_that_finishes_all_the_same_stays_cancelled(self) -> None:
        script = Scripted()
        script.up()
        job = script.submit()
        script.jobs.cancel(job.id)
        script.finish(job)
        assert isinstance(job.future.exception(0), Cancelled)

    def test_an_engine_that_does_not_obey_is_killed(self) -> None:
        script = Scripted(cancel_deadline=0.01)
        script.up()
        job = script.submit()
        script.jobs.cancel(job.id)
        assert script.killed.wait(PATIENCE)
        script.down()
        assert isinstance(job.future.exception(0), Cancelled)

    def test_requests_with_equal_looking_ids_are_told_apart(self) -> None:
        script = Scripted()
        number = script.add(Job("generate", STARTER, PlainWork(), request_id=1))
        text = script.add(Job("generate", STARTER, PlainWork(), request_id="1"))
        assert script.jobs.cancel_request("1")
        assert text.future.done()
        assert not number.future.done()
        assert not script.jobs.cancel_request(2)

    def test_a_newer_preview_of_the_session_ends_the_older_ones_at_once(self) -> None:
        script = Scripted()
        script.up()
        older = [script.add(Job("preview", STARTER, PlainWork(), session="s")) for _ in range(3)]
        script.add(Job("preview", STARTER, PlainWork(), session="t"))
        for job in older[:2]:
            assert isinstance(job.future.exception(0), Superseded)
        assert not older[2].future.done()

    def test_a_job_that_cannot_take_an_event_ends_with_that_error(self) -> None:
        class FullDisk(PlainWork):
            def event(self, event: object) -> None:
                raise StorageFault(cause="disk_full")

        script = Scripted()
        script.up()
        job = script.add(Job("generate", STARTER, FullDisk()))
        script.jobs.engine_event(Progress(job.id, "denoise", 1, 2))
        assert script.cancelled == [job.id]
        script.fail(job, "cancelled")
        assert isinstance(job.future.exception(0), StorageFault)


class TestDeaths:
    def test_the_running_job_is_sent_again_once(self) -> None:
        script = Scripted()
        script.up()
        job = script.submit()
        script.down()
        assert not job.future.done()
        script.up()
        assert script.sent == [job.id, job.id]
        assert script.warnings == ["engine_restarted"]
        assert script.restarts == 0
        script.down(137)
        error = job.future.exception(0)
        assert isinstance(error, EngineCrashed)
        assert error.fields == {"exit_code": 137}

    def test_waiting_jobs_do_not_mind(self) -> None:
        script = Scripted()
        script.up()
        first, second = script.submit(), script.submit()
        for _ in range(2):
            script.down()
            script.up()
        assert first.future.done()
        script.finish(second)
        assert second.future.result(0) == "done"

    def test_an_idle_engine_that_dies_is_warmed_up_again(self) -> None:
        script = Scripted()
        script.up()
        script.down()
        assert script.jobs.facts.state == "crashed"
        script.up()
        assert script.restarts == 1
        assert script.jobs.facts.restarts == 1

    def test_prewarming_is_not_repeated(self) -> None:
        script = Scripted()
        script.up()
        prewarm = script.submit("prewarm")
        script.down()
        assert prewarm.future.done()
        script.up()
        assert script.sent == [prewarm.id]

    def test_events_of_a_dead_engine_s_job_are_not_mixed_up(self) -> None:
        script = Scripted()
        script.up()
        first = script.submit()
        script.finish(first)
        second = script.submit()
        script.finish(first)
        assert not second.future.done()

    def test_an_engine_that_never_comes_up_fails_what_waits_until_it_is_asked_again(self) -> None:
        script = Scripted()
        job = script.submit()
        script.down(1, given_up=True)
        assert isinstance(job.future.exception(0), EngineCrashed)
        script.submit()
        assert script.woken.is_set()

    def test_a_build_without_torch_says_so(self) -> None:
        script = Scripted()
        script.up()
        job = script.submit()
        script.jobs.engine_event(JobFailed("", "engine_missing", {"package": "torch"}))
        error = job.future.exception(0)
        assert isinstance(error, EngineMissing)
        assert error.fields == {"package": "torch"}
        with pytest.raises(EngineMissing):
            script.submit()


class TestClosing:
    def test_everything_is_cancelled_and_nothing_more_taken(self) -> None:
        script = Scripted()
        script.up()
        running, waiting = script.submit(), script.submit()
        closed = script.jobs.close(PATIENCE)
        assert isinstance(waiting.future.exception(0), Cancelled)
        assert not closed.done()
        script.fail(running, "cancelled")
        assert closed.done()
        with pytest.raises(ShuttingDown):
            script.submit()

    def test_an_idle_queue_closes_at_once(self) -> None:
        assert Scripted().jobs.close(PATIENCE).done()


steps = st.lists(
    st.sampled_from(
        ["generate", "preview", "switch", "other", "cancel", "finish", "fail", "down", "up"]
    ),
    max_size=40,
)


@settings(max_examples=200)
@given(steps)
def test_whatever_happens_every_job_is_answered_once(script_steps: list[str]) -> None:
    script = Scripted(limit=1000)
    jobs: list[Job] = []
    answers: list[str] = []
    up = False
    for step in script_steps:
        running = script.jobs.report()[0]
        match step:
            case "generate" | "preview" | "switch" | "other":
                kind = {"switch": "switch_lora", "other": "generate"}.get(step, step)
                session = "s" if step == "preview" else None
                model = OTHER if step == "other" else STARTER
                job = Job(kind, model, PlainWork(), session=session)  # type: ignore[arg-type]
                job.future.add_done_callback(lambda _, i=job.id: answers.append(i))
                jobs.append(script.add(job))
            case "cancel" if jobs:
                script.jobs.cancel(jobs[len(jobs) // 2].id)
            case "finish" if running and up:
                script.finish(next(j for j in jobs if j.id == running))
            case "fail" if running and up:
                script.jobs.engine_event(JobFailed(running, "out_of_memory"))
            case "down" if up:
                script.down()
                up = False
            case "up" if not up:
                script.up()
                up = True
            case _:
                pass
    if not up:
        script.up()
    run_all(script)
    assert sorted(answers) == sorted(job.id for job in jobs)


def test_what_waits_for_the_engine_to_be_imported_waits_in_the_queue() -> None:
    """Else seconds of a first picture would be in none of its timings."""
    warm = EngineWarm({}, "cpu", "CPU", "", ())
    script = Scripted()
    script.up()
    job = script.submit("enlarge")
    assert script.sent == [job.id]
    sent = job.queue_ms
    script.jobs.engine_event(warm)
    assert job.queue_ms > sent
    waited = job.queue_ms
    job.deaths = 1
    script.jobs.engine_event(warm)
    assert job.queue_ms == waited
