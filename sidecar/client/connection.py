"""JSON-RPC over the child's pipes: requests become futures, notifications become calls."""

from __future__ import annotations

import itertools
import json
import logging
import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, cast

from sidecar.client.faults import AnswerTimeout, SidecarGone, error_of
from sidecar.client.process import ChildProcess

log = logging.getLogger(__name__)

EXIT_SECONDS = 2.0

Message = dict[str, Any]
Listener = Callable[[str, Message], None]
"""Takes the name of a notification and its parameters."""

_Event = tuple[str, Message]


class Reply(Future[Any]):
    """The answer to one request, to be waited for. It ends with a result or an exception."""

    def __init__(self, connection: Connection, request_id: int, method: str) -> None:
        super().__init__()
        self.request_id = request_id
        self.method = method
        self._connection = connection
        self._events: queue.SimpleQueue[_Event | None] = queue.SimpleQueue()
        self.add_done_callback(lambda _: self._events.put(None))
        self.set_running_or_notify_cancel()

    def cancel(self) -> bool:
        """Ask the sidecar to cancel; the answer then is `Cancelled`, unless it was done before."""
        if self.done():
            return False
        self._connection.notify("$/cancelRequest", {"id": self.request_id})
        return True

    def wait(self, seconds: float, listener: Listener | None = None) -> Any:
        """The result. `listener` is called in this thread for each notification of this request.

        Raises the sidecar's error, SidecarGone, or AnswerTimeout after `seconds` without news.
        When anything is raised here, also by the listener, the request is cancelled.
        """
        try:
            while (event := self._next_event(seconds)) is not None:
                if listener is not None:
                    listener(*event)
        except BaseException:
            self.cancel()
            raise
        return self.result(0)

    def heard(self, event: _Event) -> None:
        self._events.put(event)

    def _next_event(self, seconds: float) -> _Event | None:
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            raise AnswerTimeout(self.method, seconds) from None


class Connection:
    """Thread-safe. Listeners added by `on` are called one after the other on a thread of ours."""

    def __init__(self, process: ChildProcess) -> None:
        self._process = process
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._pending: dict[int, Reply] = {}
        self._listeners: dict[str, list[Callable[[Message], None]]] = {}
        self._notifications: queue.SimpleQueue[_Event | None] = queue.SimpleQueue()
        self._gone: SidecarGone | None = None
        for target in (self._read, self._deliver):
            threading.Thread(target=target, name="sidecar-client", daemon=True).start()

    def submit(self, method: str, params: Mapping[str, Any]) -> Reply:
        """Send a request. The reply fails at once when the sidecar is gone."""
        reply = Reply(self, next(self._ids), method)
        with self._lock:
            gone = self._gone
            if gone is None:
                self._pending[reply.request_id] = reply
        if gone is not None:
            reply.set_exception(SidecarGone(gone.exit_code, gone.log))
            return reply
        self._send({"id": reply.request_id, "method": method, "params": dict(params)})
        return reply

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        self._send({"method": method, "params": dict(params)})

    def on(self, name: str, callback: Callable[[Message], None]) -> Callable[[], None]:
        """Call `callback` with the parameters of each such notification; returns how to stop."""
        with self._lock:
            self._listeners.setdefault(name, []).append(callback)

        def remove() -> None:
            with self._lock:
                if callback in self._listeners[name]:
                    self._listeners[name].remove(callback)

        return remove

    def _send(self, message: Message) -> None:
        text = json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":"), allow_nan=False)
        self._process.send(text.encode() + b"\n")

    # ------------------------------------------------------------------ threads of ours

    def _read(self) -> None:
        try:
            for line in self._process.lines():
                self._take(line)
        finally:
            self._fail_all()
            self._notifications.put(None)

    def _take(self, line: bytes) -> None:
        message = _parsed(line)
        if message is None:
            return
        if "method" in message:
            self._notified(str(message["method"]), message.get("params"))
        else:
            self._answered(message)

    def _answered(self, message: Message) -> None:
        with self._lock:
            reply = self._pending.pop(cast("int", message.get("id")), None)
        if reply is None:
            log.warning("an answer to no request of ours: %s", message)
        elif isinstance(message.get("error"), dict):
            reply.set_exception(error_of(message["error"]))
        else:
            reply.set_result(message.get("result"))

    def _notified(self, name: str, params: Any) -> None:
        event = (name, cast("Message", params) if isinstance(params, dict) else {})
        with self._lock:
            reply = self._pending.get(event[1].get("request_id", 0))
        if reply is not None:
            reply.heard(event)
        self._notifications.put(event)

    def _fail_all(self) -> None:
        exit_code = self._process.wait(EXIT_SECONDS)
        gone = SidecarGone(exit_code, self._process.last_log_lines())
        with self._lock:
            self._gone = gone
            pending, self._pending = self._pending, {}
        for reply in pending.values():
            reply.set_exception(SidecarGone(gone.exit_code, gone.log))

    def _deliver(self) -> None:
        while (event := self._notifications.get()) is not None:
            name, params = event
            with self._lock:
                callbacks = list(self._listeners.get(name, ()))
            for callback in callbacks:
                try:
                    callback(params)
                except Exception:
                    log.exception("a listener for %s failed", name)


def _parsed(line: bytes) -> Message | None:
    if not line.strip():
        return None
    try:
        message = json.loads(line)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        log.warning("not a message of the sidecar: %.200r", line)
        return None
    return cast("Message", message)
