"""History methods."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sidecar.protocol.base import ImageIn, ImageOut, LoraRef, Params, Result
from sidecar.protocol.finishing import Checks
from sidecar.protocol.lora import StackEntry
from sidecar.protocol.names import MAX_COUNT, MAX_STEPS, SamplerName
from sidecar.protocol.pictures import MAX_SEED, PictureParameters, Side


class HistoryEntry(Result):
    id: str
    created: str = Field(description="ISO 8601, UTC")
    pinned: bool
    parameters: PictureParameters
    mime: str
    width: int
    height: int
    bytes: int
    path: str
    thumbnail: str = Field(description="data URL, WebP")


class HistoryListParams(Params):
    """Newest first."""

    limit: int = Field(50, ge=1, le=500, description="entries of one answer")
    offset: int = Field(0, ge=0, description="newer entries to skip")


class HistoryList(Result):
    entries: list[HistoryEntry]
    total: int


class HistoryIdParams(Params):
    id: str = Field(description="history_id of a picture")


class HistoryGetResult(Result):
    entry: HistoryEntry


class HistoryPinParams(Params):
    id: str = Field(description="history_id of a picture")
    pinned: bool = True


class HistoryDeleteResult(Result):
    deleted: int


class HistoryClearParams(Params):
    include_pinned: bool = False


class RestoredState(Result):
    """What was put back."""

    model: str = Field(description="empty: none is loaded, and the picture needed none")
    vae: str | None
    low_vram: str
    loras: list[StackEntry]
    missing: list[str] = Field(description="LoRAs of the entry that are gone or were replaced")


class RollbackParams(Params):
    id: str = Field(description="history_id of a picture")
    inline: bool = Field(True, description="send the picture as a data URL too")


class RollbackResult(Result):
    entry: HistoryEntry
    image: ImageOut
    state: RestoredState


class RepeatParams(Params):
    """A new `generate` from stored parameters. Without `seed` a new one is drawn."""

    id: str = Field(description="history_id of the picture to repeat")
    prompt: str | None = None
    negative_prompt: str | None = None
    width: Side | None = None
    height: Side | None = None
    steps: int | None = Field(None, ge=1, le=MAX_STEPS)
    guidance_scale: float | None = Field(None, ge=0, le=50, allow_inf_nan=False)
    sampler: SamplerName | None = None
    seed: int | None = Field(None, ge=0, le=MAX_SEED)
    loras: list[LoraRef] | None = None
    style: str | None = Field(None, max_length=255, description="as in generate")
    allow_suspicious: bool = False
    allow_conflict: bool = False
    init_image: ImageIn | None = None
    strength: float | None = Field(None, gt=0, le=1)
    upscale: Literal[1, 2, 4] | None = Field(None, description="as in generate")
    upscaler: str | None = Field(None, max_length=255, description="as in generate")
    checks: Checks | None = None
    count: int = Field(1, ge=1, le=MAX_COUNT)
    delivery: Literal["file", "inline", "both"] = "file"


class HistoryChanged(Result):
    reason: str = Field(description='"added", "deleted", "cleared", "pinned"')
    ids: list[str]
    total: int
