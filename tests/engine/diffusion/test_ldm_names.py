"""The original names of UNet layers, and what they are called here."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from sidecar.engine.diffusion.ldm_names import UNetNames

pytestmark = pytest.mark.engine

CROSS_DOWN, DOWN = "CrossAttnDownBlock2D", "DownBlock2D"
CROSS_UP, UP = "CrossAttnUpBlock2D", "UpBlock2D"

SD15: dict[str, Any] = {
    "block_out_channels": [320, 640, 1280, 1280],
    "layers_per_block": 2,
    "down_block_types": [CROSS_DOWN, CROSS_DOWN, CROSS_DOWN, DOWN],
    "up_block_types": [UP, CROSS_UP, CROSS_UP, CROSS_UP],
}
SDXL: dict[str, Any] = {
    "block_out_channels": [320, 640, 1280],
    "layers_per_block": 2,
    "down_block_types": [DOWN, CROSS_DOWN, CROSS_DOWN],
    "up_block_types": [CROSS_UP, CROSS_UP, UP],
}


@pytest.mark.parametrize(
    ("config", "theirs", "ours"),
    [
        (SD15, "time_embed.0.weight", "time_embedding.linear_1.weight"),
        (SD15, "input_blocks.0.0.bias", "conv_in.bias"),
        (SD15, "input_blocks.1.1.proj_in.weight", "down_blocks.0.attentions.0.proj_in.weight"),
        (SD15, "input_blocks.3.0.op.weight", "down_blocks.0.downsamplers.0.conv.weight"),
        (SD15, "input_blocks.10.0.in_layers.2.weight", "down_blocks.3.resnets.0.conv1.weight"),
        (SD15, "output_blocks.2.1.conv.weight", "up_blocks.0.upsamplers.0.conv.weight"),
        (SD15, "output_blocks.5.2.conv.weight", "up_blocks.1.upsamplers.0.conv.weight"),
        (SD15, "output_blocks.11.0.skip_connection", "up_blocks.3.resnets.2.conv_shortcut"),
        (SDXL, "label_emb.0.2.weight", "add_embedding.linear_2.weight"),
        (
            SDXL,
            "input_blocks.4.1.transformer_blocks.1.attn2.to_k",
            "down_blocks.1.attentions.0.transformer_blocks.1.attn2.to_k",
        ),
        (SDXL, "input_blocks.8.0.emb_layers.1", "down_blocks.2.resnets.1.time_emb_proj"),
        (SDXL, "output_blocks.2.2.conv", "up_blocks.0.upsamplers.0.conv"),
        (SDXL, "output_blocks.8.0.out_layers.3", "up_blocks.2.resnets.2.conv2"),
        (SDXL, "middle_block.1.proj_out", "mid_block.attentions.0.proj_out"),
        (SDXL, "out.0", "conv_norm_out"),
    ],
)
def test_a_block_has_its_diffusers_name(config: dict[str, Any], theirs: str, ours: str) -> None:
    names = UNetNames(config)
    assert names.to_diffusers(theirs) == ours
    assert names.to_original(ours) == theirs
    flat = names.to_diffusers_flat(theirs.replace(".", "_"))
    assert flat == ours.replace(".", "_")


@pytest.mark.parametrize(
    "name",
    ["input_blocks.12.0.in_layers.0", "input_blocks.1.2.proj_in", "output_blocks.0.1.proj_in"],
)
def test_a_block_the_unet_does_not_have_has_no_name(name: str) -> None:
    assert UNetNames(SD15).to_diffusers(name) is None
    assert UNetNames(SD15).to_diffusers_flat(name.replace(".", "_")) is None


def test_block_eleven_is_not_taken_for_block_one() -> None:
    names = UNetNames(SD15)
    found = names.to_diffusers_flat("input_blocks_11_0_in_layers_2")
    assert found == "down_blocks_3_resnets_1_conv1"


def test_layers_may_differ_from_size_to_size() -> None:
    names = UNetNames({**SDXL, "layers_per_block": [1, 2, 3]})
    assert names.to_diffusers("input_blocks.8.1.norm") == "down_blocks.2.attentions.2.norm"
    assert names.to_diffusers("output_blocks.3.2.conv") == "up_blocks.0.upsamplers.0.conv"
    assert names.to_diffusers("output_blocks.8.0.in_layers.0") == "up_blocks.2.resnets.1.norm1"


def test_looking_names_up_needs_no_torch() -> None:
    code = "import sys, sidecar.engine.diffusion.ldm_names; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=300, check=False).returncode == 0
