"""The history as the handlers use it."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sidecar.errors import HistoryNotFound, PictureGone
from sidecar.history import History
from sidecar.history import store as store_module
from sidecar.paths import DataFolder
from tests.history.history_samples import THUMBNAIL, new_picture, parameters, png

PROGRAM = Path(__file__).parent / "programs" / "add_pictures.py"


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


@pytest.fixture
def history(data: DataFolder) -> Iterator[History]:
    history = History(data, keep=3)
    yield history
    history.close()


def ids(history: History) -> list[str]:
    return [entry.id for entry in history.entries(500, 0)[0]]


def test_nothing_is_created_before_the_first_use(data: DataFolder) -> None:
    History(data, keep=3).close()
    assert not data.root.exists()


def test_an_added_picture_is_an_entry_with_all_its_facts(history: History) -> None:
    entry = history.add(new_picture()).entry
    assert history.entry(entry.id) == entry
    assert (entry.width, entry.height, entry.mime) == (8, 8, "image/png")
    assert entry.parameters == parameters()
    assert entry.bytes == Path(entry.path).stat().st_size
    assert entry.thumbnail.startswith("data:image/webp;base64,")
    assert entry.created.endswith("Z")
    assert not entry.pinned


def test_entries_come_newest_first_and_in_pages(history: History) -> None:
    added = [history.add(new_picture()).entry.id for _ in range(3)]
    assert ids(history) == added[::-1]
    page, total = history.entries(1, 1)
    assert ([entry.id for entry in page], total) == ([added[1]], 3)
    assert history.entries(10**30, 10**30) == ([], 3)


def test_the_oldest_makes_room_and_its_file_goes(history: History, data: DataFolder) -> None:
    first = history.add(new_picture(init_image=b"start")).entry
    others = [history.add(new_picture()) for _ in range(3)]
    assert [added.evicted for added in others] == [(), (), (first.id,)]
    assert history.count() == 3
    assert len(list(data.images.iterdir())) == 3
    with pytest.raises(HistoryNotFound):
        history.entry(first.id)


def test_pictures_of_one_request_do_not_push_each_other_out(history: History) -> None:
    made: list[str] = []
    for _ in range(5):
        added = history.add(new_picture(), spare=made)
        assert added.evicted == ()
        made.append(added.entry.id)
    assert ids(history) == made[::-1]
    assert history.add(new_picture()).evicted == tuple(made[:3])


@pytest.mark.parametrize("keep", [0, -1])
def test_the_newest_picture_is_always_kept(data: DataFolder, keep: int) -> None:
    history = History(data, keep)
    for _ in range(2):
        entry = history.add(new_picture()).entry
        assert ids(history) == [entry.id]
    history.close()


def test_pinned_entries_stay_and_do_not_count(history: History) -> None:
    first = history.add(new_picture()).entry.id
    assert history.pin(first, True).pinned
    others = [history.add(new_picture()).entry.id for _ in range(4)]
    assert ids(history) == [*others[:0:-1], first]
    history.pin(first, False)
    assert history.add(new_picture()).evicted == (first, others[1])


def test_order_holds_when_the_clock_goes_backwards(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = iter(["20300101-000000-000", "20200101-000000-000", "20250101-000000-000"])
    monkeypatch.setattr(store_module, "_new_id", lambda: f"{next(stamps)}-00000000")
    added = [history.add(new_picture()).entry.id for _ in range(3)]
    assert ids(history) == added[::-1]


def test_deleting_takes_row_and_files(history: History, data: DataFolder) -> None:
    entry = history.add(new_picture(init_image=b"start")).entry
    history.pin(entry.id, True)
    assert history.delete(entry.id) == [entry.id]
    assert list(data.images.iterdir()) == []
    with pytest.raises(HistoryNotFound) as caught:
        history.delete(entry.id)
    assert caught.value.fields == {"id": entry.id}


def test_clearing_spares_pinned_entries_unless_told_not_to(history: History) -> None:
    first, second = (history.add(new_picture()).entry.id for _ in range(2))
    history.pin(first, True)
    assert history.clear(include_pinned=False) == [second]
    assert history.clear(include_pinned=True) == [first]
    assert history.count() == 0


def test_the_initial_picture_of_an_entry_is_kept(history: History) -> None:
    with_init = history.add(new_picture(init_image=b"start")).entry.id
    without = history.add(new_picture()).entry.id
    assert history.init_image(with_init) == b"start"
    assert history.init_image(without) is None


def test_a_picture_deleted_by_hand_is_told_in_words(history: History) -> None:
    entry = history.add(new_picture()).entry
    os.unlink(entry.path)
    with pytest.raises(PictureGone) as caught:
        history.picture(entry.id)
    assert entry.id in str(caught.value)
    assert "repeat" in caught.value.hint()


def test_everything_is_there_after_reopening(history: History, data: DataFolder) -> None:
    entry = history.add(new_picture(thumbnail=THUMBNAIL, init_image=b"start")).entry
    history.pin(entry.id, True)
    history.close()
    again = History(data, keep=3)
    assert again.entry(entry.id) == entry.model_copy(update={"pinned": True})
    assert again.picture(entry.id) == Path(entry.path).read_bytes()
    again.close()


def test_a_smaller_limit_applies_at_the_next_opening(history: History, data: DataFolder) -> None:
    added = [history.add(new_picture()).entry.id for _ in range(3)]
    history.close()
    again = History(data, keep=1)
    assert ids(again) == [added[-1]]
    assert len(list(data.images.iterdir())) == 1
    again.close()


def test_many_threads_may_use_one_history(data: DataFolder) -> None:
    history = History(data, keep=100)
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(history.add, new_picture()) for _ in range(32)]
        added = {future.result(60).entry.id for future in futures}
    assert set(ids(history)) == added
    history.close()


def test_two_sidecars_may_use_one_data_folder(data: DataFolder) -> None:
    command = [sys.executable, str(PROGRAM), str(data.root), "100", "10"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    printed = [process.communicate(timeout=300)[0].split() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    history = History(data, keep=100)
    assert set(ids(history)) == {i for lines in printed for i in lines}
    assert history.count() == 30
    history.close()


def test_a_second_opening_leaves_the_work_of_the_first_alone(
    history: History, data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one writes a picture, another opens: it must wait, not clean up under the first."""
    started, opened = threading.Event(), threading.Event()
    write = store_module.write_atomically
    other = History(data, keep=3)
    history.count()

    def slow(path: Path, content: bytes) -> None:
        write(path, content)
        started.set()
        assert not opened.wait(0.3), "the second sidecar did not wait"

    monkeypatch.setattr(store_module, "write_atomically", slow)

    def open_other() -> int:
        assert started.wait(60)
        count = other.count()
        opened.set()
        return count

    with ThreadPoolExecutor(1) as pool:
        counted = pool.submit(open_other)
        history.add(new_picture())
        assert counted.result(60) == 1
    other.close()


def test_a_data_folder_deleted_while_open_is_made_anew(history: History, data: DataFolder) -> None:
    history.add(new_picture())
    os.rename(data.root, data.root.with_name("elsewhere"))
    entry = history.add(new_picture()).entry
    assert ids(history) == [entry.id]
    assert Path(entry.path).read_bytes().startswith(png()[:8])


def test_webp_pictures_are_kept_too(history: History) -> None:
    entry = history.add(new_picture(mime="image/webp", data=b"no real webp")).entry
    assert entry.path.endswith(".webp")
    assert history.picture(entry.id) == b"no real webp"
