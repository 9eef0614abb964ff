"""An engine without a model: the same contract, deterministic pictures, faults on demand.

Pictures are plain colour, drawn from seed, prompt and LoRA stack. Words in brackets inside a
prompt script it, so that a test can do so over the wire:

- `[delay=50]`: milliseconds a step takes (default 1)
- `[crash@3]`: the process dies at step 3; `[crash@2.3]`: at step 3 of the second picture;
  `[crash@3:/some/file]`: unless that file exists; it is created, so that the repeated job goes
  through
- `[hang@2]`: step 2 never ends and no cancel is obeyed; a picture and a file may be named as well
- `[oom]`, `[nan]`, `[bug]`: fails so
- `[pad=1000000]`: the file of each finished picture is that many bytes longer
- `[code]`: a QR code is found in the picture, where codes are looked for
- `[print]`: writes to fd 1 as a careless C library would
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import psutil

from sidecar.engine import fake_pictures
from sidecar.engine.contract import (
    Alternative,
    AppliedLora,
    CancelToken,
    ComponentInfo,
    DeviceInfo,
    Emit,
    EngineWarm,
    EnhanceSpec,
    Finished,
    Forecast,
    Frame,
    ImageReady,
    LoadedModel,
    LoraReceipt,
    LoraSpec,
    MemoryReport,
    ModelLoading,
    ModelSpec,
    Progress,
    Rendered,
    RenderSpec,
    Unloaded,
    UpscaleSpec,
)
from sidecar.engine.drawn_smaller import as_drawn, drawn_smaller, reported_whole
from sidecar.engine.fake_pictures import TINY_WEBP, colour_png
from sidecar.errors import LoraNotFound, NumericalFault, OutOfMemory

SAMPLERS = ("dpmpp_2m", "dpmpp_2m_karras", "euler", "euler_a", "ddim", "unipc", "lcm")
FAKE_ROOM = 2048 * 2048
_COMPONENTS = (ComponentInfo("unet", 1_000_000, "float32", "cpu"),)


class FakeEngine:
    """See the module."""

    def __init__(self) -> None:
        self._model: LoadedModel | None = None
        self._loras: tuple[LoraSpec, ...] = ()
        self._read: dict[str, str] = {}

    def warm_up(self) -> EngineWarm:
        return EngineWarm({"fake": "1"}, "cpu", "fake device", "sdpa", SAMPLERS)

    def load_model(
        self, job_id: str, spec: ModelSpec, emit: Emit, cancel: CancelToken
    ) -> LoadedModel:
        if self._model is None or self._model.spec != spec:
            for percent in (0.0, 50.0, 100.0):
                cancel.check()
                emit(ModelLoading(job_id, spec.name, "unet", percent))
            self._model = LoadedModel(
                spec, spec.family, _COMPONENTS, "cpu", "float32", "sdpa", (), 1.0
            )
            self._loras = ()
        return self._model

    def unload_model(self) -> Unloaded:
        freed = sum(c.bytes for c in _COMPONENTS) if self._model else 0
        self._model, self._loras = None, ()
        return Unloaded(freed)

    def apply_loras(
        self,
        job_id: str,
        spec: ModelSpec,
        loras: tuple[LoraSpec, ...],
        emit: Emit,
        cancel: CancelToken,
    ) -> LoraReceipt:
        cached = all(ref.path in self._read for ref in loras)
        applied = tuple(AppliedLora(r.name, r.alpha, self._hash_of(r)) for r in loras)
        self.load_model(job_id, spec, emit, cancel)
        self._loras = loras
        return LoraReceipt(
            loras=applied,
            family=spec.family,
            rank=8 if loras else None,
            matched_keys=10 * len(loras),
            total_keys=10 * len(loras),
            unsupported=(),
            relative_delta=sum(abs(r.alpha) for r in loras) * 0.1,
            relative_delta_by_block={"mid": 0.1} if loras else {},
            cached=cached,
            load_ms=0.1,
            merge_ms=0.1,
            bytes=sum(Path(r.path).stat().st_size for r in loras),
        )

    def render(self, job_id: str, spec: RenderSpec, emit: Emit, cancel: CancelToken) -> Rendered:
        receipt = self.apply_loras(job_id, spec.model, spec.loras, emit, cancel)
        start = perf_counter()
        emit(Progress(job_id, "encode", 1, 1))
        script = Script(spec.prompt)
        for index in range(spec.seed_offset, spec.count):
            self._denoise(job_id, index, spec, script, emit, cancel)
            cancel.check()
            left = spec.count - spec.seed_offset
            emit(Progress(job_id, "decode", index - spec.seed_offset + 1, left))
            emit(_finished(job_id, index, spec))
        ms = (perf_counter() - start) * 1000
        return Rendered(receipt.loras, 0.0, 0.1, 0.1, ms, 0.1)

    def upscale(self, job_id: str, spec: UpscaleSpec, emit: Emit, cancel: CancelToken) -> Finished:
        return fake_pictures.upscale(job_id, spec, emit, cancel)

    def enhance(self, job_id: str, spec: EnhanceSpec, emit: Emit, cancel: CancelToken) -> Finished:
        return fake_pictures.enhance(job_id, spec, emit, cancel)

    def memory(self, ticket: int, planned: RenderSpec | None = None) -> MemoryReport:
        rss = psutil.Process().memory_info().rss
        total, free = psutil.virtual_memory().total, psutil.virtual_memory().available
        device = DeviceInfo("fake device", "cpu", total, free, rss, rss)
        components = _COMPONENTS if self._model else ()
        report = MemoryReport(ticket, rss, (device,), components)
        if planned is None:
            return report
        plan = drawn_smaller(planned, "cpu")
        forecast = _forecast(as_drawn(planned, plan), rss)
        return reported_whole(replace(report, forecast=forecast), replace(planned, enlarging=plan))

    # ----------------------------------------------------------------- inside

    def _denoise(
        self,
        job_id: str,
        index: int,
        spec: RenderSpec,
        script: Script,
        emit: Emit,
        cancel: CancelToken,
    ) -> None:
        for step in range(1, spec.steps + 1):
            script.before(step, index + 1)
            cancel.check()
            done = (index - spec.seed_offset) * spec.steps + step
            emit(Progress(job_id, "denoise", done, (spec.count - spec.seed_offset) * spec.steps))
            if spec.frame_every and (step == 1 or step % spec.frame_every == 0):
                early = step == 1
                emit(Frame(job_id, index, step, spec.steps, early, "image/webp", 8, 8, TINY_WEBP))

    def _hash_of(self, lora: LoraSpec) -> str:
        if lora.path not in self._read:
            try:
                data = Path(lora.path).read_bytes()
            except OSError as exc:
                raise LoraNotFound(name=lora.name, available=[]) from exc
            self._read[lora.path] = hashlib.sha256(data).hexdigest()
        return self._read[lora.path]


class Script:
    """The bracketed words of one prompt."""

    def __init__(self, prompt: str) -> None:
        self._words: dict[str, str] = {}
        for word in re.findall(r"\[([^\]]+)\]", prompt):
            name, _, value = re.sub("[=@]", "\0", word, count=1).partition("\0")
            self._words[name] = value
        self._pause = float(self._words.get("delay", "1")) / 1000
        self.padding = int(self._words.get("pad", "0"))
        self._never = threading.Event()

    def before(self, step: int, picture: int) -> None:
        """What happens as that step begins; both are counted from one."""
        words = self._words
        self._never.wait(self._pause)
        if "print" in words:
            os.write(1, b"native chatter\n")
        if "oom" in words:
            raise OutOfMemory(alternatives=[])
        if "nan" in words:
            raise NumericalFault(what="NaN in the latents")
        if "bug" in words:
            raise ValueError("a bug in the fake engine, on demand")
        if self._is_time("hang", step, picture):
            self._never.wait()
        if self._is_time("crash", step, picture):
            os._exit(139)

    def _is_time(self, word: str, step: int, picture: int) -> bool:
        """Whether that is to happen now; with a file's name, only once."""
        at, _, marker = self._words.get(word, "").partition(":")
        if at not in (f"{step}", f"{picture}.{step}") or (marker and Path(marker).exists()):
            return False
        if marker:
            Path(marker).touch()
        return True


def _forecast(spec: RenderSpec, used: int) -> Forecast:
    """A byte a pixel, and room for `FAKE_ROOM` of them."""
    need = spec.width * spec.height
    half = Alternative(
        way="smaller_upscaled",
        width=spec.width // 16 * 8,
        height=spec.height // 16 * 8,
        count=spec.count,
        low_vram="off",
        upscale=2,
        peak=used + need // 4,
    )
    return Forecast(
        device="cpu",
        peak=used + need,
        used=used,
        free=FAKE_ROOM,
        fits=need <= FAKE_ROOM,
        low_vram="off",
        at_once=1,
        measured=False,
        alternatives=() if need <= FAKE_ROOM else (half,),
    )


def _colour(spec: RenderSpec, index: int) -> tuple[int, int, int]:
    what = (spec.prompt, spec.negative_prompt, spec.seed + index, spec.loras, spec.steps)
    digest = hashlib.sha256(repr(what).encode() + (spec.init_image or b"")).digest()
    return digest[0], digest[1], digest[2]


def _finished(job_id: str, index: int, spec: RenderSpec) -> ImageReady:
    colour = _colour(spec, index)
    data = colour_png(spec.width, spec.height, colour, Script(spec.prompt).padding)
    thumbnail = TINY_WEBP if spec.thumbnail_px else b""
    return ImageReady(
        job_id,
        index,
        spec.seed + index,
        "image/png",
        spec.width,
        spec.height,
        data,
        thumbnail,
        enlarged=spec.enlarging.factor if spec.enlarging else 1,
        checked=fake_pictures.checked(spec.prompt, spec.checks),
    )
