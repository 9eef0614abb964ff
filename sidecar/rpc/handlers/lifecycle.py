"""initialize, ping, status, cancel, shutdown, exit."""

from __future__ import annotations

import os
import sys
from concurrent.futures import Future
from importlib import import_module
from typing import Any

from sidecar import __version__
from sidecar.protocol.base import Empty, EmptyResult
from sidecar.protocol.lifecycle import (
    CancelParams,
    CancelRequestParams,
    CancelResult,
    InitializeParams,
    QueueReport,
    StatusResult,
)
from sidecar.rpc.context import Call
from sidecar.rpc.handshake import introduction
from sidecar.rpc.stack import stack_entries


def initialize(call: Call, params: InitializeParams) -> dict[str, Any]:
    front = call.front
    front.locale = params.locale
    return introduction(front.settings, front.jobs.facts.warm)


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
