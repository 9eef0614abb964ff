"""What earlier runs took becomes what the next one will take, and a broken file costs nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.engine.memory.calibration import KEPT, Calibration
from sidecar.engine.memory.rungs import AUTO, RUNGS, below, from_rung_down

MEGABYTE = 1024 * 1024
HERE = "cpu of this machine"


def taken(live: int) -> int:
    """A machine that takes 200 MB more than half as much again."""
    return 200 * MEGABYTE + live * 3 // 2


def test_before_the_first_run_a_guess_stands_and_says_so() -> None:
    estimate = Calibration(None, HERE).estimate("work", 100 * MEGABYTE)
    assert not estimate.measured
    assert 100 * MEGABYTE < estimate.bytes < 300 * MEGABYTE


def test_what_was_measured_is_said_again_exactly() -> None:
    calibration = Calibration(None, HERE)
    calibration.learn("work", 50 * MEGABYTE, 333 * MEGABYTE)
    assert calibration.estimate("work", 50 * MEGABYTE).bytes == 333 * MEGABYTE


@pytest.mark.parametrize("live", [150 * MEGABYTE, 800 * MEGABYTE, 3000 * MEGABYTE])
def test_three_runs_foretell_other_sizes_within_a_twentieth(live: int) -> None:
    calibration = Calibration(None, HERE)
    for seen in (100 * MEGABYTE, 400 * MEGABYTE, 1600 * MEGABYTE):
        calibration.learn("work", seen, taken(seen))
    estimate = calibration.estimate("work", live)
    assert estimate.measured
    assert abs(estimate.bytes - taken(live)) < 0.05 * taken(live)


def test_kinds_of_work_do_not_mix() -> None:
    calibration = Calibration(None, HERE)
    calibration.learn("decode", 100 * MEGABYTE, 900 * MEGABYTE)
    assert not calibration.estimate("denoise", 100 * MEGABYTE).measured


def test_figures_are_remembered_by_the_next_engine(tmp_path: Path) -> None:
    file = tmp_path / "data" / "memory.json"
    Calibration(file, HERE).learn("work", 5 * MEGABYTE, 70 * MEGABYTE)
    assert Calibration(file, HERE).estimate("work", 5 * MEGABYTE).bytes == 70 * MEGABYTE
    assert [path.name for path in file.parent.iterdir()] == ["memory.json"]


def test_figures_of_another_machine_are_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    Calibration(file, "another machine").learn("work", 5 * MEGABYTE, 70 * MEGABYTE)
    assert not Calibration(file, HERE).estimate("work", 5 * MEGABYTE).measured


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 100_000,
        json.dumps({"version": 1, "machine": HERE}).encode(),
        json.dumps({"version": 99, "machine": HERE, "samples": {}}).encode(),
        json.dumps({"version": 1, "machine": HERE, "samples": {"work": [[1]]}}).encode(),
        json.dumps({"version": 1, "machine": HERE, "samples": {"work": [["a", "b"]]}}).encode(),
        json.dumps({"version": 1, "machine": HERE, "samples": {"work": [[-5, 0]]}}).encode(),
        json.dumps({"version": 1, "machine": HERE, "samples": {"work": 7}}).encode(),
        json.dumps({"version": 1, "machine": HERE, "samples": [1, 2]}).encode(),
    ],
)
def test_a_broken_file_is_forgotten_and_replaced(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "memory.json"
    file.write_bytes(content)
    calibration = Calibration(file, HERE)
    assert not calibration.estimate("work", MEGABYTE).measured
    calibration.learn("work", MEGABYTE, 2 * MEGABYTE)
    assert Calibration(file, HERE).estimate("work", MEGABYTE).measured


def test_a_folder_that_cannot_be_written_costs_only_the_memory_of_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    calibration = Calibration(tmp_path / "file" / "memory.json", HERE)
    calibration.learn("work", MEGABYTE, 9 * MEGABYTE)
    assert calibration.estimate("work", MEGABYTE).bytes == 9 * MEGABYTE


def test_the_file_stays_small(tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    calibration = Calibration(file, HERE)
    for megabytes in range(1, 10 * KEPT):
        calibration.learn("work", megabytes * MEGABYTE, taken(megabytes * MEGABYTE))
    assert len(json.loads(file.read_text())["samples"]["work"]) == KEPT


@given(
    st.lists(st.tuples(st.integers(1, 2**36), st.integers(1, 2**36)), max_size=20),
    st.integers(1, 2**36),
)
def test_whatever_was_measured_an_estimate_is_a_number_of_bytes(
    samples: list[tuple[int, int]], live: int
) -> None:
    calibration = Calibration(None, HERE)
    for seen, took in samples:
        calibration.learn("work", seen, took)
    assert 0 < calibration.estimate("work", live).bytes < 2**60


def test_the_ladder_goes_down_rung_by_rung_and_ends() -> None:
    assert [below(rung) for rung in RUNGS] == ["balanced", "aggressive", None]
    assert below(AUTO) == "balanced"
    assert from_rung_down("balanced") == ("balanced", "aggressive")
