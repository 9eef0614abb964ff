"""The low-memory ladder: each rung takes less memory than the one before it, and more time.

What the rungs mean is decided by `sidecar.engine.diffusion.low_vram`, for each kind of device.
"""

from __future__ import annotations

AUTO, OFF, BALANCED, AGGRESSIVE = "auto", "off", "balanced", "aggressive"
RUNGS = (OFF, BALANCED, AGGRESSIVE)


def below(rung: str) -> str | None:
    """The next rung down; None when there is none. Of "auto", the one below where it begins."""
    place = 0 if rung == AUTO else RUNGS.index(rung)
    return RUNGS[place + 1] if place + 1 < len(RUNGS) else None


def from_rung_down(rung: str) -> tuple[str, ...]:
    """That rung and all below it, the fastest first."""
    return RUNGS[RUNGS.index(rung) :]
