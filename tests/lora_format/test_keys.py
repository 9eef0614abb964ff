"""Keys of LoRA files, taken apart."""

from __future__ import annotations

import pytest

from sidecar.lora_format.keys import locate, split_key


@pytest.mark.parametrize(
    ("key", "layer", "part"),
    [
        ("unet.mid.to_q.lora_A.weight", "unet.mid.to_q", "down"),
        ("unet.mid.to_q.lora_A.default.weight", "unet.mid.to_q", "down"),
        ("unet.mid.to_q.lora_B.weight", "unet.mid.to_q", "up"),
        ("unet.mid.to_q.lora_B.bias", "unet.mid.to_q", "up_bias"),
        ("unet.mid.to_q.lora.down.weight", "unet.mid.to_q", "down"),
        ("unet.mid.processor.to_q_lora.up.weight", "unet.mid.processor.to_q", "up"),
        ("text_encoder.q_proj.lora_linear_layer.up.weight", "text_encoder.q_proj", "up"),
        ("lora_unet_mid_conv.lora_mid.weight", "lora_unet_mid_conv", "mid"),
        ("lora_unet_mid_conv.alpha", "lora_unet_mid_conv", "alpha"),
        ("lora_unet_mid_conv.dora_scale", "lora_unet_mid_conv", "dora_scale"),
        ("unet.mid.to_q.lora_magnitude_vector", "unet.mid.to_q", "magnitude"),
        ("unet.mid.to_q.lora_magnitude_vector.default.weight", "unet.mid.to_q", "magnitude"),
        ("lora_unet_mid_conv.hada_w1_a", "lora_unet_mid_conv", "hada_w1_a"),
        ("lora_unet_mid_conv.lokr_w2_b", "lora_unet_mid_conv", "lokr_w2_b"),
        ("lora_unet_mid_norm.w_norm", "lora_unet_mid_norm", "diff"),
        ("lora_unet_mid_norm.diff_b", "lora_unet_mid_norm", "diff_b"),
        ("lora_unet_mid_conv.oft_blocks", "lora_unet_mid_conv", "other"),
        ("lora_unet_mid_conv.a1.weight", "lora_unet_mid_conv", "other"),
        ("lora_unet_mid_conv.on_input", "lora_unet_mid_conv", "other"),
        ("bundle_emb.cat.string_to_param", "bundle_emb.cat", "other"),
    ],
)
def test_a_key_is_a_layer_and_a_part(key: str, layer: str, part: str) -> None:
    assert split_key(key) == (layer, part)


@pytest.mark.parametrize(
    "layer",
    [
        "lora_te_text_model_encoder_layers_0_self_attn_q_proj",
        "lora_te1_text_model_encoder_layers_0_self_attn_q_proj",
        "lora_te1.text_model.encoder.layers.0.self_attn.q_proj",
        "clip_l.text_model.encoder.layers.0.self_attn.q_proj",
        "text_encoder.text_model.encoder.layers.0.self_attn.q_proj",
        "text_encoder.text_model.encoder.layers.0.self_attn.to_q",
        "text_encoder.base_model.model.encoder.layers.0.self_attn.q_proj",
        "cond_stage_model.transformer.text_model.encoder.layers.0.self_attn.q_proj",
        "conditioner.embedders.0.transformer.text_model.encoder.layers.0.self_attn.q_proj",
    ],
)
def test_every_spelling_of_a_text_encoder_layer_is_that_layer(layer: str) -> None:
    assert locate(layer) == ("text_encoder", "encoder_layers_0_self_attn_q_proj")


def test_the_second_text_encoder_is_not_the_first() -> None:
    for prefix in ("lora_te2_", "lora_te2.", "clip_g.", "text_encoder_2."):
        assert locate(f"{prefix}text_model.encoder.layers.0.mlp.fc1") == (
            "text_encoder_2",
            "encoder_layers_0_mlp_fc1",
        )


def test_a_name_without_a_prefix_is_the_unets() -> None:
    for prefix in ("", "unet.", "lora_unet_", "base_model.model.", "model.diffusion_model."):
        assert locate(f"{prefix}mid_block.attentions.0.proj_in") == (
            "unet",
            "mid_block_attentions_0_proj_in",
        )
