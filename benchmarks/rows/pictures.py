"""`generate` at a steady pace with one LoRA, and its first thumbnail."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.children import DiffusersWorker, diffusers_worker
from benchmarks.measuring import Figure, Peer, Row, in_turns
from benchmarks.sidecars import PROMPTS, Ready, starter_sidecar
from sidecar.protocol.pictures import PictureEvent, ProgressEvent

ROUNDS, THUMBNAILS = 20, 10


def measure(scale: float) -> list[Row]:
    with starter_sidecar() as ready, diffusers_worker() as peer:
        style = ready.loras[0]
        ready.sidecar.switch_lora(style, 0.7)
        peer("unload_and_load", lora=ready.lora_file(style), alpha=0.7)
        return [
            steady_row(ready, peer, max(2, int(ROUNDS * scale))),
            thumbnail_row(ready, max(2, int(THUMBNAILS * scale))),
        ]


def settings(ready: Ready) -> dict[str, Any]:
    """The starter's own settings, said to both sides."""
    card = ready.model
    return {
        "width": card.width,
        "height": card.height,
        "steps": card.steps,
        "guidance_scale": card.guidance_scale,
    }


def steady_row(ready: Ready, peer: DiffusersWorker, rounds: int) -> Row:
    same = settings(ready)

    def ours(number: int) -> None:
        prompt = PROMPTS[number % len(PROMPTS)]
        ready.sidecar.generate(prompt, seed=number, sampler="dpmpp_2m", **same)

    def plain(number: int) -> float:
        return peer("generate", prompt=PROMPTS[number % len(PROMPTS)], seed=number, **same)

    timed = in_turns({"ours": ours, "diffusers": plain}, rounds, warm_up=2)
    return Row(
        "`generate` with one LoRA, steady pace",
        timed.figure("ours"),
        (Peer("the plain diffusers call", timed.figure("diffusers"), 0.85),),
        note=(
            f"{same['width']} px, {same['steps']} steps, guidance {same['guidance_scale']:g}, "
            "a new seed and prompt each time; ours with wire, PNG on disk and history"
        ),
    )


def thumbnail_row(ready: Ready, rounds: int) -> Row:
    waits = [thumbnail_wait(ready, number) for number in range(rounds + 1)][1:]
    return Row(
        "first `thumbnail` after the first step",
        Figure(waits, statistic="p95"),
        bar=150.0,
        note="p95, from the progress notification of step 1, by the client's clock",
    )


def thumbnail_wait(ready: Ready, number: int) -> float:
    stepped: list[float] = []
    shown: list[float] = []

    def on_progress(event: ProgressEvent) -> None:
        if event.phase == "denoise" and event.step >= 1 and not stepped:
            stepped.append(time.perf_counter())

    def on_thumbnail(_event: PictureEvent) -> None:
        if not shown:
            shown.append(time.perf_counter())

    ready.sidecar.generate(
        PROMPTS[number % len(PROMPTS)],
        seed=number,
        on_progress=on_progress,
        on_thumbnail=on_thumbnail,
    )
    return max(0.0, (shown[0] - stepped[0]) * 1000)
