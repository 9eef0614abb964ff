"""How much of one message pictures may take."""

from __future__ import annotations

MAX_MESSAGE_PICTURES = 32 * 1024 * 1024
"""Bytes of encoded pictures; a third more as text."""


class Room:
    """One per message that comes in, and so per message that answers it; the members of a batch
    share it. `take` is called from the link's thread only."""

    def __init__(self) -> None:
        self._left = MAX_MESSAGE_PICTURES

    def take(self, size: int) -> bool:
        """Whether a picture of that many bytes still fits; then it has its place."""
        fits = size <= self._left
        if fits:
            self._left -= size
        return fits
