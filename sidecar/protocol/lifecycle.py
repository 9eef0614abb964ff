"""Life cycle: initialize, status, cancel, and what the engine is doing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sidecar.protocol.base import Params, Result
from sidecar.protocol.lora import StackEntry
from sidecar.protocol.models import DeviceMemory
from sidecar.protocol.names import Locale

EngineState = Literal["cold", "starting", "loading", "ready", "busy", "crashed"]


class ClientInfo(Params):
    name: str
    version: str | None = None


class InitializeParams(Params):
    client: ClientInfo | None = Field(None, description="for the log")
    locale: Locale = Field("en", description="language of messages and hints")
    protocol_version: int | None = Field(None, description="the version the client was made for")


class ServerInfo(Result):
    name: str
    version: str


class Limits(Result):
    """What is accepted; sizes in bytes and pixels."""

    max_message_bytes: int
    queue: int
    history: int
    min_side: int
    max_side: int
    max_count: int
    max_steps: int


class Capabilities(Result):
    methods: list[str]
    notifications: list[str]
    samplers: list[str]
    engines: list[str] = Field(description="diffusion draws; onnx enlarges, enhances and checks")
    limits: Limits


class Paths(Result):
    """Folders in use; LoRA and model folders in the order in which names are looked up."""

    data: str
    images: str
    loras: list[str]
    models: list[str]


class InitializeResult(Result):
    server: ServerInfo
    protocol_version: int
    capabilities: Capabilities
    device: DeviceMemory
    paths: Paths


class QueueReport(Result):
    running: str | None = Field(description="job_id")
    waiting: list[str] = Field(description="job_ids, next first")


class StatusResult(Result):
    engine: EngineState
    queue: QueueReport
    model: str | None
    family: str | None
    stack: list[StackEntry]
    attention: str | None = Field(description='"xformers" or "sdpa"; null: no engine yet')
    lora_mode: Literal["merged", "unmerged"] | None
    low_vram: list[str] = Field(description="measures that are on")
    versions: dict[str, str]
    engine_restarts: int
    pids: dict[str, int] = Field(description="of front and engine")


class CancelParams(Params):
    job_id: str = Field(description="from a progress notification or status")


class CancelResult(Result):
    cancelled: bool = Field(description="false when the job was no longer there")


class CancelRequestParams(Params):
    """LSP's `$/cancelRequest`."""

    id: int | str
