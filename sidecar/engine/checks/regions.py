"""Connected regions of a mask, by runs and union-find (He et al. 2017, section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]
Run = tuple[int, int, int]
"""The row, and where in it the run starts and stops."""


@dataclass(frozen=True)
class Region:
    runs: list[Run]

    @property
    def box(self) -> Box:
        """Left, top, right, bottom; exclusive."""
        rows, starts, stops = zip(*self.runs, strict=True)
        return min(starts), min(rows), max(stops), max(rows) + 1

    @property
    def outline(self) -> NDArray[np.float64]:
        """(n, 2): x and y of all corners of its runs."""
        corners = [
            (x, y + down) for y, start, stop in self.runs for x in (start, stop) for down in (0, 1)
        ]
        return np.array(corners, np.float64)


def regions(mask: Mask) -> list[Region]:
    """All 8-connected regions."""
    found = _Regions()
    above: list[tuple[int, int, int]] = []
    for y, row in enumerate(mask):
        above = [(*run, found.joined(y, run, above)) for run in _runs(row)]
    return found.roots()


def _runs(row: Mask) -> list[tuple[int, int]]:
    """(start, stop) of each run of true values."""
    steps = np.flatnonzero(np.diff(np.concatenate(([False], row, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(steps[::2], steps[1::2], strict=True)]


class _Regions:
    """The runs of each region; regions that turn out to be one are united."""

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._members: list[list[Run]] = []

    def joined(self, y: int, run: tuple[int, int], above: list[tuple[int, int, int]]) -> int:
        """The label of the run, united with all runs above that it touches."""
        label = len(self._parent)
        self._parent.append(label)
        self._members.append([(y, *run)])
        for start, stop, other in above:
            if start <= run[1] and stop >= run[0]:
                label = self._united(label, other)
        return label

    def roots(self) -> list[Region]:
        return [Region(self._members[i]) for i, parent in enumerate(self._parent) if i == parent]

    def _root(self, label: int) -> int:
        while self._parent[label] != label:
            self._parent[label] = self._parent[self._parent[label]]
            label = self._parent[label]
        return label

    def _united(self, one: int, other: int) -> int:
        a, b = sorted((self._root(one), self._root(other)))
        if a != b:
            self._members[a] += self._members[b]
            self._members[b] = []
            self._parent[b] = a
        return a
