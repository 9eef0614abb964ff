"""Messages out of bytes and back, in both framings.

*Lines*: one JSON text a line. *Headers*: `Content-Length: n`, blank line, n bytes, as LSP has it.
The first non-blank byte of the stream decides: `C` begins a header, anything else a line.

Until it is known, messages go out as lines that end in CR LF. Such a line is also a well-formed
header field with an unknown name, which readers of headers skip; so `ready` can be sent before
the client has said a word, and hurts neither kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from sidecar.errors import InvalidRequest, ParseFault, SidecarError

BLANK = b" \t\r\n"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MAX_HEADER_BYTES = 8192
_FIELD_NAME = b"content-length"
_LENGTH_FIELD = re.compile(rb"content-length[ \t]*:[ \t]*([0-9]{1,18})[ \t]*", re.IGNORECASE)
_NEXT_FIELD = re.compile(_FIELD_NAME, re.IGNORECASE)


class Framing(Enum):
    UNKNOWN = "unknown"
    LINES = "lines"
    HEADERS = "headers"


@dataclass(frozen=True)
class Fault:
    """Something that was not a message; the stream goes on behind it."""

    error: SidecarError


Framed = bytes | Fault


def frame(framing: Framing, body: bytes) -> bytes:
    """The body as it goes out. A body must not contain line feeds."""
    if framing is Framing.HEADERS:
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    return body + (b"\n" if framing is Framing.LINES else b"\r\n")


class FrameParser:
    """Takes bytes as they come and gives whole messages.

    A message over `limit` bytes is skipped as it arrives, without being held.
    """

    def __init__(self, limit: int) -> None:
        self.framing = Framing.UNKNOWN
        self._limit = limit
        self._buffer = bytearray()
        self._scanned = 0
        self._skip = 0
        self._skip_line = False
        self._body: int | None = None
        self._lost = False

    def feed(self, data: bytes) -> list[Framed]:
        """All messages and faults that end within `data`."""
        if self.framing is Framing.LINES and not self._buffer and not self._skip_line:
            end = len(data) - 1
            if data.find(b"\n") == end >= 0:  # by far the most frequent: one whole line
                return self._line(data)
        self._buffer += data
        if self.framing is Framing.UNKNOWN:
            self._decide()
        if self.framing is Framing.LINES:
            return list(self._lines())
        if self.framing is Framing.HEADERS:
            return list(self._messages())
        return []

    def end(self) -> list[Framed]:
        """What is left when the stream ends: a last line without its line feed, or half a message.

        A complete last line is given as a message.
        """
        rest = bytes(self._buffer).strip(BLANK)
        self._buffer.clear()
        if self._body is not None or (self.framing is Framing.HEADERS and rest):
            return [Fault(ParseFault(reason=": the stream ended within a message"))]
        if self._skip_line or not rest:
            return []
        return [rest]

    def _decide(self) -> None:
        if BYTE_ORDER_MARK.startswith(self._buffer[:3]) and len(self._buffer) < 3:
            return
        if self._buffer.startswith(BYTE_ORDER_MARK):
            del self._buffer[:3]
        first = self._buffer.lstrip(BLANK)[:1]
        if first:
            self.framing = Framing.HEADERS if first in b"Cc" else Framing.LINES
        else:
            self._buffer.clear()

    # ----------------------------------------------------------------- lines

    def _lines(self) -> Iterator[Framed]:
        while (end := self._buffer.find(b"\n", self._scanned)) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._scanned = 0
            if self._skip_line:
                self._skip_line = False
            else:
                yield from self._line(line)
        self._scanned = len(self._buffer)
        if self._scanned > self._limit:
            if not self._skip_line:
                yield self._too_long()
            self._skip_line = True
        if self._skip_line:
            self._buffer.clear()
            self._scanned = 0

    def _line(self, line: bytes) -> list[Framed]:
        text = line.strip(BLANK)
        if len(text) > self._limit:
            return [self._too_long()]
        return [text] if text else []

    def _too_long(self) -> Fault:
        reason = f"it is longer than {self._limit} bytes"
        return Fault(InvalidRequest(reason=reason))

    # ----------------------------------------------------------------- headers

    def _messages(self) -> Iterator[Framed]:
        while True:
            if self._skip:
                self._skip -= self._drop(self._skip)
                if self._skip:
                    return
            if self._lost and not self._find_next_header():
                return
            if self._body is None:
                fault = self._read_header()
                if fault:
                    yield fault
                    continue
                if self._skip:
                    continue
            if self._body is None or len(self._buffer) < self._body:
                return
            body = bytes(self._buffer[: self._body])
            self._drop(self._body)
            self._body = None
            yield body

    def _drop(self, count: int) -> int:
        count = min(count, len(self._buffer))
        del self._buffer[:count]
        return count

    def _read_header(self) -> Fault | None:
        """Sets `_body` from a complete header; a fault for a bad one or one that is too long.

        Lengths that contradict each other void the whole header, as in HTTP (RFC 9110, 8.6): to
        believe one of them would swallow the next message. The same length twice is taken.
        """
        start = len(self._buffer) - len(self._buffer.lstrip(BLANK))
        self._drop(start)
        end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEADER_BYTES)
        if end < 0:
            return self._lose() if len(self._buffer) >= MAX_HEADER_BYTES else None
        fields = bytes(self._buffer[:end]).split(b"\r\n")
        named = [field for field in fields if field.lower().startswith(_FIELD_NAME)]
        sizes = {int(m[1]) if (m := _LENGTH_FIELD.fullmatch(field)) else None for field in named}
        if len(sizes) > 1:
            self._drop(end + 4)
            return self._lose(0)
        size = next(iter(sizes), None)
        if size is None:
            return self._lose()
        self._drop(end + 4)
        if size > self._limit:
            self._skip = size
            return self._too_long()
        self._body = size
        return None

    def _lose(self, forget: int = 1) -> Fault:
        """Forget the first byte and look for the next header from there."""
        self._lost = True
        self._drop(forget)
        return Fault(InvalidRequest(reason="its header has no valid Content-Length"))

    def _find_next_header(self) -> bool:
        found = _NEXT_FIELD.search(self._buffer)
        self._lost = found is None
        nothing = max(0, len(self._buffer) - len(_FIELD_NAME) + 1)
        self._drop(nothing if found is None else found.start())
        return found is not None
