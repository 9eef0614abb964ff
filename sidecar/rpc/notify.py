"""Notifications onto the wire; those that only tell the newest state may replace each other."""

from __future__ import annotations

import logging

from sidecar.protocol.base import Result
from sidecar.protocol.events import LogEvent
from sidecar.protocol.pictures import PictureEvent, ProgressEvent
from sidecar.rpc.encode import notification
from sidecar.rpc.outbox import Outbox


class Notifier:
    """Thread-safe."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def __call__(self, name: str, params: Result) -> None:
        body = notification(name, params)
        if name in ("progress", "preview_frame") and isinstance(
            params, ProgressEvent | PictureEvent
        ):
            self._outbox.send_latest(body, (name, params.job_id))
        elif name == "vram":
            self._outbox.send_latest(body, name)
        elif name == "log":
            self._outbox.send_if_room(body)
        else:
            self._outbox.send(body)


class LogToWire(logging.Handler):
    """Warnings and worse as `log` notifications, without tracebacks."""

    def __init__(self, notifier: Notifier) -> None:
        super().__init__(logging.WARNING)
        self._notifier = notifier

    def emit(self, record: logging.LogRecord) -> None:
        level, message = record.levelname.lower(), record.getMessage()
        self._notifier("log", LogEvent(level=level, logger=record.name, message=message))
