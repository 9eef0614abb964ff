"""One engine as a child: JSON lines in, what was foretold and what was taken out.

python -m benchmarks.memory.worker FOLDER FAMILY RUNG REMEMBERED
{"op": "load"} | {"op": "draw", "width": …, "height": …, "count": …, "steps": …, "guidance": …}
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from sidecar.engine.allocator import keep_freed_blocks
from sidecar.engine.contract import CancelToken, Event, ImageReady, ModelSpec, Progress, RenderSpec
from sidecar.engine.diffusion import memory
from sidecar.engine.diffusion.engine import DiffusionEngine

PROMPT = "a red apple on a table"


class Worker:
    def __init__(self, folder: str, family: str, rung: str, remembered: str) -> None:
        self._model = ModelSpec(family, folder, family, low_vram=rung)
        self._engine = DiffusionEngine(remembered=Path(remembered))
        self._engine.warm_up()
        self._device = self._engine._parts.device

    def load(self) -> dict[str, Any]:
        """Resident size of the process without the model and with it, and the weights alone."""
        base = self._device.main.resident()
        loaded = self._engine.load_model("load", self._model, _ignore, CancelToken())
        memory.release(self._device)
        return {
            "base": base,
            "resident": self._device.main.resident(),
            "weights": sum(component.bytes for component in loaded.components),
            "load_ms": loaded.load_ms,
        }

    def draw(
        self, width: int, height: int, count: int, steps: int, guidance: float, save: str
    ) -> dict[str, Any]:
        """`save`: where the first picture is put."""
        spec = RenderSpec(
            self._model, (), PROMPT, "", width, height, steps, guidance, "euler", 1, count
        )
        memory.release(self._device)  # as the host does when there is nothing to do
        forecast = self._engine.memory(1, spec).forecast
        assert forecast is not None
        events: list[Event] = []
        with self._device.main.span():
            pass  # forgets what was before
        self._device.main._highest = 0
        took = self._engine.render("draw", spec, events.append, CancelToken())
        pictures = [event for event in events if isinstance(event, ImageReady)]
        Path(save).write_bytes(pictures[0].data)
        taken = sum(1 for e in events if isinstance(e, Progress) and e.phase == "denoise")
        return {
            "predicted": forecast.peak,
            "measured": self._device.main.highest(),
            "known": forecast.measured,
            "at_once": forecast.at_once,
            "step_ms": took.denoise_ms / taken,
            "total_ms": took.denoise_ms + took.decode_ms,
            "picture": save,
        }


def _ignore(event: Event) -> None:
    """Progress interests nobody here."""


def main() -> None:
    keep_freed_blocks()
    worker = Worker(*sys.argv[1:])
    _answer({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        _answer(getattr(worker, request.pop("op"))(**request))


def _answer(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
