"""A method with its handler: parameters checked, result or SidecarError."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from sidecar.errors import InvalidParams, ParameterFault, ShuttingDown
from sidecar.protocol.methods import METHODS, Method
from sidecar.rpc.context import Call, Handler
from sidecar.rpc.faults import invalid_params

HANDLERS_PACKAGE = "sidecar.rpc.handlers"
AFTER_SHUTDOWN = frozenset({"exit"})


class Routine:
    """Callable with a call and the parameters by name."""

    __slots__ = ("_handler", "_name", "_params", "_where", "at_once")

    def __init__(self, method: Method, where: str) -> None:
        self.at_once = method.answer != "when done"
        self._name = method.name
        self._params = method.params
        self._where = where
        self._handler: Handler | None = None

    def __call__(self, call: Call, params: Mapping[str, Any]) -> Any:
        """The handler's result, which may be a Future. Raises SidecarError."""
        if call.positional:
            raise InvalidParams(ParameterFault("", "not_an_object"))
        if call.front.shutting_down and self._name not in AFTER_SHUTDOWN:
            raise ShuttingDown()
        try:
            checked = self._params.model_validate(params)
        except ValidationError as exc:
            raise invalid_params(exc, self._params.model_fields) from exc
        return (self._handler or self.load())(call, checked)

    def load(self) -> Handler:
        """Import the handler, at its first call or before."""
        module, _, function = self._where.partition(".")
        handler: Handler = getattr(import_module(f"{HANDLERS_PACKAGE}.{module}"), function)
        self._handler = handler
        return handler


def routines(handlers: Mapping[str, str]) -> dict[str, Routine]:
    return {name: Routine(METHODS[name], where) for name, where in handlers.items()}
