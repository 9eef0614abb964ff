"""The real engine behind the real front: a crash in mid-picture changes nothing about it."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.rpc.child import Child, Message, gone, starter

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]


def pixels(result: Message) -> bytes:
    encoded = result["images"][0]["data_url"].partition(",")[2]
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        return image.tobytes()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    for start in starter(tmp_path, ("--threads", "1")):
        yield start()


def test_the_same_picture_arrives_when_the_engine_is_killed(child: Child) -> None:
    child.call("load_model", model="starter")
    names = [card["name"] for card in child.call("list_loras")["loras"]]
    if names:
        child.call("switch_lora", name=names[0], alpha=0.8)
    same = {"prompt": "red apple", "seed": 3, "delivery": "inline"}
    undisturbed = child.call("generate", **same)
    engine = child.engine()
    request = child.request("generate", **same)
    child.notification("progress", lambda p: p["request_id"] == request and p["step"] == 3)
    engine.kill()
    assert pixels(child.answer(request)["result"]) == pixels(undisturbed)
    replaced = child.engine()
    child.process.kill()
    assert gone(engine, 1.0)
    assert gone(replaced, 1.0)
