"""What the front sends to the engine."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.engine.contract.specs import EnhanceSpec, LoraSpec, ModelSpec, RenderSpec, UpscaleSpec


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
