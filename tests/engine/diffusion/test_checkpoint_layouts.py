"""The real layouts, at full size and without memory: every tensor has its place, none is left."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from sidecar.engine.contract import ModelSpec
from sidecar.engine.diffusion import checkpoint_source, load
from sidecar.engine.diffusion.devices import Device
from sidecar.engine.diffusion.source import check
from sidecar.engine.diffusion.weights import Header, Stored, planned
from tests.engine.diffusion import original_layout
from tests.engine.diffusion.small_models import CROSS_DOWN, CROSS_UP, FAMILIES, FOUR_SIZES

pytestmark = pytest.mark.engine

WIDE: dict[str, Any] = {"block_out_channels": (320, 640, 1280, 1280), **FOUR_SIZES}
UNETS: dict[str, dict[str, Any]] = {
    "sd15": {**WIDE, "cross_attention_dim": 768, "attention_head_dim": 8},
    "sd21": {
        **WIDE,
        "cross_attention_dim": 1024,
        "attention_head_dim": (5, 10, 20, 20),
        "use_linear_projection": True,
    },
    "sdxl": {
        "block_out_channels": (320, 640, 1280),
        "down_block_types": ("DownBlock2D", CROSS_DOWN, CROSS_DOWN),
        "up_block_types": (CROSS_UP, CROSS_UP, "UpBlock2D"),
        "cross_attention_dim": 2048,
        "attention_head_dim": (5, 10, 20),
        "transformer_layers_per_block": (1, 2, 10),
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
}
VAE_CONFIG: dict[str, Any] = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
}
EPSILON = {"modelspec.prediction_type": "epsilon"}
# Of Stable Diffusion 2, which draws without OpenCLIP's last layer and projection, and of all.
UNUSED = {
    "cond_stage_model.model.text_projection",
    "cond_stage_model.model.logit_scale",
    "conditioner.embedders.1.model.logit_scale",
}

L, H, G = (768, 3072, 12, 12, None), (1024, 4096, 23, 16, None), (1280, 5120, 32, 20, 1280)
TEXT = {"sd15": [L], "sd21": [H], "sdxl": [L, G]}


def text_encoder(width: int, hidden: int, layers: int, heads: int, projection: int | None) -> Any:
    import transformers as t

    kind = t.CLIPTextModelWithProjection if projection else t.CLIPTextModel
    config = t.CLIPTextConfig(
        vocab_size=49408,
        hidden_size=width,
        intermediate_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        projection_dim=projection or width,
    )
    return kind(config)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def shapes(family: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the whole checkpoint, from the networks of diffusers."""
    import diffusers as d

    with torch.device("meta"):
        networks = {
            "unet": d.UNet2DConditionModel(**UNETS[family]),
            "vae": d.AutoencoderKL(**VAE_CONFIG),
        }
        for i, config in enumerate(TEXT[family]):
            networks["text_encoder" if i == 0 else "text_encoder_2"] = text_encoder(*config)
        parts = {name: dict(network.named_parameters()) for name, network in networks.items()}
        configs = {
            name: {"num_hidden_layers": TEXT[family][i][2]}
            for i, name in enumerate(("text_encoder", "text_encoder_2")[: len(TEXT[family])])
        }
        configs |= {"unet": UNETS[family], "vae": VAE_CONFIG}
        tensors = original_layout.checkpoint(family, parts, configs)
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


# Of "name [shape]" lines, sorted, without position_ids: v1-5-pruned-emaonly and sd_xl_base_1.0 as
# sd-mecha 1.1.8 lists them.
PUBLISHED = {
    "sd15": (1130, "bcf4603c65ebe128ddff3a53973ab8eac10a5560f7a17846af3c3026837b5295"),
    "sdxl": (2514, "9e2179e4047d556053474f833e4baaaf63616a984c4b1058d31a3b1f732370d2"),
}


def test_the_layout_is_the_published_one(family: str, shapes: dict[str, tuple[int, ...]]) -> None:
    if family not in PUBLISHED:
        assert len(shapes) == 686 + 248 + 294, "UNet, VAE and OpenCLIP-H"
        return
    lines = "".join(f"{name} {list(shapes[name])}\n" for name in sorted(shapes))
    digest = hashlib.sha256(lines.encode()).hexdigest()
    assert (len(shapes), digest) == PUBLISHED[family]


def test_every_tensor_has_its_place_and_no_weight_is_left_without(
    family: str,
    shapes: dict[str, tuple[int, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "real.safetensors"
    path.touch()
    stored = {name: Stored(path, name, shape, 0, 0) for name, shape in shapes.items()}
    monkeypatch.setattr(checkpoint_source, "read_header", lambda files: Header(stored, EPSILON))
    spec = ModelSpec("real", str(path), family)
    source = load._source(spec)
    check(source)
    components = load._built(source, spec, Device("cpu", "test"))
    assert components.family == family
    for part in load._parts(source, components):
        placed = {placement.stored.key for placement in planned(part)}
        left = {one.key for one in part.tensors.values()} - placed
        assert {name for name in left if ".23." not in name} <= UNUSED, part.name
    parameters = sum(p.numel() for p in components.unet.parameters())
    assert parameters == {"sd15": 859_520_964, "sd21": 865_910_724, "sdxl": 2_567_463_684}[family]
