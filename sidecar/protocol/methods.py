"""The table of methods. Handlers, documents and types follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sidecar import errors as e
from sidecar.protocol import finishing as f
from sidecar.protocol import history as h
from sidecar.protocol import library as li
from sidecar.protocol import lifecycle as lc
from sidecar.protocol import lora as lo
from sidecar.protocol import memory as me
from sidecar.protocol import models as mo
from sidecar.protocol import pictures as pi
from sidecar.protocol.base import Empty, EmptyResult, Params, Result

Answer = Literal["at once", "when done", "never"]
"""`at once`: a look-up, answered also while the engine works. `when done`: goes through the
queue. `never`: a notification."""

ErrorTypes = tuple[type[e.SidecarError], ...]


@dataclass(frozen=True)
class Method:
    """One row of the table. `result` is None where the answer is null or there is none."""

    name: str
    params: type[Params]
    result: type[Result] | None
    summary: str
    answer: Answer = "at once"
    errors: ErrorTypes = ()


_LORA: ErrorTypes = (
    e.LoraNotFound,
    e.LoraIncompatible,
    e.LoraUnsafe,
    e.LoraSuspicious,
    e.LoraCorrupt,
    e.LoraWithoutEffect,
    e.LoraConflict,
)
_MODEL: ErrorTypes = (e.ModelNotFound, e.ModelCorrupt, e.ModelUnsupported)
_WORK: ErrorTypes = (
    e.Cancelled,
    e.QueueFull,
    e.OutOfMemory,
    e.EngineCrashed,
    e.EngineMissing,
)
_PICTURE: ErrorTypes = (
    *_WORK,
    *_LORA,
    e.ModelNotLoaded,
    e.NumericalFault,
    e.ImageUnreadable,
    e.ImageTooLarge,
)
_ENLARGED: ErrorTypes = (*_MODEL, e.AssetMissing, e.ContentBlocked, e.StorageFault)
_ENTRY: ErrorTypes = (e.HistoryNotFound, e.PictureGone, e.StorageFault)

METHODS: dict[str, Method] = {
    m.name: m
    for m in (
        Method(
            "initialize",
            lc.InitializeParams,
            lc.InitializeResult,
            "Introduce the client, choose the language of messages. Optional for scripts.",
        ),
        Method("ping", Empty, EmptyResult, "Answers at once, whatever the engine is doing."),
        Method("status", Empty, lc.StatusResult, "What is loaded, running and waiting."),
        Method("shutdown", Empty, None, "Cancel running work, flush, answer. Then `exit`."),
        Method("exit", Empty, None, "End the process.", "never"),
        Method("rpc.discover", Empty, EmptyResult, "The OpenRPC document of this version."),
        Method(
            "$/cancelRequest",
            lc.CancelRequestParams,
            None,
            "Cancel the request with that id, as in LSP.",
            "never",
        ),
        Method("cancel", lc.CancelParams, lc.CancelResult, "Cancel a job by its job_id."),
        Method("list_models", Empty, mo.ModelList, "Models that can be loaded."),
        Method(
            "load_model",
            mo.LoadModelParams,
            mo.LoadModelResult,
            "Make a model resident. The former one stays when this fails.",
            "when done",
            (*_MODEL, e.VaeNotFound, e.AssetMissing, *_WORK),
        ),
        Method(
            "unload_model", Empty, EmptyResult, "Give the model's memory back.", "when done", _WORK
        ),
        Method(
            "vram_report",
            me.VramReportParams,
            me.VramReport,
            "Memory of devices, processes, components; what a picture would need.",
            errors=(e.ModelNotLoaded, e.LoraNotFound, e.LoraConflict),
        ),
        Method(
            "set_low_vram",
            me.SetLowVramParams,
            mo.LoadModelResult,
            "Another rung of the low-memory ladder for the model that is loaded.",
            "when done",
            (e.ModelNotLoaded, *_MODEL, *_WORK),
        ),
        Method(
            "list_loras",
            lo.ListLorasParams,
            lo.LoraList,
            "Cards of all LoRA files in the folders.",
        ),
        Method(
            "switch_lora",
            lo.SwitchLoraParams,
            lo.SwitchLoraResult,
            "Change the style. The former stack stays, bit for bit, when this fails.",
            "when done",
            (*_LORA, *_WORK),
        ),
        Method(
            "set_alpha",
            lo.SetAlphaParams,
            lo.SetAlphaResult,
            "Change a strength; merged before the next step that needs it.",
            "at once",
            (e.LoraNotFound, e.LoraConflict),
        ),
        Method(
            "inspect_lora",
            li.InspectLoraParams,
            li.InspectLoraResult,
            "All about one file: card, blocks, training, safety, and whether it fits the model.",
            "when done",
            (e.LoraNotFound,),
        ),
        Method(
            "scan_lora",
            li.ScanLoraParams,
            li.ScanLoraResult,
            "Read every byte of a file and tell what is wrong with it.",
            "when done",
            (e.LoraNotFound,),
        ),
        Method(
            "check_conflicts",
            li.CheckConflictsParams,
            li.CheckConflictsResult,
            "Which styles of a stack do not go together, and strengths that do.",
            errors=(e.LoraNotFound,),
        ),
        Method(
            "merge_prompt",
            li.MergePromptParams,
            li.MergePromptResult,
            "A prompt with a style's words worked in, duplicates removed.",
            errors=(e.LoraNotFound,),
        ),
        Method(
            "preview",
            pi.PreviewParams,
            pi.PreviewResult,
            "A quick, small picture. The newest of a session wins.",
            "when done",
            (*_PICTURE, e.Superseded),
        ),
        Method(
            "generate",
            pi.GenerateParams,
            pi.GenerateResult,
            "Finished pictures, saved and entered into the history.",
            "when done",
            (*_PICTURE, e.StorageFault),
        ),
        Method(
            "enhance",
            f.EnhanceParams,
            pi.EnlargeResult,
            "A better picture of the same: redrawn a little, or sharpened without a GPU.",
            "when done",
            (*_PICTURE, *_ENLARGED, e.ImageTiny, e.ImageBlank, e.ImageBlurred),
        ),
        Method(
            "upscale",
            f.UpscaleParams,
            pi.EnlargeResult,
            "A picture two to four times as large, by super-resolution.",
            "when done",
            (*_WORK, *_ENLARGED, e.ImageUnreadable, e.ImageTooLarge, e.NumericalFault),
        ),
        Method("history_list", h.HistoryListParams, h.HistoryList, "Entries, newest first."),
        Method("history_get", h.HistoryIdParams, h.HistoryGetResult, "One entry.", errors=_ENTRY),
        Method(
            "history_pin",
            h.HistoryPinParams,
            h.HistoryGetResult,
            "Keep an entry for good, or no longer.",
            errors=_ENTRY,
        ),
        Method(
            "history_delete",
            h.HistoryIdParams,
            h.HistoryDeleteResult,
            "Delete an entry and its picture.",
            errors=_ENTRY,
        ),
        Method(
            "history_clear",
            h.HistoryClearParams,
            h.HistoryDeleteResult,
            "Delete all entries that are not pinned.",
            errors=(e.StorageFault,),
        ),
        Method(
            "history_rollback",
            h.RollbackParams,
            h.RollbackResult,
            "The stored picture, with model, LoRA stack and alphas put back. Nothing is computed.",
            errors=(*_ENTRY, e.ModelNotFound),
        ),
        Method(
            "repeat",
            h.RepeatParams,
            pi.GenerateResult,
            "Make another like it: generate again from an entry's parameters.",
            "when done",
            (*_PICTURE, *_ENTRY),
        ),
    )
}
