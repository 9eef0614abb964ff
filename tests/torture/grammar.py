"""Messages that are almost right: a grammar over requests, and what can befall their bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from sidecar.protocol.methods import METHODS
from sidecar.rpc.framing import Framing

LEFT_OUT = {"shutdown", "exit", "rpc.discover"}
"""What ends the session, and an answer of 200 KB that takes the time of a hundred others."""
TEXTS = (
    "",
    "starter",
    "red apple",
    "../../etc/passwd",
    "/dev/zero",
    "/nonexistent/\0",
    "\ud800",
    "😀" * 300,
    "%s {0} {name}",
    "data:image/png;base64,iVBORw0KGgo=",
    "-1",
    "\u202e\r\nContent-Length: 5\r\n\r\n",
)
NUMBERS = (0, -1, 1, 63, 64, 2**31, 2**63, -(2**63) - 1, 10**400, 0.1, -0.0, 1e308, 5e-324)
FIELDS = sorted({name for method in METHODS.values() for name in method.params.model_fields})

scalars = (
    st.none()
    | st.booleans()
    | st.sampled_from(NUMBERS)
    | st.sampled_from(TEXTS)
    | st.text(max_size=8)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
method_names = st.sampled_from(sorted(set(METHODS) - LEFT_OUT)) | st.sampled_from(
    ("", "rpc.", "__class__", "$/cancelRequest ", "ｐing")
)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A request whose every member may be wrong, missing, or one too many."""
    method = draw(method_names)
    known = METHODS.get(method)
    names = st.sampled_from(sorted(known.params.model_fields) if known else FIELDS)
    wanted = (
        st.dictionaries(names, values, max_size=4)
        if known and known.params.model_fields
        else values
    )
    message: dict[str, Any] = {
        "jsonrpc": draw(st.sampled_from(("2.0", "2.0", "2.0", "2.0", "1.0", 2.0, None))),
        "method": draw(st.just(method) | st.just(method) | scalars),
        "params": draw(wanted),
        "id": draw(st.integers(0, 9) | values),
    }
    for name in draw(st.sets(st.sampled_from(sorted(message)), max_size=1)):
        del message[name]
    return message


bodies = (requests() | st.lists(requests(), max_size=4) | values).map(
    lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
)


locales = st.sampled_from(("en", "zh-CN", "fr", "")) | scalars
clients = st.dictionaries(st.sampled_from(("name", "version", "os")), scalars) | values
greetings = st.fixed_dictionaries(
    {
        "jsonrpc": st.just("2.0") | st.just("2.0") | scalars,
        "method": st.just("initialize") | st.just("initialize") | st.just("ping"),
    },
    optional={
        "id": st.integers(0, 9) | st.text(max_size=3) | values,
        "params": st.fixed_dictionaries(
            {},
            optional={
                "locale": locales,
                "client": clients,
                "protocol_version": st.just(1) | scalars,
                "more": values,
            },
        )
        | values,
    },
).map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
"""First messages, which are read before the dispatcher is there."""


@dataclass(frozen=True)
class Stream:
    """Bytes for one session, in the framing it began with."""

    framing: Framing
    pieces: list[bytes]


# --------------------------------------------------------------------- what befalls a body


def _cut(body: bytes, rng: random.Random) -> bytes:
    return body[: rng.randrange(len(body) + 1)]


def _flip(body: bytes, rng: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(rng.randint(1, 4)):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _insert(body: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(body) + 1)
    what = rng.choice(
        (
            b"\0",
            b"\xff\xfe",
            b"NaN",
            b"1e999",
            b"[" * 300,
            b'{"a":' * 300,
            b"\xed\xa0\x80",
            b"\n",
            b"]}",
        )
    )
    return body[:at] + what + body[at:]


def _repeat(body: bytes, rng: random.Random) -> bytes:
    start, end = sorted(rng.randrange(len(body) + 1) for _ in range(2))
    return body[:end] + body[start:end] * rng.randint(1, 5) + body[end:]


def _leave(body: bytes, rng: random.Random) -> bytes:
    return body


DAMAGE: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _leave,
    _cut,
    _flip,
    _insert,
    _repeat,
)


def damaged(body: bytes, rng: random.Random) -> bytes:
    return rng.choice(DAMAGE)(body, rng)


# --------------------------------------------------------------------- what befalls a header


def framed(framing: Framing, body: bytes, rng: random.Random) -> bytes:
    """The body in that framing, rarely in the other one, and with headers of every kind."""
    if rng.random() < 0.02:
        framing = Framing.LINES if framing is Framing.HEADERS else Framing.HEADERS
    if framing is Framing.LINES:
        return body.replace(b"\n", b" ") + rng.choice((b"\n", b"\r\n", b"\n\n"))
    return header(len(body), rng) + body


def header(size: int, rng: random.Random) -> bytes:
    exact = b"Content-Length: %d\r\n\r\n" % size
    if rng.random() < 0.7:
        return exact
    return rng.choice(
        (
            b"Content-Length: %d\r\n\r\n" % max(0, size + rng.randint(-3, 3)),
            b"Content-Length: %d\r\nContent-Length: %d\r\n\r\n" % (size, rng.choice((size, 3))),
            b"content-length:%d\r\nContent-Type: x\r\n\r\n" % size,
            b"Content-Length: %d\n\n" % size,
            b"Content-Length: -%d\r\n\r\n" % size,
            b"Content-Length: 0x%x\r\n\r\n" % size,
            b"Content-Type: x\r\n\r\n",
            b"Content-Length: \r\n\r\n",
            b"Content-Length",
            b"",
        )
    )


def stream(framing: Framing, templates: list[bytes], count: int, seed: int) -> Stream:
    """That many messages made of the templates. The first one is whole: it sets the framing."""
    rng = random.Random(seed)
    pieces = [framed(framing, damaged(rng.choice(templates), rng), rng) for _ in range(count)]
    first = b"Content-Length: 2\r\n\r\n{}" if framing is Framing.HEADERS else b"{}\n"
    return Stream(framing, [first, *pieces])
