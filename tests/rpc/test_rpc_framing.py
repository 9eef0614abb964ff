"""Bytes in, messages out, whatever the pieces they come in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import InvalidRequest, ParseFault
from sidecar.rpc.framing import Fault, Framed, FrameParser, Framing, frame

LIMIT = 2000

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
messages = st.lists(
    st.dictionaries(st.text(max_size=8), values, max_size=4).map(
        lambda v: json.dumps(v, ensure_ascii=False).encode()
    ),
    min_size=1,
    max_size=6,
).filter(lambda bodies: all(len(body) <= LIMIT for body in bodies))


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """The data in pieces of those sizes, the rest as one."""
    pieces: list[bytes] = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


def run(pieces: list[bytes], limit: int = LIMIT) -> tuple[list[Framed], FrameParser]:
    parser = FrameParser(limit)
    out = [item for piece in pieces for item in parser.feed(piece)]
    return out + parser.end(), parser


def kinds(items: list[Framed]) -> list[object]:
    return [type(i.error) if isinstance(i, Fault) else i for i in items]


@given(messages, st.lists(st.integers(1, 40), max_size=20), st.sampled_from(list(Framing)[1:]))
def test_messages_survive_any_cutting_in_both_framings(
    bodies: list[bytes], sizes: list[int], framing: Framing
) -> None:
    stream = b"".join(frame(framing, body) for body in bodies)
    items, parser = run(cut(stream, sizes))
    assert items == bodies
    assert parser.framing is framing


@given(st.binary(max_size=300), st.lists(st.integers(1, 40), max_size=10))
def test_no_bytes_whatever_raise_or_grow_the_buffer_beyond_the_limit(
    data: bytes, sizes: list[int]
) -> None:
    parser = FrameParser(64)
    for piece in cut(data, sizes):
        for item in parser.feed(piece):
            assert isinstance(item, Fault) or len(item) <= 64
    parser.end()


@given(st.binary(min_size=1, max_size=100), messages)
def test_lines_after_any_garbage_line_are_read(garbage: bytes, bodies: list[bytes]) -> None:
    line = b"!" + garbage.replace(b"\n", b" ").replace(b"\r", b" ")
    stream = line + b"\n" + b"".join(frame(Framing.LINES, body) for body in bodies)
    items, _ = run([stream])
    assert items[1:] == bodies


def test_the_first_non_blank_byte_decides_the_framing() -> None:
    parser = FrameParser(LIMIT)
    parser.feed(b" \r\n\n")
    assert parser.framing is Framing.UNKNOWN
    parser.feed(b"{")
    assert parser.framing is Framing.LINES


def test_a_byte_order_mark_is_skipped() -> None:
    items, parser = run([b"\xef\xbb", b'\xbf{"a":1}\n'])
    assert items == [b'{"a":1}']
    assert parser.framing is Framing.LINES


def test_blank_lines_are_no_messages() -> None:
    items, _ = run([b"{}\n\r\n  \n{}\r\n"])
    assert items == [b"{}", b"{}"]


def test_other_headers_and_any_case_are_taken() -> None:
    head = b"content-LENGTH:2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n"
    items, _ = run([head + b"{}"])
    assert items == [b"{}"]


def test_a_long_line_is_refused_once_and_the_next_one_is_read() -> None:
    long_line = [b"x" * 50 for _ in range(100)]
    items, _ = run([b"{", *long_line, b"}\n{}\n"])
    assert kinds(items) == [InvalidRequest, b"{}"]


def test_a_long_body_is_skipped_without_being_held() -> None:
    parser = FrameParser(LIMIT)
    items = parser.feed(b"Content-Length: 1000000\r\n\r\n")
    for _ in range(10):
        items += parser.feed(b"x" * 100_000)
        assert len(parser._buffer) == 0
    items += parser.feed(b"Content-Length: 2\r\n\r\n{}")
    assert kinds(items) == [InvalidRequest, b"{}"]


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: many\r\n\r\n",
        b"Content-Length:\r\n\r\n",
        b"Content-Type: text\r\n\r\n",
        b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Length: 99999999999999999999999\r\n\r\n",
        b"C" * 20_000,
    ],
)
def test_a_bad_header_is_answered_and_the_next_message_is_read(head: bytes) -> None:
    items, _ = run([head + b"Content-Length: 13\r\n\r\n" + b'{"whole":"1"}'])
    assert InvalidRequest in kinds(items)
    assert items[-1] == b'{"whole":"1"}'


@pytest.mark.parametrize(
    "lengths",
    ["2 100", "100 2", "2 2 60", "2 many", "many 2", "2 2,60", "2 -2"],
)
def test_lengths_that_contradict_each_other_swallow_no_message(lengths: str) -> None:
    fields = b"".join(b"Content-Length: %s\r\n" % n.encode() for n in lengths.split())
    items, _ = run([fields + b"\r\n{}" + frame(Framing.HEADERS, b'{"whole":1}')])
    assert kinds(items) == [InvalidRequest, b'{"whole":1}']


def test_the_same_length_twice_is_taken_as_one() -> None:
    items, _ = run([b"Content-Length: 2\r\ncontent-length:2\r\n\r\n{}"])
    assert items == [b"{}"]


def test_a_header_cut_short_by_the_next_one_costs_only_its_own_message() -> None:
    items, _ = run([b"Content-Length: 1" + frame(Framing.HEADERS, b'{"whole":1}')])
    assert kinds(items) == [InvalidRequest, b'{"whole":1}']


def test_a_body_longer_than_announced_is_recovered_from() -> None:
    stream = b'Content-Length: 5\r\n\r\n{"a":1}Content-Length: 2\r\n\r\n{}'
    items, _ = run([stream])
    assert items[0] == b'{"a":'
    assert items[-1] == b"{}"


@pytest.mark.parametrize("rest", [b"Content-Length: 10\r\n\r\n{", b"Content-Len"])
def test_half_a_message_at_the_end_is_a_parse_fault(rest: bytes) -> None:
    items, _ = run([rest])
    assert kinds(items) == [ParseFault]


def test_a_last_line_without_line_feed_is_a_message() -> None:
    items, _ = run([b'{"a":1}'])
    assert items == [b'{"a":1}']


def test_before_the_framing_is_known_a_line_reads_as_an_unknown_header_field() -> None:
    early = frame(Framing.UNKNOWN, b'{"jsonrpc":"2.0","method":"ready"}')
    stream = early + frame(Framing.HEADERS, b"{}")
    head, _, body = stream.partition(b"\r\n\r\n")
    fields = dict(line.split(b":", 1) for line in head.split(b"\r\n"))
    assert fields[b"Content-Length"].strip() == b"2"
    assert body == b"{}"
