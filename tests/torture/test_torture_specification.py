"""Point 5: the examples of the JSON-RPC 2.0 specification, byte for byte.

https://www.jsonrpc.org/specification#examples, its chapter 7. The methods of the examples are put
into a dispatcher of their own. One thing differs, as the specification allows a server to: where
an example sends parameters by position, the answer is "invalid params", since ours are by name
(docs/protocol.md).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from sidecar.protocol.methods import Method
from sidecar.rpc.routines import Routine
from tests.rpc.in_memory import InMemory

BY_POSITION = -32602


class Named(BaseModel):
    model_config = ConfigDict(extra="allow")


HANDLERS: dict[str, Any] = {
    "subtract": lambda call, params: params.minuend - params.subtrahend,
    "update": lambda call, params: None,
    "sum": lambda call, params: sum(params.model_extra.values()),
    "notify_hello": lambda call, params: None,
    "notify_sum": lambda call, params: None,
    "get_data": lambda call, params: ["hello", 5],
}


@pytest.fixture
def wire(tmp_path: Path) -> InMemory:
    wire = InMemory(tmp_path / "data")
    for name, handler in HANDLERS.items():
        routine = Routine(Method(name, Named, None, ""), "")  # type: ignore[arg-type]
        routine._handler = handler
        wire.dispatcher._routines[name] = routine
    return wire


def answers(wire: InMemory, request: str) -> list[Any]:
    """What comes back, without what a server may say freely: its messages and data."""
    wire.out.clear()
    wire.send(request.encode())
    return [bare(message) for message in wire.out]


def bare(message: Any) -> Any:
    if isinstance(message, list):
        return [bare(member) for member in message]
    if "error" in message:
        assert message["error"]["message"]
        return {**message, "error": message["error"]["code"]}
    return message


def error(code: int, request_id: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": code, "id": request_id}


PARSE_ERROR = error(-32700, None)
INVALID = error(-32600, None)

EXAMPLES: list[tuple[str, str, list[Any]]] = [
    (
        "call with positional parameters",
        '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
        [error(BY_POSITION, 1)],
    ),
    (
        "call with positional parameters, again",
        '{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
        [error(BY_POSITION, 2)],
    ),
    (
        "call with named parameters",
        '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42},'
        ' "id": 3}',
        [{"jsonrpc": "2.0", "result": 19, "id": 3}],
    ),
    (
        "call with named parameters, in another order",
        '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23},'
        ' "id": 4}',
        [{"jsonrpc": "2.0", "result": 19, "id": 4}],
    ),
    ("notification", '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', []),
    ("notification of no method", '{"jsonrpc": "2.0", "method": "foobar"}', []),
    (
        "call of a method that does not exist",
        '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
        [error(-32601, "1")],
    ),
    (
        "call with invalid JSON",
        '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
        [PARSE_ERROR],
    ),
    (
        "call with an invalid request object",
        '{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
        [INVALID],
    ),
    (
        "batch, invalid JSON",
        '[\n  {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},\n'
        '  {"jsonrpc": "2.0", "method"\n]',
        [PARSE_ERROR],
    ),
    ("empty batch", "[]", [INVALID]),
    ("batch, invalid but not empty", "[1]", [[INVALID]]),
    ("invalid batch", "[1,2,3]", [[INVALID] * 3]),
    (
        "batch",
        """[
        {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
        {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
    ]""",
        [
            [
                error(BY_POSITION, "1"),
                error(BY_POSITION, "2"),
                INVALID,
                error(-32601, "5"),
                {"jsonrpc": "2.0", "result": ["hello", 5], "id": "9"},
            ]
        ],
    ),
    (
        "batch of notifications",
        """[
        {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
    ]""",
        [],
    ),
]


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [(request, expected) for _, request, expected in EXAMPLES],
    ids=[name for name, _, _ in EXAMPLES],
)
def test_the_specification_s_example_is_answered_as_it_says(
    wire: InMemory, request_text: str, expected: list[Any]
) -> None:
    assert json.dumps(answers(wire, request_text), sort_keys=True) == json.dumps(
        expected, sort_keys=True
    )
