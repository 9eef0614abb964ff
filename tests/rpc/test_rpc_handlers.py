"""What the methods do, with the fake engine in memory."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from sidecar.engine.contract import ApplyLoras, Render
from sidecar.engine.fake import colour_png
from tests.catalog.catalog_samples import write_lora
from tests.rpc.in_memory import InMemory

SLOW = {"prompt": "slow [delay=50]", "steps": 150}
"""Longer than any machine dawdles; always cancelled."""


def image_url() -> str:
    return "data:image/png;base64," + base64.b64encode(colour_png(8, 8, (1, 2, 3))).decode()


def renders(wire: InMemory) -> list[Render]:
    return [c for c in wire.engine.commands if isinstance(c, Render)]


class TestPictures:
    def test_a_picture_needs_a_model(self, wire: InMemory) -> None:
        assert wire.error("generate", prompt="x")["data"]["kind"] == "model_not_loaded"
        assert wire.error("preview", prompt="x")["data"]["kind"] == "model_not_loaded"

    def test_what_is_left_out_is_filled_in_and_told(self, loaded: InMemory) -> None:
        result = loaded.call("generate", prompt="red apple")
        told = result["images"][0]["parameters"]
        defaults = loaded.front.models.find("starter").defaults
        assert told["width"] == defaults.width
        assert told["steps"] == defaults.steps
        assert told["seed"] == result["images"][0]["seed"]
        assert told["model"] == "starter"
        again = loaded.call("generate", prompt="red apple")
        assert again["images"][0]["seed"] != result["images"][0]["seed"]

    def test_pictures_are_files_and_entries_of_the_history(self, loaded: InMemory) -> None:
        result = loaded.call("generate", prompt="red apple", count=3, seed=10)
        for offset, image in enumerate(result["images"]):
            assert image["seed"] == 10 + offset
            assert Path(image["path"]).stat().st_size == image["bytes"]
            assert image["data_url"] is None
        assert loaded.call("history_list")["total"] == 3
        assert [h["reason"] for h in loaded.told("history_changed")] == ["added"] * 3

    @pytest.mark.parametrize(
        ("delivery", "path", "inline"),
        [("file", True, False), ("inline", False, True), ("both", True, True)],
    )
    def test_delivery_decides_what_is_sent(
        self, loaded: InMemory, delivery: str, path: bool, inline: bool
    ) -> None:
        image = loaded.call("generate", prompt="x", delivery=delivery)["images"][0]
        assert (image["path"] is not None) is path
        assert (image["data_url"] is not None) is inline
        if inline:
            data = base64.b64decode(image["data_url"].partition(",")[2])
            assert len(data) == image["bytes"]

    def test_one_request_for_more_than_the_history_keeps_loses_none(self, loaded: InMemory) -> None:
        result = loaded.call("generate", prompt="x", count=60)
        assert all(Path(image["path"]).exists() for image in result["images"])

    def test_progress_never_goes_back_and_100_comes_with_the_last_file(
        self, loaded: InMemory
    ) -> None:
        request = loaded.request("generate", prompt="x", count=3)
        loaded.answer(request)
        told = [p for p in loaded.told("progress") if p["request_id"] == request]
        percents = [p["percent"] for p in told]
        assert told[0]["phase"] == "queue"
        assert percents == sorted(percents)
        assert [p["phase"] for p in told if p["percent"] == 100] == ["save"]
        names = [m.get("method") for m in loaded.out]
        last_save = len(names) - 1 - names[::-1].index("history_changed")
        last_progress = len(names) - 1 - names[::-1].index("progress")
        assert last_save < last_progress

    def test_there_is_one_thumbnail_and_then_frames(self, loaded: InMemory) -> None:
        loaded.call("generate", prompt="x", steps=8)
        assert len(loaded.told("thumbnail")) == 1
        assert loaded.told("thumbnail")[0]["image"]["data_url"].startswith("data:image/webp")
        assert loaded.told("preview_frame")

    @pytest.mark.parametrize(
        ("word", "kind"),
        [("oom", "out_of_memory"), ("nan", "numerical_fault"), ("bug", "internal_error")],
    )
    def test_a_fault_of_the_engine_is_told_and_work_goes_on(
        self, loaded: InMemory, word: str, kind: str
    ) -> None:
        error = loaded.error("generate", prompt=f"[{word}]")
        assert error["data"]["kind"] == kind
        assert "traceback" not in str(error)
        assert loaded.call("history_list")["total"] == 0
        assert loaded.call("generate", prompt="x")["images"]

    def test_an_initial_picture_comes_by_path_or_data_url(
        self, loaded: InMemory, tmp_path: Path
    ) -> None:
        file = tmp_path / "start.png"
        file.write_bytes(colour_png(8, 8, (1, 2, 3)))
        for image in ({"path": str(file)}, {"data_url": image_url()}):
            loaded.call("generate", prompt="x", init_image=image, strength=0.5)
        first, second = renders(loaded)
        assert first.spec.init_image == second.spec.init_image == file.read_bytes()
        assert first.spec.strength == 0.5

    @pytest.mark.parametrize(
        "image",
        [
            {"path": "relative.png"},
            {"path": "/no/such/file.png"},
            {"path": "/dev/zero"},
            {"path": "/"},
            {"path": "/etc/hostname\0.png"},
            {"data_url": "data:image/png;base64,!!!"},
            {"data_url": "data:text/html,hello"},
            {"data_url": "data:image/png;base64," + base64.b64encode(b"GIF89a").decode()},
        ],
    )
    def test_an_unreadable_initial_picture_is_refused(
        self, loaded: InMemory, image: dict[str, str]
    ) -> None:
        error = loaded.error("generate", prompt="x", init_image=image)
        assert error["data"]["kind"] == "image_unreadable"

    def test_repeat_makes_another_like_it(self, loaded: InMemory) -> None:
        init = {"data_url": image_url()}
        first = loaded.call(
            "generate", prompt="x", steps=5, init_image=init, loras=[{"name": "chalk"}]
        )["images"][0]
        second = loaded.call("repeat", id=first["history_id"], prompt="y")["images"][0]
        assert second["seed"] != first["seed"]
        same = {"prompt", "seed"}
        for key, value in first["parameters"].items():
            if key not in same:
                assert second["parameters"][key] == value, key
        assert renders(loaded)[0].spec.init_image == renders(loaded)[1].spec.init_image

    def test_a_full_queue_says_so(self, tmp_path: Path) -> None:
        wire = InMemory(tmp_path / "small", queue_limit=2)
        wire.call("load_model", model="starter")
        ids = [wire.request("generate", **SLOW) for _ in range(4)]
        error = wire.answer(ids[3])["error"]
        assert error["data"]["kind"] == "queue_full"
        assert error["data"]["limit"] == 2


class TestPreviews:
    def test_the_same_preview_comes_out_of_the_cache(self, loaded: InMemory) -> None:
        first = loaded.call("preview", prompt="x", seed=1)
        second = loaded.call("preview", prompt="x", seed=1)
        assert (first["cached"], second["cached"]) == (False, True)
        assert first["image"] == second["image"]
        assert first["job_id"] != second["job_id"]
        assert len(renders(loaded)) == 1

    def test_a_replaced_lora_file_makes_a_new_preview(
        self, loaded: InMemory, tmp_path: Path
    ) -> None:
        ask = {"prompt": "x", "seed": 1, "loras": [{"name": "chalk"}]}
        loaded.call("preview", **ask)
        write_lora(tmp_path / "given-loras", "chalk", rank=8)
        assert loaded.call("preview", **ask)["cached"] is False

    def test_the_newest_of_a_session_wins(self, loaded: InMemory) -> None:
        running = loaded.request("preview", **SLOW)
        loaded.wait(lambda m: m.get("params", {}).get("phase") == "denoise")
        waiting = loaded.request("preview", **SLOW)
        newest = loaded.request("preview", prompt="newest", steps=2)
        for older in (running, waiting):
            assert loaded.answer(older)["error"]["code"] == -32801
        assert loaded.answer(newest)["result"]["parameters"]["prompt"] == "newest"

    def test_other_sessions_are_left_alone(self, loaded: InMemory) -> None:
        one = loaded.request("preview", prompt="a", session="one")
        two = loaded.request("preview", prompt="b", session="two")
        assert "result" in loaded.answer(one)
        assert "result" in loaded.answer(two)

    def test_a_cached_preview_also_supersedes(self, loaded: InMemory) -> None:
        loaded.call("preview", prompt="x", seed=1)
        older = loaded.request("preview", **SLOW)
        assert loaded.call("preview", prompt="x", seed=1)["cached"] is True
        assert loaded.answer(older)["error"]["code"] == -32801

    def test_previews_leave_no_trace_in_the_history(self, loaded: InMemory) -> None:
        loaded.call("preview", prompt="x")
        assert loaded.call("history_list")["total"] == 0


class TestLoras:
    def test_a_switch_gives_a_receipt_and_is_announced(self, loaded: InMemory) -> None:
        receipt = loaded.call("switch_lora", name="chalk", alpha=0.5)
        assert receipt["stack"][0]["name"] == "chalk"
        assert receipt["stack"][0]["alpha"] == 0.5
        assert receipt["matched_keys"] == 10
        assert loaded.told("lora_loaded")[0]["stack"] == receipt["stack"]
        assert loaded.call("status")["stack"][0]["name"] == "chalk"

    def test_pipelined_requests_behave_one_after_the_other(self, loaded: InMemory) -> None:
        loaded.request("switch_lora", name="chalk", alpha=0.5)
        first = loaded.request("generate", prompt="a")
        loaded.request("set_alpha", alpha=0.9)
        second = loaded.request("generate", prompt="b")
        loaded.request("switch_lora", name=None)
        third = loaded.request("generate", prompt="c")
        alphas = [
            [e["alpha"] for e in loaded.answer(r)["result"]["images"][0]["parameters"]["loras"]]
            for r in (first, second, third)
        ]
        assert alphas == [[0.5], [0.9], []]

    def test_set_alpha_is_answered_without_the_engine(self, loaded: InMemory) -> None:
        loaded.call("switch_lora", loras=[{"name": "chalk"}, {"name": "neon"}])
        before = len(loaded.engine.commands)
        answer = loaded.call("set_alpha", name="neon", alpha=0.1)
        assert [e["alpha"] for e in answer["stack"]] == [0.7, 0.1]
        assert answer["deferred"] is True
        assert len(loaded.engine.commands) == before

    def test_set_alpha_must_say_which_of_several(self, loaded: InMemory) -> None:
        loaded.call("switch_lora", loras=[{"name": "chalk"}, {"name": "neon"}])
        assert loaded.error("set_alpha", alpha=0.1)["data"]["errors"][0]["path"] == "name"
        error = loaded.error("set_alpha", alpha=0.1, name="nowhere")
        assert error["data"]["available"] == ["chalk", "neon"]

    def test_a_failed_switch_leaves_the_former_stack(
        self, loaded: InMemory, tmp_path: Path
    ) -> None:
        loaded.call("switch_lora", name="chalk")
        write_lora(tmp_path / "given-loras", "broken", rank=8)
        job = loaded.request("generate", **SLOW)
        failing = loaded.request("switch_lora", name="broken")
        (tmp_path / "given-loras" / "broken.safetensors").unlink()
        loaded.send({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": job}})
        assert loaded.answer(failing)["error"]["data"]["kind"] == "lora_not_found"
        assert [e["name"] for e in loaded.call("status")["stack"]] == ["chalk"]

    @pytest.mark.parametrize("name", ["../chalk", "/etc/passwd", "nowhere", "chalk/../neon"])
    def test_names_are_no_paths(self, loaded: InMemory, name: str) -> None:
        error = loaded.error("switch_lora", name=name)
        assert error["data"]["kind"] == "lora_not_found"
        assert "chalk" in error["data"]["available"]

    def test_a_stack_can_be_chosen_before_the_model(self, wire: InMemory) -> None:
        receipt = wire.call("switch_lora", name="chalk")
        assert receipt["family"] is None
        wire.call("load_model", model="starter")
        image = wire.call("generate", prompt="x")["images"][0]
        assert [e["name"] for e in image["parameters"]["loras"]] == ["chalk"]


class TestModels:
    def test_the_list_says_which_one_is_loaded(self, loaded: InMemory) -> None:
        cards = {c["name"]: c["loaded"] for c in loaded.call("list_models")["models"]}
        assert cards["starter"] is True

    def test_an_unknown_model_leaves_the_former_one(self, loaded: InMemory) -> None:
        error = loaded.error("load_model", model="nowhere")
        assert error["data"]["kind"] == "model_not_found"
        assert loaded.call("status")["model"] == "starter"

    def test_after_unloading_there_is_no_model(self, loaded: InMemory) -> None:
        assert loaded.call("unload_model") == {}
        assert loaded.call("status")["model"] is None
        assert loaded.error("generate", prompt="x")["data"]["kind"] == "model_not_loaded"


class TestHistory:
    def test_rollback_puts_the_state_back_without_drawing(self, loaded: InMemory) -> None:
        loaded.call("switch_lora", name="chalk", alpha=0.4)
        image = loaded.call("generate", prompt="x")["images"][0]
        loaded.call("switch_lora", name=None)
        drawn = len(renders(loaded))
        result = loaded.call("history_rollback", id=image["history_id"])
        assert result["state"]["missing"] == []
        assert [(e["name"], e["alpha"]) for e in result["state"]["loras"]] == [("chalk", 0.4)]
        assert result["image"]["bytes"] == image["bytes"]
        assert len(renders(loaded)) == drawn
        assert isinstance(loaded.engine.commands[-1], ApplyLoras)
        again = loaded.call("generate", prompt="x", seed=image["seed"])["images"][0]
        assert again["parameters"] == image["parameters"]

    def test_a_lora_that_was_replaced_or_is_gone_is_missing(
        self, loaded: InMemory, tmp_path: Path
    ) -> None:
        loaded.call("switch_lora", loras=[{"name": "chalk"}, {"name": "neon"}])
        image = loaded.call("generate", prompt="x")["images"][0]
        folder = tmp_path / "given-loras"
        write_lora(folder, "chalk", rank=8)
        (folder / "neon.safetensors").unlink()
        result = loaded.call("history_rollback", id=image["history_id"])
        assert result["state"]["missing"] == ["chalk", "neon"]
        assert result["state"]["loras"] == []
        assert [w["kind"] for w in loaded.told("warning")] == ["lora_missing"] * 2

    def test_entries_can_be_read_pinned_and_deleted(self, loaded: InMemory) -> None:
        ids = [i["history_id"] for i in loaded.call("generate", prompt="x", count=3)["images"]]
        assert loaded.call("history_pin", id=ids[0])["entry"]["pinned"] is True
        assert loaded.call("history_delete", id=ids[1]) == {"deleted": 1}
        assert loaded.error("history_get", id=ids[1])["data"]["kind"] == "history_not_found"
        assert loaded.call("history_clear") == {"deleted": 1}
        assert loaded.call("history_list")["entries"][0]["id"] == ids[0]
        reasons = [h["reason"] for h in loaded.told("history_changed")]
        assert reasons[3:] == ["pinned", "deleted", "cleared"]


class TestLifeCycle:
    def test_a_job_is_cancelled_by_its_id(self, loaded: InMemory) -> None:
        request = loaded.request("generate", **SLOW)
        told = loaded.wait(lambda m: m.get("params", {}).get("request_id") == request)
        assert loaded.call("cancel", job_id=told["params"]["job_id"]) == {"cancelled": True}
        assert loaded.answer(request)["error"]["code"] == -32800
        assert loaded.call("cancel", job_id=told["params"]["job_id"]) == {"cancelled": False}

    def test_status_tells_what_runs_and_what_waits(self, loaded: InMemory) -> None:
        requests = [loaded.request("generate", **SLOW) for _ in range(3)]
        queue = loaded.call("status")["queue"]
        assert queue["running"] is not None
        assert len(queue["waiting"]) == 2
        for request in requests:
            loaded.send({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": request}})
        for request in requests:
            assert loaded.answer(request)["error"]["code"] == -32800

    def test_shutdown_cancels_answers_and_refuses_what_follows(self, loaded: InMemory) -> None:
        running, waiting = (loaded.request("generate", **SLOW) for _ in range(2))
        loaded.wait(lambda m: m.get("params", {}).get("phase") == "denoise")
        shutdown = loaded.request("shutdown")
        assert loaded.answer(shutdown)["result"] is None
        answered = [m["id"] for m in loaded.out if "id" in m]
        assert set(answered[-3:]) == {running, waiting, shutdown}
        assert answered[-1] == shutdown
        assert loaded.error("ping")["data"]["kind"] == "shutting_down"

    def test_discover_gives_the_openrpc_document(self, wire: InMemory) -> None:
        document = wire.call("rpc.discover")
        assert "generate" in {m["name"] for m in document["methods"]}

    def test_the_vram_report_has_the_engine_s_part(self, loaded: InMemory) -> None:
        report = loaded.call("vram_report")
        assert report["forecast"] is None
        assert report["rss_front"] > 0
        assert report["components"][0]["name"] == "unet"
