"""list_loras, switch_lora, set_alpha."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from sidecar.catalog.loras import LARGE_BYTES
from sidecar.engine.contract import LoraSpec
from sidecar.errors import InvalidParams, LoraNotFound, ParameterFault
from sidecar.jobs.job import Job
from sidecar.jobs.projection import Projected
from sidecar.protocol.lora import (
    ListLorasParams,
    LoraCard,
    LoraList,
    SetAlphaParams,
    SetAlphaResult,
    SwitchLoraParams,
    SwitchLoraResult,
)
from sidecar.rpc.context import Call, Front
from sidecar.rpc.guard import Clearance
from sidecar.rpc.handlers.models import submit_trial
from sidecar.rpc.images import small_picture
from sidecar.rpc.specs import lora_specs
from sidecar.rpc.stack import stack_entries
from sidecar.rpc.state_work import SwitchWork
from sidecar.rpc.styles import model_for, settled


def list_loras(call: Call, params: ListLorasParams) -> LoraList:
    cards = call.front.loras.cards()
    return LoraList(loras=[_with_picture(card) for card in cards] if params.previews else cards)


def _with_picture(card: LoraCard) -> LoraCard:
    url = small_picture(card.preview) if card.preview is not None else None
    return card if url is None else card.model_copy(update={"preview_url": url})


def switch_lora(call: Call, params: SwitchLoraParams) -> Future[Any] | SwitchLoraResult:
    front = call.front
    given = lora_specs(front, params.refs())
    loras = settled(front, given, params.allow_conflict)
    cards = [front.loras.find(spec.name).card for spec in loras]
    gate = front.guard.clear(loras, params.allow_suspicious)
    _warn_of_large(front, cards)

    def change(state: Projected) -> Projected:
        return replace(state, loras=loras, asked=_asked(given, loras))

    model = front.projection.current.model
    if model is None:
        return _noted(front, change, gate, lambda: _receipt_without_model(front, loras, cards))
    model = model_for(front, model, loras)
    work = SwitchWork(front, model, loras)
    job = Job("switch_lora", model, work, call.request_id, gate=gate)
    return submit_trial(front, job, change)


def _asked(
    given: tuple[LoraSpec, ...], used: tuple[LoraSpec, ...], allowed: bool = False
) -> tuple[tuple[str, float], ...]:
    """What to remember: the strengths as given, once a conflict was `allowed` for this stack."""
    if given == used and not allowed:
        return ()
    return tuple((lora.name, lora.alpha) for lora in given)


def _noted(
    front: Front,
    change: Callable[[Projected], Projected],
    gate: Clearance | None,
    receipt: Callable[[], SwitchLoraResult],
) -> Future[Any] | SwitchLoraResult:
    """Without a model there is nothing for the engine to do; the files are scanned all the same."""
    if gate is None:
        front.projection.adjust(change)
        return receipt()
    trial = front.projection.attempt(change).trial
    answer: Future[Any] = Future()

    def scanned(done: Clearance) -> None:
        error = done.exception()
        front.projection.settle(trial, failed=error is not None)
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(receipt())

    gate.add_done_callback(scanned)
    return answer


def _warn_of_large(front: Front, cards: list[LoraCard]) -> None:
    for card in cards:
        if card.bytes > LARGE_BYTES:
            front.warn("lora_large", {"name": card.name, "megabytes": card.bytes // 1_000_000})


def _receipt_without_model(
    front: Front, loras: tuple[LoraSpec, ...], cards: list[LoraCard]
) -> SwitchLoraResult:
    """The stack is noted for the model to come; nothing can be matched yet."""
    return SwitchLoraResult(
        stack=stack_entries(front, loras),
        family=None,
        rank=max((card.rank for card in cards if card.rank is not None), default=None),
        matched_keys=0,
        total_keys=0,
        unsupported=[],
        relative_delta=0.0,
        relative_delta_by_block={},
        cached=False,
        load_ms=0.0,
        merge_ms=0.0,
        bytes=sum(card.bytes for card in cards),
    )


def set_alpha(call: Call, params: SetAlphaParams) -> SetAlphaResult:
    """Nothing is computed now: the next picture carries the new strength."""
    front = call.front
    name = _meant(front, params)

    def change(state: Projected) -> Projected:
        asked = dict(state.asked) | {name: params.alpha}
        given = tuple(replace(lora, alpha=asked.get(lora.name, lora.alpha)) for lora in state.loras)
        loras = settled(front, given, params.allow_conflict or bool(state.asked))
        return replace(state, loras=loras, asked=_asked(given, loras, bool(state.asked)))

    state = front.projection.adjust(change)
    return SetAlphaResult(stack=stack_entries(front, state.loras), merge_ms=0.0, deferred=True)


def _meant(front: Front, params: SetAlphaParams) -> str:
    names = [lora.name for lora in front.projection.current.loras]
    if params.name in names:
        return params.name
    if params.name is None and len(names) == 1:
        return names[0]
    if params.name is None and names:
        raise InvalidParams(ParameterFault("name", "which", {"names": ", ".join(names)}))
    raise LoraNotFound(name=params.name or "", available=names, sought="stack")
