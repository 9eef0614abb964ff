"""Keys of LoRA files: the layer and the part of it that each tensor is.

Spellings of peft and diffusers, of diffusers before it had peft, of kohya-ss, of OneTrainer (also
its "OMI" form), of LyCORIS and of single-file checkpoints. They differ in three places only: the
ending ("lora_A.weight", "lora_down.weight"), the prefix that names the network ("lora_te1_",
"clip_l."), and whether names are joined by dots or underscores.
"""

from __future__ import annotations

UNET, TEXT, TEXT_2 = "unet", "text_encoder", "text_encoder_2"

OTHER = "other"

# Parts that are a tensor by themselves: "LAYER.hada_w1_a", or "LAYER.hada_w1_a.ADAPTER".
_HADA = ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2")
_LOKR = ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2")
_TENSORS = {
    **{name: name for name in ("alpha", "dora_scale", "diff", "diff_b", *_HADA, *_LOKR)},
    "lora_magnitude_vector": "magnitude",
    "w_norm": "diff",
    "b_norm": "diff_b",
}
# Parts that are a small layer: "LAYER.lora_A.weight", or "LAYER.lora_A.ADAPTER.weight".
_LAYERS = {
    ("lora_A", "weight"): "down",
    ("lora_B", "weight"): "up",
    ("lora_B", "bias"): "up_bias",
    ("lora_down", "weight"): "down",
    ("lora_up", "weight"): "up",
    ("lora_mid", "weight"): "mid",
    ("lora_magnitude_vector", "weight"): "magnitude",
}
# Before diffusers had peft: "LAYER.lora.down.weight", "PLACE.to_q_lora.down.weight".
_OLD = ("lora", "lora_linear_layer")
# GLoRA and T-LoRA have small layers too; they are not merged here.
_STRANGE_LAYERS = ("a1", "a2", "b1", "b2", "bm", "q_layer", "p_layer")

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

    Parts: "down", "up", "mid", "up_bias", "alpha", "magnitude" (peft's DoRA), "dora_scale"
    (LyCORIS'), "diff" and "diff_b", "hada_…", "lokr_…"; "other" for methods not known here, such
    as IA3, OFT, GLoRA and embeddings.
    """
    names = key.split(".")
    last = names[-1]
    if last in _TENSORS:
        return ".".join(names[:-1]), _TENSORS[last]
    if len(names) > 2 and names[-2] in _TENSORS and last not in ("weight", "bias"):
        return ".".join(names[:-2]), _TENSORS[names[-2]]
    for place in (-2, -3):
        part = _LAYERS.get((names[place], last)) if len(names) > -place else None
        if part is not None:
            return ".".join(names[:place]), part
    if len(names) > 3 and last == "weight" and names[-2] in ("down", "up"):
        before = names[-3]
        if before in _OLD:
            return ".".join(names[:-3]), names[-2]
        if before.endswith("_lora"):
            return ".".join([*names[:-3], before.removesuffix("_lora")]), names[-2]
    strange = last == "weight" and len(names) > 1 and names[-2] in _STRANGE_LAYERS
    return ".".join(names[: -2 if strange else -1]), OTHER


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
