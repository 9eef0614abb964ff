"""JSON-RPC 2.0 to the letter: https://www.jsonrpc.org/specification"""

from __future__ import annotations

from typing import Any

import pytest

from sidecar.protocol.methods import METHODS
from sidecar.rpc.handlers import HANDLERS
from sidecar.rpc.routines import routines
from tests.rpc.in_memory import InMemory


def code_of(answer: Any) -> int:
    return answer["error"]["code"]


def test_every_method_of_the_table_has_a_handler_and_no_other_exists() -> None:
    assert set(HANDLERS) == set(METHODS)
    for routine in routines(HANDLERS).values():
        assert callable(routine.load())


@pytest.mark.parametrize("request_id", [0, 7, -1, 10**400, 1.5, "seven", "", None])
def test_the_id_comes_back_as_it_was(wire: InMemory, request_id: Any) -> None:
    wire.send({"jsonrpc": "2.0", "id": request_id, "method": "ping"})
    assert wire.out == [{"jsonrpc": "2.0", "id": request_id, "result": {}}]
    assert type(wire.out[0]["id"]) is type(request_id)


def test_a_notification_is_never_answered(wire: InMemory) -> None:
    for method in ("ping", "no_such_method", "generate"):
        wire.send({"jsonrpc": "2.0", "method": method})
    wire.send({"jsonrpc": "2.0", "method": "ping", "params": {"bad": 1}})
    assert wire.out == []


def test_an_unknown_method_is_named(wire: InMemory) -> None:
    wire.send({"jsonrpc": "2.0", "method": "foobar", "id": "1"})
    assert wire.out[0]["id"] == "1"
    assert code_of(wire.out[0]) == -32601
    assert wire.out[0]["error"]["data"]["method"] == "foobar"


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
        b"{",
        b"nonsense",
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":NaN}}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":-Infinity}}',
        b'{"jsonrpc":"2.0","id":1,"method":"\xff"}',
        b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'[{"jsonrpc": "2.0", "method": "sum", "id": "1"},{"jsonrpc": "2.0", "method"]',
    ],
)
def test_what_is_no_json_is_a_parse_error_with_id_null(wire: InMemory, body: bytes) -> None:
    wire.send(body)
    assert [(m["id"], code_of(m)) for m in wire.out] == [(None, -32700)]
    wire.call("ping")


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "method": 1, "params": "bar"},
        {"jsonrpc": "2.0", "method": "ping", "params": "bar"},
        {"jsonrpc": "2.0", "method": "ping", "params": 5},
        {"jsonrpc": "1.0", "method": "ping"},
        {"method": "ping"},
        {"jsonrpc": "2.0", "method": "ping", "id": {}},
        {"jsonrpc": "2.0", "method": "ping", "id": True},
        {},
        [],
        1,
        "ping",
        None,
    ],
)
def test_what_is_no_request_is_refused_with_id_null(wire: InMemory, message: Any) -> None:
    wire.send(message)
    assert [(m["id"], code_of(m)) for m in wire.out] == [(None, -32600)]


def test_a_bad_request_with_a_good_id_is_answered_to_that_id(wire: InMemory) -> None:
    wire.send({"jsonrpc": "1.0", "method": "ping", "id": 4})
    assert (wire.out[0]["id"], code_of(wire.out[0])) == (4, -32600)


def test_a_number_beyond_floats_is_no_id(wire: InMemory) -> None:
    wire.send(b'{"jsonrpc":"2.0","id":1e999,"method":"ping"}')
    assert (wire.out[0]["id"], code_of(wire.out[0])) == (None, -32600)


def test_positional_parameters_are_refused(wire: InMemory) -> None:
    for method in ("ping", "generate"):
        wire.send({"jsonrpc": "2.0", "method": method, "params": [1], "id": 1})
    assert [code_of(m) for m in wire.out] == [-32602, -32602]


def test_parameters_may_be_null(wire: InMemory) -> None:
    wire.send({"jsonrpc": "2.0", "method": "ping", "params": None, "id": 1})
    assert wire.out[0]["result"] == {}


@pytest.mark.parametrize("name", ["self", "call", "context", "params", "routine", "message"])
def test_no_parameter_name_collides_with_ours(wire: InMemory, name: str) -> None:
    for method in ("ping", "generate"):
        wire.send({"jsonrpc": "2.0", "method": method, "params": {name: 1}, "id": 1})
    assert [code_of(m) for m in wire.out] == [-32602, -32602]


def test_every_bad_field_is_named_with_its_path(wire: InMemory) -> None:
    error = wire.error(
        "generate", prompt="x", width=63, unknown=1, loras=[{"name": "a", "alpha": 99}]
    )
    assert error["code"] == -32602
    assert error["data"]["kind"] == "invalid_params"
    assert {e["path"] for e in error["data"]["errors"]} == {"width", "unknown", "loras.0.alpha"}


def test_the_id_of_a_request_in_work_cannot_be_used_again(loaded: InMemory) -> None:
    slow = {"prompt": "x [delay=50]", "steps": 150}
    for _ in range(2):
        loaded.send({"jsonrpc": "2.0", "id": "a", "method": "generate", "params": slow})
    refused = loaded.wait(lambda m: m.get("id", 1) is None)
    assert code_of(refused) == -32600
    loaded.send({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": "a"}})
    assert code_of(loaded.answer("a")) == -32800
    loaded.send({"jsonrpc": "2.0", "id": "a", "method": "ping"})
    assert loaded.wait(lambda m: m.get("result") == {})["id"] == "a"


class TestBatch:
    def test_the_specification_s_example(self, wire: InMemory) -> None:
        wire.send(
            [
                {"jsonrpc": "2.0", "method": "ping", "id": "1"},
                {"jsonrpc": "2.0", "method": "ping"},
                {"foo": "boo"},
                {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
                {"jsonrpc": "2.0", "method": "cancel", "params": {"job_id": "x"}, "id": "9"},
            ]
        )
        (answers,) = wire.out
        assert [a["id"] for a in answers] == ["1", None, "5", "9"]
        assert answers[0]["result"] == {}
        assert code_of(answers[1]) == -32600
        assert code_of(answers[2]) == -32601
        assert answers[3]["result"] == {"cancelled": False}

    def test_of_nothing_but_junk_is_answered_member_by_member(self, wire: InMemory) -> None:
        wire.send([1, 2, 3])
        assert [code_of(a) for a in wire.out[0]] == [-32600] * 3

    def test_of_notifications_is_not_answered(self, wire: InMemory) -> None:
        wire.send([{"jsonrpc": "2.0", "method": "ping"}] * 2)
        assert wire.out == []

    def test_is_answered_once_when_all_members_are_done(self, loaded: InMemory) -> None:
        loaded.send(
            [
                {"jsonrpc": "2.0", "id": "p", "method": "generate", "params": {"prompt": "a"}},
                {"jsonrpc": "2.0", "id": "q", "method": "ping"},
            ]
        )
        answers = loaded.wait(lambda m: isinstance(m, list))
        assert [a["id"] for a in answers] == ["p", "q"]
        assert len(answers[0]["result"]["images"]) == 1

    def test_members_can_be_cancelled_and_superseded(self, loaded: InMemory) -> None:
        slow = {"prompt": "x [delay=50]", "steps": 150}
        loaded.send(
            [
                {"jsonrpc": "2.0", "id": "a", "method": "preview", "params": slow},
                {"jsonrpc": "2.0", "id": "b", "method": "preview", "params": slow},
                {"jsonrpc": "2.0", "id": "c", "method": "generate", "params": slow},
            ]
        )
        for request_id in "bc":
            cancel = {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": request_id}}
            loaded.send(cancel)
        answers = loaded.wait(lambda m: isinstance(m, list))
        assert [(a["id"], code_of(a)) for a in answers] == [
            ("a", -32801),
            ("b", -32800),
            ("c", -32800),
        ]


def test_an_unexpected_error_tells_no_details(
    wire: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise KeyError("secret")

    monkeypatch.setattr(wire.front, "loras", type("Broken", (), {"cards": staticmethod(broken)})())
    error = wire.error("list_loras")
    assert error["code"] == -32603
    assert "secret" not in str(error)
    assert error["data"]["kind"] == "internal_error"


def test_messages_are_in_the_session_s_language(wire: InMemory) -> None:
    wire.call("initialize", locale="zh-CN")
    assert wire.error("generate", prompt="x")["message"] == "尚未加载模型。"
