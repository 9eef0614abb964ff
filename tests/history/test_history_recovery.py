"""Broken databases, missing files, full and read-only disks."""

import errno
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sidecar import storage_texts
from sidecar.errors import StorageFault
from sidecar.history import History
from sidecar.history import files as files_module
from sidecar.history.database import MIGRATIONS
from sidecar.paths import DataFolder
from tests.history.history_samples import new_picture


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


@pytest.fixture
def history(data: DataFolder) -> Iterator[History]:
    history = History(data, keep=3)
    yield history
    history.close()


def reopened(data: DataFolder, keep: int = 3) -> History:
    return History(data, keep)


def fill(history: History, count: int) -> list[str]:
    return [history.add(new_picture(init_image=b"start")).entry.id for _ in range(count)]


def test_a_broken_database_is_moved_aside_and_rebuilt_from_the_pictures(
    history: History, data: DataFolder
) -> None:
    fill(history, 3)
    before, _ = history.entries(10, 0)
    history.close()
    data.database.write_bytes(b"no database at all" * 500)
    again = reopened(data)
    assert again.entries(10, 0)[0] == before
    assert again.moved_aside is not None
    assert again.moved_aside.read_bytes().startswith(b"no database at all")
    assert again.init_image(before[0].id) == b"start"
    again.close()


def test_a_database_that_breaks_in_use_does_not_lose_the_picture_in_work(
    history: History, data: DataFolder
) -> None:
    first = fill(history, 1)
    for path in data.root.glob("history.sqlite3*"):
        os.truncate(path, 0)
        with open(path, "r+b") as file:
            file.write(b"\x55" * 50_000)
    second = fill(history, 1)
    assert history.moved_aside is not None
    assert [entry.id for entry in history.entries(10, 0)[0]] == [*second, *first]


def test_pins_survive_a_broken_database_where_they_can_be_read(
    history: History, data: DataFolder
) -> None:
    first, *_ = fill(history, 3)
    history.pin(first, True)
    history.close()
    os.rename(data.database, data.root / "history-damaged-by-a-test.sqlite3")
    again = reopened(data)
    assert again.entry(first).pinned
    again.close()


def test_nothing_is_evicted_because_the_database_was_lost(
    history: History, data: DataFolder
) -> None:
    for entry_id in fill(history, 2):
        history.pin(entry_id, True)
    added = fill(history, 3)
    history.close()
    data.database.unlink()
    again = reopened(data)
    entries, total = again.entries(10, 0)
    assert total == 5
    assert [entry.id for entry in entries if not entry.pinned] == added[::-1]
    again.close()


def test_pictures_that_come_back_do_not_push_others_out(history: History, data: DataFolder) -> None:
    pinned = [history.pin(entry_id, True).id for entry_id in fill(history, 3)]
    added = fill(history, 3)
    history.close()
    os.rename(data.images, data.root / "unmounted")
    empty = reopened(data)
    assert empty.count() == 0
    empty.close()
    data.images.rmdir()
    os.rename(data.root / "unmounted", data.images)
    again = reopened(data)
    entries, _ = again.entries(10, 0)
    assert [entry.id for entry in entries] == [*added[::-1], *pinned[::-1]]
    assert [entry.id for entry in entries if entry.pinned] == pinned[::-1]
    again.close()


def test_a_row_whose_picture_is_gone_is_dropped_at_the_next_opening(
    history: History, data: DataFolder
) -> None:
    first, second = fill(history, 2)
    os.unlink(history.entry(first).path)
    history.close()
    again = reopened(data)
    assert [entry.id for entry in again.entries(10, 0)[0]] == [second]
    assert {path.name for path in data.images.iterdir()} == {f"{second}.png", f"{second}.init"}
    again.close()


def test_files_of_other_people_in_the_images_folder_are_left_alone(
    history: History, data: DataFolder
) -> None:
    fill(history, 1)
    history.close()
    (data.images / "holiday.png").write_bytes(b"mine")
    (data.images / "20200101-000000-000-00000000.png").write_bytes(b"no recipe inside")
    again = reopened(data)
    assert again.count() == 1
    assert (data.images / "holiday.png").read_bytes() == b"mine"
    assert (data.images / "20200101-000000-000-00000000.png").exists()
    again.close()


def test_a_history_of_a_newer_version_is_refused_and_left_as_it_is(
    history: History, data: DataFolder
) -> None:
    fill(history, 1)
    history.close()
    db = sqlite3.connect(data.database)
    db.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    db.close()
    again = reopened(data)
    with pytest.raises(StorageFault, match="newer version"):
        again.count()
    assert again.moved_aside is None
    again.close()


def test_a_file_in_place_of_the_data_folder_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(StorageFault, match="in the way"):
        History(DataFolder(tmp_path / "data"), keep=3).count()


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write all")
def test_a_read_only_folder_is_told_in_words(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o500)
    with pytest.raises(StorageFault, match="read-only, or no permission"):
        History(DataFolder(tmp_path / "data"), keep=3).count()
    os.chmod(tmp_path, 0o700)


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "is full"), (errno.EROFS, "read-only"), (errno.EIO, "error")],
)
def test_a_disk_that_fails_under_a_picture_leaves_nothing_half_written(
    history: History,
    data: DataFolder,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    words: str,
) -> None:
    kept = fill(history, 1)

    def fail(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(files_module.os, name, fail)
            with pytest.raises(StorageFault, match=words):
                history.add(new_picture(init_image=b"start"))
        assert {path.stem for path in data.images.iterdir()} == set(kept)
        assert [entry.id for entry in history.entries(10, 0)[0]] == kept
    kept += fill(history, 1)
    assert history.count() == 2


def test_a_full_database_leaves_no_picture_behind(history: History, data: DataFolder) -> None:
    kept = fill(history, 1)
    db = history._db
    assert db is not None
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StorageFault, match="is full"):
        history.add(new_picture(thumbnail=b"t" * 100_000))
    assert {path.stem for path in data.images.iterdir()} == set(kept)
    db.execute(f"PRAGMA max_page_count={pages + 1000}")
    assert history.add(new_picture(thumbnail=b"t" * 100_000)).entry.bytes > 0


def test_a_file_that_cannot_be_removed_now_goes_with_the_next_change(
    history: History, data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fill(history, 1)[0]

    def locked(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "open in another program")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", locked)
        assert history.delete(first) == [first]
    assert (data.images / f"{first}.png").exists()
    assert history.count() == 0
    second = fill(history, 1)[0]
    assert {path.stem for path in data.images.iterdir()} == {second}


@pytest.mark.parametrize("kind", [k for k in storage_texts.ENGLISH if k != "storage_fault"])
def test_every_fault_of_the_disk_has_words_in_both_languages(kind: str) -> None:
    values = {"folder": "/data", "path": "/data/x", "detail": "why"}
    fault = StorageFault(cause=kind.removeprefix("storage_"), **values)
    english, chinese = fault.to_wire("en"), fault.to_wire("zh-CN")
    assert english["message"].startswith("The data folder cannot be used: ")
    assert chinese["message"].startswith("数据文件夹不可用：")
    named = [value for name, value in values.items() if f"{{{name}}}" in str(storage_texts.CHINESE)]
    assert any(value in chinese["message"] for value in named)
    assert english["data"]["hint"] != chinese["data"]["hint"]
    assert english["data"]["cause"] == fault.fields["cause"]
