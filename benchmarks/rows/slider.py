"""A dragged slider: `set_alpha` and `preview`, until the picture is on the wire."""

from __future__ import annotations

import os
from typing import Any

from benchmarks.children import diffusers_worker
from benchmarks.measuring import Figure, Peer, Row, in_turns
from benchmarks.sidecars import PROMPTS, starter_sidecar
from sidecar.catalog.models import ModelCatalog
from sidecar.paths import starter_folder

MOVES = 50


def measure(scale: float) -> list[Row]:
    defaults = ModelCatalog((), starter_folder()).find("starter").defaults
    same: dict[str, Any] = {
        "width": defaults.preview_side,
        "height": defaults.preview_side,
        "steps": defaults.preview_steps,
        "guidance_scale": defaults.guidance_scale,
    }
    with starter_sidecar() as ready, diffusers_worker() as peer:
        style = ready.loras[0]
        ready.sidecar.switch_lora(style, 0.5)
        peer("unload_and_load", lora=ready.lora_file(style), alpha=0.5)

        def ours(number: int) -> None:
            ready.sidecar.set_alpha(alpha_of(number))
            ready.sidecar.preview(PROMPTS[0], seed=1, session="slider")

        def plain(number: int) -> float:
            return peer("set_adapters", alpha=alpha_of(number)) + peer(
                "generate", prompt=PROMPTS[0], seed=1, format="WEBP", **same
            )

        timed = in_turns(
            {"ours": ours, "diffusers": plain}, rounds=max(4, int(MOVES * scale)), warm_up=2
        )
    return [
        Row(
            "slider: `set_alpha` + `preview` → picture",
            Figure(timed.samples["ours"], statistic="p95"),
            (
                Peer(
                    "diffusers: set_adapters + call",
                    Figure(timed.samples["diffusers"], statistic="p95"),
                ),
            ),
            bar=500.0,
            note=(
                f"p95 of {len(timed.samples['ours'])} moves, {same['steps']} steps at "
                f"{same['width']} px, every alpha new, {os.cpu_count()} cores"
            ),
        )
    ]


def alpha_of(number: int) -> float:
    """Up and down, and never the same value twice, so that no cached preview helps."""
    return round(abs((number * 0.0371) % 2.0 - 1.0) + number * 1e-6, 6)
