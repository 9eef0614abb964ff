"""What is told to somebody who mistyped: which field, what it must be, what was probably meant."""

from __future__ import annotations

from typing import Any

import pytest

from sidecar.parameter_texts import CHINESE, ENGLISH
from sidecar.paths import bundled_lora_folder
from tests.rpc.in_memory import InMemory


@pytest.mark.parametrize(
    ("method", "params", "path", "english", "chinese"),
    [
        ("generate", {}, "prompt", "is required", "必须填写"),
        ("generate", {"prompt": 3}, "prompt", "must be a string", "必须是字符串"),
        (
            "generate",
            {"prompt": "x", "width": 100},
            "width",
            "must be a multiple of 8",
            "必须是 8 的倍数",
        ),
        ("switch_lora", {"name": "ink", "alpha": 9}, "alpha", "must be at most 2", "不得大于 2"),
        (
            "generate",
            {"prompt": "x", "seed": 2**53},
            "seed",
            "must be at most 9007199254740991",
            "不得大于 9007199254740991",
        ),
        (
            "generate",
            {"prompt": "x", "upscale": 3},
            "upscale",
            "must be 1, 2 or 4",
            "必须是 1, 2 或 4",
        ),
        (
            "upscale",
            {"image": {}},
            "image",
            "give either path or data_url",
            "path 和 data_url 请二选一",
        ),
        (
            "switch_lora",
            {"loras": [{"name": "ink", "strength": 1}]},
            "loras.0.strength",
            "there is no such field",
            "没有这个字段",
        ),
    ],
)
def test_a_bad_parameter_is_told_in_the_language_of_the_session(
    wire: InMemory, method: str, params: dict[str, Any], path: str, english: str, chinese: str
) -> None:
    for locale, words in (("en", english), ("zh-CN", chinese)):
        wire.call("initialize", locale=locale)
        error = wire.error(method, **params)
        assert error["data"]["errors"] == [{"path": path, "message": words}]
        assert f"{path}: {words}" in error["message"]


def test_a_misspelt_field_is_told_with_the_one_that_was_meant(wire: InMemory) -> None:
    (error,) = wire.error("switch_lora", nam="ink")["data"]["errors"]
    assert error == {"path": "nam", "message": "there is no such field (did you mean “name”?)"}
    (error,) = wire.error("switch_lora", qqq="ink")["data"]["errors"]
    assert error["message"] == "there is no such field"


def test_a_misspelt_method_is_told_with_the_one_that_was_meant(wire: InMemory) -> None:
    error = wire.error("swich_lora", name="ink")
    assert error["data"]["meant"] == "switch_lora"
    assert "switch_lora" in error["message"]
    assert "meant" not in wire.error("no_such_thing")["data"]


def test_every_phrase_is_there_in_both_languages() -> None:
    assert ENGLISH.keys() <= CHINESE.keys()


def test_a_strength_without_a_style_says_that_no_style_is_on(loaded: InMemory) -> None:
    error = loaded.error("set_alpha", alpha=1)
    assert error["message"] == "No style is on whose strength could be changed."
    assert error["data"]["kind"] == "lora_not_found"


def test_a_strength_of_a_style_that_is_off_says_which_are_on(loaded: InMemory) -> None:
    loaded.call("switch_lora", name="chalk")
    error = loaded.error("set_alpha", alpha=1, name="neon")
    assert error["message"] == "The style “neon” is not on; on are: chalk."


def test_a_file_that_is_not_there_is_called_a_file(wire: InMemory) -> None:
    assert wire.error("scan_lora", path="/no/such.file")["message"] == (
        "There is no file “/no/such.file”."
    )
    assert "LoRA folders" in wire.error("scan_lora", path="nowhere")["message"]


def test_an_unknown_upscaler_is_answered_with_those_there_are(wire: InMemory) -> None:
    image = {"path": str(bundled_lora_folder() / "ink.png")}
    error = wire.error("upscale", image=image, model="nowhere")
    assert error["data"]["kind"] == "model_not_found"
    assert "starter" not in error["data"]["hint"]
    assert all(name in error["data"]["hint"] for name in error["data"]["available"])
