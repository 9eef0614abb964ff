"""vram_report, set_low_vram, vram notifications and out_of_memory over the wire."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest

from sidecar.engine.contract import Command, LoadModel, MemoryReport, Render, ReportMemory
from sidecar.errors import OutOfMemory
from sidecar.jobs.facts import EngineFacts
from sidecar.protocol.memory import VramReport
from sidecar.rpc import memory as desk_module
from sidecar.rpc.memory import MemoryDesk
from tests.rpc.in_memory import InMemory

MEGABYTE = 1024 * 1024
LARGE = {"prompt": "x", "width": 4096, "height": 4096, "upscale": 1}


class TestForecast:
    def test_a_picture_that_fits_is_said_to_fit(self, loaded: InMemory) -> None:
        forecast = loaded.call("vram_report", **{"for": {"prompt": "x"}})["forecast"]
        assert forecast["fits"] is True
        assert forecast["peak"] > forecast["used"] > 0
        assert forecast["alternatives"] == []

    def test_one_that_does_not_comes_with_ways_that_do(self, loaded: InMemory) -> None:
        forecast = loaded.call("vram_report", **{"for": LARGE})["forecast"]
        assert forecast["fits"] is False
        (way,) = forecast["alternatives"]
        assert (way["way"], way["width"], way["upscale"]) == ("smaller_upscaled", 2048, 2)
        assert way["message"] == "2048×2048, enlarged 2 times"

    def test_ways_are_told_in_the_session_s_language(self, loaded: InMemory) -> None:
        loaded.call("initialize", locale="zh-CN")
        forecast = loaded.call("vram_report", **{"for": LARGE})["forecast"]
        assert forecast["alternatives"][0]["message"] == "2048×2048，再放大 2 倍"

    @pytest.mark.parametrize(
        "asked",
        [
            {"width": 4096, "height": 4096},
            {"width": 512, "height": 512, "upscale": 2},
            {"upscale": 4},
            {"width": 4096, "height": 4096, "upscale": 1},
            {"count": 2},
        ],
    )
    def test_it_is_of_the_picture_that_generate_would_draw(
        self, loaded: InMemory, asked: dict[str, Any]
    ) -> None:
        loaded.call("vram_report", **{"for": {"prompt": "x", "seed": 3, **asked}})
        loaded.call("generate", prompt="x", seed=3, **asked)
        (foretold,) = (c.planned for c in loaded.engine.commands if isinstance(c, ReportMemory))
        (drawn,) = (c.spec for c in loaded.engine.commands if isinstance(c, Render))
        assert foretold == drawn

    def test_what_is_drawn_smaller_fits_where_the_whole_would_not(self, loaded: InMemory) -> None:
        planned = {**LARGE, "upscale": None}
        forecast = loaded.call("vram_report", **{"for": planned})["forecast"]
        assert forecast["fits"] is True
        assert forecast["peak"] == forecast["used"] + 1024 * 1024

    def test_nothing_is_drawn_for_it(self, loaded: InMemory) -> None:
        loaded.call("vram_report", **{"for": {"prompt": "x", "count": 3}})
        assert not any(isinstance(c, Render) for c in loaded.engine.commands)
        (asked,) = (c for c in loaded.engine.commands if isinstance(c, ReportMemory) and c.planned)
        assert asked.planned is not None
        assert asked.planned.count == 3

    def test_a_wrong_request_is_told_by_its_path(self, loaded: InMemory) -> None:
        error = loaded.error("vram_report", **{"for": {"prompt": "x", "width": 65}})
        assert error["code"] == -32602
        assert "for" in str(error["data"]["errors"])

    def test_it_needs_a_model_and_the_plain_report_does_not(self, wire: InMemory) -> None:
        error = wire.error("vram_report", **{"for": {"prompt": "x"}})
        assert error["data"]["kind"] == "model_not_loaded"
        assert wire.call("vram_report")["ram_total"] > 0


class TestLowVram:
    def test_the_rung_changes_and_the_model_and_its_stack_stay(self, loaded: InMemory) -> None:
        loaded.call("switch_lora", name="chalk")
        loaded.call("set_low_vram", mode="aggressive")
        last = [c for c in loaded.engine.commands if isinstance(c, LoadModel)][-1]
        assert last.model.low_vram == "aggressive"
        assert loaded.front.projection.current.model == last.model
        assert [entry["name"] for entry in loaded.call("status")["stack"]] == ["chalk"]

    def test_without_a_model_there_is_nothing_to_change(self, wire: InMemory) -> None:
        assert wire.error("set_low_vram", mode="off")["data"]["kind"] == "model_not_loaded"

    def test_an_unknown_rung_is_refused(self, loaded: InMemory) -> None:
        assert loaded.error("set_low_vram", mode="frugal")["code"] == -32602

    def test_a_load_that_fails_brings_the_former_model_back_in_the_background(
        self, loaded: InMemory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        former = loaded.front.projection.current.model
        engine = loaded.engine._engine

        def fails(*_: Any) -> None:
            raise OutOfMemory(alternatives=[])

        before = len(loaded.engine.commands)
        with monkeypatch.context() as patch:
            patch.setattr(engine, "load_model", fails)
            assert loaded.error("set_low_vram", mode="off")["data"]["kind"] == "out_of_memory"
        assert loaded.front.projection.current.model == former
        assert loaded.call("generate", prompt="x")["images"][0]["parameters"]["low_vram"] == "auto"
        models = {type(c).__name__: c for c in loaded.engine.commands[before:]}
        assert models["ApplyLoras"].model == former, "it is prewarmed again"


class TestRefusal:
    WAY: dict[str, Any] = {  # noqa: RUF012
        "way": "low_vram",
        "width": 512,
        "height": 512,
        "count": 1,
        "low_vram": "aggressive",
        "upscale": 1,
        "peak": 5,
    }

    def test_it_says_what_is_needed_and_what_would_fit(self) -> None:
        smaller = {**self.WAY, "way": "smaller_upscaled", "width": 256, "height": 256, "upscale": 2}
        error = OutOfMemory(needed_mb=900, free_mb=700, alternatives=[self.WAY, smaller]).to_wire()
        assert "900 MB" in error["message"]
        assert "700 MB" in error["message"]
        assert "low_vram “aggressive”" in error["data"]["hint"]
        assert "256×256, enlarged 2 times" in error["data"]["hint"]
        assert [way["way"] for way in error["data"]["alternatives"]] == [
            "low_vram",
            "smaller_upscaled",
        ]
        assert all(way["message"] for way in error["data"]["alternatives"])

    def test_a_smaller_picture_that_is_enlarged_is_told_as_one(self) -> None:
        way = {**self.WAY, "way": "smaller", "upscale": 2}
        (told,) = OutOfMemory(alternatives=[way]).to_wire()["data"]["alternatives"]
        assert told["message"] == "512×512, enlarged 2 times"
        plain = OutOfMemory(alternatives=[{**way, "upscale": 1}]).to_wire()
        assert plain["data"]["alternatives"][0]["message"] == "512×512"

    def test_sentences_stay_sentences(self) -> None:
        error = OutOfMemory(alternatives=["Make it smaller."]).to_wire("zh-CN")
        assert error["data"]["alternatives"] == ["Make it smaller."]
        assert "{" not in error["message"] + error["data"]["hint"]

    def test_an_unforetold_lack_has_no_figures_in_it(self) -> None:
        assert "MB" not in OutOfMemory(free_mb=5, alternatives=[]).to_wire()["message"]


class Watched:
    """A memory desk with an engine that has as much memory as the test says."""

    def __init__(self) -> None:
        self.rss = 1000 * MEGABYTE
        self.facts = EngineFacts(pid=1)
        self.answers = True
        self.told: list[VramReport] = []
        self.asked = 0
        self.arrived = threading.Condition()
        self.desk = MemoryDesk(self._send, self._notify, lambda: "en", self.facts)

    def _send(self, command: Command) -> bool:
        assert isinstance(command, ReportMemory)
        with self.arrived:
            self.asked += 1
            self.arrived.notify_all()
        if self.answers:
            self.desk.arrived(MemoryReport(command.ticket, self.rss, (), ()))
        return True

    def _notify(self, report: VramReport) -> None:
        self.told.append(report)

    def look(self, rss: int) -> int:
        """How many notifications there are when the engine has so much."""
        self.rss = rss * MEGABYTE
        self.desk.watch()
        return len(self.told)

    def wait(self, done: Callable[[], bool]) -> None:
        with self.arrived:
            assert self.arrived.wait_for(done, 60)


class TestNotifications:
    def test_only_changes_of_over_a_twentieth_are_told(self) -> None:
        watched = Watched()
        assert watched.look(1000) == 1
        assert watched.look(1030) == 1
        assert watched.look(1200) == 2
        assert watched.look(1190) == 2
        assert watched.look(900) == 3

    def test_small_changes_add_up(self) -> None:
        watched = Watched()
        watched.look(1000)
        told = [watched.look(1000 + 20 * step) for step in range(1, 8)]
        assert told[0] == 1
        assert told[-1] >= 2

    def test_while_the_engine_works_it_is_looked_at_again_and_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(desk_module, "WATCH_SECONDS", 0.005)
        watched = Watched()
        watched.facts.busy = True
        watched.desk.watch()
        watched.desk.watch()
        watched.rss = 3000 * MEGABYTE
        watched.wait(lambda: len(watched.told) >= 2)
        asked = watched.asked
        watched.wait(lambda: watched.asked >= asked + 3)
        watched.facts.busy = False
        assert len(watched.told) == 2
        deadline = monotonic() + 60
        while watched.desk._watching:
            assert monotonic() < deadline

    def test_an_engine_that_does_not_answer_is_not_asked_again_and_the_next_one_is(self) -> None:
        watched = Watched()
        watched.answers = False
        for _ in range(3):
            watched.desk.watch()
        assert watched.asked == 1
        watched.facts.pid = 2
        watched.desk.watch()
        assert watched.asked == 2
        watched.answers = True
        watched.desk.arrived(MemoryReport(0, watched.rss, (), ()))
        watched.look(1000)
        assert watched.asked == 3

    def test_a_device_s_own_memory_counts_too(self) -> None:
        from sidecar.engine.contract import DeviceInfo

        watched = Watched()
        watched.look(1000)
        gpu = DeviceInfo("GPU", "cuda", 8000, 7000, 500, None)
        watched.desk.arrived(MemoryReport(0, watched.rss, (gpu,), ()))
        watched.desk.arrived(MemoryReport(0, watched.rss, (gpu,), ()))
        watched.desk.arrived(MemoryReport(0, watched.rss, (replace(gpu, used_by_process=900),), ()))
        assert len(watched.told) == 3
