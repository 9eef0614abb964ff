"""Requests, notifications and errors over the pipe, against tiny programs."""

import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sidecar.client import AnswerTimeout, Sidecar, SidecarGone, UnexpectedAnswer
from sidecar.errors import Cancelled, LoraNotFound, SidecarError

Start = Callable[[str], Sidecar]


def test_a_call_is_answered(start: Start) -> None:
    assert start("echo").call("any", {"a": "ü\n"}) == {"method": "any", "params": {"a": "ü\n"}}


def test_many_calls_at_once_each_get_their_own_answer(start: Start) -> None:
    sidecar = start("echo")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: sidecar.call("any", {"i": i}), range(200)))
    assert [answer["params"]["i"] for answer in answers] == list(range(200))


def test_submitted_requests_are_futures(start: Start) -> None:
    sidecar = start("echo")
    replies = [sidecar.submit("any", {"i": i}) for i in range(20)]
    assert [reply.result(60)["params"]["i"] for reply in replies] == list(range(20))


def test_a_large_message_goes_both_ways(start: Start) -> None:
    text = "x" * 5_000_000
    assert start("echo").call("any", {"text": text})["params"]["text"] == text


def test_an_error_comes_back_as_its_class_with_the_words_of_the_sidecar(start: Start) -> None:
    data = {"kind": "lora_not_found", "hint": "Sieh nach.", "name": "ikn", "available": ["ink"]}
    with pytest.raises(LoraNotFound) as caught:
        start("echo").call("fail", {"code": 1001, "message": "Kein LoRA „ikn“.", "data": data})
    assert caught.value.fields == {"name": "ikn", "available": ["ink"]}
    assert str(caught.value) == "Kein LoRA „ikn“. Sieh nach."


@pytest.mark.parametrize(
    "error",
    [
        {"code": 1999, "message": "From the future.", "data": {"kind": "new_kind", "x": 1}},
        {"code": 1999, "message": "From the future.", "data": None},
        {"code": 1999, "message": "From the future."},
        {"message": "From the future.", "data": {"self": 1}},
    ],
)
def test_an_error_of_a_later_version_is_still_a_sidecar_error(start: Start, error: Any) -> None:
    with pytest.raises(SidecarError, match=r"From the future\."):
        start("echo").call("fail", error)


def test_notifications_of_a_request_are_heard_in_the_callers_thread_before_its_answer(
    start: Start,
) -> None:
    heard: list[tuple[str, int, int]] = []

    def listen(name: str, params: dict[str, Any]) -> None:
        heard.append((name, params["step"], threading.get_ident()))

    start("echo").call("any", listener=listen)
    assert heard == [("progress", step, threading.get_ident()) for step in (1, 2, 3)]


def test_what_a_listener_raises_cancels_the_request_and_reaches_the_caller(start: Start) -> None:
    sidecar = start("echo")

    def stop(name: str, params: dict[str, Any]) -> None:
        raise KeyError(name)

    with pytest.raises(KeyError):
        sidecar.call("any", listener=stop)
    assert sidecar.call("any")["method"] == "any"


def test_listeners_get_notifications_until_they_are_removed(start: Start) -> None:
    sidecar = start("echo")
    heard: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    remove = sidecar.on("heard", heard.put)
    sidecar.notify("first")
    assert heard.get(timeout=60) == {"method": "first"}
    remove()
    remove()
    sidecar.notify("second")
    sidecar.call("any")
    assert heard.empty()


def test_a_listener_may_call_the_sidecar_itself(start: Start) -> None:
    sidecar = start("echo")
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
    sidecar.on("heard", lambda params: answers.put(sidecar.call("from a listener")))
    sidecar.notify("hello")
    assert answers.get(timeout=60)["method"] == "from a listener"


def test_a_listener_that_fails_does_not_stop_the_others(start: Start) -> None:
    sidecar = start("echo")
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def fail(params: dict[str, Any]) -> None:
        raise RuntimeError("on purpose")

    sidecar.on("heard", fail)
    sidecar.on("heard", heard.put)
    sidecar.notify("hello")
    assert heard.get(timeout=60) == {"method": "hello"}


def test_cancelling_a_reply_ends_it_as_cancelled(start: Start) -> None:
    reply = start("echo").submit("wait")
    assert reply.cancel()
    with pytest.raises(Cancelled):
        reply.result(60)
    assert not reply.cancel()


def test_silence_ends_in_a_typed_timeout_and_the_request_is_cancelled(start: Start) -> None:
    sidecar = start("echo")
    reply = sidecar.submit("wait")
    with pytest.raises(AnswerTimeout, match=r"wait within 0\.2 s") as caught:
        reply.wait(0.2)
    assert isinstance(caught.value, TimeoutError)
    with pytest.raises(Cancelled):
        reply.result(60)


def test_a_crash_fails_every_pending_and_every_later_call_with_the_last_words(
    start: Start,
) -> None:
    sidecar = start("crashing")
    replies = [sidecar.submit("any") for _ in range(3)]
    for reply in [*replies, sidecar.submit("later")]:
        with pytest.raises(SidecarGone, match="Segmentation fault") as caught:
            reply.result(60)
        assert caught.value.exit_code == 42
    assert sidecar.stop() == 42


def test_stopping_fails_what_is_still_pending(start: Start) -> None:
    sidecar = start("echo")
    reply = sidecar.submit("wait")
    assert sidecar.stop() == 0
    with pytest.raises(SidecarGone):
        reply.result(60)


def test_a_deaf_program_times_out_though_its_pipe_is_full(start: Start) -> None:
    with pytest.raises(AnswerTimeout):
        start("deaf").call("any", {"text": "x" * 1_000_000}, timeout=0.3)


@pytest.mark.skipif(sys.platform == "win32", reason="terminating is killing there")
def test_a_program_that_will_not_go_is_killed(start: Start) -> None:
    sidecar = start("deaf")
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
    sidecar.on("ready", heard.put)
    sidecar.submit("any", {"text": "x" * 1_000_000})
    heard.get(timeout=60)
    assert sidecar.stop(grace=0.3) == -9


def test_rubbish_on_stdout_is_skipped(start: Start) -> None:
    assert start("rude").call("any") == "ok"


def test_an_answer_of_another_form_is_a_typed_fault(start: Start) -> None:
    with pytest.raises(UnexpectedAnswer, match="StatusResult"):
        start("echo").status()


def test_a_program_that_cannot_start_raises_at_once() -> None:
    with pytest.raises(FileNotFoundError):
        Sidecar.spawn(command=["no-such-program-here"])


def test_a_program_that_dies_before_it_answers_raises_at_spawn() -> None:
    program = Path(__file__).parent / "programs" / "crashing.py"
    with pytest.raises(SidecarGone, match="exit code 42"):
        Sidecar.spawn(command=[sys.executable, str(program)])


def test_a_log_file_takes_what_it_says_on_stderr(tmp_path: Path) -> None:
    program = Path(__file__).parent / "programs" / "crashing.py"
    with pytest.raises(SidecarGone):
        Sidecar.spawn(command=[sys.executable, str(program)], log=tmp_path / "log.txt")
    assert "Segmentation fault" in (tmp_path / "log.txt").read_text()


def test_on_windows_no_console_window_opens_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def refused(*_: object, creationflags: int, **__: object) -> None:
        asked.append(creationflags)
        raise FileNotFoundError("not started here")

    monkeypatch.setattr("sidecar.client.process.NO_WINDOW", 0x08000000)
    monkeypatch.setattr("sidecar.client.process.subprocess.Popen", refused)
    with pytest.raises(FileNotFoundError):
        Sidecar.spawn(command=["anything"])
    assert asked == [0x08000000]
