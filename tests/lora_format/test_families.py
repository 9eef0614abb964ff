"""What a file was made for: by its shapes, checked against what it says."""

from __future__ import annotations

import pytest

from sidecar.lora_format.families import EVERY, Shape, judge

Shapes = dict[str, Shape]


def kohya(layer: str, outputs: int, inputs: int, rank: int = 8) -> Shapes:
    return {f"{layer}.lora_down.weight": (rank, inputs), f"{layer}.lora_up.weight": (outputs, rank)}


CROSS = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k"
SELF = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q"
TEXT = "text_model_encoder_layers_0_self_attn_q_proj"
CONV = "lora_unet_down_blocks_1_resnets_0_conv1"


def family(shapes: Shapes, name: str = "", **metadata: str) -> str | None:
    return judge(shapes, metadata, name).family


@pytest.mark.parametrize(
    ("width", "expected"), [(768, "sd15"), (1024, "sd21"), (2048, "sdxl"), (128, "starter")]
)
def test_the_width_of_cross_attention_tells(width: int, expected: str) -> None:
    assert family(kohya(CROSS, 1280 if width > 128 else 160, width)) == expected


def test_each_kind_of_file_shows_the_width() -> None:
    loha = {"hada_w1_a": (1280, 4), "hada_w1_b": (4, 768), "hada_w2_a": (1280, 4)}
    lokr = {"lokr_w1": (8, 8), "lokr_w2_a": (160, 4), "lokr_w2_b": (4, 256)}
    assert family({f"{CROSS}.{part}": shape for part, shape in loha.items()}) == "sd15"
    assert family({f"{CROSS}.{part}": shape for part, shape in lokr.items()}) == "sdxl"
    assert family({f"{CROSS}.diff": (1280, 1024)}) == "sd21"


def test_another_kind_of_model_is_none_of_ours() -> None:
    verdict = judge(kohya(CROSS, 1280, 4096), {})
    assert verdict.possible == frozenset()
    assert verdict.family is None


def test_a_second_text_encoder_is_sdxl() -> None:
    assert family(kohya(f"lora_te2_{TEXT}", 1280, 1280)) == "sdxl"
    assert family(kohya("text_encoder_2.text_model.encoder.layers.0.mlp.fc1", 5120, 1280)) == "sdxl"


@pytest.mark.parametrize(
    ("prefix", "width", "expected"),
    [
        ("lora_te_", 768, "sd15"),
        ("lora_te1_", 768, "sdxl"),
        ("lora_te_", 1024, "sd21"),
        ("lora_te_", 128, "starter"),
    ],
)
def test_a_text_encoder_alone_tells_by_its_width_and_prefix(
    prefix: str, width: int, expected: str
) -> None:
    assert family(kohya(prefix + TEXT, width, width)) == expected


def test_the_first_encoder_of_sdxl_is_that_of_sd15_and_metadata_decide() -> None:
    shapes = kohya("text_encoder.text_model.encoder.layers.0.self_attn.q_proj", 768, 768)
    assert judge(shapes, {}).possible == {"sd15", "sdxl"}
    assert family(shapes) is None
    assert (
        family(shapes, **{"modelspec.architecture": "stable-diffusion-xl-v1-base/lora"}) == "sdxl"
    )
    assert family(shapes, "ink_sd15") == "sd15"


def test_convolutions_alone_leave_it_to_what_the_file_says() -> None:
    shapes = {f"{CONV}.lora_down.weight": (8, 320, 3, 3), f"{CONV}.lora_up.weight": (640, 8, 1, 1)}
    assert judge(shapes, {}).possible == EVERY
    assert family(shapes) is None
    assert family(shapes, ss_base_model_version="sd_v2_1") == "sd21"


def test_a_fourth_size_and_the_kind_of_projection_tell_sd15_from_sd21() -> None:
    deep = kohya("lora_unet_up_blocks_3_attentions_0_transformer_blocks_0_attn1_to_q", 320, 320)
    assert judge(deep, {}).possible == {"sd15", "sd21"}
    proj = "lora_unet_up_blocks_3_attentions_0_proj_in"
    assert family({**deep, **kohya(proj, 320, 320)}) == "sd21"
    conv = {f"{proj}.lora_down.weight": (8, 320, 1, 1), f"{proj}.lora_up.weight": (320, 8, 1, 1)}
    assert family({**deep, **conv}) == "sd15"


def test_transformers_of_several_blocks_are_sdxl() -> None:
    layer = "lora_unet_input_blocks_7_1_transformer_blocks_5_attn1_to_q"
    assert family(kohya(layer, 1280, 1280)) == "sdxl"


@pytest.mark.parametrize(
    ("metadata", "name", "doubts"),
    [
        ({"ss_base_model_version": "sdxl_base_v1-0"}, "ink", (("metadata", "sdxl"),)),
        ({"ss_base_model_version": "sd_v1"}, "ink_sdxl", (("name", "sdxl"),)),
        ({"modelspec.architecture": "stable-diffusion-v1/lora"}, "ink_sd15", ()),
        ({"ss_base_model_version": "flux1"}, "xl", ()),
    ],
)
def test_shapes_win_and_what_contradicts_them_is_told(
    metadata: dict[str, str], name: str, doubts: tuple[tuple[str, str], ...]
) -> None:
    verdict = judge(kohya(CROSS, 1280, 768), metadata, name)
    assert verdict.family == "sd15"
    assert verdict.doubts == doubts


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ink_sd15", "sd15"),
        ("Ink-SD1.5", "sd15"),
        ("ink sd v1.5", "sd15"),
        ("ink_sd21", "sd21"),
        ("ink_SDXL", "sdxl"),
        ("ink_sd_xl", "sdxl"),
        ("sdxl", "sdxl"),
        ("sdxl_ink", None),
        ("ink15", None),
        ("pixel", None),
    ],
)
def test_the_end_of_a_name_may_say_a_family(name: str, expected: str | None) -> None:
    layer = kohya(CONV, 640, 320)
    assert judge(layer, {}, name).claimed == expected
