"""What goes into the pipe comes out of it."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.engine import contract as c
from sidecar.engine.codec import BrokenPipeMessage, Message, decode_from, encode

MODEL = c.ModelSpec("starter", "/models/starter", "starter", vae=None)
LORAS = (c.LoraSpec("ink", "/loras/ink.safetensors", 0.7), c.LoraSpec("duo", "/d", -1.0))
SPEC = c.RenderSpec(
    MODEL, LORAS, "red apple", "", 128, 128, 14, 2.5, "euler", 7, init_image=b"\x00\xff" * 9
)
WAY = c.Alternative("smaller", 64, 64, 1, "off", 1, 7)
MESSAGES: list[Message] = [
    c.LoadModel("a", MODEL),
    c.UnloadModel("a"),
    c.ApplyLoras("a", MODEL, LORAS),
    c.Render("a", SPEC),
    c.CancelJob("a"),
    c.ReportMemory(3),
    c.ReportMemory(3, SPEC),
    c.EngineReady(1),
    c.EngineWarm({"torch": "2"}, "cpu", "a processor", "sdpa", ("euler",)),
    c.ModelLoading("a", "starter", "unet", 12.5),
    c.Progress("a", "denoise", 1, 2),
    c.Frame("a", 0, 1, 2, True, "image/webp", 8, 8, b"frame"),
    c.ImageReady("a", 0, 7, "image/png", 8, 8, b"picture", b"thumbnail"),
    c.JobDone("a", c.Unloaded(5)),
    c.JobDone("a", c.Rendered((c.AppliedLora("ink", 0.7, "ff"),), 1, 2, 3.5, 4, 5)),
    c.JobFailed("a", "lora_not_found", {"name": "x", "available": ("a", "b")}, "log"),
    c.EngineWarning("nan_retry"),
    c.MemoryReport(
        3,
        10,
        (c.DeviceInfo("cpu", "cpu", 1, None, None, None),),
        (c.ComponentInfo("unet", 1, "float32", "cpu"),),
        c.Forecast("cpu", 9, 5, 3, False, "off", 1, True, (WAY,)),
    ),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_every_message_comes_out_as_it_went_in(message: Message) -> None:
    assert decode_from(io.BytesIO(encode(message)).read) == message


def test_messages_follow_each_other_and_then_the_stream_ends() -> None:
    read = io.BytesIO(b"".join(map(encode, MESSAGES))).read
    assert [decode_from(read) for _ in MESSAGES] == MESSAGES
    assert decode_from(read) is None


@given(st.binary(), st.binary())
def test_blobs_of_any_bytes_survive(data: bytes, thumbnail: bytes) -> None:
    message = c.ImageReady("a", 0, 7, "image/png", 8, 8, data, thumbnail)
    assert decode_from(io.BytesIO(encode(message)).read) == message


@given(st.binary(min_size=1, max_size=64))
def test_what_is_no_message_is_told_as_such(data: bytes) -> None:
    with pytest.raises(BrokenPipeMessage):
        decode_from(io.BytesIO(data).read)


@pytest.mark.parametrize("cut", [1, 3, 5, 40, -1])
def test_an_end_within_a_message_is_told(cut: int) -> None:
    with pytest.raises(BrokenPipeMessage):
        decode_from(io.BytesIO(encode(MESSAGES[3])[:cut]).read)
