"""A message has room for so many pictures; the others are paths."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest

from sidecar.jobs.job import Job
from sidecar.rpc import room as room_module
from tests.rpc.in_memory import InMemory, Message

PAD = 100_000
ROOM = 3.5 * PAD
PICTURES: dict[str, Any] = {"prompt": f"[pad={PAD}]", "steps": 1, "width": 64, "height": 64}


@pytest.fixture
def narrow(loaded: InMemory, monkeypatch: pytest.MonkeyPatch) -> InMemory:
    monkeypatch.setattr(room_module, "MAX_MESSAGE_PICTURES", ROOM)
    return loaded


def inline(result: Message) -> list[bool]:
    """Of each picture; every one is somewhere."""
    for image in result["images"]:
        assert image["data_url"] or Path(image["path"]).stat().st_size > PAD
    return [image["data_url"] is not None for image in result["images"]]


def test_pictures_beyond_the_room_of_their_message_are_paths(narrow: InMemory) -> None:
    result = narrow.call("generate", **PICTURES, count=5, delivery="inline")
    assert inline(result) == [True, True, True, False, False]
    assert inline(narrow.call("generate", **PICTURES, delivery="inline")) == [True]


def test_the_members_of_a_batch_share_the_room_of_their_message(narrow: InMemory) -> None:
    params = {**PICTURES, "count": 2, "delivery": "both"}
    narrow.send(
        [{"jsonrpc": "2.0", "id": f"b{n}", "method": "generate", "params": params} for n in "123"]
    )
    answers = narrow.wait(lambda message: isinstance(message, list))
    assert [inline(answer["result"]) for answer in answers] == [
        [True, True],
        [True, False],
        [False, False],
    ]


def test_what_has_been_answered_is_not_kept(
    loaded: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[weakref.ref[Job]] = []
    succeed = Job.succeed

    def noted(job: Job, value: Any) -> None:
        answered.append(weakref.ref(job))
        succeed(job, value)

    monkeypatch.setattr(Job, "succeed", noted)
    gc.disable()
    try:
        for _ in range(3):
            loaded.call("generate", **PICTURES, delivery="inline")
        assert sum(job() is not None for job in answered) <= 1, "only the last may be in hand"
    finally:
        gc.enable()
