"""The second half of a network that first looks and then enlarges (RRDB's kind).

Looking takes the time and enlarging the memory: sixteen times as many pixels. In one piece each
would have to be as small as the enlargement demands, and most of what is looked at would be
margin. So the file has the two halves apart (`tools/assets/to_onnx.py`), and the second one goes
over the features of a large piece in small ones. It sees two pixels far; with a margin of more
nothing changes.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.engine.upscale import providers
from sidecar.engine.upscale.tiles import Span, spans

TILE, MARGIN = 96, 4
"""Pixels of the features; a hundred megabytes for 64 channels enlarged four times."""

Floats = NDArray[np.float32]


class Tail:
    """Takes the features that the first half gives."""

    def __init__(self, session: providers.Session) -> None:
        self._session = session
        self._input: str = session.get_inputs()[0].name

    @classmethod
    def of(cls, first: providers.Session, threads: int) -> Tail | None:
        """What the metadata of the first half has; None for a network that is of one piece."""
        facts: dict[str, str] = first.get_modelmeta().custom_metadata_map
        if "tail" not in facts:
            return None
        return cls(providers.beside(first, b64decode(facts["tail"]), threads))

    def __call__(self, features: Floats, scale: int, stop: providers.Stop | None) -> Floats:
        """(1, channels, height, width) to (1, 3, height · scale, width · scale)."""
        height, width = features.shape[2:]
        result = np.empty((1, 3, height * scale, width * scale), np.float32)
        rows, columns = (spans(side, TILE, MARGIN, feather=0) for side in (height, width))
        for row in rows:
            for column in columns:
                piece = features[:, :, row.start : row.stop, column.start : column.stop]
                fed: dict[str, Any] = {self._input: np.ascontiguousarray(piece)}
                out = providers.run(self._session, fed, stop)
                wanted = (slice(None), slice(None), _kept(row, scale), _kept(column, scale))
                within = (*wanted[:2], _within(row, scale), _within(column, scale))
                result[wanted] = out[within]
        return result

    def give_back(self) -> None:
        """Free what the runs took."""
        providers.give_back(self._session)


def _kept(span: Span, scale: int) -> slice:
    """The part of the whole that this piece is for."""
    return slice(span.fade_in[0] * scale, span.fade_out[1] * scale)


def _within(span: Span, scale: int) -> slice:
    """The same, counted from the piece's own start."""
    return slice((span.fade_in[0] - span.start) * scale, (span.fade_out[1] - span.start) * scale)
