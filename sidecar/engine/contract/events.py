"""What the engine tells the front."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sidecar.engine.contract.memory import MemoryReport
from sidecar.engine.contract.pictures import UNCHECKED, Checked
from sidecar.engine.contract.results import Outcome


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
