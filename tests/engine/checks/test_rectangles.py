"""The smallest rectangle around points, and the regions that the points come from."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.engine.checks.rectangles import Rectangle, around, hull
from sidecar.engine.checks.regions import regions


@given(
    st.floats(-500, 500),
    st.floats(-500, 500),
    st.floats(2, 400),
    st.floats(0.1, 0.9),
    st.floats(-pi / 2 + 0.01, pi / 2 - 0.01),
)
def test_a_turned_rectangle_is_found_again_from_points_within_it(
    x: float, y: float, length: float, part: float, angle: float
) -> None:
    wanted = Rectangle(x, y, length, length * part, angle)
    inner = wanted.grown(-length * part / 4).corners
    found = around(np.concatenate([inner, wanted.corners, inner.mean(axis=0, keepdims=True)]))
    for name in ("x", "y", "length", "height", "angle"):
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), abs=1e-6)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=30))
def test_every_point_lies_within_and_none_of_the_hull_could_be_spared(
    places: list[tuple[int, int]],
) -> None:
    squares = [(x + a, y + b) for x, y in places for a in (0, 1) for b in (0, 1)]
    points = np.array(squares, np.float64)
    found = around(points)
    turn = np.array([np.cos(found.angle), np.sin(found.angle)])
    aside = np.array([-turn[1], turn[0]])
    middle = points - (found.x, found.y)
    assert np.abs(middle @ turn).max() <= found.length / 2 + 1e-6
    assert np.abs(middle @ aside).max() <= found.height / 2 + 1e-6
    assert found.length * found.height <= np.prod(np.ptp(points, axis=0)) + 1e-6
    corners = hull(points)
    assert {tuple(corner) for corner in corners} <= {tuple(point) for point in points}


def test_regions_that_touch_at_a_corner_only_are_one_and_others_are_not() -> None:
    drawn = ["##..#", "..#.#", "....#", "#...."]
    mask = np.array([[sign == "#" for sign in row] for row in drawn])
    assert sorted(region.box for region in regions(mask)) == [
        (0, 0, 3, 2),
        (0, 3, 1, 4),
        (4, 0, 5, 3),
    ]


def test_a_region_knows_its_runs_wherever_its_parts_were_joined() -> None:
    mask = np.array([[True, False, True], [True, True, True], [False, True, False]])
    (region,) = regions(mask)
    assert sorted(region.runs) == [(0, 0, 1), (0, 2, 3), (1, 0, 3), (2, 1, 2)]
    assert len(region.outline) == 16
