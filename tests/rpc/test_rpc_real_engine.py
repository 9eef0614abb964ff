"""The real engine behind the real front: a crash in mid-picture changes nothing about it."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tests.rpc.child import Child, Message, gone, starter

pytestmark = pytest.mark.engine


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
    child.notification("progress", lambda p: p["request_id"] == request and p["step"] >= 3)
    engine.kill()
    assert pixels(child.answer(request)["result"]) == pixels(undisturbed)
    replaced = child.engine()
    child.process.kill()
    assert gone(engine)
    assert gone(replaced)


def test_every_rung_draws_the_styled_picture_and_what_it_took_is_remembered(
    child: Child, tmp_path: Path
) -> None:
    child.call("load_model", model="starter")
    name = child.call("list_loras")["loras"][0]["name"]
    child.call("switch_lora", name=name, alpha=0.8)
    same = {"prompt": "red apple", "seed": 3, "steps": 3, "delivery": "inline"}
    pictures: list[bytes] = []
    forecasts: list[Message] = []
    for rung in ("off", "balanced", "aggressive"):
        assert child.call("set_low_vram", mode=rung)["rung"] == rung
        assert [entry["name"] for entry in child.call("status")["stack"]] == [name]
        pictures.append(pixels(child.call("generate", **same)))
        forecasts.append(child.call("vram_report", **{"for": same})["forecast"])
    assert pictures[0] == pictures[1]
    assert max(abs(a - b) for a, b in zip(pictures[0], pictures[2], strict=True)) <= 2
    assert forecasts[0]["measured"]  # later ones may find room in what the first ones left
    assert all(forecast["fits"] for forecast in forecasts)
    assert [forecast["low_vram"] for forecast in forecasts] == ["off", "balanced", "aggressive"]
    assert list(tmp_path.rglob("memory.json"))


@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_AS"), reason="limits the engine, as Linux can")
def test_an_engine_of_limited_memory_refuses_offers_and_goes_on(child: Child) -> None:
    child.call("load_model", model="starter")
    small = {"prompt": "red apple", "seed": 3, "steps": 1}
    child.call("generate", **small)
    engine = child.engine()
    limit = engine.memory_info().vms + 256 * 2**20
    engine.rlimit(psutil.RLIMIT_AS, (limit, limit))
    large = {**small, "width": 2048, "height": 2048, "upscale": 1}
    report = child.call("vram_report", **{"for": large})["forecast"]
    assert not report["fits"]
    error = child.error("generate", **large)
    assert error["data"]["kind"] == "out_of_memory"
    assert error["data"]["needed_mb"] > error["data"]["free_mb"]
    ways = error["data"]["alternatives"]
    assert [way["message"] for way in ways]
    nearest = {key: ways[0][key] for key in ("width", "height", "count", "upscale")}
    if nearest.pop("upscale") == 1:
        assert child.call("generate", **{**small, **nearest, "upscale": 1})["images"]
    assert child.call("generate", **small)["images"]
    assert child.engine().pid == engine.pid, "nothing crashed"
