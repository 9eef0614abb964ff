"""kill -9 between any two writes: what was reported is there, nothing half-done remains."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sidecar.history import History
from sidecar.history.png import read_text
from sidecar.paths import DataFolder
from sidecar.protocol.history import HistoryEntry

PROGRAM = Path(__file__).parent / "programs" / "killed_at_every_write.py"
KEEP = 3
NEXT = ("add", "add", "pin", "add", "add", "add img2img", "add", "delete", "add", "clear")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and kill -9")


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("killed")
    command = [sys.executable, str(PROGRAM), str(folder), str(KEEP)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=True)
    rounds = [json.loads(line) for line in done.stdout.splitlines()]
    return [{**one, "entries": reopened(Path(one["folder"]))} for one in rounds]


def reopened(folder: Path) -> list[HistoryEntry]:
    history = History(DataFolder(folder), KEEP)
    entries, _ = history.entries(500, 0)
    assert history.moved_aside is None
    history.close()
    return entries


def expected(reported: list[Any]) -> list[str]:
    """Ids after the reported operations, oldest first."""
    ids: list[str] = []
    for operation, entry_id, gone in reported:
        if operation.startswith("add"):
            ids.append(entry_id)
        ids = [i for i in ids if i not in gone]
    return ids


def outcomes(reported: list[Any], found: list[str]) -> list[list[str]]:
    """The lists that are right: the operation in work when the kill came is done, or is not."""
    before = expected(reported)
    if len(reported) == len(NEXT):
        return [before]
    operation = NEXT[len(reported)]
    pinned = {i for o, i, _ in reported if o == "pin"}
    if operation.startswith("add"):
        with_new = [*before, *(i for i in found if i not in before)]
        unpinned = [i for i in with_new if i not in pinned]
        evicted = unpinned[: max(0, len(unpinned) - KEEP)]
        after = [i for i in with_new if i not in evicted]
    elif operation == "delete":
        after = [i for i in before if i not in pinned]
    elif operation == "clear":
        after = [i for i in before if i in pinned and "delete" not in {o for o, _, _ in reported}]
    else:
        after = before
    return [before, after]


def test_the_kills_covered_every_write_of_the_whole_work(rounds: list[dict[str, Any]]) -> None:
    assert len(rounds) > 100
    assert all(one["killed"] for one in rounds[:-1])
    assert len(rounds[-1]["reported"]) == len(NEXT)


def test_whatever_was_reported_is_there_after_a_kill_at_any_write(
    rounds: list[dict[str, Any]],
) -> None:
    for point, one in enumerate(rounds, 1):
        found = [entry.id for entry in reversed(one["entries"])]
        assert found in outcomes(one["reported"], found), f"killed at write {point}"
        assert len(set(found) - set(expected(one["reported"]))) <= 1


def test_every_picture_is_whole_and_carries_its_recipe_after_a_kill(
    rounds: list[dict[str, Any]],
) -> None:
    for one in rounds:
        for entry in one["entries"]:
            data = Path(entry.path).read_bytes()
            assert len(data) == entry.bytes
            assert json.loads(read_text(data)["lora-sidecar"])["id"] == entry.id


def test_nothing_stray_is_left_after_a_kill(rounds: list[dict[str, Any]]) -> None:
    for point, one in enumerate(rounds, 1):
        entries = one["entries"]
        database = DataFolder(Path(one["folder"])).database
        db = sqlite3.connect(database)
        inits = {row[0] for row in db.execute("SELECT init_file FROM entries") if row[0]}
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()
        files = {path.name for path in (database.parent / "images").iterdir()}
        pictures = {Path(entry.path).name for entry in entries}
        assert files == pictures | inits, f"killed at write {point}"


def test_a_pin_that_was_reported_holds(rounds: list[dict[str, Any]]) -> None:
    for one in rounds:
        reported = {operation: i for operation, i, _ in one["reported"]}
        if "pin" in reported and len(one["reported"]) < NEXT.index("delete"):
            pinned = [entry.id for entry in one["entries"] if entry.pinned]
            assert pinned == [reported["pin"]]
