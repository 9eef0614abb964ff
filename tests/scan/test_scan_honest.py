"""Honest files raise no alarm, whatever trainer wrote them and whatever their numbers are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from sidecar.paths import bundled_lora_folder
from sidecar.scan import Stopped, scan_file
from sidecar.scan.byte_stream import OVERLAP, ByteStream
from sidecar.scan.file import PIECE
from sidecar.scan.findings import SEVERITY
from sidecar.scan.numbers import is_finite
from sidecar.scan.sentences import CHINESE, ENGLISH

KOHYA = {
    "ss_output_name": "inkwash_v2",
    "ss_network_module": "networks.lora",
    "ss_network_args": '{"conv_dim": "8", "conv_alpha": "1.0"}',
    "ss_base_model_version": "sdxl_base_v1-0",
    "ss_sd_model_name": "C:\\models\\sd_xl_base_1.0.safetensors",
    "ss_vae_name": "madebyollin/sdxl-vae-fp16-fix",
    "ss_tag_frequency": json.dumps(
        {"10_ink": {"1girl": 40, "@_@": 3, ">_<": 2, "twitter username": 1, "web address": 4}}
    ),
    "ss_dataset_dirs": '{"10_ink": {"n_repeats": 10, "img_count": 40}}',
    "ss_bucket_info": '{"buckets": {"0": {"resolution": [832, 1216], "count": 40}}}',
    "ss_training_comment": "second try; lr 1e-4",
    "ss_session_id": "1234567890",
    "sshs_model_hash": "0" * 64,
    "modelspec.title": "Ink wash",
    "modelspec.date": "2026-11-22T05:30:00",
    "modelspec.architecture": "stable-diffusion-xl-v1-base/lora",
    "modelspec.thumbnail": "data:image/jpeg;base64,/9j/4AAQSkZJRgABAQAAAQABAAD" + "Ab9+/x" * 500,
}
WITH_LINKS = {
    "modelspec.implementation": "https://github.com/Stability-AI/generative-models",
    "modelspec.license": "https://huggingface.co/stabilityai/license, me@example.com",
    "modelspec.author": "someone <someone@example.com>, https://civitai.com/user/someone",
    "software": '{"name": "ai-toolkit", "repo": "https://github.com/ostris/ai-toolkit"}',
    "ot_config": '{"__version": 6, "base_model_name": "https://huggingface.co/a/b/c.safetensors"}',
}
PEFT = {"format": "pt", "lora_adapter_metadata": '{"unet.r": 16, "unet.lora_alpha": 16}'}
LYCORIS = {
    "ss_network_module": "lycoris.kohya",
    "ss_network_args": '{"algo": "lokr", "preset": "full", "factor": "8"}',
    "ss_sd_model_hash": "e02601f3",
}


def names(style: str) -> dict[str, tuple[int, ...]]:
    kohya = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
    peft = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
    forms: dict[str, dict[str, tuple[int, ...]]] = {
        "kohya": {
            f"{kohya}.lora_down.weight": (16, 768),
            f"{kohya}.lora_up.weight": (320, 16),
            f"{kohya}.alpha": (),
            "lora_unet_conv_in.lora_down.weight": (16, 4, 3, 3),
            "lora_te1_text_model_encoder_layers_0_mlp_fc1.dora_scale": (1, 768),
        },
        "peft": {f"{peft}.lora_A.weight": (16, 768), f"{peft}.lora_B.weight": (320, 16)},
        "lycoris": {
            f"{kohya}.lokr_w1": (8, 8),
            f"{kohya}.lokr_w2": (40, 96),
            f"{kohya}.hada_w1_a": (320, 8),
            f"{kohya}.alpha": (),
            f"{kohya}.diff": (320, 768),
        },
    }
    return forms[style]


def write(path: Path, style: str, metadata: dict[str, str], dtype: type, seed: int = 0) -> Path:
    draw = np.random.default_rng(seed)
    tensors = {
        name: np.asarray(draw.normal(0, 0.02, shape), dtype) for name, shape in names(style).items()
    }
    save_file(tensors, path, metadata)
    return path


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    ("style", "metadata"), [("kohya", KOHYA), ("peft", PEFT), ("lycoris", LYCORIS)]
)
def test_a_file_as_trainers_write_it_is_clean(
    tmp_path: Path, style: str, metadata: dict[str, str], dtype: type
) -> None:
    scan = scan_file(write(tmp_path / "a.safetensors", style, metadata, dtype))
    assert scan.findings == ()


def test_links_where_models_live_and_contacts_of_authors_are_only_noticed(tmp_path: Path) -> None:
    scan = scan_file(write(tmp_path / "a.safetensors", "kohya", WITH_LINKS, np.float16))
    assert {finding.kind for finding in scan.findings} == {"known_address"}
    assert {finding.where for finding in scan.findings} == set(WITH_LINKS)
    assert scan.verdict == "notice"


def test_the_bundled_styles_are_clean() -> None:
    paths = sorted(bundled_lora_folder().glob("*.safetensors"))
    assert paths
    for path in paths:
        assert scan_file(path).findings == ()


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("scale", [0.0, 1e-3, 0.05, 100.0])
def test_millions_of_honest_numbers_spell_nothing(dtype: type, scale: float) -> None:
    stream, offset = ByteStream(), 0
    draw = np.random.default_rng(7)
    for _ in range(8):
        piece = np.asarray(draw.normal(0, scale, PIECE // 4), dtype).tobytes()
        stream.feed(piece, offset)
        offset += len(piece)
    assert stream.findings == []


def test_eight_bit_noise_spells_nothing() -> None:
    stream = ByteStream()
    stream.feed(np.random.default_rng(3).bytes(16 * PIECE), 0)
    assert stream.findings == []


@pytest.mark.parametrize("before", range(1, 40, 3))
def test_what_lies_across_two_pieces_is_found_once_and_whole(before: int) -> None:
    address = b"https://lucky-spins.example/welcome"
    data = b"\xf0" * 600 + address + b"\xf0" * 600
    stream = ByteStream()
    cut = 600 + min(before, len(address))
    stream.feed(data[:cut], 1000)
    stream.feed(data[cut:], 1000 + cut)
    assert [(f.detail, f.offset) for f in stream.findings] == [(address.decode(), 1600)]
    assert len(address) < OVERLAP


@pytest.mark.parametrize(
    ("dtype", "bits", "special"),
    [
        ("F16", np.uint16, lambda n: (n & 0x7C00) == 0x7C00),
        ("BF16", np.uint16, lambda n: (n & 0x7F80) == 0x7F80),
    ],
)
def test_every_sixteen_bit_number_is_judged_as_ieee_754_has_it(
    dtype: str, bits: type, special: object
) -> None:
    for number in range(0, 1 << 16, 7):
        data = np.asarray([0, number, 0], bits).tobytes()
        assert is_finite(dtype, data) == (not special(number)), hex(number)  # type: ignore[operator]


def test_the_largest_finite_numbers_are_finite() -> None:
    for dtype, kind in (("F16", np.float16), ("F32", np.float32), ("F64", np.float64)):
        largest = np.asarray([np.finfo(kind).max, -np.finfo(kind).max], kind).tobytes()
        assert is_finite(dtype, largest)
        assert not is_finite(dtype, np.asarray([1, np.inf], kind).tobytes())


def test_a_scan_stops_when_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.safetensors", "kohya", KOHYA, np.float16)
    with pytest.raises(Stopped):
        scan_file(path, lambda: True)


def test_every_finding_has_words_in_each_language() -> None:
    assert set(ENGLISH) == set(CHINESE) == set(SEVERITY)
    for kind, sentence in ENGLISH.items():
        for field in ("{where}", "{detail}"):
            assert (field in sentence) == (field in CHINESE[kind]) or kind == "bad_tensor"
