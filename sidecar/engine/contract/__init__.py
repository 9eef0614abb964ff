"""All that front and engine share: specs, events, results, and the `Engine` protocol.

Every job carries the whole state it needs (model, LoRA stack, seed), so that the same job always
gives the same picture, also when it is repeated on a fresh engine after a crash. What is already
resident is found by comparing specs. See docs/decisions/0002-jobs-carry-their-state.md.

Plain frozen dataclasses of JSON values, tuples and bytes; `sidecar.engine.codec` moves them.
"""

from __future__ import annotations

from sidecar.engine.contract.behaviour import (
    CancelToken,
    Drawing,
    Engine,
    Renders,
)
from sidecar.engine.contract.commands import (
    ApplyLoras,
    CancelJob,
    Command,
    Enhance,
    LoadModel,
    Render,
    ReportMemory,
    UnloadModel,
    Upscale,
    Work,
)
from sidecar.engine.contract.events import (
    Emit,
    EngineReady,
    EngineWarm,
    EngineWarning,
    Event,
    Frame,
    ImageReady,
    JobDone,
    JobFailed,
    ModelLoading,
    Progress,
)
from sidecar.engine.contract.memory import (
    Afterwards,
    Alternative,
    ComponentInfo,
    DeviceInfo,
    Forecast,
    MemoryReport,
)
from sidecar.engine.contract.pictures import (
    NO_CHECKS,
    UNCHECKED,
    Checked,
    CheckSpec,
    Enlarging,
    Found,
    UpscalerSpec,
)
from sidecar.engine.contract.results import (
    AppliedLora,
    Finished,
    LoadedModel,
    LoraReceipt,
    Outcome,
    Rendered,
    Unloaded,
)
from sidecar.engine.contract.specs import (
    EnhanceSpec,
    LoraSpec,
    ModelSpec,
    RenderSpec,
    UpscaleSpec,
)

__all__ = [
    "NO_CHECKS",
    "UNCHECKED",
    "Afterwards",
    "Alternative",
    "AppliedLora",
    "ApplyLoras",
    "CancelJob",
    "CancelToken",
    "CheckSpec",
    "Checked",
    "Command",
    "ComponentInfo",
    "DeviceInfo",
    "Drawing",
    "Emit",
    "Engine",
    "EngineReady",
    "EngineWarm",
    "EngineWarning",
    "Enhance",
    "EnhanceSpec",
    "Enlarging",
    "Event",
    "Finished",
    "Forecast",
    "Found",
    "Frame",
    "ImageReady",
    "JobDone",
    "JobFailed",
    "LoadModel",
    "LoadedModel",
    "LoraReceipt",
    "LoraSpec",
    "MemoryReport",
    "ModelLoading",
    "ModelSpec",
    "Outcome",
    "Progress",
    "Render",
    "RenderSpec",
    "Rendered",
    "Renders",
    "ReportMemory",
    "UnloadModel",
    "Unloaded",
    "Upscale",
    "UpscaleSpec",
    "UpscalerSpec",
    "Work",
]
