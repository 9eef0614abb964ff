"""initialize, ping, status, cancel, shutdown, exit."""

from __future__ import annotations

import os
import sys
from concurrent.futures import Future
from importlib import import_module
from importlib.util import find_spec
from typing import Any, get_args

from sidecar import __version__
from sidecar.protocol import PROTOCOL_VERSION
from sidecar.protocol.base import Empty, EmptyResult, SamplerName
from sidecar.protocol.events import NOTIFICATIONS
from sidecar.protocol.lifecycle import (
    CancelParams,
    CancelRequestParams,
    CancelResult,
    Capabilities,
    InitializeParams,
    InitializeResult,
    Limits,
    Paths,
    QueueReport,
    ServerInfo,
    StatusResult,
)
from sidecar.protocol.methods import METHODS
from sidecar.protocol.pictures import MAX_COUNT, MAX_SIDE, MAX_STEPS, MIN_SIDE
from sidecar.rpc.context import Call, Front
from sidecar.rpc.device import first_device
from sidecar.rpc.stack import stack_entries


def initialize(call: Call, params: InitializeParams) -> InitializeResult:
    front = call.front
    front.locale = params.locale
    return InitializeResult(
        server=ServerInfo(name="lora-sidecar", version=__version__),
        protocol_version=PROTOCOL_VERSION,
        capabilities=_capabilities(front),
        device=first_device(front.jobs.facts.warm),
        paths=_paths(front),
    )


def _capabilities(front: Front) -> Capabilities:
    settings = front.settings
    limits = Limits(
        max_message_bytes=settings.max_message_bytes,
        queue=settings.queue_limit,
        history=settings.history_keep,
        min_side=MIN_SIDE,
        max_side=MAX_SIDE,
        max_count=MAX_COUNT,
        max_steps=MAX_STEPS,
    )
    return Capabilities(
        methods=list(METHODS),
        notifications=list(NOTIFICATIONS),
        samplers=list(get_args(SamplerName)),
        engines=_engines(settings.engine),
        limits=limits,
    )


def _engines(kind: str) -> list[str]:
    """What can be done here: "diffusion" draws, "onnx" enlarges, enhances and checks."""
    if kind == "fake":
        return ["fake"]
    draws = kind == "diffusion" and find_spec("torch") is not None
    return ["diffusion", "onnx"] if draws else ["onnx"]


def _paths(front: Front) -> Paths:
    settings = front.settings
    return Paths(
        data=str(settings.data.root),
        images=str(settings.data.images),
        loras=[str(folder) for folder in settings.all_lora_folders],
        models=[str(folder) for folder in settings.all_model_folders],
    )


def ping(call: Call, params: Empty) -> EmptyResult:
    return EmptyResult()


def status(call: Call, params: Empty) -> StatusResult:
    front = call.front
    facts, state = front.jobs.facts, front.projection.current
    running, waiting = front.jobs.report()
    warm, loaded = facts.warm, facts.model
    pids = {"front": os.getpid()} | ({"engine": facts.pid} if facts.pid is not None else {})
    return StatusResult(
        engine=facts.state,
        queue=QueueReport(running=running, waiting=waiting),
        model=state.model.name if state.model else None,
        family=state.model.family if state.model else None,
        stack=stack_entries(front, state.loras),
        attention=warm.attention if warm else None,
        lora_mode="merged" if state.model else None,
        low_vram=list(loaded.low_vram) if loaded else [],
        versions={
            "sidecar": __version__,
            "python": sys.version.partition(" ")[0],
            **facts.versions,
        },
        engine_restarts=facts.restarts,
        pids=pids,
    )


def cancel(call: Call, params: CancelParams) -> CancelResult:
    return CancelResult(cancelled=call.front.jobs.cancel(params.job_id))


def cancel_request(call: Call, params: CancelRequestParams) -> None:
    call.front.jobs.cancel_request(params.id)


def shutdown(call: Call, params: Empty) -> Future[None]:
    call.front.shutting_down = True
    return call.front.jobs.close(call.front.settings.cancel_deadline)


def exit_now(call: Call, params: Empty) -> None:
    call.front.end()


def discover(call: Call, params: Empty) -> dict[str, Any]:
    """Its module is imported when asked for: the schemas of all types take a while to build."""
    return import_module("sidecar.protocol.openrpc").document()
