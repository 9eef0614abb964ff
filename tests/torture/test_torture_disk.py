"""Point 6: a full disk, a read-only folder, broken databases, two on one folder, a wrong clock."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sidecar.history import History
from sidecar.history import store as store_module
from sidecar.paths import DataFolder
from tests.history.history_samples import new_picture
from tests.rpc.child import Child, starter
from tests.torture.counts import LONG, count

IN_A_NAMESPACE = ("unshare", "--map-root-user", "--mount", "sh", "-c")
SMALL_DISK = 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"'
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
SMALL = {"prompt": "red apple", "steps": 1, "width": 64, "height": 64}

pytestmark = pytest.mark.timeout(1200 if LONG else 600)


def namespaces_work() -> bool:
    if sys.platform != "linux":
        return False
    command = [*IN_A_NAMESPACE, "mount -t tmpfs tmpfs /tmp"]
    return subprocess.run(command, capture_output=True, timeout=30).returncode == 0


needs_namespaces = pytest.mark.skipif(
    not namespaces_work(), reason="no mount namespace can be made here"
)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    yield from starter(tmp_path, ("--engine", "fake"))


def loaded(child: Child) -> Child:
    child.call("load_model", model="starter")
    return child


def in_history(child: Child) -> list[str]:
    return [entry["id"] for entry in child.call("history_list", limit=500)["entries"]]


def drawn(child: Child, pictures: int) -> list[str]:
    result = child.call("generate", **SMALL, count=pictures)
    return [image["history_id"] for image in result["images"]]


def fill_up(child: Child) -> tuple[list[str], dict[str, Any]]:
    """Pictures until there is no room: what was reported, and the error."""
    reported: list[str] = []
    for _ in range(500):
        answer = child.answer(child.request("generate", **SMALL))
        if "error" in answer:
            return reported, answer["error"]
        reported += [image["history_id"] for image in answer["result"]["images"]]
    raise AssertionError("the disk never got full")


@needs_namespaces
def test_a_full_disk_is_said_in_words_loses_nothing_and_can_be_emptied(
    start: Callable[..., Child], tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    child = loaded(start(under=(*IN_A_NAMESPACE, SMALL_DISK, str(tmp_path / "data"))))
    child.call("initialize", locale="zh-CN")
    reported, error = fill_up(child)
    assert error["data"]["cause"] == "disk_full"
    assert "磁盘已满" in error["message"]
    assert len(reported) > 3
    assert in_history(child) == reported[::-1]
    assert child.call("preview", prompt="x")["image"]["bytes"] > 0
    assert child.call("history_clear")["deleted"] == len(reported)
    assert in_history(child) == []
    assert drawn(child, 1) == in_history(child)


@needs_namespaces
@pytest.mark.parametrize("kept", [0, 2], ids=["new", "in use"])
def test_a_read_only_folder_is_said_in_words_and_the_rest_goes_on(
    start: Callable[..., Child], tmp_path: Path, kept: int
) -> None:
    (tmp_path / "data").mkdir()
    if kept:
        before = loaded(start())
        reported = drawn(before, kept)
        before.stop()
    child = loaded(start(under=(*IN_A_NAMESPACE, READ_ONLY, str(tmp_path / "data"))))
    error = child.error("generate", **SMALL)
    assert error["data"]["cause"] in ("not_writable", "cannot_open")
    assert str(tmp_path / "data") in error["message"]
    assert child.call("preview", prompt="x")["image"]["bytes"] > 0
    assert child.stop() == 0
    if kept:
        assert in_history(start()) == reported[::-1]


def scribble(path: Path, rng: random.Random) -> bytes:
    """Damage somewhere in the file; the bytes it has then."""
    data = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data))
        run = rng.choice((1, 8, 200, 4096))
        data[at : at + run] = rng.randbytes(min(run, len(data) - at))
    path.write_bytes(data)
    return bytes(data)


@pytest.mark.parametrize("seed", range(count(12, 400)))
def test_a_database_damaged_anywhere_costs_no_picture_and_is_kept(
    tmp_path: Path, seed: int
) -> None:
    data = DataFolder(tmp_path / "data")
    history = History(data, 50)
    reported = [history.add(new_picture()).entry.id for _ in range(6)]
    history.close()
    damaged = scribble(data.database, random.Random(seed))
    again = History(data, 50)
    entries, total = again.entries(50, 0)
    assert [entry.id for entry in entries] == reported[::-1]
    assert total == len(reported)
    reported.append(again.add(new_picture()).entry.id)
    assert [entry.id for entry in again.entries(50, 0)[0]] == reported[::-1]
    if again.moved_aside is not None:
        assert len(again.moved_aside.read_bytes()) >= len(damaged), "the damaged file is not kept"
    again.close()


def test_a_broken_database_is_moved_aside_with_a_warning(
    start: Callable[..., Child], tmp_path: Path
) -> None:
    first = loaded(start())
    reported = drawn(first, 3)
    first.stop()
    database = DataFolder(tmp_path / "data").database
    database.write_bytes(b"no database" * 1000)
    second = start()
    assert in_history(second) == reported[::-1]
    warning = second.notification("warning", lambda p: p["kind"] == "history_reset")
    aside = next((tmp_path / "data").glob("history-damaged-*.sqlite3"))
    assert str(aside) in warning["message"]
    assert aside.read_bytes() == b"no database" * 1000


def test_two_sidecars_on_one_folder_keep_every_picture_when_one_is_killed(
    start: Callable[..., Child],
) -> None:
    one, other = (loaded(start("--history-keep", "999")) for _ in range(2))
    reported = drawn(one, 2) + drawn(other, 2)
    requests = [other.request("generate", **SMALL, count=4) for _ in range(count(5, 100))]
    one.request("generate", **{**SMALL, "steps": 5}, count=16)
    one.notification("history_changed")
    one.process.kill()
    for request in requests:
        images = other.answer(request)["result"]["images"]
        reported += [image["history_id"] for image in images]
    assert set(reported) <= set(in_history(other))
    assert other.stop() == 0
    assert set(reported) <= set(in_history(start("--history-keep", "999")))


def test_a_clock_that_goes_backwards_changes_no_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = BackwardClock()
    monkeypatch.setattr(store_module, "datetime", clock)
    data = DataFolder(tmp_path / "data")
    history = History(data, 5)
    reported = [history.add(new_picture()).entry.id for _ in range(8)]
    assert sorted(reported, reverse=True) == reported, "names go by the clock"
    assert listed(history) == reported[:2:-1], "the oldest made room, whatever the clock says"
    history.close()
    assert listed(History(data, 5)) == reported[:2:-1]
    data.database.unlink()
    assert listed(History(data, 5)) == reported[:2:-1], "rebuilt from the pictures"


class BackwardClock:
    """Every look at it is an hour earlier."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 29, 12, tzinfo=UTC)

    def now(self, zone: object) -> datetime:
        self._now -= timedelta(hours=1)
        return self._now


def listed(history: History) -> list[str]:
    return [entry.id for entry in history.entries(50, 0)[0]]
