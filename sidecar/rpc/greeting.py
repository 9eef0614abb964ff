"""The first bytes of a session, read while the rest of the sidecar is still being imported.

An app shows its window once `initialize` is answered, and the answer needs next to nothing. So a
thread of its own reads first, and answers a plain `initialize` by itself. Whatever else it reads,
an `initialize` that is out of the ordinary, and one that comes so late that the session is there
and may know more, it leaves to the session, untouched.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable
from typing import Any, cast

from sidecar.rpc.framing import Framed, FrameParser, Framing
from sidecar.rpc.handshake import introduction
from sidecar.rpc.outbox import Outbox
from sidecar.rpc.stdio import Wire
from sidecar.settings import Settings
from sidecar.texts import DEFAULT_LOCALE, LOCALES

READ_BYTES = 1 << 16
MAX_ID = 2**53
"""Above, languages differ about what a JSON number is."""

Json = dict[str, Any]

log = logging.getLogger(__name__)


class Greeting:
    """Holds both ends of the wire and hands them on to the session.

    `ready`: the body that was sent before anything was imported; said again to a client that
    turns out to speak with headers. `on_broken`: called when nobody reads any more.
    """

    def __init__(self, settings: Settings, wire: Wire, ready: bytes) -> None:
        self.wire = wire
        self.parser = FrameParser(settings.max_message_bytes)
        self.on_broken: Callable[[], None] = lambda: os._exit(0)
        self.outbox = Outbox(wire.write_fd, lambda: self.on_broken())
        self.locale = DEFAULT_LOCALE
        self._settings = settings
        self._ready = ready
        self._left: list[Framed] = []
        self._ended = False
        self._awaited = False
        self._thread = threading.Thread(target=self._run, name="greeting", daemon=True)

    def start(self) -> None:
        """Wait for the first bytes, on a thread."""
        self._thread.start()

    def left(self) -> tuple[list[Framed], bool]:
        """Waits for the first bytes; the messages in them that are not answered yet, and whether
        the stream ended with them. From now on none is answered here, but the one in hand."""
        self._awaited = True
        self._thread.join()
        return self._left, self._ended

    def read(self) -> list[Framed] | None:
        """The messages in the bytes that come next; None at the end of the stream."""
        try:
            data = os.read(self.wire.read_fd, READ_BYTES)
        except OSError as exc:
            log.info("stdin cannot be read any more: %s", exc)
            return None
        if not data:
            return None
        items = self.parser.feed(data)
        if self.outbox.framing is not self.parser.framing:
            self.outbox.framing = self.parser.framing
            if self.parser.framing is Framing.HEADERS:
                self.outbox.send(self._ready)
        return items

    def _run(self) -> None:
        items = self.read()
        if items is None:
            self._left, self._ended = self.parser.end(), True
            return
        self._left = items
        first = None if self._awaited or not items else items[0]
        if isinstance(first, bytes) and self._answered(first):
            self._left = items[1:]

    def _answered(self, body: bytes) -> bool:
        """Whether the message was a plain `initialize`, and is answered now."""
        request = _request(body)
        params = request and _plain_params(request)
        if request is None or params is None:
            return False
        self.locale = params.get("locale", DEFAULT_LOCALE)
        result = introduction(self._settings, None)
        answer = {"jsonrpc": "2.0", "id": request["id"], "result": result}
        try:
            text = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
        except UnicodeEncodeError:
            return False  # a folder's name is not UTF-8, which takes more to say
        self.outbox.send(text)
        return True


def _request(body: bytes) -> Json | None:
    """The request to initialize, if it is one without doubt."""
    if b"initialize" not in body or b"\\" in body:
        return None
    try:
        message = json.loads(body.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    request = cast("Json", message)
    named = request.get("jsonrpc") == "2.0" and request.get("method") == "initialize"
    return request if named and _is_plain_id(request.get("id")) else None


def _refuse(constant: str) -> None:
    """NaN and the infinities, which are not JSON."""
    raise ValueError(constant)


def _plain_params(request: Json) -> Json | None:
    """Its parameters, if there is nothing in them that would be refused or coerced."""
    params = request.get("params", {})
    if not isinstance(params, dict):
        return None
    named = cast("Json", params)
    plain = (
        named.keys() <= {"client", "locale", "protocol_version"}
        and named.get("locale", DEFAULT_LOCALE) in LOCALES
        and type(named.get("protocol_version", 0)) is int
        and _is_plain_client(named.get("client", {"name": ""}))
    )
    return named if plain else None


def _is_plain_client(client: Any) -> bool:
    if not isinstance(client, dict):
        return False
    fields = cast("Json", client)
    texts = all(isinstance(value, str) for value in fields.values())
    return "name" in fields and fields.keys() <= {"name", "version"} and texts


def _is_plain_id(request_id: Any) -> bool:
    if type(request_id) is int:
        return abs(request_id) <= MAX_ID
    return isinstance(request_id, str)
