"""A front without processes behind a real parser, and what must hold whatever is fed to it."""

from __future__ import annotations

import logging
from itertools import count
from pathlib import Path

from sidecar.rpc.framing import Fault, FrameParser, Framing, frame
from tests.rpc.in_memory import InMemory

LIMIT = 4096
INTERNAL_ERROR = -32603
PING = b'{"jsonrpc":"2.0","id":"ping %d","method":"ping"}'
MAX_HEADER = 8192


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


def _id(message: object) -> object:
    return message.get("id") if isinstance(message, dict) else None
