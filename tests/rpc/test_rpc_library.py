"""scan_lora, inspect_lora, check_conflicts, merge_prompt, and styles in pictures."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from sidecar.engine.contract import ApplyLoras, Render
from sidecar.rpc import guard
from sidecar.rpc.images import data_url
from sidecar.scan import scan_file
from tests.catalog.catalog_samples import lora_shapes, safetensors, write_json, write_lora
from tests.rpc.in_memory import InMemory

INK = {
    "trigger_words": ["inkstyle"],
    "prompt_template": "{prompt}, ink drawing",
    "negative_prompt": "photo",
    "conflict_group": "palette",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "given-loras"


@pytest.fixture
def styled(loaded: InMemory, folder: Path) -> InMemory:
    """With two styles of one group, whose cards have templates."""
    write_lora(folder, "ink", text_width=128, card=INK)
    write_lora(folder, "dusk", text_width=128, card={**INK, "prompt_template": "dusk light"})
    return loaded


def doubtful(folder: Path, name: str = "doubtful") -> Path:
    return write_lora(folder, name, metadata={"note": "see https://lucky-spins.example"})


def both(one: float, other: float) -> list[dict[str, Any]]:
    return [{"name": "ink", "alpha": one}, {"name": "dusk", "alpha": other}]


def alphas(stack: list[dict[str, Any]]) -> list[float]:
    return [entry["alpha"] for entry in stack]


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """No scan begins before it is set."""
    may_begin = threading.Event()

    def when_it_may(*asked: Any) -> Any:
        assert may_begin.wait(60)
        return scan_file(*asked)

    monkeypatch.setattr(guard, "scan_file", when_it_may)
    return may_begin


class TestScanning:
    def test_a_file_of_the_library_is_scanned_once(self, wire: InMemory) -> None:
        first = wire.call("scan_lora", path="chalk")
        assert (first["verdict"], first["findings"]) == ("clean", [])
        assert Path(first["path"]).stat().st_size == first["bytes"]
        assert wire.call("scan_lora", path="chalk") == {**first, "scan_ms": 0.0}
        assert wire.front.hashes.known(first["path"]) == first["sha256"]

    def test_any_file_is_scanned_by_its_absolute_path(self, wire: InMemory, tmp_path: Path) -> None:
        download = tmp_path / "download.bin"
        download.write_bytes(b"PK\x03\x04" + bytes(50))
        report = wire.call("scan_lora", path=str(download))
        assert report["verdict"] == "unsafe"
        assert report["findings"][0]["kind"] == "foreign_file"
        assert "zip archive" in report["findings"][0]["message"]

    @pytest.mark.parametrize("path", ["nowhere", "../chalk", "a/b", "/no/such", "/", "/dev/zero"])
    def test_what_is_no_file_is_not_found(self, wire: InMemory, path: str) -> None:
        assert wire.error("scan_lora", path=path)["data"]["kind"] == "lora_not_found"

    def test_findings_are_told_in_the_session_s_language(
        self, wire: InMemory, folder: Path
    ) -> None:
        (folder / "bad.safetensors").write_bytes(b"#!/bin/sh\n")
        wire.call("initialize", locale="zh-CN")
        error = wire.error("switch_lora", name="bad")
        assert "已拒绝" in error["message"]
        assert "改了名字" in error["data"]["findings"][0]["message"]

    def test_what_was_allowed_once_stays_allowed_until_the_file_changes(
        self, loaded: InMemory, folder: Path
    ) -> None:
        doubtful(folder)
        error = loaded.error("switch_lora", name="doubtful")
        assert error["code"] == 1007
        assert error["data"]["findings"][0]["detail"] == "https://lucky-spins.example"
        assert "allow it" in error["data"]["hint"]
        loaded.call("switch_lora", name="doubtful", allow_suspicious=True)
        assert loaded.call("generate", prompt="x")["images"]
        write_lora(folder, "doubtful", metadata={"note": "see https://other-spins.example"})
        assert loaded.error("generate", prompt="x")["data"]["kind"] == "lora_suspicious"

    def test_a_picture_of_the_history_is_repeated_without_asking_again(
        self, loaded: InMemory, folder: Path, tmp_path: Path
    ) -> None:
        doubtful(folder)
        stack = [{"name": "doubtful"}]
        image = loaded.call("generate", prompt="x", loras=stack, allow_suspicious=True)["images"][0]
        later = InMemory(tmp_path / "data", folder)
        assert later.call("repeat", id=image["history_id"])["images"]

    def test_without_a_model_the_files_are_scanned_all_the_same(
        self, wire: InMemory, folder: Path
    ) -> None:
        (folder / "bad.safetensors").write_bytes(b"MZ" + bytes(100))
        assert wire.error("switch_lora", name="bad")["data"]["kind"] == "lora_unsafe"
        assert wire.call("status")["stack"] == []

    def test_a_switch_and_a_picture_sent_at_once_wait_for_the_same_scan(
        self, loaded: InMemory, folder: Path, scans: threading.Event
    ) -> None:
        doubtful(folder)
        switch = loaded.request("switch_lora", name="doubtful")
        picture = loaded.request("generate", prompt="x")
        scans.set()
        for request in (switch, picture):
            assert loaded.answer(request)["error"]["data"]["kind"] == "lora_suspicious"
        assert loaded.call("status")["stack"] == []
        assert not [c for c in loaded.engine.commands if isinstance(c, Render)]

    def test_look_ups_are_answered_while_a_large_file_is_scanned(
        self, loaded: InMemory, folder: Path, scans: threading.Event
    ) -> None:
        name, size = "a.attn2.to_k.lora_A.weight", 64 << 20
        shapes = {name: [size // 2 // 1024, 1024]}
        (folder / "large.safetensors").write_bytes(safetensors(shapes))
        scan = loaded.request("scan_lora", path="large")
        ping = loaded.request("ping")
        loaded.answer(ping)
        answered = [m["id"] for m in loaded.out if "id" in m]
        assert scan not in answered
        scans.set()
        assert loaded.answer(scan)["result"]["bytes"] > size


class TestInspecting:
    def test_all_that_is_known_about_a_file(self, loaded: InMemory, folder: Path) -> None:
        metadata = {"ss_steps": "1200", "ss_network_dim": "4", "ss_tag_frequency": '{"a":{"b":2}}'}
        write_lora(folder, "ink", text_width=128, metadata=metadata, card=INK)
        told = loaded.call("inspect_lora", name="ink")
        assert told["card"]["trigger_words"] == ["inkstyle"]
        (block,) = told["blocks"]
        assert block["block"] == "unet.down_blocks.0"
        assert (block["tensors"], block["layers"], block["ranks"]) == (2, 1, [4])
        assert block["parameters"] == 4 * 128 + 320 * 4
        assert told["training"]["steps"] == 1200
        assert told["training"]["top_tags"] == [{"tag": "b", "count": 2}]
        assert told["metadata"]["ss_steps"] == "1200"
        assert told["verdict"] == "clean"

    @pytest.mark.parametrize(("width", "fits"), [(128, True), (768, False), (2048, False)])
    def test_whether_it_fits_the_model_in_force(
        self, loaded: InMemory, folder: Path, width: int, fits: bool
    ) -> None:
        shapes = lora_shapes(width, 4)
        (folder / "one.safetensors").write_bytes(safetensors(shapes))
        told = loaded.call("inspect_lora", name="one")["compatibility"]
        assert told["compatible"] is fits
        assert told["model"] == "starter"
        assert "starter" in told["reason"]

    def test_without_a_model_it_cannot_be_told(self, wire: InMemory) -> None:
        assert wire.call("inspect_lora", name="chalk")["compatibility"]["compatible"] is None

    def test_a_broken_file_is_inspected_too(self, loaded: InMemory, folder: Path) -> None:
        (folder / "bad.safetensors").write_bytes(b"\x80\x04N.")
        told = loaded.call("inspect_lora", name="bad")
        assert (told["verdict"], told["blocks"]) == ("unsafe", [])
        assert told["compatibility"]["compatible"] is False


class TestConflicts:
    def test_two_styles_of_a_group_are_refused_with_strengths_that_do(
        self, styled: InMemory
    ) -> None:
        error = styled.error("switch_lora", loras=both(0.8, 0.4))
        assert (error["code"], error["data"]["group"]) == (1004, "palette")
        suggested = error["data"]["suggested"]
        assert alphas(suggested) == [0.2, 0.1]
        assert alphas(styled.call("switch_lora", loras=suggested)["stack"]) == [0.2, 0.1]

    def test_allowing_the_conflict_applies_the_curve(self, styled: InMemory) -> None:
        receipt = styled.call("switch_lora", loras=both(0.8, 0.4), allow_conflict=True)
        assert alphas(receipt["stack"]) == [0.2, 0.1]
        image = styled.call("generate", prompt="x")["images"][0]
        assert alphas(image["parameters"]["loras"]) == [0.2, 0.1]
        again = styled.call("repeat", id=image["history_id"])["images"][0]
        assert alphas(again["parameters"]["loras"]) == [0.2, 0.1]

    def test_a_slider_starts_from_what_was_asked_for(self, styled: InMemory) -> None:
        styled.call("switch_lora", loras=both(0.8, 0.4), allow_conflict=True)
        for alpha in (0.1, 2.0, 0.4):
            stack = styled.call("set_alpha", name="ink", alpha=alpha)["stack"]
        assert alphas(stack) == [0.15, 0.15]
        assert alphas(styled.call("set_alpha", name="ink", alpha=0.8)["stack"]) == [0.2, 0.1]

    def test_a_slider_cannot_lead_into_a_conflict_unasked(self, styled: InMemory) -> None:
        styled.call("switch_lora", loras=both(0.1, 0.1))
        error = styled.error("set_alpha", name="ink", alpha=0.9)
        assert error["data"]["kind"] == "lora_conflict"
        assert alphas(styled.call("status")["stack"]) == [0.1, 0.1]
        stack = styled.call("set_alpha", name="ink", alpha=0.5, allow_conflict=True)["stack"]
        assert alphas(stack) == [0.25, 0.05]

    def test_a_picture_with_its_own_stack_is_held_to_the_same(self, styled: InMemory) -> None:
        error = styled.error("generate", prompt="x", loras=both(0.8, 0.4))
        assert error["data"]["kind"] == "lora_conflict"
        drawn = styled.call("preview", prompt="x", loras=both(0.8, 0.4), allow_conflict=True)
        assert alphas(drawn["parameters"]["loras"]) == [0.2, 0.1]

    def test_conflicts_are_looked_up_without_changing_anything(self, styled: InMemory) -> None:
        told = styled.call("check_conflicts", loras=[*both(0.8, -0.4), {"name": "chalk"}])
        assert told["conflicts"] == [
            {"group": "palette", "names": ["ink", "dusk"], "alpha_sum": 1.2, "limit": 0.3}
        ]
        assert alphas(told["suggested"]) == [0.2, -0.1, 0.7]
        assert styled.call("check_conflicts", loras=both(0.1, 0.2))["conflicts"] == []
        assert styled.call("status")["stack"] == []

    def test_the_limit_is_a_setting(self, tmp_path: Path, folder: Path, styled: InMemory) -> None:
        wire = InMemory(tmp_path / "other", folder, fusion_limit=1.2)
        assert wire.call("check_conflicts", loras=both(0.8, 0.4))["conflicts"] == []


class TestPrompts:
    def test_a_style_s_words_come_in_once(self, styled: InMemory) -> None:
        merged = styled.call("merge_prompt", prompt="fox, Ink  Drawing", style="ink")
        assert merged["prompt"] == "inkstyle, fox, Ink  Drawing"
        assert merged["negative_prompt"] == "photo"
        assert merged["added"] == ["inkstyle"]
        again = styled.call(
            "merge_prompt",
            prompt=merged["prompt"],
            negative_prompt=merged["negative_prompt"],
            style="ink",
        )
        assert again["prompt"] == merged["prompt"]
        assert again["negative_prompt"] == "photo"

    def test_the_former_style_s_words_go_out(self, styled: InMemory) -> None:
        merged = styled.call("merge_prompt", prompt="fox", style="ink")
        switched = styled.call(
            "merge_prompt",
            prompt=merged["prompt"],
            negative_prompt=merged["negative_prompt"],
            style=None,
            former_style="ink",
        )
        assert (switched["prompt"], switched["negative_prompt"]) == ("fox", "")

    def test_an_unknown_style_is_not_found(self, styled: InMemory) -> None:
        for params in ({"style": "nowhere"}, {"style": None, "former_style": "nowhere"}):
            error = styled.error("merge_prompt", prompt="x", **params)
            assert error["data"]["kind"] == "lora_not_found"
        assert styled.error("generate", prompt="x", style="nowhere")["code"] == 1001

    def test_a_style_is_on_for_its_picture_only(self, styled: InMemory) -> None:
        image = styled.call("generate", prompt="fox", style="INK")["images"][0]
        told = image["parameters"]
        assert told["prompt"] == "inkstyle, fox, ink drawing"
        assert told["negative_prompt"] == "photo"
        assert (told["style"], told["own_prompt"], told["own_negative_prompt"]) == (
            "ink",
            "fox",
            "",
        )
        assert [(e["name"], e["alpha"]) for e in told["loras"]] == [("ink", 0.7)]
        assert styled.call("status")["stack"] == []

    def test_a_style_that_is_on_keeps_its_strength_and_company(self, styled: InMemory) -> None:
        styled.call("switch_lora", loras=[{"name": "ink", "alpha": 0.4}, {"name": "chalk"}])
        told = styled.call("preview", prompt="fox", style="ink")["parameters"]
        assert [(e["name"], e["alpha"]) for e in told["loras"]] == [("ink", 0.4), ("chalk", 0.7)]

    def test_with_a_stack_of_its_own_a_style_gives_words_only(self, styled: InMemory) -> None:
        told = styled.call("preview", prompt="fox", style="ink", loras=[])["parameters"]
        assert (told["prompt"], told["loras"]) == ("inkstyle, fox, ink drawing", [])

    def test_a_recommended_range_decides_the_strength(self, styled: InMemory, folder: Path) -> None:
        write_lora(folder, "soft", card={"alpha_range": [0.2, 0.5]})
        told = styled.call("preview", prompt="fox", style="soft")["parameters"]
        assert alphas(told["loras"]) == [0.5]

    def test_repeat_does_not_work_the_words_in_twice(self, styled: InMemory) -> None:
        first = styled.call("generate", prompt="fox", style="ink")["images"][0]
        again = styled.call("repeat", id=first["history_id"])["images"][0]
        assert {**again["parameters"], "seed": first["seed"]} == first["parameters"]
        thrice = styled.call("repeat", id=again["history_id"], prompt="owl")["images"][0]
        told = thrice["parameters"]
        assert (told["prompt"], told["own_prompt"]) == ("inkstyle, owl, ink drawing", "owl")
        assert told["negative_prompt"] == "photo"
        other = styled.call("repeat", id=thrice["history_id"], style="dusk")["images"][0]
        assert other["parameters"]["prompt"] == "inkstyle, dusk light, owl"

    def test_previews_of_different_words_are_told_with_their_own(self, styled: InMemory) -> None:
        one = styled.call("preview", prompt="fox", style="ink", seed=1)
        other = styled.call(
            "preview",
            prompt="inkstyle, fox, ink drawing",
            negative_prompt="photo",
            style="ink",
            seed=1,
        )
        assert one["parameters"]["own_prompt"] == "fox"
        assert other["parameters"]["own_prompt"] == "inkstyle, fox, ink drawing"


class TestVaeOfAStyle:
    @pytest.fixture
    def soft(self, styled: InMemory, folder: Path, tmp_path: Path) -> InMemory:
        """With a VAE in the models folder, and a style whose card asks for it."""
        vae = tmp_path / "data" / "models" / "vae" / "gentle"
        vae.mkdir(parents=True)
        write_json(vae / "config.json", {"_class_name": "AutoencoderKL"})
        (vae / "diffusion_pytorch_model.safetensors").write_bytes(bytes(1000))
        write_lora(folder, "soft", card={"vae": "gentle", "no_half_vae": True})
        return styled

    def test_it_is_used_while_the_style_is_on_and_remembered(self, soft: InMemory) -> None:
        soft.call("switch_lora", name="soft")
        image = soft.call("generate", prompt="x")["images"][0]
        assert (image["parameters"]["vae"], image["parameters"]["no_half_vae"]) == ("gentle", True)
        switched = [c for c in soft.engine.commands if isinstance(c, ApplyLoras)][-1]
        drawn = [c for c in soft.engine.commands if isinstance(c, Render)][-1]
        assert switched.model == drawn.spec.model
        assert drawn.spec.model.vae_path is not None

        soft.call("switch_lora", name=None)
        plain = soft.call("generate", prompt="x")["images"][0]["parameters"]
        assert (plain["vae"], plain["no_half_vae"]) == (None, False)

        restored = soft.call("history_rollback", id=image["history_id"])["state"]
        assert restored["vae"] == "gentle"
        soft.call("switch_lora", name=None)
        after = soft.call("generate", prompt="x")["images"][0]["parameters"]
        assert (after["vae"], after["no_half_vae"]) == (None, False)
        again = soft.call("repeat", id=image["history_id"])["images"][0]["parameters"]
        assert again["vae"] == "gentle"

    def test_a_vae_that_was_chosen_with_the_model_wins(
        self, soft: InMemory, tmp_path: Path
    ) -> None:
        vaes = tmp_path / "data" / "models" / "vae"
        shutil.copytree(vaes / "gentle", vaes / "own")
        soft.call("load_model", model="starter", vae="own")
        told = soft.call("preview", prompt="x", style="soft")["parameters"]
        assert told["vae"] == "own"

    def test_a_vae_that_is_not_there_is_warned_of_once(
        self, soft: InMemory, tmp_path: Path
    ) -> None:
        shutil.rmtree(tmp_path / "data" / "models" / "vae" / "gentle")
        for seed in range(3):
            told = soft.call("preview", prompt="x", style="soft", seed=seed)["parameters"]
            assert told["vae"] is None
        assert [w["kind"] for w in soft.told("warning")] == ["style_vae_missing"]


class TestPreviewPictures:
    PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)

    def url(self, styled: InMemory, **params: Any) -> str | None:
        cards = {card["name"]: card for card in styled.call("list_loras", **params)["loras"]}
        return cards["ink"]["preview_url"]

    def test_they_come_as_data_urls_for_who_asks(self, styled: InMemory, folder: Path) -> None:
        (folder / "ink.png").write_bytes(self.PNG)
        assert self.url(styled) is None
        assert self.url(styled, previews=True) == data_url("image/png", self.PNG)

    def test_the_bytes_say_what_it_is_and_not_the_name(
        self, styled: InMemory, folder: Path
    ) -> None:
        (folder / "ink.png").write_bytes(b"RIFF\0\0\0\0WEBP")
        told = self.url(styled, previews=True)
        assert told is not None
        assert told.startswith("data:image/webp;")

    @pytest.mark.parametrize("content", [b"<svg onload='alert(1)'/>", PNG + bytes(512 * 1024)])
    def test_what_is_large_or_no_picture_is_left_out(
        self, styled: InMemory, folder: Path, content: bytes
    ) -> None:
        (folder / "ink.png").write_bytes(content)
        assert self.url(styled, previews=True) is None
