"""Reads a model from a diffusers folder. Only safetensors; pickles are refused unread.

Weights are mapped into memory and placed tensor by tensor in the type they will have, so that
there is never more than one copy besides the file's own pages.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from sidecar.engine.contract import CancelToken, ModelSpec
from sidecar.engine.diffusion.attention import AttentionBackend
from sidecar.engine.diffusion.components import Components
from sidecar.engine.diffusion.devices import Device
from sidecar.engine.diffusion.nets.clip_text import ACTIVATIONS, ClipTextEncoder
from sidecar.engine.diffusion.nets.unet import UNet
from sidecar.engine.diffusion.nets.unet_config import Unbuildable
from sidecar.engine.diffusion.nets.vae import Vae
from sidecar.engine.diffusion.schedule import NoiseSchedule
from sidecar.engine.diffusion.tokenizer import PromptTokenizer
from sidecar.errors import ModelCorrupt, ModelNotFound, ModelUnsupported

Report = Callable[[str, float], None]
Rename = Callable[[str], str]

FAMILIES = {768: "sd15", 1024: "sd21"}
VAE_BLOCKS = {"DownEncoderBlock2D", "UpDecoderBlock2D"}
OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


@dataclass(frozen=True)
class _Part:
    """One network to be filled: from which file, under which names, in which type."""

    name: str
    network: nn.Module
    file: Path
    rename: Rename
    dtype: torch.dtype


def load(spec: ModelSpec, device: Device, report: Report, cancel: CancelToken) -> Components:
    """Raises ModelNotFound, ModelUnsupported, ModelCorrupt or Cancelled.

    `report(stage, percent)` is called as bytes are placed.
    """
    started = time.perf_counter()
    folder = Path(spec.path)
    with _translated(spec.name):
        _check_folder(folder, spec.name)
        unet_config = _config(folder / "unet")
        family = _family(_read_json(folder / "model_index.json"), unet_config)
        dtype = device.dtype(spec.dtype)
        attend = AttentionBackend(device.torch, dtype)
        networks = _build(folder, spec, unet_config, attend)
        unet, vae, text_encoder, vae_folder = networks
        parts = [
            _Part("unet", unet, _weights(folder / "unet"), str, dtype),
            _Part(
                "vae",
                vae,
                _weights(vae_folder),
                _rename_vae,
                torch.float32 if spec.no_half_vae else dtype,
            ),
            _Part(
                "text_encoder", text_encoder, _weights(folder / "text_encoder"), _rename_text, dtype
            ),
        ]
        tokenizer = PromptTokenizer.of_folder(
            folder / "tokenizer", text_encoder.embeddings.position_embedding.num_embeddings
        )
        schedule = NoiseSchedule.of(_read_json(folder / "scheduler" / "scheduler_config.json"))
        _fill(parts, device, report, cancel)
    unet.fuse_projections()
    _channels_last(vae)
    components = Components(
        spec=spec,
        family=family,
        device=device,
        dtype=dtype,
        unet=unet,
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        schedule=schedule,
        attend=attend,
        low_vram=(),
        load_ms=(time.perf_counter() - started) * 1000,
    )
    components.use_measures(spec.low_vram)
    return components


def _channels_last(network: nn.Module) -> None:
    """A fifth faster for the VAE on a CPU; the UNet gains nothing by it."""
    for weight in network.parameters():
        if weight.ndim == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)


@contextmanager
def _translated(model: str) -> Generator[None]:
    try:
        yield
    except Unbuildable as exc:
        raise ModelUnsupported(model=model, reason=str(exc)) from exc
    except FileNotFoundError as exc:
        missing = Path(exc.filename).name if exc.filename else str(exc)
        raise ModelCorrupt(model=model, reason=f"{missing} is missing") from exc
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as exc:
        raise ModelCorrupt(model=model, reason=_reason(exc)) from exc


def _reason(exc: Exception) -> str:
    return f"{exc} is missing from its configuration" if isinstance(exc, KeyError) else str(exc)


def _check_folder(folder: Path, model: str) -> None:
    if folder.is_file():
        raise Unbuildable("single files are not read by this version, only diffusers folders")
    if not folder.is_dir():
        raise ModelNotFound(model=model, available=[])
    if not (folder / "model_index.json").is_file():
        raise Unbuildable("the folder has no model_index.json, so it is not a diffusers model")


def _family(index: Mapping[str, Any], unet: Mapping[str, Any]) -> str:
    kind = index.get("_class_name")
    if "XL" in str(kind) or unet.get("addition_embed_type") == "text_time":
        raise Unbuildable("SDXL models are not drawn by this version")
    if kind not in ("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline"):
        raise Unbuildable(f"it is a {kind}")
    return FAMILIES.get(unet.get("cross_attention_dim", 1280), "starter")


def _build(
    folder: Path, spec: ModelSpec, unet_config: Mapping[str, Any], attend: AttentionBackend
) -> tuple[UNet, Vae, ClipTextEncoder, Path]:
    """The networks, without memory for their weights."""
    vae_folder = folder / "vae" if spec.vae is None else _vae_folder(Path(spec.vae))
    vae_config, text_config = _config(vae_folder), _config(folder / "text_encoder")
    _check_vae(vae_config, unet_config)
    _check_text(text_config, unet_config)
    with torch.device("meta"):
        return (
            UNet(unet_config, attend).eval(),
            Vae(vae_config).eval(),
            ClipTextEncoder(text_config).eval(),
            vae_folder,
        )


def _vae_folder(path: Path) -> Path:
    return path / "vae" if (path / "vae" / "config.json").is_file() else path


def _check_vae(config: Mapping[str, Any], unet: Mapping[str, Any]) -> None:
    if config.get("_class_name", "AutoencoderKL") != "AutoencoderKL":
        raise Unbuildable(f"its VAE is a {config['_class_name']}")
    strange = {*config["down_block_types"], *config["up_block_types"]} - VAE_BLOCKS
    if strange or config.get("act_fn", "silu") != "silu" or config.get("shift_factor"):
        raise Unbuildable(f"its VAE has parts of another kind ({', '.join(sorted(strange))})")
    if config["latent_channels"] != unet.get("in_channels", 4):
        raise Unbuildable(
            f"its UNet takes {unet.get('in_channels', 4)} channels"
            f" and its VAE gives {config['latent_channels']}"
        )


def _check_text(config: Mapping[str, Any], unet: Mapping[str, Any]) -> None:
    if config.get("model_type", "clip_text_model") != "clip_text_model":
        raise Unbuildable(f"its text encoder is a {config['model_type']}")
    if config.get("hidden_act", "quick_gelu") not in ACTIVATIONS:
        raise Unbuildable(f"its text encoder has hidden_act = {config['hidden_act']}")
    if config["hidden_size"] != unet.get("cross_attention_dim", 1280):
        raise Unbuildable("its text encoder and its UNet do not fit each other")


def _config(folder: Path) -> dict[str, Any]:
    return _read_json(folder / "config.json")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except ValueError as exc:
        raise ValueError(f"{path.parent.name}/{path.name} is not valid JSON") from exc
    if not isinstance(value, dict):
        raise ValueError(f"{path.parent.name}/{path.name} is not an object")
    return value  # pyright: ignore[reportUnknownVariableType]


def _weights(folder: Path) -> Path:
    for stem in ("diffusion_pytorch_model", "model"):
        for name in (f"{stem}.safetensors", f"{stem}.fp16.safetensors"):
            if (folder / name).is_file():
                return folder / name
    if any(folder.glob("*.bin")) or any(folder.glob("*.ckpt")):
        raise Unbuildable("its weights are pickles, which can run code; only safetensors is read")
    if any(folder.glob("*.safetensors")):
        raise Unbuildable(f"the weights of its {folder.name} are split into several files")
    raise FileNotFoundError(2, "no weights", f"{folder.name}/*.safetensors")


def _rename_text(key: str) -> str:
    return key.removeprefix("text_model.")


def _rename_vae(key: str) -> str:
    stem, _, last = key.rpartition(".")
    place, _, old = stem.rpartition(".")
    return f"{place}.{OLD_ATTENTION[old]}.{last}" if old in OLD_ATTENTION else key


def _fill(parts: list[_Part], device: Device, report: Report, cancel: CancelToken) -> None:
    total = sum(part.file.stat().st_size for part in parts) or 1
    done, told = 0, -1.0
    for part in parts:
        for size in _place(part, device):
            cancel.check()
            done += size
            percent = min(100.0 * done / total, 100.0)
            if percent - told >= 2:
                told = percent
                report(part.name, percent)
    report(parts[-1].name, 100.0)


def _place(part: _Part, device: Device) -> Iterator[int]:
    """Put each tensor of the file where it belongs; yields the bytes read."""
    slots = dict(part.network.named_parameters())
    opened: Any = safe_open(part.file, framework="pt")
    with opened as file:
        for key in file.keys():  # noqa: SIM118 (not a mapping)
            name = part.rename(key)
            slot = slots.pop(name, None)
            if slot is None:
                if name.endswith("position_ids"):
                    continue
                raise Unbuildable(f"its {part.name} has an unknown weight {key}")
            tensor: Tensor = file.get_tensor(key)
            size = tensor.numel() * tensor.element_size()
            _assign(part, name, slot, tensor, device)
            yield size
    if slots:
        raise ValueError(f"{part.name} lacks the weight {next(iter(slots))}")


def _assign(part: _Part, name: str, slot: Tensor, tensor: Tensor, device: Device) -> None:
    if tensor.shape != slot.shape and tensor.numel() != slot.numel():
        raise ValueError(
            f"{part.name}: {name} is {list(tensor.shape)} where {list(slot.shape)} is needed"
        )
    placed = tensor.to(device=device.torch, dtype=part.dtype, copy=True).reshape(slot.shape)
    owner, _, last = name.rpartition(".")
    module = part.network.get_submodule(owner)
    setattr(module, last, nn.Parameter(placed, requires_grad=False))
