"""From message bodies to handlers and back to answers; JSON-RPC 2.0 to the letter.

A handler that returns a Future is answered when that is done; the members of a batch are answered
together when all are. Look-ups are called directly, what goes through the queue is routed by
jsonrpcserver (`sidecar.rpc.routed`).
"""

from __future__ import annotations

import gc
import math
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from importlib import import_module
from typing import Any, cast

from sidecar.errors import InvalidRequest, SidecarError
from sidecar.rpc.context import Call, Front
from sidecar.rpc.encode import answer, failure, parse
from sidecar.rpc.faults import Failure, failure_of
from sidecar.rpc.room import Room
from sidecar.rpc.routines import routines

Send = Callable[[bytes], None]
Json = dict[str, Any]

ROUTER = "sidecar.rpc.routed"


class Dispatcher:
    """Takes message bodies; answers go to `send`, now or later and from any thread."""

    def __init__(self, front: Front, handlers: Mapping[str, str], send: Send) -> None:
        self._front = front
        self._routines = routines(handlers)
        self._router: Callable[[Json, Call], Any] | None = None
        self._send = send
        self._open: set[Any] = set()
        self._lock = threading.Lock()
        self._unanswered = 0
        self._all_answered = threading.Condition(self._lock)

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
            self._single(message, self._send, Room())

    def fault(self, error: SidecarError) -> None:
        """Answer something that was not a message."""
        self._respond(None, failure_of(error, self._front.locale), self._send)

    def warm_up(self, then: Callable[[], None]) -> None:
        """Import what the handshake did not need, in the background."""
        threading.Thread(target=self._import_all, args=(then,), name="imports", daemon=True).start()

    def _import_all(self, then: Callable[[], None]) -> None:
        for routine in self._routines.values():
            routine.load()
        import_module(ROUTER)
        gc.freeze()  # what is there now stays
        gc.enable()
        then()

    def answered(self, seconds: float) -> bool:
        """Waits until every request has its answer; False when that takes longer."""
        with self._all_answered:
            return self._all_answered.wait_for(lambda: self._unanswered == 0, seconds)

    # ----------------------------------------------------------------- requests

    def _batch(self, messages: list[Any]) -> None:
        batch, room = Batch(len(messages), self._send), Room()
        for message in messages:
            slot = batch.slot()
            if not self._single(message, slot, room):
                slot(b"")

    def _single(self, message: Any, send: Send, room: Room) -> bool:
        """Whether there is or will be an answer."""
        locale = self._front.locale
        try:
            self._check(message)
        except InvalidRequest as exc:
            self._respond(self._id_to_answer(message), failure_of(exc, locale), send)
            return True
        params = message.get("params")
        positional = isinstance(params, list)
        request_id = message.get("id")
        call = Call(self._front, request_id, positional, room)
        routine = self._routines.get(message["method"])
        if routine is not None and routine.at_once:
            try:
                outcome = routine(call, {} if positional else params or {})
            except Exception as exc:
                outcome = failure_of(exc, locale)
        else:
            outcome = self._routed(message, call)
        if "id" not in message:
            return False
        self._respond(request_id, outcome, send)
        return True

    def _routed(self, message: Json, call: Call) -> Any:
        router = self._router
        if router is None:
            router = self._router = import_module(ROUTER).Router(self._routines)
        params = message.get("params")
        return router({**message, "params": params if isinstance(params, dict) else {}}, call)

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
            raise InvalidRequest(reason=f"id {request_id!r} is that of a request in work")

    def _id_to_answer(self, message: Any) -> Any:
        """The id where it can be made out and is free, else null."""
        if not isinstance(message, dict):
            return None
        request_id = cast("Json", message).get("id")
        return request_id if _is_id(request_id) and request_id not in self._open else None

    # ----------------------------------------------------------------- answers

    def _respond(self, request_id: Any, outcome: Any, send: Send) -> None:
        if isinstance(outcome, Future):
            self._answer_later(request_id, cast("Future[Any]", outcome), send)
        elif isinstance(outcome, Failure):
            send(failure(request_id, vars(outcome)))
        else:
            send(answer(request_id, outcome))

    def _answer_later(self, request_id: Any, future: Future[Any], send: Send) -> None:
        with self._lock:
            self._open.add(request_id)
            self._unanswered += 1

        def done(finished: Future[Any]) -> None:
            with self._lock:
                self._open.discard(request_id)
            exc = finished.exception()
            outcome = failure_of(exc, self._front.locale) if exc else finished.result()
            try:
                self._respond(request_id, outcome, send)
            finally:
                with self._all_answered:
                    self._unanswered -= 1
                    self._all_answered.notify_all()

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


def _is_id(value: Any) -> bool:
    if value is None or isinstance(value, str):
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)
