"""`serve --finish`: requests from a file or a pipe are all worked off before the end."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.rpc.child import Start


def test_what_was_piped_in_is_answered_before_the_end(start: Start) -> None:
    child = start("--finish")
    first = child.request("load_model", model="starter")
    drawn = [child.request("generate", prompt=f"apple {n}", count=2) for n in range(3)]
    refused = child.request("generate", prompt=3)
    assert child.stop() == 0
    assert child.answer(first)["result"]["model"] == "starter"
    for request in drawn:
        pictures = child.answer(request)["result"]["images"]
        assert [Path(picture["path"]).is_file() for picture in pictures] == [True, True]
    assert child.answer(refused)["error"]["code"] == -32602


def test_every_member_of_a_batch_is_answered_too(start: Start) -> None:
    child = start("--finish")
    load = {"jsonrpc": "2.0", "id": "a", "method": "load_model", "params": {"model": "starter"}}
    draw = {"jsonrpc": "2.0", "id": "b", "method": "generate", "params": {"prompt": "apple"}}
    child.send([load, draw])
    assert child.stop() == 0
    (answers,) = [message for message in child.out if isinstance(message, list)]
    assert ["result" in answer for answer in answers] == [True, True]


def test_without_it_the_end_of_input_cancels(start: Start) -> None:
    child = start()
    child.call("load_model", model="starter")
    drawn = child.request("generate", prompt="slow [delay=30]", steps=100)
    child.notification("progress", lambda p: p["phase"] == "denoise")
    assert child.stop() == 0
    assert child.answer(drawn)["error"]["data"]["kind"] == "cancelled"


def test_exit_ends_it_at_once(start: Start) -> None:
    child = start("--finish")
    child.call("load_model", model="starter")
    drawn = child.request("generate", prompt="slow [delay=30]", steps=100)
    child.notification("progress", lambda p: p["phase"] == "denoise")
    child.notify("exit")
    assert child.stop() == 0
    assert child.answer(drawn)["error"]["data"]["kind"] == "cancelled"


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM ends a process at once here")
def test_a_signal_ends_it_also_while_it_finishes(start: Start) -> None:
    child = start("--finish")
    child.call("load_model", model="starter")
    child.request("generate", prompt="slow [delay=30]", steps=100)
    child.notification("progress", lambda p: p["phase"] == "denoise")
    assert child.process.stdin is not None
    child.process.stdin.close()
    child.process.send_signal(signal.SIGTERM)
    assert child.process.wait(20) == 0
