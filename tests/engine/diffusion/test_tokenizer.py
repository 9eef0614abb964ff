"""CLIP's tokenizer, built from the vocabulary of the package, beside that of transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.engine.diffusion.tokenizer import END, ZERO, PromptTokenizer
from sidecar.errors import AssetMissing
from sidecar.paths import clip_vocabulary

pytestmark = pytest.mark.engine

LENGTH = 77
WORDS = [
    "a photo of",
    "(masterpiece:1.2)",
    "猫",
    "it's",
    "<lora:x>",
    "\u00e9",
    "e\u0301",
    "\U0001f600",
    "…",
    "12'34",
]


@pytest.fixture(scope="module")
def ours() -> PromptTokenizer:
    return PromptTokenizer.of_clip(clip_vocabulary(), END, LENGTH)


@pytest.fixture(scope="module")
def theirs(ours: PromptTokenizer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """transformers' CLIPTokenizer, as a model folder would have it."""
    transformers = pytest.importorskip("transformers")
    folder = write_tokenizer(ours, tmp_path_factory.mktemp("clip"))
    return transformers.CLIPTokenizer.from_pretrained(str(folder))


def write_tokenizer(tokenizer: PromptTokenizer, folder: Path) -> Path:
    tokenizer._tokenizer.model.save(str(folder))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": LENGTH})
    )
    return folder


def ids_of(theirs: Any, text: str) -> list[int]:
    return theirs(text, padding="max_length", max_length=LENGTH, truncation=True).input_ids


def test_the_vocabulary_is_that_of_clip(ours: PromptTokenizer) -> None:
    assert ours("a photo of a cat").ids[:8] == [49406, 320, 1125, 539, 320, 2368, 49407, 49407]
    assert ours._tokenizer.get_vocab_size() == 49408


def test_open_clip_fills_up_with_zeros(ours: PromptTokenizer) -> None:
    assert ours.padded_with(ZERO)("cat").ids == [49406, 2368, 49407] + [0] * (LENGTH - 3)


def test_what_does_not_fit_is_counted(ours: PromptTokenizer) -> None:
    tokens = ours("cat " * 80)
    assert tokens.dropped == 5
    assert len(tokens.ids) == LENGTH
    assert tokens.ids[-1] == 49407


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=12), max_size=12).map(" ".join))
@settings(max_examples=300)
def test_every_text_has_the_ids_that_transformers_gives_it(
    ours: PromptTokenizer, theirs: Any, text: str
) -> None:
    assert ours(text).ids == ids_of(theirs, text)


def test_a_folder_is_read_like_the_vocabulary(ours: PromptTokenizer, tmp_path: Path) -> None:
    folder = write_tokenizer(ours, tmp_path)
    (folder / "special_tokens_map.json").write_text('{"pad_token": {"content": "!"}}')
    read = PromptTokenizer.of_folder(folder, LENGTH)
    assert read("Ünïcode 猫").ids == ours.padded_with(ZERO)("Ünïcode 猫").ids


def test_a_missing_vocabulary_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing) as caught:
        PromptTokenizer.of_clip(tmp_path / "clip.txt.gz", END, LENGTH)
    assert "make assets" in caught.value.hint()
