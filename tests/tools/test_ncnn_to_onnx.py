"""The converter against PyTorch: both nets written as ncnn files from random numbers, and drawn
with by an implementation that never saw those files."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest

from sidecar.engine.upscale.tail import TILE, Tail
from sidecar.paths import upscaler_folder
from tools.assets import ncnn, to_onnx

HALF = struct.pack("<I", ncnn.HALF)
FULL = struct.pack("<I", ncnn.FULL)
LEAKY = "9=2 -23310=1,2.000000e-01"
WIDTH, GROWTH, SCALE = 6, 3, 4


class Writer:
    """A `.param` and a `.bin`, layer by layer; the numbers are kept for PyTorch."""

    def __init__(self, half: bool) -> None:
        self._half = half
        self._dice = np.random.default_rng(7)
        self._lines = ["Input in 0 1 data"]
        self._bin = b""
        self.numbers: list[np.ndarray] = []

    def line(self, text: str) -> None:
        self._lines.append(text)

    def conv(self, source: str, out: str, ins: int, outs: int, extra: str = "") -> None:
        weight = self._dice.normal(0, 0.3, (outs, ins, 3, 3)).astype("<f2")
        bias = self._dice.normal(0, 0.1, outs).astype("<f4")
        size = weight.size
        self.line(f"Convolution c{out} 1 1 {source} {out} 0={outs} 1=3 4=1 5=1 6={size} {extra}")
        data = weight.tobytes() if self._half else weight.astype("<f4").tobytes()
        padding = b"\0" * (-len(data) % 4)
        self._bin += (HALF if self._half else FULL) + data + padding + bias.tobytes()
        self.numbers += [weight.astype(np.float32), bias]

    def prelu(self, source: str, out: str, channels: int) -> None:
        slope = self._dice.normal(0.2, 0.1, channels).astype("<f4")
        self.line(f"PReLU p{out} 1 1 {source} {out} 0={channels}")
        self._bin += slope.tobytes()
        self.numbers.append(slope)

    def files(self) -> tuple[str, bytes]:
        head = [ncnn.MAGIC, f"{len(self._lines)} {len(self._lines)}"]
        return "\n".join([*head, *self._lines, ""]), self._bin


def compact(writer: Writer) -> None:
    """Convolutions with PReLU, pixel shuffle, and the picture itself enlarged by nearest pixels."""
    writer.line("Split s 1 2 data data_0 data_1")
    writer.conv("data_1", "a", 3, WIDTH)
    writer.prelu("a", "b", WIDTH)
    writer.conv("b", "c", WIDTH, WIDTH - 1)
    writer.prelu("c", "d", WIDTH - 1)
    writer.conv("d", "e", WIDTH - 1, 3 * SCALE**2)
    writer.line(f"PixelShuffle f 1 1 e f 0={SCALE}")
    writer.line("Interp g 1 1 data_0 g 0=1 1=4.000000e+00 2=4.000000e+00")
    writer.line("BinaryOp h 2 1 f g output")


def dense(writer: Writer) -> None:
    """One dense block with its scaled skip, the long skip, and an enlargement by two."""
    writer.conv("data", "x", 3, WIDTH)
    writer.line("Split s0 1 4 x x0 x1 x2 x3")
    writer.conv("x3", "y", WIDTH, GROWTH, LEAKY)
    writer.line("Concat k 2 1 x2 y z")
    writer.conv("z", "u", WIDTH + GROWTH, WIDTH)
    writer.line("Eltwise e 2 1 u x1 v 0=1 -23301=2,2.000000e-01,1.000000e+00")
    writer.line("BinaryOp b 2 1 x0 v w")
    writer.line("Interp i 1 1 w t 0=1 1=2.000000e+00 2=2.000000e+00")
    writer.conv("t", "output", WIDTH, 3)


def enlarged(net: Callable[[Writer], None], half: bool, picture: np.ndarray) -> np.ndarray:
    writer = Writer(half)
    net(writer)
    data = to_onnx.converted(ncnn.read(*writer.files()), "net", {"title": "a net"})
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: picture})[0])


def in_two(half: bool, picture: np.ndarray) -> np.ndarray:
    """The dense network in two, the second one as the engine runs it: over pieces."""
    writer = Writer(half)
    dense(writer)
    data = to_onnx.in_two(ncnn.read(*writer.files()), "net", {"title": "a net"})
    first = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    tail = Tail.of(first, 1)
    assert tail is not None
    features = first.run(None, {first.get_inputs()[0].name: picture})[0]
    return tail(np.asarray(features), 2, None)


def numbers_of(net: Callable[[Writer], None], half: bool) -> list[np.ndarray]:
    writer = Writer(half)
    net(writer)
    return writer.numbers


@pytest.fixture
def picture() -> np.ndarray:
    """Larger than a piece of a second half, one way."""
    return np.random.default_rng(3).random((1, 3, 9, TILE + 40), np.float32)


@pytest.mark.engine
@pytest.mark.parametrize("half", [True, False])
def test_the_compact_network_gives_what_pytorch_gives(half: bool, picture: np.ndarray) -> None:
    import torch
    from torch.nn import functional as f

    n = [torch.from_numpy(a.copy()) for a in numbers_of(compact, half)]
    x = torch.from_numpy(picture)
    y = f.prelu(f.conv2d(x, n[0], n[1], padding=1), n[2])
    y = f.prelu(f.conv2d(y, n[3], n[4], padding=1), n[5])
    y = f.pixel_shuffle(f.conv2d(y, n[6], n[7], padding=1), SCALE)
    wanted = y + f.interpolate(x, scale_factor=SCALE, mode="nearest")
    assert np.allclose(enlarged(compact, half, picture), wanted.numpy(), atol=1e-4)


@pytest.mark.engine
@pytest.mark.parametrize("half", [True, False])
def test_the_dense_network_gives_what_pytorch_gives(half: bool, picture: np.ndarray) -> None:
    import torch
    from torch.nn import functional as f

    n = [torch.from_numpy(a.copy()) for a in numbers_of(dense, half)]
    x = f.conv2d(torch.from_numpy(picture), n[0], n[1], padding=1)
    y = f.leaky_relu(f.conv2d(x, n[2], n[3], padding=1), 0.2)
    u = f.conv2d(torch.cat([x, y], 1), n[4], n[5], padding=1)
    w = x + (0.2 * u + x)
    wanted = f.conv2d(f.interpolate(w, scale_factor=2, mode="nearest"), n[6], n[7], padding=1)
    assert np.allclose(enlarged(dense, half, picture), wanted.numpy(), atol=1e-4)
    assert np.allclose(in_two(half, picture), wanted.numpy(), atol=1e-4)


@pytest.mark.engine
def test_the_bundled_network_is_the_published_architecture(picture: np.ndarray) -> None:
    """Its numbers in PyTorch, in the order in which Real-ESRGAN's own code has them."""
    import torch

    from benchmarks.enlarging.in_torch import Compact

    path = upscaler_folder() / "realesr-animevideov3.onnx"
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = np.asarray(session.run(None, {"data": picture})[0])
    with torch.inference_mode():
        wanted = Compact(path)(torch.from_numpy(picture)).numpy()
    assert np.allclose(found, wanted, atol=1e-4)


def test_files_that_do_not_fit_each_other_are_refused() -> None:
    writer = Writer(half=True)
    compact(writer)
    param, data = writer.files()
    with pytest.raises(ValueError, match="ends too early"):
        ncnn.read(param, data[:-4])
    with pytest.raises(ValueError, match="more numbers"):
        ncnn.read(param, data + b"\0\0\0\0")
    with pytest.raises(ValueError, match=r"no ncnn \.param"):
        ncnn.read("1\n" + param, data)


def test_a_layer_that_is_not_known_is_refused_by_name() -> None:
    layers = ncnn.read(f"{ncnn.MAGIC}\n2 2\nInput in 0 1 data\nSoftmax s 1 1 data out\n", b"")
    with pytest.raises(ValueError, match="Softmax"):
        to_onnx.converted(layers, "net", {})
