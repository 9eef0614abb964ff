"""upscale, enhance and generate's plan, over the wire with the fake engine."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sidecar.engine import fake
from sidecar.engine.contract import Enhance, ImageReady, Render, RenderSpec, Upscale
from sidecar.engine.fake_pictures import colour_png
from sidecar.history.png import read_text
from sidecar.paths import DataFolder
from tests.rpc.in_memory import InMemory

PICTURE = colour_png(40, 24, (200, 30, 30))


def inline(data: bytes) -> dict[str, str]:
    return {"data_url": "data:image/png;base64," + base64.b64encode(data).decode()}


def commands(wire: InMemory, kind: type[Any]) -> list[Any]:
    return [command for command in wire.engine.commands if isinstance(command, kind)]


class TestUpscale:
    def test_a_picture_comes_back_larger_saved_and_in_the_history(self, wire: InMemory) -> None:
        result = wire.call("upscale", image=inline(PICTURE), scale=3)
        image = result["images"][0]
        assert (image["width"], image["height"]) == (120, 72)
        entry = wire.call("history_get", id=image["history_id"])["entry"]
        assert entry["path"] == image["path"]
        assert entry["bytes"] == os.path.getsize(image["path"])
        parameters = entry["parameters"]
        assert (parameters["method"], parameters["upscale"]) == ("upscale", 3)
        assert parameters["upscaler"] == "realesr-animevideov3"
        assert parameters["sampler"] is None
        assert (result["path_used"], result["why"]) == ("onnx", "Enlarged by super-resolution.")

    def test_no_model_needs_to_be_loaded_and_the_thumbnail_comes_first(
        self, wire: InMemory
    ) -> None:
        wire.call("upscale", image=inline(PICTURE))
        names = [m["method"] for m in wire.out if isinstance(m, dict) and "method" in m]
        phases = [p["phase"] for p in wire.told("progress")]
        assert names.index("thumbnail") < names.index("progress", names.index("thumbnail"))
        assert phases[-1] == "save"
        assert "upscale" in phases
        percents = [p["percent"] for p in wire.told("progress")]
        assert percents == sorted(percents)
        assert percents[-1] == 100

    def test_the_recipe_is_in_the_file_and_nothing_unfinished_stays(self, wire: InMemory) -> None:
        image = wire.call("upscale", image=inline(PICTURE))["images"][0]
        texts = read_text(Path(image["path"]).read_bytes())
        assert "Postprocess upscale by: 2" in texts["parameters"]
        assert '"method":"upscale"' in texts["lora-sidecar"]
        data: DataFolder = wire.settings.data
        assert list(data.unfinished.rglob("*.tmp")) == []

    def test_a_picture_of_ours_keeps_its_prompt_and_rolls_back_to_its_model(
        self, loaded: InMemory
    ) -> None:
        drawn = loaded.call("generate", prompt="red apple", seed=3)["images"][0]
        image = loaded.call("upscale", image={"path": drawn["path"]})["images"][0]
        assert image["parameters"]["prompt"] == "red apple"
        assert image["parameters"]["model"] == "starter"
        state = loaded.call("history_rollback", id=image["history_id"])["state"]
        assert state["model"] == "starter"

    def test_rolling_back_to_a_picture_that_was_never_drawn_changes_nothing(
        self, loaded: InMemory
    ) -> None:
        image = loaded.call("upscale", image=inline(PICTURE))["images"][0]
        loaded.call("switch_lora", name="chalk")
        state = loaded.call("history_rollback", id=image["history_id"])["state"]
        assert state["model"] == "starter"
        assert [lora["name"] for lora in state["loras"]] == ["chalk"]

    def test_repeat_enlarges_the_same_picture_again(self, wire: InMemory) -> None:
        image = wire.call("upscale", image=inline(PICTURE), scale=4)["images"][0]
        again = wire.call("repeat", id=image["history_id"])
        assert again["images"][0]["parameters"] == image["parameters"]
        first, second = commands(wire, Upscale)
        assert (first.spec.image, first.spec.scale) == (second.spec.image, second.spec.scale)

    def test_inline_and_both_are_delivered_so(self, wire: InMemory) -> None:
        inline_only = wire.call("upscale", image=inline(PICTURE), delivery="inline")["images"][0]
        both = wire.call("upscale", image=inline(PICTURE), delivery="both")["images"][0]
        assert inline_only["path"] is None
        assert inline_only["data_url"].startswith("data:image/png;base64,")
        assert both["path"] is not None
        assert both["data_url"] is not None

    def test_a_network_that_is_not_there_is_named_with_those_that_are(self, wire: InMemory) -> None:
        error = wire.error("upscale", image=inline(PICTURE), model="nowhere")
        assert error["data"]["kind"] == "model_not_found"
        assert "realesr-animevideov3" in error["data"]["available"]

    def test_a_missing_asset_is_told_with_what_to_do(
        self, wire: InMemory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr("sidecar.rpc.context.upscaler_folder", lambda: tmp_path)
        error = wire.error("upscale", image=inline(PICTURE))
        assert error["data"]["kind"] == "asset_missing"
        assert "make assets" in error["data"]["hint"]

    def test_a_network_in_the_models_folder_is_found_by_its_name(self, wire: InMemory) -> None:
        folder = wire.settings.data.models / "esrgan"
        folder.mkdir(parents=True)
        (folder / "my-net.onnx").write_bytes(b"not looked at here")
        cards = wire.call("list_models")["upscalers"]
        assert {"my-net": False, "realesr-animevideov3": True}.items() <= {
            card["name"]: card["bundled"] for card in cards
        }.items()
        wire.call("upscale", image=inline(PICTURE), model="my-net")
        assert commands(wire, Upscale)[-1].spec.upscaler.path == str(folder / "my-net.onnx")

    def test_what_is_no_picture_is_refused(self, wire: InMemory) -> None:
        error = wire.error("upscale", image=inline(b"GIF89a"))
        assert error["data"]["kind"] == "image_unreadable"

    @pytest.mark.parametrize("scale", [1, 5])
    def test_other_scales_are_refused(self, wire: InMemory, scale: int) -> None:
        assert wire.error("upscale", image=inline(PICTURE), scale=scale)["code"] == -32602


class TestEnhance:
    def test_the_path_taken_is_told_with_the_reason(self, wire: InMemory) -> None:
        result = wire.call("enhance", image=inline(PICTURE))
        image = result["images"][0]
        assert (image["width"], image["height"]) == (40, 24)
        assert result["path_used"] == "onnx"
        assert "GPU" in result["why"]
        assert image["parameters"]["method"] == "enhance"

    def test_diffusion_takes_model_style_and_defaults(self, loaded: InMemory) -> None:
        image = inline(PICTURE)
        result = loaded.call("enhance", image=image, path="diffusion", lora="neon", alpha=0.5)
        assert result["path_used"] == "diffusion"
        render = commands(loaded, Enhance)[-1].spec.render
        assert (render.steps, render.strength, render.sampler) == (10, 0.4, "dpmpp_2m")
        assert [(lora.name, lora.alpha) for lora in render.loras] == [("neon", 0.5)]
        parameters = result["images"][0]["parameters"]
        assert (parameters["model"], parameters["strength"]) == ("starter", 0.4)
        assert (parameters["width"], parameters["height"]) == (40, 24)

    def test_diffusion_without_a_model_says_what_to_do(self, wire: InMemory) -> None:
        error = wire.error("enhance", image=inline(PICTURE), path="diffusion")
        assert error["data"]["kind"] == "model_not_loaded"

    def test_repeat_redraws_with_the_same_model_and_styles(self, loaded: InMemory) -> None:
        image = inline(PICTURE)
        first = loaded.call("enhance", image=image, path="diffusion", lora="neon", seed=5)
        loaded.call("unload_model")
        loaded.call("repeat", id=first["images"][0]["history_id"], seed=5)
        one, two = commands(loaded, Enhance)
        assert one.spec.render == two.spec.render


class TestPlan:
    def test_a_picture_far_beyond_the_models_size_is_planned_smaller(
        self, loaded: InMemory
    ) -> None:
        loaded.call("generate", prompt="red apple", width=512, height=512)
        plan = commands(loaded, Render)[-1].spec.enlarging
        assert (plan.width, plan.height, plan.factor) == (128, 128, 4)
        assert plan.without_gpu_only

    @pytest.mark.parametrize(
        ("asked", "planned"),
        [
            ({"width": 256, "height": 256}, (128, 128, 2)),
            ({"width": 512, "height": 256}, (128, 64, 4)),
            ({"width": 520, "height": 512}, (136, 128, 4)),
            ({"width": 512, "height": 512, "upscale": 2}, (256, 256, 2)),
            ({"width": 128, "height": 128, "upscale": 4}, (64, 64, 2)),
        ],
    )
    def test_the_drawing_is_a_multiple_of_8_and_never_too_small(
        self, loaded: InMemory, asked: dict[str, int], planned: tuple[int, int, int]
    ) -> None:
        loaded.call("generate", prompt="red apple", **asked)
        spec = commands(loaded, Render)[-1].spec
        plan = spec.enlarging
        assert (plan.width, plan.height, plan.factor) == planned
        assert plan.width * plan.factor >= spec.width
        assert plan.height * plan.factor >= spec.height

    def test_without_a_size_an_asked_for_enlargement_is_of_the_models_own(
        self, loaded: InMemory
    ) -> None:
        loaded.call("generate", prompt="red apple", upscale=4)
        spec = commands(loaded, Render)[-1].spec
        assert (spec.width, spec.height) == (512, 512)
        assert (spec.enlarging.width, spec.enlarging.without_gpu_only) == (128, False)

    @pytest.mark.parametrize(
        "asked",
        [
            {"width": 512, "height": 512, "upscale": 1},
            {},
            {"width": 192, "height": 192},
            {"width": 512, "height": 512, "init_image": inline(PICTURE)},
        ],
    )
    def test_otherwise_it_is_drawn_at_its_size(
        self, loaded: InMemory, asked: dict[str, Any]
    ) -> None:
        result = loaded.call("generate", prompt="red apple", **asked)
        assert commands(loaded, Render)[-1].spec.enlarging is None
        assert result["plan"] is None

    def test_the_plan_is_in_the_answer_the_recipe_and_the_file(self, loaded: InMemory) -> None:
        result = loaded.call("generate", prompt="red apple", width=512, height=512)
        plan, image = result["plan"], result["images"][0]
        assert (plan["width"], plan["height"], plan["upscale"]) == (128, 128, 4)
        assert "128×128" in plan["why"]
        parameters = image["parameters"]
        assert (parameters["drawn_width"], parameters["upscale"]) == (128, 4)
        texts = read_text(Path(image["path"]).read_bytes())
        assert "Size: 128x128" in texts["parameters"]
        assert "Hires upscale: 4, Hires upscaler: realesr-animevideov3" in texts["parameters"]

    def test_the_plan_that_is_told_is_the_one_that_was_carried_out(
        self, loaded: InMemory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The network can do less than was planned."""
        finished = fake._finished

        def twice(job_id: str, index: int, spec: RenderSpec) -> ImageReady:
            return replace(finished(job_id, index, spec), enlarged=2)

        monkeypatch.setattr(fake, "_finished", twice)
        asked = {"width": 520, "height": 512}
        result = loaded.call("generate", prompt="red apple", count=2, **asked)
        plan = result["plan"]
        assert (plan["width"], plan["height"], plan["upscale"]) == (264, 256, 2)
        for image in result["images"]:
            parameters = image["parameters"]
            assert (parameters["drawn_width"], parameters["upscale"]) == (264, 2)
        texts = read_text(Path(result["images"][1]["path"]).read_bytes())
        assert "Size: 264x256" in texts["parameters"]

    def test_repeat_draws_it_the_same_way_on_any_machine(self, loaded: InMemory) -> None:
        image = loaded.call("generate", prompt="red apple", width=512, height=512)["images"][0]
        loaded.call("repeat", id=image["history_id"])
        plan = commands(loaded, Render)[-1].spec.enlarging
        assert (plan.factor, plan.width, plan.without_gpu_only) == (4, 128, False)
        loaded.call("repeat", id=image["history_id"], upscale=1)
        assert commands(loaded, Render)[-1].spec.enlarging is None

    def test_progress_has_the_phase_and_ends_at_100(self, wire: InMemory) -> None:
        wire.call("upscale", image=inline(PICTURE))
        told = [p for p in wire.told("progress") if p["phase"] == "upscale"]
        assert told[-1]["step"] == told[-1]["steps"]
        assert wire.told("progress")[-1]["percent"] == 100


class TestChecks:
    def test_codes_are_looked_for_unless_told_otherwise(self, loaded: InMemory) -> None:
        checks = loaded.call("generate", prompt="red apple")["images"][0]["checks"]
        assert checks["checked"] == ["codes"]
        assert checks["findings"] == []
        off = loaded.call("generate", prompt="red apple", checks={"codes": "off"})
        assert off["images"][0]["checks"] is None

    def test_a_finding_is_in_the_answer_with_its_box_and_told_in_a_warning(
        self, loaded: InMemory
    ) -> None:
        checks = loaded.call("generate", prompt="a [code]")["images"][0]["checks"]
        (finding,) = checks["findings"]
        assert (finding["kind"], finding["action"]) == ("qr_code", "warn")
        assert finding["box"] == [4, 4, 20, 20]
        assert not checks["blocked"]
        warning = loaded.told("warning")[-1]
        assert warning["kind"] == "content_found"
        assert "a QR code or bar code" in warning["message"]

    def test_a_blocked_picture_has_a_friendly_sentence_in_the_sessions_language(
        self, loaded: InMemory
    ) -> None:
        loaded.call("initialize", locale="zh-CN")
        result = loaded.call("generate", prompt="a [code]", checks={"codes": "block"})
        checks = result["images"][0]["checks"]
        assert checks["blocked"]
        assert checks["message"] == "图片已被拦截：二维码或条形码。"
        assert loaded.told("warning")[-1]["kind"] == "content_blocked"

    def test_previews_are_checked_too(self, loaded: InMemory) -> None:
        result = loaded.call("preview", prompt="a [code]", checks={"codes": "block"})
        assert result["checks"]["blocked"]

    def test_what_the_sidecar_was_started_with_counts_for_every_picture(
        self, tmp_path: Path
    ) -> None:
        wire = InMemory(tmp_path / "data", check_codes="off", check_nsfw="warn", check_text="warn")
        wire.call("load_model", model="starter")
        checks = wire.call("generate", prompt="red apple")["images"][0]["checks"]
        assert checks["checked"] == ["nsfw", "text"]
        spec = commands(wire, Render)[-1].spec
        assert spec.checks.nsfw_threshold == 0.8

    def test_other_words_for_what_to_do_are_refused(self, loaded: InMemory) -> None:
        error = loaded.error("generate", prompt="red apple", checks={"codes": "maybe"})
        assert error["code"] == -32602
