"""What is done where memory runs out, without torch."""

from __future__ import annotations

import traceback


def forget(exc: BaseException) -> None:
    """Clear the locals of every frame that the error, and those it came of, went through: as long
    as it lives, they would keep their arrays."""
    seen: BaseException | None = exc
    while seen is not None:
        traceback.clear_frames(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__
