"""Data sets: the layout that is read, and the sentence for each thing that is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.engine.train.dataset import read_dataset
from sidecar.engine.train.latents import read_picture
from sidecar.errors import DatasetInvalid

pytestmark = pytest.mark.engine


@pytest.fixture
def own(data: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(data, tmp_path / "own"))


def test_pictures_and_captions_are_found_in_all_four_folders(data: Path) -> None:
    found = read_dataset(data)
    counts = [len(part) for part in (found.target, found.source, found.holdout, found.negative)]
    assert counts == [6, 6, 2, 3]
    assert found.target[0].caption == "a apple"
    assert found.notes == ()


def test_without_a_holdout_folder_some_targets_are_held_out(own: Path) -> None:
    shutil.rmtree(own / "holdout")
    found = read_dataset(own)
    assert (len(found.target), len(found.holdout)) == (5, 1)
    assert found.notes


def test_a_kohya_folder_repeats_its_pictures_and_gives_them_a_caption(own: Path) -> None:
    inner = own / "target" / "10_ink drawing"
    inner.mkdir()
    shutil.copy(own / "target" / "cat-0.png", inner / "bare.png")
    item = read_dataset(own).target[-1]
    assert (item.repeats, item.caption) == (10, "ink drawing")


def _without_target(root: Path) -> None:
    shutil.rmtree(root / "target")


def _without_pictures(root: Path) -> None:
    for picture in (root / "target").glob("*.png"):
        picture.unlink()


def _without_caption(root: Path) -> None:
    (root / "target" / "cat-0.txt").unlink()


def _with_empty_caption(root: Path) -> None:
    (root / "target" / "cat-0.txt").write_text(" \n")


def _with_latin_caption(root: Path) -> None:
    (root / "target" / "cat-0.txt").write_bytes(b"caf\xe9")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_without_target, "no folder named “target”"),
        (_without_pictures, "has no PNG"),
        (_without_caption, "target/cat-0.png has no caption"),
        (_with_empty_caption, "is empty"),
        (_with_latin_caption, "not UTF-8"),
        (shutil.rmtree, "is not a folder"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    own: Path, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(own)
    with pytest.raises(DatasetInvalid, match=words):
        read_dataset(own)


def test_a_file_that_is_no_picture_is_named(own: Path) -> None:
    (own / "target" / "cat-0.png").write_bytes(b"not a picture")
    with pytest.raises(DatasetInvalid, match=r"target/cat-0\.png cannot be read"):
        read_picture(own / "target" / "cat-0.png", 64)


def test_see_through_parts_become_white_and_the_middle_square_is_taken(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGBA", (128, 64), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    pixels = read_picture(tmp_path / "clear.png", 64)
    assert pixels.shape == (3, 64, 64)
    assert float(pixels.min()) == 1.0
