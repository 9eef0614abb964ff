"""Pieces put together give what the whole gives."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.engine.upscale.tiles import FEATHER, enlarged_rows, spans


@given(
    st.integers(1, 3000),
    st.integers(1, 700),
    st.integers(0, 60),
    st.sampled_from([1, 2, 4, 8, 16, 32, 64]),
)
def test_pieces_cover_everything_and_throw_away_their_margins(
    length: int, tile: int, margin: int, multiple: int
) -> None:
    pieces = spans(length, tile, margin, multiple=multiple)
    assert not any(piece.start % multiple for piece in pieces)
    assert (pieces[0].start, pieces[-1].stop) == (0, length)
    assert (pieces[0].fade_in, pieces[-1].fade_out) == ((0, 0), (length, length))
    for one, other in pairwise(pieces):
        assert one.fade_out == other.fade_in
        assert one.fade_in[1] <= one.fade_out[0]
        assert other.fade_in[0] - other.start >= margin
        assert one.stop - one.fade_out[1] >= margin
        assert one.fade_out[1] - one.fade_out[0] == FEATHER


@given(st.integers(1, 3000), st.integers(100, 700), st.integers(0, 20))
def test_no_piece_is_larger_than_asked_and_all_are_alike(
    length: int, tile: int, margin: int
) -> None:
    pieces = spans(length, tile, margin)
    assert len({piece.stop - piece.start for piece in pieces}) == 1
    assert pieces[0].stop <= tile or pieces[0].stop <= 2 * margin + 4 * FEATHER


@settings(max_examples=30)
@given(st.integers(1, 180), st.integers(1, 180), st.integers(40, 100), st.sampled_from([1, 3, 4]))
def test_whatever_the_size_the_strips_are_the_picture(
    height: int, width: int, tile: int, channels: int
) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (height, width, channels), np.uint8)

    def twice(piece: np.ndarray) -> np.ndarray:
        return np.repeat(np.repeat(piece, 2, 0), 2, 1)

    rows, columns = spans(height, tile, 4), spans(width, tile, 4)
    strips = list(enlarged_rows(picture, 2, rows, columns, twice))
    assert (np.concatenate(strips) == twice(picture)).all()


def test_two_pieces_that_differ_fade_into_each_other() -> None:
    """No step is larger than the difference spread over the feather."""
    shades = iter([0, 200])
    rows, columns = spans(20, 60, 4), spans(100, 60, 4)
    assert len(columns) == 2

    def shaded(piece: np.ndarray) -> np.ndarray:
        return np.full_like(piece, next(shades))

    picture = np.zeros((20, 100, 1), np.uint8)
    line = np.concatenate(list(enlarged_rows(picture, 1, rows, columns, shaded)))[0, :, 0]
    assert (line[0], line[-1]) == (0, 200)
    assert np.abs(np.diff(line.astype(int))).max() <= 200 / FEATHER + 1
