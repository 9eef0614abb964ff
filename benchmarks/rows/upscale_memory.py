"""Super-resolution: the most memory that the engine's process takes, by the size of the picture."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.measuring import Figure, Row

SIZES = ((512, 512), (1000, 750), (2000, 1500), (4000, 3000))
SECONDS = 3600


def measure(scale: float) -> list[Row]:
    return [peak(*size) for size in SIZES]


def peak(width: int, height: int) -> Row:
    command = [sys.executable, "-m", "benchmarks.enlarging.peak", str(width), str(height)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    return Row(
        f"{width}×{height} enlarged ×4",
        Figure((float(done.stdout),), unit="MB"),
        bar=1500.0,
        note="peak RSS, without torch, the PNG written row by row" if width == SIZES[0][0] else "",
    )
