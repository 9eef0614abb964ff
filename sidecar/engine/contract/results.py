"""What jobs come to."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.engine.contract.memory import ComponentInfo
from sidecar.engine.contract.specs import ModelSpec


@dataclass(frozen=True)
class LoadedModel:
    """`low_vram`: measures that are on; `rung`: of the low-memory ladder, also where the spec
    says "auto"."""

    spec: ModelSpec
    family: str
    components: tuple[ComponentInfo, ...]
    device: str
    dtype: str
    attention: str
    low_vram: tuple[str, ...]
    load_ms: float
    rung: str = "off"


@dataclass(frozen=True)
class AppliedLora:
    name: str
    alpha: float
    sha256: str


@dataclass(frozen=True)
class LoraReceipt:
    """See `SwitchLoraResult`: the same facts."""

    loras: tuple[AppliedLora, ...]
    family: str
    rank: int | None
    matched_keys: int
    total_keys: int
    unsupported: tuple[str, ...]
    relative_delta: float
    relative_delta_by_block: dict[str, float]
    cached: bool
    load_ms: float
    merge_ms: float
    bytes: int


@dataclass(frozen=True)
class Unloaded:
    freed_bytes: int


@dataclass(frozen=True)
class Rendered:
    """The end of a render; its pictures went out as `ImageReady`. Durations in milliseconds."""

    loras: tuple[AppliedLora, ...]
    load_ms: float
    merge_ms: float
    encode_ms: float
    denoise_ms: float
    decode_ms: float
    upscale_ms: float = 0.0
    check_ms: float = 0.0


@dataclass(frozen=True)
class Finished:
    """The end of an upscale or enhance job; its picture went out as `ImageReady`. Milliseconds.

    `path`: "diffusion" or "onnx"; `why`: a kind in `sidecar.texts`. `provider`: of ONNX Runtime.
    """

    path: str
    why: str
    provider: str
    load_ms: float = 0.0
    merge_ms: float = 0.0
    encode_ms: float = 0.0
    denoise_ms: float = 0.0
    decode_ms: float = 0.0
    upscale_ms: float = 0.0
    check_ms: float = 0.0


Outcome = LoadedModel | LoraReceipt | Unloaded | Rendered | Finished
