"""The history methods; `history_rollback` puts a state back without computing anything."""

from __future__ import annotations

import os

from sidecar.catalog.families import UPSCALER
from sidecar.engine.contract import LoraSpec
from sidecar.errors import LoraNotFound
from sidecar.jobs.projection import Projected
from sidecar.protocol.base import ImageOut
from sidecar.protocol.history import (
    HistoryClearParams,
    HistoryDeleteResult,
    HistoryEntry,
    HistoryGetResult,
    HistoryIdParams,
    HistoryList,
    HistoryListParams,
    HistoryPinParams,
    RestoredState,
    RollbackParams,
    RollbackResult,
)
from sidecar.protocol.lora import StackEntry
from sidecar.protocol.models import LoadModelParams
from sidecar.protocol.pictures import PictureParameters
from sidecar.rpc.context import Call, Front
from sidecar.rpc.delivery import tell_history
from sidecar.rpc.images import MAX_BYTES, data_url
from sidecar.rpc.prewarm import prewarm
from sidecar.rpc.specs import find_model, model_spec
from sidecar.rpc.stack import stack_entries
from sidecar.rpc.styles import chosen_model


def history_list(call: Call, params: HistoryListParams) -> HistoryList:
    entries, total = call.front.history.entries(params.limit, params.offset)
    call.front.tell_moved_aside()
    return HistoryList(entries=entries, total=total)


def history_get(call: Call, params: HistoryIdParams) -> HistoryGetResult:
    return HistoryGetResult(entry=call.front.history.entry(params.id))


def history_pin(call: Call, params: HistoryPinParams) -> HistoryGetResult:
    entry = call.front.history.pin(params.id, params.pinned)
    tell_history(call.front, "pinned", [entry.id])
    return HistoryGetResult(entry=entry)


def history_delete(call: Call, params: HistoryIdParams) -> HistoryDeleteResult:
    deleted = call.front.history.delete(params.id)
    tell_history(call.front, "deleted", deleted)
    return HistoryDeleteResult(deleted=len(deleted))


def history_clear(call: Call, params: HistoryClearParams) -> HistoryDeleteResult:
    deleted = call.front.history.clear(params.include_pinned)
    tell_history(call.front, "cleared", deleted)
    return HistoryDeleteResult(deleted=len(deleted))


def history_rollback(call: Call, params: RollbackParams) -> RollbackResult:
    front = call.front
    entry = front.history.entry(params.id)
    image = _image(front, entry, params.inline)
    if entry.parameters.family == UPSCALER:
        return RollbackResult(entry=entry, image=image, state=_as_it_is(front))
    return RollbackResult(entry=entry, image=image, state=_put_back(front, entry.parameters))


def _put_back(front: Front, stored: PictureParameters) -> RestoredState:
    """Model and stack of that picture in force again."""
    load = LoadModelParams(
        model=stored.model,
        vae=stored.vae,
        dtype=stored.dtype,  # type: ignore[arg-type]
        low_vram=stored.low_vram,  # type: ignore[arg-type]
        no_half_vae=stored.no_half_vae,
    )
    drawn = model_spec(front, find_model(front, stored.model), load)
    loras, missing = _stack(front, stored.loras)
    model = chosen_model(front, drawn, loras)
    front.projection.replace(Projected(model, model.family, loras))
    prewarm(front)
    for name in missing:
        front.warn("lora_missing", {"name": name})
    return RestoredState(
        model=model.name,
        vae=drawn.vae,
        low_vram=model.low_vram,
        loras=stack_entries(front, loras),
        missing=missing,
    )


def _as_it_is(front: Front) -> RestoredState:
    """Of a picture that no model drew: nothing to put back."""
    state = front.projection.current
    return RestoredState(
        model=state.model.name if state.model else "",
        vae=state.model.vae if state.model else None,
        low_vram=state.model.low_vram if state.model else "auto",
        loras=stack_entries(front, state.loras),
        missing=[],
    )


def _image(front: Front, entry: HistoryEntry, inline: bool) -> ImageOut:
    """What is too large for a message is only a path. Raises PictureGone."""
    inline = inline and entry.bytes <= MAX_BYTES // 2
    data = front.history.picture(entry.id) if inline or not os.path.exists(entry.path) else b""
    return ImageOut(
        mime=entry.mime,
        width=entry.width,
        height=entry.height,
        bytes=entry.bytes,
        path=entry.path,
        data_url=data_url(entry.mime, data) if inline else None,
    )


def _stack(front: Front, stored: list[StackEntry]) -> tuple[tuple[LoraSpec, ...], list[str]]:
    """The LoRAs that are still the same files, and the names of those that are not."""
    loras: list[LoraSpec] = []
    missing: list[str] = []
    for entry in stored:
        path = _path_of(front, entry)
        if path is None:
            missing.append(entry.name)
        else:
            front.guard.allow_known(entry.sha256)
            loras.append(LoraSpec(entry.name, path, entry.alpha))
    return tuple(loras), missing


def _path_of(front: Front, entry: StackEntry) -> str | None:
    try:
        path = str(front.loras.find(entry.name).path)
    except LoraNotFound:
        return None
    return path if entry.sha256 is None or front.hashes.of(path) == entry.sha256 else None
