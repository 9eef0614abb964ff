"""The smallest rectangle around points, however it is turned (rotating calipers, Toussaint 1983).

One of its sides lies along a side of the points' hull, so as many are tried as the hull has sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Rectangle:
    """`angle`: in radians, of the longer side to the right-hand direction, from -π/2 to π/2."""

    x: float
    y: float
    length: float
    height: float
    angle: float

    def grown(self, by: float) -> Rectangle:
        """That much further on each side."""
        return replace(self, length=self.length + 2 * by, height=self.height + 2 * by)

    @property
    def corners(self) -> Points:
        """(4, 2): of one that is not turned, upper left, upper right, lower right, lower left."""
        along = np.array([np.cos(self.angle), np.sin(self.angle)]) * self.length / 2
        down = np.array([-np.sin(self.angle), np.cos(self.angle)]) * self.height / 2
        middle = np.array([self.x, self.y])
        return np.stack([-along - down, along - down, along + down, down - along]) + middle


def around(points: Points) -> Rectangle:
    """`points`: (n, 2) of x and y, not all of them on one line."""
    corners = hull(points)
    sides = np.roll(corners, -1, axis=0) - corners
    angles = np.arctan2(sides[:, 1], sides[:, 0])
    across = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    down = np.stack([-np.sin(angles), np.cos(angles)], axis=1)
    turned = np.stack([corners @ across.T, corners @ down.T])
    least, most = turned.min(axis=1), turned.max(axis=1)
    best = int(np.prod(most - least, axis=0).argmin())
    (length, height), angle = (most - least)[:, best], float(angles[best])
    x, y = np.stack([across[best], down[best]]).T @ ((most + least)[:, best] / 2)
    if height > length:
        length, height, angle = height, length, angle + np.pi / 2
    angle = (angle + np.pi / 2) % np.pi - np.pi / 2
    return Rectangle(float(x), float(y), float(length), float(height), float(angle))


def hull(points: Points) -> Points:
    """The corners of the convex hull in order (monotone chain, Andrew 1979)."""
    ordered = sorted({(float(x), float(y)) for x, y in points})
    return np.array(_chain(ordered)[:-1] + _chain(ordered[::-1])[:-1])


def _chain(ordered: list[tuple[float, float]]) -> list[tuple[float, float]]:
    chain: list[tuple[float, float]] = []
    for x, y in ordered:
        while len(chain) > 1 and _bends_back(chain[-2], chain[-1], (x, y)):
            chain.pop()
        chain.append((x, y))
    return chain


def _bends_back(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) <= (b[1] - a[1]) * (c[0] - a[0])
