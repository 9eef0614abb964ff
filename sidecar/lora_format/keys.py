"""Keys of LoRA files: the layer and the part of it that each tensor is.

Spellings of peft and diffusers, of diffusers before it had peft, of kohya-ss, of OneTrainer (also
its "OMI" form), of LyCORIS and of single-file checkpoints. They differ in three places only: the
ending ("lora_A.weight", "lora_down.weight"), the prefix that names the network ("lora_te1_",
"clip_l."), and whether names are joined by dots or underscores.
"""

from __future__ import annotations

import re

UNET, TEXT, TEXT_2 = "unet", "text_encoder", "text_encoder_2"

# The end of a key by the part it is. What stands before is the layer.
_ADAPTER = r"(?:\.(?!weight$|bias$)\w+)?"  # the adapter's name, where peft left it in
_ENDINGS = {
    "down": rf"\.lora_A{_ADAPTER}\.weight|\.lora_down\.weight"
    r"|(?:_lora|\.lora|\.lora_linear_layer)\.down\.weight",
    "up": rf"\.lora_B{_ADAPTER}\.weight|\.lora_up\.weight"
    r"|(?:_lora|\.lora|\.lora_linear_layer)\.up\.weight",
    "up_bias": rf"\.lora_B{_ADAPTER}\.bias",
    "mid": r"\.lora_mid\.weight",
    "alpha": r"\.alpha",
    "magnitude": rf"\.lora_magnitude_vector{_ADAPTER}(?:\.weight)?",
    "dora_scale": r"\.dora_scale",
    **{name: rf"\.{name}{_ADAPTER}" for name in ("hada_w1_a", "hada_w1_b", "hada_t1")},
    **{name: rf"\.{name}{_ADAPTER}" for name in ("hada_w2_a", "hada_w2_b", "hada_t2")},
    **{name: rf"\.{name}{_ADAPTER}" for name in ("lokr_w1", "lokr_w1_a", "lokr_w1_b")},
    **{name: rf"\.{name}{_ADAPTER}" for name in ("lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2")},
    "diff": r"\.diff|\.w_norm",
    "diff_b": r"\.diff_b|\.b_norm",
    # Methods that are not merged here: IA3, OFT, BOFT, GLoRA, T-LoRA, embeddings and their kin.
    "other": r"\.(?:on_input|ia3_\w+|oft_\w+|boft_\w+|lokr_t1|rescale|scalar|scale|set_weight"
    r"|reshape_weight|lambda_layer|(?:[ab][12]|bm|[qp]_layer)\.weight|lora_embedding_[AB]\w*"
    rf"|lora_A{_ADAPTER}\.bias|weight|bias)",
}
_ENDING = re.compile("(?:" + "|".join(f"(?P<{k}>{v})" for k, v in _ENDINGS.items()) + ")$")

# The network that a key belongs to, by its beginning once dots are underscores; longest first.
_NETWORKS = (
    ("text_encoders_clip_l_transformer_", TEXT),
    ("text_encoders_clip_g_transformer_", TEXT_2),
    ("conditioner_embedders_0_transformer_", TEXT),
    ("cond_stage_model_transformer_", TEXT),
    ("model_diffusion_model_", UNET),
    ("diffusion_model_", UNET),
    ("text_encoder_2_", TEXT_2),
    ("text_encoder_", TEXT),
    ("lora_clip_l_", TEXT),
    ("lora_clip_g_", TEXT_2),
    ("lycoris_unet_", UNET),
    ("lora_unet_", UNET),
    ("lora_te1_", TEXT),
    ("lora_te2_", TEXT_2),
    ("lora_te_", TEXT),
    ("lycoris_", UNET),
    ("clip_l_", TEXT),
    ("clip_g_", TEXT_2),
    ("unet_", UNET),
)
_PEFT = "base_model_model_"

# Before diffusers had peft, CLIP's projections were named like those of the UNet.
_OLD_CLIP = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}


def split_key(key: str) -> tuple[str, str]:
    """The layer a key belongs to, and its part of it.

    Parts are the names of `_ENDINGS`; "other" for methods that are not known here.
    """
    found = _ENDING.search(key)
    if found is None:
        return key, "other"
    return key[: found.start()], found.lastgroup or "other"


def locate(layer: str) -> tuple[str, str]:
    """The network a layer is in, and its name there, joined by underscores.

    "lora_te1_text_model_encoder_layers_0_mlp_fc1" and "clip_l.text_model.encoder.layers.0.mlp.fc1"
    both give ("text_encoder", "encoder_layers_0_mlp_fc1"). A name without a prefix is the UNet's.
    """
    flat = layer.replace(".", "_").removeprefix(_PEFT)
    network = UNET
    for prefix, named in _NETWORKS:
        if flat.startswith(prefix):
            network, flat = named, flat.removeprefix(prefix)
            break
    flat = flat.removeprefix(_PEFT)
    if network == UNET:
        return network, flat.replace("_processor_", "_")
    return network, _clip_name(flat.removeprefix("text_model_"))


def _clip_name(flat: str) -> str:
    stem, mark, last = flat.rpartition("self_attn_")
    return f"{stem}{mark}{_OLD_CLIP.get(last, last)}" if mark else flat
