"""What is half written when a process dies goes; what a living sidecar needs stays."""

from __future__ import annotations

import os
from pathlib import Path
from time import time

import pytest

from sidecar.rpc.unfinished import FORGOTTEN_SECONDS, Unfinished
from tests.rpc.child import PATIENCE, Child, Start, gone, until

HALF = ".upscaled.half.tmp"


def half_written(folder: Path) -> Path:
    file = folder / HALF
    file.write_bytes(b"half a picture")
    return file


class TestFolders:
    def test_that_of_a_living_sidecar_stays_and_that_of_a_dead_one_goes(
        self, tmp_path: Path
    ) -> None:
        living, dead, cleaner = (Unfinished(tmp_path) for _ in range(3))
        kept, left = half_written(living.folder()), half_written(dead.folder())
        held = dead._held
        assert held is not None
        held.close()  # as its death does
        cleaner.clean()
        assert kept.exists()
        assert not left.parent.exists()
        assert len(list(tmp_path.iterdir())) == 2

    def test_one_s_own_is_not_cleaned_up_and_goes_in_the_end(self, tmp_path: Path) -> None:
        own = Unfinished(tmp_path)
        file = half_written(own.folder())
        own.clean()
        assert file.exists()
        own.close()
        assert list(tmp_path.iterdir()) == []

    def test_files_of_no_folder_go_after_a_day(self, tmp_path: Path) -> None:
        new, old = half_written(tmp_path), tmp_path / "old.tmp"
        old.touch()
        os.utime(old, (0, time() - FORGOTTEN_SECONDS - 60))
        Unfinished(tmp_path).clean()
        assert new.exists()
        assert not old.exists()

    def test_nothing_is_made_where_nothing_is_needed(self, tmp_path: Path) -> None:
        unfinished = Unfinished(tmp_path / "none")
        unfinished.clean()
        unfinished.engine_died()
        unfinished.close()
        assert not (tmp_path / "none").exists()

    def test_without_locks_it_works_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sidecar.rpc.unfinished._locked", lambda file: False)
        one, other = Unfinished(tmp_path), Unfinished(tmp_path)
        file = half_written(one.folder())
        other.clean()
        assert file.exists()


def enlarged(child: Child, photo: Path) -> Path:
    """The folder in which that sidecar's engine writes."""
    before = set(child_folders(photo))
    child.call("upscale", image={"path": str(photo)})
    (own,) = set(child_folders(photo)) - before
    return own


def child_folders(photo: Path) -> list[Path]:
    root = photo.parent / "data" / "unfinished"
    return [path for path in root.iterdir() if path.is_dir()] if root.exists() else []


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 100)
    return photo


def test_what_a_killed_engine_was_writing_goes_at_once(start: Start, photo: Path) -> None:
    child = start()
    file = half_written(enlarged(child, photo))
    child.engine().kill()
    until(lambda: not file.exists())
    assert child.call("upscale", image={"path": str(photo)})["images"]


def test_what_a_killed_sidecar_left_goes_with_the_next_one_that_starts(
    start: Start, photo: Path
) -> None:
    killed, living = start(), start()
    left, kept = (half_written(enlarged(child, photo)) for child in (killed, living))
    engine = killed.engine()
    killed.process.kill()
    killed.process.wait(PATIENCE)
    assert gone(engine, PATIENCE)
    following = start()
    following.call("initialize")
    until(lambda: not left.parent.exists())
    assert kept.exists()
    assert living.call("upscale", image={"path": str(photo)})["images"]
    for child in (living, following):
        assert child.stop() == 0
    assert list((photo.parent / "data" / "unfinished").iterdir()) == []
