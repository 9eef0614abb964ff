"""Super-resolution: speed beside ONNX Runtime alone and PyTorch, likeness, first look."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime
import torch
from PIL import Image

from benchmarks.enlarging.in_torch import Compact
from benchmarks.enlarging.pictures import picture
from benchmarks.measuring import Figure, Peer, Row, in_turns
from sidecar.client import Sidecar
from sidecar.engine.contract import CancelToken, Event, UpscalerSpec
from sidecar.engine.cores import thread_count
from sidecar.engine.pictures.opening import Opened
from sidecar.engine.upscale.upscaler import Upscaler
from sidecar.paths import upscaler_folder

COMPACT, ART, PHOTO = "realesr-animevideov3", "realesrgan-x4plus-anime", "realesrgan-x4plus"
ROUNDS, LOOKS = 9, 3
"""Speeds on a machine with neighbours differ by a tenth from one run to the next."""
LIKENESS_SIDE = 256


def measure(scale: float) -> list[Row]:
    rows = [speed("astronaut", ROUNDS, scale), speed("motorcycle", ROUNDS, scale)]
    rows += [likeness(name, art) for name in (COMPACT, ART, PHOTO) for art in PICTURES]
    return [*rows, first_look(scale)]


def speed(name: str, rounds: int, scale: float) -> Row:
    """Milliseconds for each megapixel that comes out."""
    image = picture(name)
    megapixels = image.width * image.height * 16 / 1e6
    threads = thread_count(None)
    values = np.asarray(image, np.float32).transpose(2, 0, 1)[None] / 255
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(file_of(COMPACT)), options)
    net = Compact(file_of(COMPACT)).eval()
    torch.set_num_threads(threads)
    upscaler = Upscaler(threads)

    @torch.inference_mode()
    def in_torch() -> None:
        net(torch.from_numpy(values))

    runs: dict[str, Callable[[], object]] = {
        "ours": lambda: enlarged(upscaler, COMPACT, image),
        "onnxruntime": lambda: session.run(None, {"data": values}),
        "torch": in_torch,
    }

    def timed(run: Callable[[], object]) -> Callable[[int], float]:
        def once(number: int) -> float:
            start = time.perf_counter()
            run()
            return (time.perf_counter() - start) * 1000 / megapixels

        return once

    found = in_turns({n: timed(r) for n, r in runs.items()}, max(2, int(rounds * scale)))

    def figure(of: str) -> Figure:
        return Figure(found.figure(of).samples, unit="ms/MP")

    return Row(
        f"{image.width}×{image.height} enlarged ×4",
        figure("ours"),
        (
            Peer("onnxruntime, whole picture", figure("onnxruntime"), ratio_bar=1 / 0.9),
            Peer("the same weights in PyTorch", figure("torch"), ratio_bar=1.0),
        ),
        note=f"{COMPACT}, {threads} threads, per megapixel that comes out; ours with pixels in and"
        " out as bytes, in tiles; the peers with tensors of floats ready to be used",
    )


PICTURES = ("ink", "page", "coffee", "chelsea", "astronaut")
"""Flat art that comes with the sidecar, and what scikit-image has."""


def likeness(network: str, name: str) -> Row:
    """A picture made small by bicubic and enlarged again, beside bicubic."""
    whole = picture(name)
    side = min(LIKENESS_SIDE, *whole.size) // 4 * 4
    left, top = (whole.width - side) // 2, (whole.height - side) // 2
    large = whole.crop((left, top, left + side, top + side))
    small = large.resize((side // 4, side // 4), Image.Resampling.BICUBIC)
    ours = enlarged(Upscaler(thread_count(None)), network, small)
    smooth = small.resize(large.size, Image.Resampling.BICUBIC)
    return Row(
        f"PSNR of {network}, {name} ×4",
        Figure((psnr(ours, large),), unit="dB"),
        (Peer("bicubic", Figure((psnr(smooth, large),), unit="dB")),),
        note="more is nearer to the original; these networks were trained to look sharp, which on"
        " photographs is not the same"
        if (network, name) == (COMPACT, PICTURES[0])
        else "",
    )


def first_look(scale: float) -> Row:
    """From the request to the first thumbnail, through a real sidecar; and to the answer."""
    looks: list[float] = []
    answers: list[float] = []
    data = io.BytesIO()
    picture("coffee").save(data, "PNG")
    with TemporaryDirectory() as folder, Sidecar.spawn(folder) as sidecar:
        for _ in range(max(2, int(LOOKS * scale))):
            start = time.perf_counter()
            seen: list[float] = []

            def heard(event: object, seen: list[float] = seen, start: float = start) -> None:
                seen.append((time.perf_counter() - start) * 1000)

            sidecar.upscale(data.getvalue(), 4, on_thumbnail=heard)
            answers.append((time.perf_counter() - start) * 1000)
            looks.append(seen[0])
    return Row(
        "first look at a picture being enlarged",
        Figure(tuple(looks)),
        (Peer("its answer", Figure(tuple(answers))),),
        bar=500.0,
        note="600×400 ×4, request to `thumbnail` through the sidecar",
    )


def enlarged(upscaler: Upscaler, network: str, image: Image.Image) -> Image.Image:
    spec = UpscalerSpec(network, str(file_of(network)))
    return upscaler.enlarge(Opened(image), 4, spec, _ignore, CancelToken(), _ignore_piece).picture()


def file_of(network: str) -> Path:
    return upscaler_folder() / f"{network}.onnx"


def psnr(one: Image.Image, other: Image.Image) -> float:
    error = np.asarray(one.convert("RGB"), float) - np.asarray(other, float)
    return float(10 * np.log10(255.0**2 / np.mean(error**2)))


def _ignore(event: Event) -> None:
    pass


def _ignore_piece(done: int, pieces: int) -> None:
    pass
