"""A front without processes behind a real parser, and what must hold whatever is fed to it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from sidecar.rpc.framing import Fault, Framed, FrameParser, Framing, frame
from sidecar.rpc.greeting import Greeting
from sidecar.rpc.stdio import Wire
from sidecar.texts import DEFAULT_LOCALE
from tests.rpc.in_memory import PATIENCE, InMemory

LIMIT = 4096
INTERNAL_ERROR = -32603
PING = b'{"jsonrpc":"2.0","id":"ping %d","method":"ping"}'
MAX_HEADER = 8192
MAX_MESSAGE = 64 * 1024 * 1024


class Broken(AssertionError):
    """Something happened that must not, whatever comes in."""


class Unexpected(logging.Handler):
    """Notes exceptions that the dispatcher did not expect: it answers them, and logs them."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(logging.Formatter().format(record))


class Victim:
    """One session at a time; the front behind it stays."""

    def __init__(self, folder: Path) -> None:
        self.wire = InMemory(folder / "data")
        self.wire.front.jobs.facts  # noqa: B018  (fails here rather than in the middle)
        self.parser = FrameParser(LIMIT)
        self.messages = 0
        self.sent = 0
        self._checked = 0
        self._numbers = count()
        self._unexpected = Unexpected()
        logging.getLogger("sidecar").addHandler(self._unexpected)

    def begin(self) -> None:
        self.parser = FrameParser(LIMIT)
        self.wire.out.clear()
        self._checked = 0

    def feed(self, data: bytes) -> None:
        """As a session does it; bounded, and without an exception anywhere."""
        for item in self.parser.feed(data):
            self.messages += 1
            if isinstance(item, Fault):
                self.wire.dispatcher.fault(item.error)
            else:
                self.wire.dispatcher.receive(item)
        if len(self.parser._buffer) > LIMIT + MAX_HEADER + len(data):
            raise Broken(f"the parser holds {len(self.parser._buffer)} bytes")
        self._check()

    def still_hears(self) -> bool:
        """Whether a ping gets through; a body that was announced may swallow some before."""
        framing = self.parser.framing
        for _ in range((LIMIT + MAX_HEADER) // len(PING) + 2):
            if self.parser._skip > LIMIT:
                return True  # it was told to skip that much, perhaps by a ping's end, and does
            number = next(self._numbers)
            lead = b"\n" if framing is Framing.LINES else b"\r\n\r\n"
            self.feed(lead + frame(framing, PING % number))
            if any(_id(message) == f"ping {number}" for message in self.wire.out[-20:]):
                return True
        return False

    def end(self) -> None:
        self.parser.end()
        self._check()

    def _check(self) -> None:
        if self._unexpected.records:
            raise Broken("\n".join(self._unexpected.records))
        seen, self._checked = self._checked, len(self.wire.out)
        for message in self.wire.out[seen : self._checked]:
            if isinstance(message, dict) and message.get("error", {}).get("code") == INTERNAL_ERROR:
                raise Broken(str(message))


class Met:
    """A greeting and the session after it, against a session alone. Both have one front."""

    def __init__(self, folder: Path) -> None:
        self._wire = InMemory(folder / "data")
        self.greeted = 0

    def compare(self, data: bytes) -> None:
        """What is answered to the first bytes is the same either way, but for the device."""
        alone = self._answers(*_parsed(data))
        items, said, locale = self._greet(data)
        together = self._answers(items, said, locale)
        if together != alone:
            raise Broken(f"{data!r}: {together}, and not {alone}")

    def _greet(self, data: bytes) -> tuple[list[Framed], list[Any], str]:
        read_fd, feed = os.pipe()
        listen, write_fd = os.pipe()
        try:
            greeting = Greeting(self._wire.settings, Wire(read_fd, write_fd), b"{}")
            os.write(feed, data)
            greeting.start()
            greeting._thread.join(PATIENCE)
            items, _ = greeting.left()
            greeting.outbox.flush(PATIENCE)
            os.set_blocking(listen, False)
            said = _lines(listen)
        finally:
            for fd in (read_fd, feed, listen, write_fd):
                os.close(fd)
        self.greeted += len(said)
        return [*items, *greeting.parser.end()], said, greeting.locale

    def _answers(
        self, items: list[Framed], said: Sequence[Any] = (), locale: str = DEFAULT_LOCALE
    ) -> list[Any]:
        """To all of them, those that were answered already first; and the language in the end."""
        self._wire.front.locale = locale
        self._wire.out.clear()
        for item in items:
            if isinstance(item, Fault):
                self._wire.dispatcher.fault(item.error)
            else:
                self._wire.dispatcher.receive(item)
        answers = [*said, *self._wire.out]
        for answer in answers:
            if isinstance(answer, dict) and "result" in answer:
                answer["result"].pop("device", None)
        return [*answers, self._wire.front.locale]


def _parsed(data: bytes) -> tuple[list[Framed]]:
    parser = FrameParser(MAX_MESSAGE)
    return ([*parser.feed(data), *parser.end()],)


def _lines(fd: int) -> list[Any]:
    try:
        return [json.loads(line) for line in os.read(fd, 1 << 16).splitlines()]
    except BlockingIOError:
        return []


def _id(message: object) -> object:
    return message.get("id") if isinstance(message, dict) else None
