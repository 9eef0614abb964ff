"""Point 1: kill -9 the caller, the front or the engine at random moments.

Two seconds later nothing of ours runs; every picture that was reported is on disk, whole, and in
the history of the next start; the database is sound.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import queue
import random
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic
from typing import Any

import psutil
import pytest

from sidecar.paths import DataFolder
from tests.torture.counts import LONG, ONLY_LONG, count, promised
from tests.torture.family import Family, family

CALLER = Path(__file__).parent / "programs" / "caller.py"
VICTIMS = ("caller", "front", "engine")
PATIENCE = 90.0
GONE_SECONDS = promised(2.0)
AT_THE_START = 0.25
"""The share of kills that come before the first picture."""
FAKE = ("--engine", "fake")
REAL = ("--threads", "1")

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="kill -9"),
    pytest.mark.timeout(1200 if LONG else 600),
]


class Caller:
    """The program of that name, and what it says."""

    def __init__(self, data: Path, ours: Family, options: tuple[str, ...]) -> None:
        command = [sys.executable, str(CALLER), str(data), "--history-keep", "9999", *options]
        with open(data.with_suffix(".log"), "ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=ours.environment,
            )
        self.history: list[str] | None = None
        self.pictures: list[dict[str, str]] = []
        self.seeds: list[int] = []
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def hear(self, seconds: float) -> bool:
        """Takes in one line; False at the end of what it says, or when none comes in time."""
        try:
            line = self._lines.get(timeout=max(seconds, 0.001))
        except queue.Empty:
            return False
        if line is not None:
            said: dict[str, Any] = json.loads(line)
            self.history = said.get("history", self.history)
            self.pictures += said.get("pictures", [])
            self.seeds += [said["seed"]] if "seed" in said else []
        return line is not None

    def hear_for(self, seconds: float) -> None:
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            if not self.hear(left):
                return

    def hear_pictures(self, answers: int) -> None:
        wanted = len(self.seeds) + answers
        while len(self.seeds) < wanted:
            assert self.hear(PATIENCE), "no picture came"

    def hear_the_rest(self) -> int:
        while self.hear(PATIENCE):
            pass
        return self.process.wait(PATIENCE)

    def find(self, who: str) -> psutil.Process:
        """The process of that role, as soon as there is one."""
        depth = VICTIMS.index(who)
        end = monotonic() + PATIENCE
        while monotonic() < end:
            with contextlib.suppress(psutil.Error, IndexError):
                process = psutil.Process(self.process.pid)
                for _ in range(depth):
                    process = process.children()[0]
                return process
            self.hear(0.01)
        raise AssertionError(f"there is no {who}")

    def hang_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)


class Series:
    """Kill after kill on one data folder."""

    def __init__(self, data: Path, seed: int, options: tuple[str, ...]) -> None:
        self._data = data
        self._options = options
        self._random = random.Random(seed)
        self.reported: dict[str, dict[str, str]] = {}

    def kill_once(self, victim: str) -> None:
        with family() as ours:
            caller = Caller(self._data, ours, self._options)
            self._wait_for_the_moment(caller)
            caller.find(victim).kill()
            if victim == "engine":
                self._goes_on(caller)
            survivors = self._after_the_end(caller, ours, victim)
        assert not survivors, f"{GONE_SECONDS} s after the end of the {victim}"
        self._note(caller)
        self._check_disk()

    def check_restart(self) -> None:
        """A sidecar that starts now has everything."""
        with family() as ours:
            caller = Caller(self._data, ours, self._options)
            caller.hear_pictures(1)
            caller.hang_up()
            assert caller.hear_the_rest() == 0
            assert not ours.survivors(GONE_SECONDS)
        self._note(caller)

    def _wait_for_the_moment(self, caller: Caller) -> None:
        if self._random.random() < AT_THE_START:
            caller.hear_for(self._random.uniform(0, 1.0))
        else:
            caller.hear_pictures(1)
            caller.hear_for(self._random.uniform(0, 0.4))

    def _goes_on(self, caller: Caller) -> None:
        """The request in work and the one after it are answered by the next engine."""
        caller.hear_pictures(2)
        caller.hang_up()

    def _after_the_end(self, caller: Caller, ours: Family, victim: str) -> list[str]:
        """The clock begins at the kill, or for an engine when its app has closed."""
        if victim == "engine":
            assert caller.hear_the_rest() == 0
            return ours.survivors(GONE_SECONDS)
        survivors = ours.survivors(GONE_SECONDS)
        caller.hear_the_rest()
        return survivors

    def _note(self, caller: Caller) -> None:
        if caller.history is not None:
            assert set(self.reported) <= set(caller.history), "a picture is not in the history"
        self.reported.update({picture["id"]: picture for picture in caller.pictures})
        assert caller.seeds == list(range(1, len(caller.seeds) + 1)), "a request got lost"

    def _check_disk(self) -> None:
        for picture in self.reported.values():
            data = Path(picture["path"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == picture["sha256"]
        database = DataFolder(self._data).database
        if not database.exists():
            assert not self.reported
            return
        db = sqlite3.connect(database)
        try:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            ids = {row[0] for row in db.execute("SELECT id FROM entries")}
        finally:
            db.close()
        assert set(self.reported) <= ids


@pytest.mark.parametrize("seed", range(count(1, 10)))
def test_no_kill_loses_a_picture_or_leaves_a_process(tmp_path: Path, seed: int) -> None:
    series = Series(tmp_path / "data", seed, FAKE)
    for n in range(count(3, 27)):
        series.kill_once(VICTIMS[n % 3])
    series.check_restart()
    assert series.reported


@pytest.mark.engine
@pytest.mark.skipif(not LONG, reason=ONLY_LONG)
@pytest.mark.parametrize("seed", range(100, 105))
def test_no_kill_of_the_real_engine_loses_a_picture_or_leaves_a_process(
    tmp_path: Path, seed: int
) -> None:
    series = Series(tmp_path / "data", seed, REAL)
    for n in range(6):
        series.kill_once(VICTIMS[n % 3])
    series.check_restart()
    assert series.reported
