"""The one place where exceptions become error objects of the wire."""

from __future__ import annotations

import logging
from concurrent.futures import CancelledError
from typing import Any

from pydantic import ValidationError

from sidecar.errors import Cancelled, InvalidParams, SidecarError

log = logging.getLogger(__name__)


def error_object(exc: BaseException, locale: str) -> dict[str, Any]:
    """What the caller is told. An unexpected exception is told in the log, with its traceback."""
    if isinstance(exc, SidecarError):
        return exc.to_wire(locale)
    if isinstance(exc, CancelledError):
        return Cancelled().to_wire(locale)
    log.error("a request failed unexpectedly", exc_info=exc)
    return SidecarError().to_wire(locale)


def invalid_params(exc: ValidationError) -> InvalidParams:
    """Every bad field with its path."""
    errors = [
        {"path": ".".join(map(str, e["loc"])), "message": e["msg"].removeprefix("Value error, ")}
        for e in exc.errors(include_url=False, include_context=False, include_input=False)
    ]
    return bad_params(errors)


def bad_params(errors: list[dict[str, str]]) -> InvalidParams:
    first = errors[0]
    path = first["path"]
    summary = f"{path}: {first['message']}" if path else first["message"]
    return InvalidParams(errors=errors, summary=summary)
