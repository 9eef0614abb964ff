"""Connected regions of a mask, by runs and union-find (He et al. 2017, section 3.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]


def regions(mask: Mask) -> list[Box]:
    """The box (left, top, right, bottom; exclusive) of each 8-connected region."""
    boxes = _Boxes()
    above: list[tuple[int, int, int]] = []
    for y, row in enumerate(mask):
        above = [(*run, boxes.joined(y, run, above)) for run in _runs(row)]
    return boxes.roots()


def _runs(row: Mask) -> list[tuple[int, int]]:
    """(start, stop) of each run of true values."""
    steps = np.flatnonzero(np.diff(np.concatenate(([False], row, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(steps[::2], steps[1::2], strict=True)]


class _Boxes:
    """One box for each region; regions that turn out to be one are united."""

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._box: list[Box] = []

    def joined(self, y: int, run: tuple[int, int], above: list[tuple[int, int, int]]) -> int:
        """The label of the run, united with all runs above that it touches."""
        label = len(self._parent)
        self._parent.append(label)
        self._box.append((run[0], y, run[1], y + 1))
        for start, stop, other in above:
            if start <= run[1] and stop >= run[0]:
                label = self._united(label, other)
        return label

    def roots(self) -> list[Box]:
        return [self._box[i] for i, parent in enumerate(self._parent) if i == parent]

    def _root(self, label: int) -> int:
        while self._parent[label] != label:
            self._parent[label] = self._parent[self._parent[label]]
            label = self._parent[label]
        return label

    def _united(self, one: int, other: int) -> int:
        a, b = sorted((self._root(one), self._root(other)))
        if a != b:
            (x0, y0, x1, y1), (u0, v0, u1, v1) = self._box[a], self._box[b]
            self._box[a] = (min(x0, u0), min(y0, v0), max(x1, u1), max(y1, v1))
            self._parent[b] = a
        return a
