"""A warm change of style and of strength, against diffusers' unload and load, and its hotswap."""

from __future__ import annotations

import time

from benchmarks.children import DiffusersWorker, diffusers_worker
from benchmarks.measuring import Peer, Row, in_turns
from benchmarks.sidecars import PROMPTS, Ready, starter_sidecar

ROUNDS = 20


def measure(scale: float) -> list[Row]:
    rounds = max(4, int(ROUNDS * scale))
    with starter_sidecar() as ready, diffusers_worker() as peer:
        return [switch_row(ready, peer, rounds), alpha_row(ready, peer, rounds)]


def two(ready: Ready) -> tuple[str, str]:
    """Two styles to go back and forth between."""
    return ready.loras[0], ready.loras[-1]


def switch_row(ready: Ready, peer: DiffusersWorker, rounds: int) -> Row:
    names = two(ready)

    def switch(number: int) -> None:
        ready.sidecar.switch_lora(names[number % 2], 0.7)

    def unload_and_load(number: int) -> float:
        return peer("unload_and_load", lora=ready.lora_file(names[number % 2]), alpha=0.7)

    def hotswap(number: int) -> float:
        return peer("hotswap", lora=ready.lora_file(names[number % 2]), alpha=0.7)

    peer("unload_and_load", lora=ready.lora_file(names[0]), alpha=0.7)
    layers = peer.ask("adapted_layers")["layers"]
    timed = in_turns(
        {"ours": switch, "unload": unload_and_load, "hotswap": hotswap}, rounds, warm_up=2
    )
    return Row(
        "warm `switch_lora`, request to receipt",
        timed.figure("ours"),
        (
            Peer("diffusers unload + load", timed.figure("unload"), 0.2),
            Peer("diffusers hotswap", timed.figure("hotswap"), 1.0),
        ),
        note=f"back and forth between two LoRAs of {layers} layers; merge and wire included",
    )


def alpha_row(ready: Ready, peer: DiffusersWorker, rounds: int) -> Row:
    """`set_alpha` there and back, plus the merge that the next picture then does."""
    names = two(ready)
    ready.sidecar.switch_lora(names[0], 0.5)
    drawn = {"width": 64, "height": 64, "steps": 1, "seed": 1}

    def set_alpha(number: int) -> float:
        start = time.perf_counter()
        ready.sidecar.set_alpha(alpha_of(number))
        there_and_back = (time.perf_counter() - start) * 1000
        shown = ready.sidecar.preview(PROMPTS[0], **drawn)
        return there_and_back + shown.timings.merge_ms

    def unload_and_load(number: int) -> float:
        return peer("unload_and_load", lora=ready.lora_file(names[0]), alpha=alpha_of(number))

    def hotswap(number: int) -> float:
        return peer("hotswap", lora=ready.lora_file(names[0]), alpha=alpha_of(number))

    timed = in_turns(
        {"ours": set_alpha, "unload": unload_and_load, "hotswap": hotswap}, rounds, warm_up=2
    )
    return Row(
        "`set_alpha` and its merge",
        timed.figure("ours"),
        (
            Peer("diffusers unload + load", timed.figure("unload"), 0.2),
            Peer("diffusers hotswap", timed.figure("hotswap"), 1.0),
        ),
        note="the answer comes at once; the merge runs before the next step and is added here",
    )


def alpha_of(number: int) -> float:
    return 0.3 + 0.01 * (number % 60)
