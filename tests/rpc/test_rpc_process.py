"""The front and the engine as real processes: nothing lost, nothing left behind."""

from __future__ import annotations

import base64
import io
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tests.rpc.child import PATIENCE, Child, Message, Start, gone, until


def pixels(result: Message) -> bytes:
    """Of the first picture; the recipe inside the file tells when it was made."""
    encoded = result["images"][0]["data_url"].partition(",")[2]
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        return image.tobytes()


SLOW = {"prompt": "slow [delay=50]", "steps": 150}
"""Longer than any machine dawdles; always cancelled, or killed."""


def test_ready_is_the_first_thing_said_and_the_handshake_follows(start: Start) -> None:
    child = start()
    result = child.call("initialize", client={"name": "test"})
    assert child.out[0]["method"] == "ready"
    assert child.out[0]["params"]["pid"] == child.process.pid
    assert result["capabilities"]["engines"] == ["fake"]
    assert result["paths"]["data"] == str(Path(child.stderr_path).with_suffix(""))
    assert child.stop() == 0


def test_the_same_session_goes_in_content_length_framing(start: Start) -> None:
    child = start(headers=True)
    child.call("initialize")
    assert child.out[0]["method"] == "ready"
    child.call("load_model", model="starter")
    result = child.call("generate", prompt="red apple", count=2, delivery="both")
    assert len(result["images"]) == 2
    assert child.error("generate", prompt=3)["code"] == -32602
    assert child.stop() == 0


def test_a_client_that_reads_no_answer_and_hangs_up_leaves_nothing_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "sidecar", "serve", "--engine", "fake", "--data-dir", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    discover = b'{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}\n'
    try:
        assert b'"ready"' in process.stdout.readline()
        os.set_blocking(process.stdin.fileno(), False)
        deadline = time.monotonic() + PATIENCE
        stalled = False
        while not stalled and time.monotonic() < deadline:
            _, writable, _ = select.select([], [process.stdin], [], 2)
            stalled = not writable
            if writable:
                process.stdin.write(discover)
                process.stdin.flush()
        assert stalled, "it went on reading although nobody took its answers"
        process.stdin.close()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.stdout.close()


def test_native_prints_during_a_job_do_not_reach_the_wire(child: Child) -> None:
    child.call("generate", prompt="chatter [print]", steps=5)
    assert b"native chatter" not in child.raw
    assert "native chatter" in child.log()
    assert child.stop() == 0


def test_a_picture_survives_the_death_of_the_engine(child: Child, tmp_path: Path) -> None:
    waits = tmp_path / "waits-for-its-death-once"
    same = {"prompt": f"[hang@6:{waits}]", "steps": 30, "seed": 5, "delivery": "inline"}
    waits.touch()
    undisturbed = child.call("generate", **same)
    waits.unlink()
    engine = child.engine()
    request = child.request("generate", **same)
    until(waits.exists)
    engine.kill()
    result = child.answer(request)["result"]
    assert pixels(result) == pixels(undisturbed)
    assert child.notification("warning")["kind"] == "engine_restarted"
    percents = [p["percent"] for p in child.told("progress") if p["request_id"] == request]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert percents.count(100) == 1
    status = child.call("status")
    assert status["engine_restarts"] == 1
    assert status["model"] == "starter"


def test_pictures_saved_before_the_crash_are_not_drawn_again(child: Child, tmp_path: Path) -> None:
    marker = tmp_path / "crashed-once"
    prompt = f"[crash@2.4:{marker}]"
    plain = child.call("generate", prompt="two [delay=20]", steps=6, count=3, seed=1)
    assert [i["seed"] for i in plain["images"]] == [1, 2, 3]
    result = child.call("generate", prompt=prompt, steps=6, count=3, seed=7)
    assert marker.exists()
    assert [image["seed"] for image in result["images"]] == [7, 8, 9]
    assert child.call("history_list")["total"] == 6


def test_a_job_that_kills_two_engines_is_given_up_and_others_go_on(child: Child) -> None:
    error = child.error("generate", prompt="[crash@2]", steps=4)
    assert error["data"]["kind"] == "engine_crashed"
    assert error["data"]["exit_code"] == 139
    assert child.call("generate", prompt="after", steps=2)["images"]


def test_the_engine_is_gone_when_the_front_is_killed(child: Child) -> None:
    engine = child.engine()
    child.request("generate", **SLOW)
    child.notification("progress", lambda p: p["phase"] == "denoise")
    child.process.kill()
    assert gone(engine)


def test_the_end_of_input_ends_running_work_and_both_processes(child: Child) -> None:
    engine = child.engine()
    running = child.request("generate", **SLOW)
    waiting = child.request("generate", **SLOW)
    child.notification("progress", lambda p: p["phase"] == "denoise")
    assert child.stop() == 0
    assert gone(engine)
    for request in (running, waiting):
        assert child.answer(request)["error"]["code"] == -32800


def test_a_hanging_engine_does_not_hold_up_the_end_of_input(child: Child) -> None:
    engine = child.engine()
    request = child.request("generate", prompt="[hang@2]", steps=4)
    child.notification("progress", lambda p: p["phase"] == "denoise")
    assert child.stop() == 0
    assert gone(engine)
    assert child.answer(request)["error"]["code"] == -32800


def test_a_hanging_engine_that_is_cancelled_is_replaced(start: Start) -> None:
    child = start("--cancel-deadline", "0.3")
    child.call("load_model", model="starter")
    engine = child.engine()
    request = child.request("generate", prompt="[hang@2]", steps=4)
    child.notification("progress", lambda p: p["phase"] == "denoise")
    child.notify("$/cancelRequest", id=request)
    assert child.answer(request)["error"]["code"] == -32800
    assert gone(engine)
    assert child.call("generate", prompt="after", steps=2)["images"]


def test_exit_ends_the_process(child: Child) -> None:
    child.call("shutdown")
    assert child.error("ping")["data"]["kind"] == "shutting_down"
    child.notify("exit")
    assert child.process.wait(PATIENCE) == 0


def test_a_polite_signal_ends_both_processes_also_in_mid_picture(child: Child) -> None:
    engine = child.engine()
    child.request("generate", **SLOW)
    child.notification("progress", lambda p: p["phase"] == "denoise")
    child.process.send_signal(signal.SIGTERM)
    assert child.process.wait(PATIENCE) == 0
    assert gone(engine)


def test_a_broken_pipe_ends_the_process_quietly(tmp_path: Path) -> None:
    read_fd, write_fd = os.pipe()
    command = [sys.executable, "-m", "sidecar", "serve", "--engine", "fake"]
    process = subprocess.Popen(
        [*command, "--data-dir", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=write_fd,
        stderr=subprocess.PIPE,
    )
    os.close(write_fd)
    os.read(read_fd, 10)
    os.close(read_fd)
    _, stderr = process.communicate(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n', PATIENCE)
    assert process.returncode == 0
    assert b"Traceback" not in stderr


def test_ping_is_answered_while_the_engine_works_and_hangs(child: Child) -> None:
    child.request("generate", prompt="[hang@1]", steps=4)
    for _ in range(20):
        assert child.call("ping") == {}
    assert child.call("status")["engine"] in ("busy", "ready")


def test_memory_is_reported_also_when_the_engine_is_away(child: Child) -> None:
    report = child.call("vram_report")
    assert report["rss_engine"] > 0
    assert report["devices"][0]["name"] == "fake device"
    assert report["rss_front"] < 90_000_000


def test_the_front_never_imports_what_only_the_engine_needs(tmp_path: Path) -> None:
    requests = "\n".join(
        [
            '{"jsonrpc":"2.0","id":1,"method":"initialize"}',
            '{"jsonrpc":"2.0","id":2,"method":"list_models"}',
            '{"jsonrpc":"2.0","id":3,"method":"list_loras"}',
            '{"jsonrpc":"2.0","id":4,"method":"history_list"}',
            '{"jsonrpc":"2.0","id":5,"method":"rpc.discover"}',
            '{"jsonrpc":"2.0","id":6,"method":"vram_report"}',
            '{"jsonrpc":"2.0","id":7,"method":"switch_lora","params":{"name":null}}',
        ]
    )
    serve = ["-m", "sidecar", "serve", "--engine", "fake", "--data-dir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *serve],
        input=(requests + "\n").encode(),
        capture_output=True,
        timeout=300,
    )
    imported = {
        line.rsplit("|", 1)[1].strip()
        for line in done.stderr.decode().splitlines()
        if line.startswith("import time:")
    }
    assert {"sidecar.rpc.dispatch", "sidecar.history.store", "jsonrpcserver"} <= imported
    heavy = {"torch", "numpy", "PIL", "diffusers", "transformers", "onnxruntime", "safetensors"}
    assert not imported & heavy


def test_no_child_is_left_after_hard_kills(start: Start) -> None:
    engines: list[psutil.Process] = []
    for _ in range(4):
        child = start()
        engines.append(child.engine())
        child.process.kill()
        child.process.wait(PATIENCE)
    assert all(gone(engine) for engine in engines)


@pytest.mark.parametrize("garbage", [b"\x00\xff\xfe\n", b"}{\n", b"GET / HTTP/1.1\r\n\r\n"])
def test_garbage_on_stdin_is_answered_and_survived(start: Start, garbage: bytes) -> None:
    child = start()
    child.write(garbage)
    assert child.wait(lambda m: m.get("id", 1) is None)["error"]["code"] == -32700
    assert child.call("ping") == {}


def test_half_a_message_at_the_end_of_input_is_answered(start: Start) -> None:
    child = start()
    child.call("ping")
    child.write(b'{"jsonrpc":"2.0","id":77,"method":"pi')
    assert child.stop() == 0
    codes = [message["error"]["code"] for message in child.out if "error" in message]
    assert codes == [-32700]


def test_a_message_over_the_limit_is_refused_and_the_next_one_read(start: Start) -> None:
    child = start("--max-message-bytes", "1000")
    child.write(b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * 100_000 + b'"}\n')
    assert child.wait(lambda m: m.get("id", 1) is None)["error"]["code"] == -32600
    assert child.call("ping") == {}
