"""From message bodies to handlers and back to answers; JSON-RPC 2.0 to the letter.

`jsonrpcserver` routes each single request; the message is parsed and checked here already, and
exceptions are turned into error objects before it sees them. A handler that returns a Future is
answered when that is done; the members of a batch are answered together when all are.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from inspect import Parameter, Signature
from typing import Any, cast

from jsonrpcserver import Error, Success, dispatch_to_response
from pydantic import ValidationError

from sidecar.errors import InvalidRequest, MethodNotFound, ShuttingDown, SidecarError
from sidecar.protocol.base import Params
from sidecar.protocol.methods import METHODS
from sidecar.rpc.context import Call, Front, Handler
from sidecar.rpc.encode import answer, failure, parse
from sidecar.rpc.faults import bad_params, error_object, invalid_params

Send = Callable[[bytes], None]
Json = dict[str, Any]

AFTER_SHUTDOWN = frozenset({"exit"})
_SIGNATURE = Signature(
    [
        Parameter("call", Parameter.POSITIONAL_ONLY),
        Parameter("params", Parameter.VAR_KEYWORD),
    ]
)


class Routine:
    """One method as jsonrpcserver calls it: validates, runs the handler, catches its errors."""

    __signature__ = _SIGNATURE

    def __init__(self, name: str, params: type[Params], handler: Handler) -> None:
        self._name = name
        self._params = params
        self._handler = handler

    def __call__(self, call: Call, /, **params: Any) -> Any:
        try:
            if call.positional:
                raise bad_params([{"path": "", "message": "params must be an object"}])
            if call.front.shutting_down and self._name not in AFTER_SHUTDOWN:
                raise ShuttingDown()
            return Success(self._handler(call, self._checked(params)))
        except Exception as exc:
            return _failed(exc, call.front.locale)

    def _checked(self, params: Json) -> Params:
        try:
            return self._params.model_validate(params)
        except ValidationError as exc:
            raise invalid_params(exc) from exc


class Routines(dict[str, Callable[..., Any]]):
    """The methods by name; unknown names lead to a routine that says so."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        super().__init__(
            {name: Routine(name, METHODS[name].params, h) for name, h in handlers.items()}
        )

    def __missing__(self, name: str) -> Callable[..., Any]:
        return partial(_unknown, name)


def _unknown(name: str, call: Call, /, **params: Any) -> Any:
    return _failed(MethodNotFound(method=name), call.front.locale)


def _failed(exc: BaseException, locale: str) -> Any:
    error = error_object(exc, locale)
    return Error(error["code"], error["message"], error["data"])


class Dispatcher:
    """Takes message bodies; answers go to `send`, now or later and from any thread."""

    def __init__(self, front: Front, handlers: Mapping[str, Handler], send: Send) -> None:
        self._front = front
        self._routines = Routines(handlers)
        self._send = send
        self._open: set[Any] = set()
        self._lock = threading.Lock()

    def receive(self, body: bytes) -> None:
        """One message: a request, a notification or a batch."""
        try:
            message = parse(body)
        except SidecarError as exc:
            self.fault(exc)
            return
        if isinstance(message, list) and message:
            self._batch(cast("list[Any]", message))
        else:
            self._single(message, self._send)

    def fault(self, error: SidecarError) -> None:
        """Answer something that was not a message."""
        self._send(failure(None, error.to_wire(self._front.locale)))

    def _batch(self, messages: list[Any]) -> None:
        batch = Batch(len(messages), self._send)
        for message in messages:
            slot = batch.slot()
            if not self._single(message, slot):
                slot(b"")

    def _single(self, message: Any, send: Send) -> bool:
        """Whether there is or will be an answer."""
        try:
            self._check(message)
        except InvalidRequest as exc:
            send(failure(_id_to_answer(message, exc), exc.to_wire(self._front.locale)))
            return True
        request_id = message.get("id")
        params = message.get("params")
        call = Call(self._front, request_id, isinstance(params, list))
        response = dispatch_to_response(
            {**message, "params": params} if isinstance(params, dict) else _bare(message),
            self._routines,
            context=call,
            deserializer=_same,
            validator=_no_check,
        )
        if response is None:
            return False
        self._respond(request_id, response, send)
        return True

    def _check(self, message: Any) -> None:
        if not isinstance(message, dict):
            raise InvalidRequest(reason="it is not an object")
        request = cast("Json", message)
        if request.get("jsonrpc") != "2.0":
            raise InvalidRequest(reason="jsonrpc is not “2.0”")
        if not isinstance(request.get("method"), str):
            raise InvalidRequest(reason="method is not a string")
        if not isinstance(request.get("params"), dict | list | None):
            raise InvalidRequest(reason="params is not an object")
        if "id" in request:
            self._check_id(request["id"])

    def _check_id(self, request_id: Any) -> None:
        if not _is_id(request_id):
            raise InvalidRequest(reason="id is not a string, a number or null")
        if request_id is not None and request_id in self._open:
            raise DuplicateId(reason=f"id {request_id!r} is that of a request in work")

    def _respond(self, request_id: Any, response: Any, send: Send) -> None:
        value = response._value if hasattr(response, "_value") else None
        if value is None:
            error = response._error
            send(failure(request_id, _object_of(error)))
        elif isinstance(value.result, Future):
            self._answer_later(request_id, cast("Future[Any]", value.result), send)
        else:
            send(answer(request_id, value.result))

    def _answer_later(self, request_id: Any, future: Future[Any], send: Send) -> None:
        with self._lock:
            self._open.add(request_id)

        def done(finished: Future[Any]) -> None:
            with self._lock:
                self._open.discard(request_id)
            exc = finished.exception()
            if exc is None:
                send(answer(request_id, finished.result()))
            else:
                send(failure(request_id, error_object(exc, self._front.locale)))

        future.add_done_callback(done)


class Batch:
    """Collects the answers of a batch; they leave as one array, in the order of the requests."""

    def __init__(self, size: int, send: Send) -> None:
        self._answers: list[bytes] = []
        self._missing = size
        self._send = send
        self._lock = threading.Lock()

    def slot(self) -> Send:
        """Where one member's answer goes; empty bytes for a notification."""
        with self._lock:
            index = len(self._answers)
            self._answers.append(b"")
        return partial(self._fill, index)

    def _fill(self, index: int, reply: bytes) -> None:
        with self._lock:
            self._answers[index] = reply
            self._missing -= 1
            complete = self._missing == 0
        if complete and any(self._answers):
            self._send(b"[" + b",".join(filter(None, self._answers)) + b"]")


class DuplicateId(InvalidRequest):
    """Answered with id null: an answer with that id would be taken for the other request's."""

    kind = "invalid_request"


def _is_id(value: Any) -> bool:
    if value is None or isinstance(value, str):
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _id_to_answer(message: Any, exc: InvalidRequest) -> Any:
    """The id where it can be made out, else null."""
    if not isinstance(message, dict) or isinstance(exc, DuplicateId):
        return None
    request_id = cast("Json", message).get("id")
    return request_id if _is_id(request_id) else None


def _bare(message: Json) -> Json:
    """Without positional parameters: the routine refuses them."""
    return {**message, "params": {}}


def _object_of(error: Any) -> Json:
    return {"code": error.code, "message": error.message, "data": error.data}


def _same(message: Any) -> Any:
    return message


def _no_check(message: Any) -> None:
    """The message has been checked already."""
