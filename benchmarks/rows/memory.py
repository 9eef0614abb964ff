"""Resident memory of the front, after it has done everything once."""

from __future__ import annotations

import psutil

from benchmarks.measuring import Figure, Row
from benchmarks.sidecars import PROMPTS, starter_sidecar

PICTURES = 10


def measure(scale: float) -> list[Row]:
    with starter_sidecar() as ready:
        for number in range(max(2, int(PICTURES * scale))):
            ready.sidecar.switch_lora(ready.loras[number % len(ready.loras)])
            drawn = ready.sidecar.generate(PROMPTS[0], seed=number, delivery="both")
            ready.sidecar.history_rollback(drawn.images[0].history_id)
        ready.sidecar.history_list()
        ready.sidecar.discover()
        pids = ready.sidecar.status().pids
        front = psutil.Process(pids["front"]).memory_info().rss / 1e6
    return [
        Row(
            "memory of the front",
            Figure((front,), unit="MB"),
            bar=60.0,
            note="RSS after pictures, rollbacks and every list",
        )
    ]
