"""The one place where exceptions become error objects of the wire."""

from __future__ import annotations

import logging
from collections.abc import Collection
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sidecar.errors import Cancelled, InvalidParams, ParameterFault, SidecarError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

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


def invalid_params(exc: ValidationError, known: Collection[str] = ()) -> InvalidParams:
    """Every bad field with its path. `known`: the fields there are, for those that are misspelt."""
    return InvalidParams(*(_fault(error, known) for error in exc.errors(include_url=False)))


def nearest(name: str, known: Collection[str]) -> str | None:
    """The one that was probably meant."""
    from difflib import get_close_matches  # only here: nobody waits for it at the start

    return next(iter(get_close_matches(name, known, n=1, cutoff=0.7)), None)


def _fault(error: ErrorDetails, known: Collection[str]) -> ParameterFault:
    path = ".".join(map(str, error["loc"]))
    problem = error["type"]
    if problem == "value_error":
        return ParameterFault(path, error["msg"].removeprefix("Value error, "))
    meant = nearest(path, known) if problem == "extra_forbidden" else None
    if meant is not None:
        return ParameterFault(path, "meant", {"meant": meant})
    limits = {name: _plain(value) for name, value in error.get("ctx", {}).items()}
    return ParameterFault(path, problem, {"words": error["msg"], **limits})


def _plain(value: Any) -> Any:
    """2 rather than 2.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
