"""All that front and engine share: specs, events, results, and the `Engine` protocol.

Every job carries the whole state it needs (model, LoRA stack, seed), so that the same job always
gives the same picture, also when it is repeated on a fresh engine after a crash. What is already
resident is found by comparing specs. See docs/decisions/0002-jobs-carry-their-state.md.

Plain frozen dataclasses of JSON values, tuples and bytes; `sidecar.engine.codec` moves them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sidecar.engine.memory_specs import (
    Alternative as Alternative,
)
from sidecar.engine.memory_specs import (
    DeviceInfo as DeviceInfo,
)
from sidecar.engine.memory_specs import (
    Forecast as Forecast,
)
from sidecar.engine.memory_specs import (
    MemoryReport as MemoryReport,
)
from sidecar.engine.picture_specs import (
    NO_CHECKS as NO_CHECKS,
)
from sidecar.engine.picture_specs import (
    UNCHECKED,
)
from sidecar.engine.picture_specs import (
    Checked as Checked,
)
from sidecar.engine.picture_specs import (
    CheckSpec as CheckSpec,
)
from sidecar.engine.picture_specs import (
    EnhanceSpec as EnhanceSpec,
)
from sidecar.engine.picture_specs import (
    Enlarging as Enlarging,
)
from sidecar.engine.picture_specs import (
    Finished as Finished,
)
from sidecar.engine.picture_specs import (
    Found as Found,
)
from sidecar.engine.picture_specs import (
    UpscalerSpec as UpscalerSpec,
)
from sidecar.engine.picture_specs import (
    UpscaleSpec as UpscaleSpec,
)
from sidecar.engine.result_specs import (
    AppliedLora as AppliedLora,
)
from sidecar.engine.result_specs import (
    ComponentInfo as ComponentInfo,
)
from sidecar.engine.result_specs import (
    LoadedModel as LoadedModel,
)
from sidecar.engine.result_specs import (
    LoraReceipt as LoraReceipt,
)
from sidecar.engine.result_specs import (
    Rendered as Rendered,
)
from sidecar.engine.result_specs import (
    Unloaded as Unloaded,
)
from sidecar.errors import Cancelled

# --------------------------------------------------------------------------- specs


@dataclass(frozen=True)
class ModelSpec:
    """What to make resident. `path`: a diffusers folder or a single file; `name`: for people.

    `vae`, `vae_path`: the same of a VAE that is used instead of the model's own.
    """

    name: str
    path: str
    family: str
    vae: str | None = None
    dtype: str = "auto"
    low_vram: str = "auto"
    no_half_vae: bool = False
    vae_path: str | None = None


@dataclass(frozen=True)
class LoraSpec:
    """One LoRA of a stack: `alpha` multiplies the file's own lora_alpha/rank scale."""

    name: str
    path: str
    alpha: float


@dataclass(frozen=True)
class RenderSpec:
    """One or more pictures. Picture `i` of `count` uses seed `seed + i`; sizes are pixels.

    `seed_offset`: pictures before it are finished already (a repeated job skips them).
    `image_format`: "png" or "webp". `thumbnail_px`: longest side of thumbnails; 0 for none.
    `frame_every`: a decoded step preview every that many steps; 0 for none.
    `init_image`: an encoded picture for img2img, changed by `strength` (0..1).
    `enlarging`: draw smaller and enlarge; None: draw at this size. `checks`: on each picture.
    """

    model: ModelSpec
    loras: tuple[LoraSpec, ...]
    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    guidance_scale: float
    sampler: str
    seed: int
    count: int = 1
    seed_offset: int = 0
    init_image: bytes | None = None
    strength: float = 1.0
    image_format: str = "png"
    thumbnail_px: int = 96
    frame_every: int = 0
    enlarging: Enlarging | None = None
    checks: CheckSpec = NO_CHECKS


# --------------------------------------------------------------------------- commands


@dataclass(frozen=True)
class LoadModel:
    job_id: str
    model: ModelSpec


@dataclass(frozen=True)
class UnloadModel:
    job_id: str


@dataclass(frozen=True)
class ApplyLoras:
    """Read, check and merge a stack into `model` (loaded first when it is not resident)."""

    job_id: str
    model: ModelSpec
    loras: tuple[LoraSpec, ...]


@dataclass(frozen=True)
class Render:
    job_id: str
    spec: RenderSpec


@dataclass(frozen=True)
class Upscale:
    job_id: str
    spec: UpscaleSpec


@dataclass(frozen=True)
class Enhance:
    job_id: str
    spec: EnhanceSpec


@dataclass(frozen=True)
class CancelJob:
    """Acts at once, on the running job or one still waiting in the pipe."""

    job_id: str


@dataclass(frozen=True)
class ReportMemory:
    """Answered by `MemoryReport` at once, also while a job runs.

    `planned`: a picture whose need is to be foretold; the answer comes when the engine is warm.
    """

    ticket: int
    planned: RenderSpec | None = None


Work = LoadModel | UnloadModel | ApplyLoras | Render | Upscale | Enhance
Command = Work | CancelJob | ReportMemory

# --------------------------------------------------------------------------- results


Outcome = LoadedModel | LoraReceipt | Unloaded | Rendered | Finished

# --------------------------------------------------------------------------- events


@dataclass(frozen=True)
class EngineReady:
    """The first event: the process runs and reads its pipe; heavy imports may still go on."""

    pid: int


@dataclass(frozen=True)
class EngineWarm:
    """Imports are done: versions of what was imported, the device, its attention backend."""

    versions: dict[str, str]
    device: str
    device_name: str
    attention: str
    samplers: tuple[str, ...]


@dataclass(frozen=True)
class ModelLoading:
    """`percent` of bytes placed. `rung`: of the low-memory ladder, as in `LoadedModel`."""

    job_id: str
    model: str
    stage: str
    percent: float
    rung: str = ""


@dataclass(frozen=True)
class Progress:
    """`phase`: load, encode, denoise, decode, upscale, check. `step` of `steps` finished in it."""

    job_id: str
    phase: str
    step: int
    steps: int


@dataclass(frozen=True)
class Frame:
    """A look at unfinished picture `index` after `step`. `early`: the first (a `thumbnail`)."""

    job_id: str
    index: int
    step: int
    steps: int
    early: bool
    mime: str
    width: int
    height: int
    data: bytes


@dataclass(frozen=True)
class ImageReady:
    """A finished picture, encoded. `thumbnail` is WebP, empty when none was asked for.

    `file`: where it lies instead of in `data`, for the receiver to move. `enlarged`: how many times
    it was enlarged after it was drawn.
    """

    job_id: str
    index: int
    seed: int
    mime: str
    width: int
    height: int
    data: bytes
    thumbnail: bytes
    file: str = ""
    enlarged: int = 1
    checked: Checked = UNCHECKED


@dataclass(frozen=True)
class JobDone:
    job_id: str
    outcome: Outcome


@dataclass(frozen=True)
class JobFailed:
    """`kind` and `fields` of a `SidecarError` (also "cancelled"); `log` is for the log only."""

    job_id: str
    kind: str
    fields: dict[str, object] = field(default_factory=dict[str, object])
    log: str = ""


@dataclass(frozen=True)
class EngineWarning:
    """A notification for people: `kind` and `fields` of `sidecar.texts`."""

    kind: str
    fields: dict[str, object] = field(default_factory=dict[str, object])


Event = (
    EngineReady
    | EngineWarm
    | ModelLoading
    | Progress
    | Frame
    | ImageReady
    | JobDone
    | JobFailed
    | EngineWarning
    | MemoryReport
)

Emit = Callable[[Event], None]

# --------------------------------------------------------------------------- behaviour


class CancelToken:
    """One per job. Set from any thread; `check` raises `Cancelled` on the working one."""

    __slots__ = ("_cancelled",)

    def __init__(self) -> None:
        self._cancelled = False

    def cancel(self) -> None:
        self._cancelled = True

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def check(self) -> None:
        if self._cancelled:
            raise Cancelled()


class Drawing(Protocol):
    """What draws. Called from one worker thread; `memory` from another one.

    Methods raise `SidecarError`s, and leave the state as it was when they do. `load_model` and
    `apply_loras` return quickly when what they are asked for is resident already.
    """

    def warm_up(self) -> EngineWarm:
        """Import what is heavy; called once, first."""
        ...

    def load_model(
        self, job_id: str, spec: ModelSpec, emit: Emit, cancel: CancelToken
    ) -> LoadedModel: ...

    def unload_model(self) -> Unloaded: ...

    def apply_loras(
        self,
        job_id: str,
        spec: ModelSpec,
        loras: tuple[LoraSpec, ...],
        emit: Emit,
        cancel: CancelToken,
    ) -> LoraReceipt: ...

    def render(
        self, job_id: str, spec: RenderSpec, emit: Emit, cancel: CancelToken
    ) -> Rendered: ...

    def memory(self, ticket: int, planned: RenderSpec | None = None) -> MemoryReport: ...


class Engine(Drawing, Protocol):
    """What draws, and what else is done with pictures."""

    def upscale(
        self, job_id: str, spec: UpscaleSpec, emit: Emit, cancel: CancelToken
    ) -> Finished: ...

    def enhance(
        self, job_id: str, spec: EnhanceSpec, emit: Emit, cancel: CancelToken
    ) -> Finished: ...
