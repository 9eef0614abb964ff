"""The one place where exceptions become error objects of the wire."""

from __future__ import annotations

import logging
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from sidecar.errors import Cancelled, InvalidParams, SidecarError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """A JSON-RPC error object."""

    code: int
    message: str
    data: dict[str, Any]


def failure_of(exc: BaseException, locale: str) -> Failure:
    """What the caller is told. An unexpected exception is told in the log, with its traceback."""
    if isinstance(exc, CancelledError):
        exc = Cancelled()
    if not isinstance(exc, SidecarError):
        log.error("a request failed unexpectedly", exc_info=exc)
        exc = SidecarError()
    return Failure(**exc.to_wire(locale))


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
