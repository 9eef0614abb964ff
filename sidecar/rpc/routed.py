"""Requests that go through the queue, routed by jsonrpcserver.

Look-ups do not come this way: routing one costs 30 microseconds, which is more than all the rest
of a ping, and importing jsonrpcserver (with jsonschema and asyncio) costs more than the whole
handshake. So this module is imported in the background once the client has had its first answer.
See docs/decisions/0003-look-ups-take-the-short-way.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from jsonrpcserver import Error, Success, dispatch_to_response

from sidecar.errors import MethodNotFound
from sidecar.protocol.methods import METHODS
from sidecar.rpc.context import Call
from sidecar.rpc.faults import Failure, failure_of, nearest
from sidecar.rpc.routines import Routine

Json = dict[str, Any]


class Router:
    """One per session; has its own table of methods, never jsonrpcserver's global one."""

    def __init__(self, table: Mapping[str, Routine]) -> None:
        self._methods = _Methods({name: partial(_run, r) for name, r in table.items()})

    def __call__(self, message: Json, call: Call) -> Any:
        """The result, or a Failure; None for a notification. The message is checked already."""
        response: Any = dispatch_to_response(
            cast("str", message),
            self._methods,
            context=call,
            deserializer=_same,
            validator=_same,
        )
        if response is None:
            return None
        if hasattr(response, "_error"):
            error = response._error
            return Failure(error.code, error.message, error.data)
        return response._value.result


class _Methods(dict[str, Callable[..., Any]]):
    """Unknown names lead to a method that says so."""

    def __missing__(self, name: str) -> Callable[..., Any]:
        return partial(_unknown, name)


def _run(routine: Routine, call: Call, /, **params: Any) -> Any:
    try:
        return Success(routine(call, params))
    except Exception as exc:  # before jsonrpcserver puts its text on the wire
        return _failed(failure_of(exc, call.front.locale))


def _unknown(name: str, call: Call, /, **params: Any) -> Any:
    meant = nearest(name, METHODS)
    error = MethodNotFound(method=name, **({} if meant is None else {"meant": meant}))
    return _failed(failure_of(error, call.front.locale))


def _failed(failure: Failure) -> Any:
    return Error(failure.code, failure.message, failure.data)


def _same(message: Any) -> Any:
    return message
