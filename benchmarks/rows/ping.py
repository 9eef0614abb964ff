"""`ping`, there and back, against a child that merely echoes and against pygls."""

from __future__ import annotations

import json
import sys
import time

from benchmarks.children import SERVE, Child, running
from benchmarks.measuring import PEERS, Peer, Row, in_turns

ROUNDS = 2000
INITIALIZE = {"processId": None, "rootUri": None, "capabilities": {}}


def measure(scale: float) -> list[Row]:
    echo = (sys.executable, str(PEERS / "echo.py"))
    pygls = (sys.executable, str(PEERS / "pygls_server.py"))
    with (
        running((*SERVE, "--engine", "fake")) as ours,
        running(echo) as echoing,
        running(pygls) as other,
    ):
        settle(ours)
        greet_pygls(other)
        timed = in_turns(
            {
                "ours": lambda n: by_line(ours, n),
                "echo": lambda n: echoed(echoing, n),
                "pygls": lambda n: by_message(other, n),
            },
            rounds=max(50, int(ROUNDS * scale)),
            warm_up=50,
        )
    return [
        Row(
            "`ping`, there and back",
            timed.figure("ours"),
            (
                Peer("a child that echoes", timed.figure("echo"), 3.0),
                Peer("pygls", timed.figure("pygls"), 0.4),
            ),
            note="one request at a time, newline framing (pygls: headers)",
        )
    ]


def request(number: int) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "ping", "params": {}}).encode()


def by_line(child: Child, number: int) -> float:
    message = request(number + 1000) + b"\n"
    start = time.perf_counter()
    child.send_line(message)
    answer = child.read_line()
    taken = (time.perf_counter() - start) * 1000
    assert json.loads(answer)["id"] == number + 1000
    return taken


def echoed(child: Child, number: int) -> float:
    message = request(number) + b"\n"
    start = time.perf_counter()
    child.send_line(message)
    answer = child.read_line()
    taken = (time.perf_counter() - start) * 1000
    assert answer == message
    return taken


def by_message(child: Child, number: int) -> float:
    message = request(number + 1000)
    start = time.perf_counter()
    child.send_message(message)
    answer = child.read_message()
    taken = (time.perf_counter() - start) * 1000
    assert json.loads(answer)["id"] == number + 1000
    return taken


def settle(child: Child) -> None:
    """Until the engine has started: nothing else then comes over the wire."""
    for number in range(1, 500):
        status = {"jsonrpc": "2.0", "id": number, "method": "status", "params": {}}
        child.send_line(json.dumps(status).encode() + b"\n")
        if child.answer_to(number)["result"]["engine"] == "ready":
            return
        time.sleep(0.02)
    raise RuntimeError("the engine did not start")


def greet_pygls(child: Child) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
    child.send_message(json.dumps(hello).encode())
    child.read_message()
    child.send_message(b'{"jsonrpc":"2.0","method":"initialized","params":{}}')
