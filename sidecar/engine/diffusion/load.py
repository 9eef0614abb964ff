"""Makes a model resident: finds out what it is made of, builds the networks, places the weights.

Only safetensors; pickles are refused unread. The networks are built without memory and filled
tensor by tensor in the type they will have (`weights`).
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import nn

from sidecar.engine.contract import CancelToken, ModelSpec
from sidecar.engine.diffusion.checkpoint_source import checkpoint_source, vae_of_file
from sidecar.engine.diffusion.components import Components
from sidecar.engine.diffusion.devices import Device
from sidecar.engine.diffusion.folder_source import folder_source, vae_of_folder
from sidecar.engine.diffusion.low_vram import HALF_STORAGE
from sidecar.engine.diffusion.nets.clip_text import ClipTextEncoder
from sidecar.engine.diffusion.nets.unet import UNet
from sidecar.engine.diffusion.nets.unet_config import Unbuildable
from sidecar.engine.diffusion.nets.vae import Vae
from sidecar.engine.diffusion.schedule import NoiseSchedule
from sidecar.engine.diffusion.source import PartSource, Source, check
from sidecar.engine.diffusion.weights import Part, Report, fill, planned
from sidecar.engine.memory.rungs import OFF
from sidecar.errors import ModelCorrupt, ModelNotFound, ModelUnsupported, VaeNotFound

PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl")


@dataclass(frozen=True)
class Plan:
    """A model that can be loaded: everything was checked that can be without reading its weights.

    `networks`: built without memory for their weights. `parts`: what fills them.
    """

    spec: ModelSpec
    source: Source
    networks: Components
    parts: list[Part]


def plan(spec: ModelSpec, device: Device, rung: str = OFF) -> Plan:
    """What is to be loaded on that rung of the low-memory ladder; reads headers and configs only.

    Raises ModelNotFound, ModelUnsupported, ModelCorrupt, VaeNotFound, AssetMissing.
    """
    with _translated(spec.name):
        source = _source(spec)
        check(source)
        networks = _built(source, spec, device)
        networks.use_rung(rung, spec.low_vram)
        parts = _parts(source, networks)
        for part in parts:
            _check_complete(part)
    return Plan(spec, source, networks, parts)


def load(
    spec: ModelSpec, device: Device, report: Report, cancel: CancelToken, rung: str = OFF
) -> Components:
    """Raises as `plan` does, and Cancelled."""
    return filled(plan(spec, device, rung), report, cancel)


def filled(a_plan: Plan, report: Report, cancel: CancelToken) -> Components:
    """The model with its weights; the plan is used up. `report(stage, percent)` is called as bytes
    are placed. Raises ModelCorrupt or Cancelled."""
    started = time.perf_counter()
    components = a_plan.networks
    with _translated(a_plan.spec.name):
        fill(a_plan.parts, components.resting_on, report, cancel)
    _channels_last(components.vae)
    components.settle()
    components.load_ms = (time.perf_counter() - started) * 1000
    return components


def with_vae_of(
    components: Components, spec: ModelSpec, report: Report, cancel: CancelToken
) -> Components:
    """The same model with the VAE that `spec` asks for; only that is read. Raises as `load` does.

    `components` is left as it is; the other networks belong to both.
    """
    started = time.perf_counter()
    with _translated(spec.name):
        source = _source(spec)
        check(source)
        with torch.device("meta"):
            vae = Vae(source.vae.config).eval()
        dtype = _vae_dtype(source, spec, components.dtype)
        changed = replace(components, spec=spec, source=source, vae=vae, vae_dtype=dtype)
        parts = [part for part in _parts(source, changed) if part.network is vae]
        fill(parts, components.resting_on, report, cancel)
    _channels_last(vae)
    changed.settle_vae()
    changed.load_ms = (time.perf_counter() - started) * 1000
    return changed


def _source(spec: ModelSpec) -> Source:
    path = Path(spec.path)
    if not path.exists():
        raise ModelNotFound(model=spec.name, available=[])
    if path.is_dir():
        return folder_source(path, _other_vae(spec))
    _check_suffix(path)
    return checkpoint_source(path, _other_vae(spec))


def _other_vae(spec: ModelSpec) -> PartSource | None:
    """The VAE that the spec asks for instead of the model's own; its faults bear its name."""
    if spec.vae is None:
        return None
    path = Path(spec.vae_path or spec.vae)
    if not path.exists():
        raise VaeNotFound(vae=spec.vae, available=[])
    with _translated(spec.vae):
        if not path.is_dir():
            _check_suffix(path)
            return vae_of_file(path, spec.family)
        inner = path / "vae"
        return vae_of_folder(inner if (inner / "config.json").is_file() else path)


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() in PICKLES:
        raise Unbuildable(
            "it is a pickle, which can run code; save it as .safetensors first, for example with"
            " the checkpoint merger of a Stable Diffusion program you trust"
        )
    if path.suffix.lower() != ".safetensors":
        raise Unbuildable("it is no .safetensors file")


def _built(source: Source, spec: ModelSpec, device: Device) -> Components:
    """The networks, without memory for their weights."""
    dtype = device.dtype(spec.dtype)
    attend = device.attention(dtype)
    with torch.device("meta"):
        unet = UNet(source.unet.config, attend).eval()
        vae = Vae(source.vae.config).eval()
        # SDXL's second text encoder also gives the prompt as one vector.
        text = [ClipTextEncoder(p.config, i > 0).eval() for i, p in enumerate(source.text)]
    return Components(
        spec=spec,
        source=source,
        family=source.family,
        device=device,
        dtype=dtype,
        unet=unet,
        vae=vae,
        text_encoder=text[0],
        tokenizer=source.tokenizers[0],
        schedule=NoiseSchedule.of(source.noise),
        attend=attend,
        low_vram=(),
        load_ms=0.0,
        text_encoder_2=text[1] if len(text) > 1 else None,
        tokenizer_2=source.tokenizers[1] if len(text) > 1 else None,
        zero_negative=source.zero_negative,
        vae_dtype=_vae_dtype(source, spec, dtype),
    )


def _parts(source: Source, components: Components) -> list[Part]:
    sources = {"unet": source.unet, "vae": source.vae}
    sources |= dict(zip(("text_encoder", "text_encoder_2"), source.text, strict=False))
    return [
        Part(
            name,
            network,
            sources[name].tensors,
            sources[name].slots,
            components.vae_dtype if name == "vae" else components.dtype,
            sources[name].strict,
            half=HALF_STORAGE in components.low_vram,
        )
        for name, network in components.networks().items()
    ]


def _vae_dtype(source: Source, spec: ModelSpec, dtype: torch.dtype) -> torch.dtype:
    """Full precision where it is asked for, and where the VAE is known to overflow in half."""
    overflows = source.vae.config.get("force_upcast", False) and source.family == "sdxl"
    if spec.no_half_vae or (overflows and dtype == torch.float16):
        return torch.float32
    return dtype


def _check_complete(part: Part) -> None:
    """That every weight is there and fits. Raises Unbuildable or ValueError."""
    for _ in planned(part):
        pass


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
        missing = "/".join(Path(exc.filename).parts[-2:]) if exc.filename else str(exc)
        raise ModelCorrupt(model=model, reason=f"{missing} is missing") from exc
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as exc:
        raise ModelCorrupt(model=model, reason=_reason(exc)) from exc


def _reason(exc: Exception) -> str:
    return f"{exc} is missing from its configuration" if isinstance(exc, KeyError) else str(exc)
