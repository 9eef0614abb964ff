"""Cards of LoRA files, and names that must not lead anywhere else."""

import json
import os
import sys
from pathlib import Path

import pytest

from sidecar.catalog import LoraCatalog, loras
from sidecar.errors import LoraNotFound
from sidecar.paths import bundled_lora_folder
from sidecar.protocol.lora import LoraCard
from tests.catalog.catalog_samples import raw_file, safetensors, write_lora

FULL_CARD = {
    "title": "Ink on paper",
    "family": "sd15",
    "rank": 4,
    "trigger_words": ["<ink>", "ink style"],
    "prompt_template": "{prompt}, <ink>",
    "negative_prompt": "colour",
    "conflict_group": "medium",
    "alpha_range": [0.3, 1.0],
    "preview": "ink-look.png",
    "license": "MIT",
    "unknown to this version": True,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "loras"


def only(folder: Path) -> LoraCard:
    (card,) = LoraCatalog([folder]).cards()
    return card


def test_a_full_card_is_read(folder: Path) -> None:
    write_lora(folder, "ink", card=FULL_CARD)
    (folder / "ink-look.png").write_bytes(b"png")
    card = only(folder)
    assert (card.name, card.title, card.family, card.rank) == ("ink", "Ink on paper", "sd15", 4)
    assert card.trigger_words == ["<ink>", "ink style"]
    assert card.prompt_template == "{prompt}, <ink>"
    assert card.negative_prompt == "colour"
    assert card.conflict_group == "medium"
    assert card.alpha_range == (0.3, 1.0)
    assert card.preview == str(folder / "ink-look.png")
    assert card.license == "MIT"
    assert card.warnings == []


def test_without_a_card_the_header_says_family_rank_and_texts(folder: Path) -> None:
    metadata = {"modelspec.title": "Woodcut", "modelspec.trigger_phrase": "woodcut, carved"}
    write_lora(folder, "wood_cut-v2", text_width=1024, rank=16, metadata=metadata)
    card = only(folder)
    assert (card.title, card.family, card.rank) == ("Woodcut", "sd21", 16)
    assert card.trigger_words == ["woodcut", "carved"]


def test_captions_suggest_words_where_no_trigger_is_named(folder: Path) -> None:
    counts = {"10_ink": {"ink": 40, "1girl": 30, "pen": 2}, "5_more": {"pen": 50, "bad": -1}}
    metadata = {"ss_tag_frequency": json.dumps(counts), "ss_output_name": "ink_wash"}
    write_lora(folder, "v2-final", metadata=metadata)
    card = only(folder)
    assert (card.title, card.trigger_words) == ("Ink wash", [])
    assert card.suggested_words == ["pen", "ink", "1girl"]
    write_lora(folder, "v2-final", metadata=metadata, card={"trigger_words": ["inkstyle"]})
    assert (only(folder).trigger_words, only(folder).suggested_words) == (["inkstyle"], [])


@pytest.mark.parametrize("broken", ["{", "[]", '{"a": [1]}', '{"a": {"b": "c"}}', "[" * 9999])
def test_a_broken_table_of_captions_suggests_nothing(folder: Path, broken: str) -> None:
    write_lora(folder, "ink", metadata={"ss_tag_frequency": broken})
    assert only(folder).suggested_words == []


def test_without_any_text_the_name_is_the_title(folder: Path) -> None:
    write_lora(folder, "wood_cut-v2")
    assert only(folder).title == "Wood cut v2"


@pytest.mark.parametrize(
    ("width", "family"),
    [(768, "sd15"), (1024, "sd21"), (2048, "sdxl"), (128, "starter"), (999, None)],
)
def test_the_family_is_told_from_the_cross_attention(
    folder: Path, width: int, family: str | None
) -> None:
    write_lora(folder, "style", text_width=width)
    assert only(folder).family == family


@pytest.mark.parametrize(
    ("metadata", "family"),
    [
        ({"ss_base_model_version": "sd_v1"}, "sd15"),
        ({"ss_base_model_version": "sdxl_base_v1-0"}, "sdxl"),
        ({"modelspec.architecture": "stable-diffusion-v2-768-v/lora"}, "sd21"),
        ({"ss_base_model_version": "something new"}, None),
    ],
)
def test_where_shapes_do_not_tell_the_trainers_note_does(
    folder: Path, metadata: dict[str, str], family: str | None
) -> None:
    folder.mkdir()
    shapes = {"lora_unet_conv_in.lora_down.weight": [8, 4, 3, 3]}
    (folder / "conv.safetensors").write_bytes(safetensors(shapes, metadata))
    assert (only(folder).family, only(folder).rank) == (family, 8)


def test_a_card_that_contradicts_its_file_is_told(folder: Path) -> None:
    write_lora(folder, "ink", text_width=2048, card={"family": "sd15"})
    card = only(folder)
    assert card.family == "sdxl"
    assert card.warnings == [
        "The card of “ink” says Stable Diffusion 1.5, but its layers are those of SDXL models."
    ]


@pytest.mark.parametrize("broken", ["{", "[]", '"text"', "\x00", "[" * 100_000, "NaN"])
def test_a_broken_card_is_a_warning_and_the_rest_of_the_list_stands(
    folder: Path, broken: str
) -> None:
    write_lora(folder, "bad", card=broken)
    write_lora(folder, "good")
    bad, good = LoraCatalog([folder]).cards()
    assert len(bad.warnings) == 1
    assert "bad.json" in bad.warnings[0]
    assert (bad.family, good.warnings) == ("sd15", [])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", 3),
        ("rank", "four"),
        ("rank", True),
        ("trigger_words", [1]),
        ("prompt_template", ["{prompt}"]),
        ("alpha_range", [1.0, 0.2]),
        ("alpha_range", [float("nan"), 1.0]),
        ("alpha_range", "0.2-1"),
        ("negative_prompt", {"a": 1}),
    ],
)
def test_a_field_that_is_not_understood_is_a_warning_and_the_others_stand(
    folder: Path, field: str, value: object
) -> None:
    write_lora(folder, "ink", card={"license": "MIT", field: value})
    card = only(folder)
    assert card.warnings == [f"“{field}” in the card ink.json is not understood."]
    assert card.license == "MIT"


def test_cards_of_the_web_ui_are_understood(folder: Path) -> None:
    write_lora(folder, "ink", card={"activation text": "ink, pen", "negative text": "photo"})
    card = only(folder)
    assert (card.trigger_words, card.negative_prompt) == (["ink", "pen"], "photo")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "too short"),
        (b"PK\x03\x04" + b"\xff" * 60, "pickle"),
        (b"\x80\x02" + b"\xff" * 60, "pickle"),
        (b"\x10" + bytes(7) + b"not json" * 2, "not valid JSON"),
    ],
)
def test_a_file_that_is_no_safetensors_stands_in_the_list_with_its_reason(
    folder: Path, content: bytes, words: str
) -> None:
    write_lora(folder, "good")
    (folder / "bad.safetensors").write_bytes(content)
    bad, good = LoraCatalog([folder]).cards()
    assert words in bad.warnings[0]
    assert good.warnings == []


def test_a_file_over_150_megabytes_may_stutter(folder: Path) -> None:
    folder.mkdir()
    name, size = "a.attn2.to_k.lora_A.weight", 80_000_000 * 2
    header = {name: {"dtype": "F16", "shape": [100, 800_000], "data_offsets": [0, size]}}
    path = folder / "large.safetensors"
    path.write_bytes(raw_file(header))
    os.truncate(path, path.stat().st_size + size)  # sparse
    assert only(folder).warnings == ["“large” is 160 MB; switching to it may stutter."]


def test_cards_are_read_again_only_when_something_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_lora(folder, "ink", rank=4)
    catalog = LoraCatalog([folder])
    reads: list[Path] = []
    real = loras.read_header
    monkeypatch.setattr(loras, "read_header", lambda p: (reads.append(p), real(p))[1])
    first, second = catalog.cards(), catalog.cards()
    assert first == second
    assert reads == [path]
    write_lora(folder, "ink", rank=32, card={"title": "New"})
    (card,) = catalog.cards()
    assert (card.rank, card.title) == (32, "New")
    path.unlink()
    assert catalog.cards() == []


def test_the_first_folder_wins(tmp_path: Path) -> None:
    write_lora(tmp_path / "mine", "ink", rank=8)
    write_lora(tmp_path / "bundled", "ink", rank=4)
    write_lora(tmp_path / "bundled", "duo", rank=4)
    catalog = LoraCatalog([tmp_path / "mine", tmp_path / "missing", tmp_path / "bundled"])
    assert [(card.name, card.rank) for card in catalog.cards()] == [("duo", 4), ("ink", 8)]
    assert catalog.find("ink").path == tmp_path / "mine" / "ink.safetensors"


def test_files_in_subfolders_are_found_by_their_names(folder: Path) -> None:
    write_lora(folder / "portraits" / "soft", "glow")
    assert LoraCatalog([folder]).find("glow").path.parent.name == "soft"


def test_a_name_is_found_exactly_then_without_case_or_suffix(folder: Path) -> None:
    write_lora(folder, "Ink")
    catalog = LoraCatalog([folder])
    assert {catalog.find(name).name for name in ("Ink", "ink", "INK.safetensors")} == {"Ink"}


@pytest.mark.parametrize(
    "name",
    [
        "../secret", "..", ".", "", "/etc/passwd", "sub/inside", "sub\\inside", "C:secret",
        "C:\\secret", "nul", "CON", "com1.x", "secret\0", "secret\n", " ink", "ink ", "ink.",
        "~/secret", "a" * 300, "ink?", "ink*",
    ],
)  # fmt: skip
def test_a_path_is_never_a_name(folder: Path, name: str) -> None:
    write_lora(folder, "ink")
    write_lora(folder.parent, "secret")
    write_lora(folder / "sub", "inside")
    with pytest.raises(LoraNotFound) as caught:
        LoraCatalog([folder]).find(name)
    assert caught.value.fields == {"name": name, "available": ["ink", "inside"]}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_that_leave_the_folder_are_not_followed(folder: Path) -> None:
    outside = write_lora(folder.parent / "elsewhere", "secret")
    inside = write_lora(folder, "ink")
    (folder / "out.safetensors").symlink_to(outside)
    (folder / "linked").symlink_to(outside.parent)
    (folder / "dangling.safetensors").symlink_to(folder / "nothing")
    (folder / "loop.safetensors").symlink_to(folder / "loop.safetensors")
    (folder / "alias.safetensors").symlink_to(inside)
    catalog = LoraCatalog([folder])
    assert [card.name for card in catalog.cards()] == ["alias", "ink"]
    for name in ("out", "secret", "dangling", "loop"):
        with pytest.raises(LoraNotFound):
            catalog.find(name)


def test_a_preview_stays_in_the_folder(folder: Path) -> None:
    (folder.parent / "private.png").write_bytes(b"png")
    write_lora(folder, "ink", card={"preview": "../private.png"})
    assert only(folder).preview is None
    (folder / "ink.png").write_bytes(b"png")
    assert only(folder).preview == str(folder / "ink.png")


def test_the_bundled_loras_are_of_the_starter_and_need_no_warning() -> None:
    cards = LoraCatalog([bundled_lora_folder()]).cards()
    assert cards
    for card in cards:
        assert (card.family, card.warnings) == ("starter", [])
        assert card.rank
        assert card.bytes > 0
