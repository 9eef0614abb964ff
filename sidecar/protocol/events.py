"""Notifications that are not tied to one method, and the table of all of them."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.protocol.base import Result
from sidecar.protocol.history import HistoryChanged
from sidecar.protocol.library import LorasChanged
from sidecar.protocol.lifecycle import EngineState, ServerInfo
from sidecar.protocol.lora import StackEntry
from sidecar.protocol.memory import VramReport
from sidecar.protocol.pictures import PictureEvent, ProgressEvent


class Ready(Result):
    """The first thing on the wire, before any heavy import."""

    server: ServerInfo
    protocol_version: int
    pid: int


class EngineStateEvent(Result):
    state: EngineState
    detail: str | None = None


class ModelLoadEvent(Result):
    model: str
    stage: str
    percent: float


class LoraLoaded(Result):
    stack: list[StackEntry]
    cached: bool


class Warned(Result):
    kind: str
    message: str
    hint: str


class LogEvent(Result):
    level: str
    logger: str
    message: str


@dataclass(frozen=True)
class Notification:
    name: str
    params: type[Result]
    summary: str


NOTIFICATIONS: dict[str, Notification] = {
    n.name: n
    for n in (
        Notification("ready", Ready, "The sidecar listens. The first message of a session."),
        Notification("engine_state", EngineStateEvent, "The engine changed its state."),
        Notification("model_load", ModelLoadEvent, "A model is being loaded."),
        Notification("lora_loaded", LoraLoaded, "A switch took effect."),
        Notification("loras_changed", LorasChanged, "Files of the LoRA folders came or went."),
        Notification("progress", ProgressEvent, "How far a request is."),
        Notification("thumbnail", PictureEvent, "The first small look at a picture in work."),
        Notification("preview_frame", PictureEvent, "A later look at a picture in work."),
        Notification("vram", VramReport, "Memory in use changed by over 5%."),
        Notification("history_changed", HistoryChanged, "Entries came or went."),
        Notification("warning", Warned, "Something a person should know; work goes on."),
        Notification("log", LogEvent, "A log line of level warning or above."),
    )
}
