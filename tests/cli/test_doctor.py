"""The doctor: tells what is there, what is missing, and what to do about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sidecar.cli import checkup
from sidecar.cli.checkup import Finding, assets, data_folder, packages
from sidecar.cli.main import main


def of(findings: list[Finding], topic: str) -> list[Finding]:
    return [finding for finding in findings if finding.topic == topic]


@pytest.mark.engine
def test_a_sound_installation_is_told_to_be_one_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--data-dir", str(tmp_path / "data"), "--json"]) == 0
    findings = {finding["topic"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert findings["drawing"]["state"] == "ok"
    assert findings["end"]["state"] == "ok"
    assert "ink" in findings["styles"]["text"]
    assert not (tmp_path / "data").exists(), "looking must not leave anything behind"


def test_people_get_lines_with_a_mark_and_a_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Finding("a", "ok", "fine"), Finding("b", "problem", "broken", "Mend it.")]
    monkeypatch.setattr("sidecar.cli.doctor.examine", lambda *_: iter(found))
    assert main(["doctor", "--data-dir", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert said.splitlines() == [
        "✓ a        fine",
        "✗ b        broken",
        "           → Mend it.",
        "",
        "One problem.",
    ]


def test_a_missing_package_says_what_is_lost_and_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkup, "PARTS", (("nowhere", "no_such_module", "magic"),))
    (lost,) = [finding for finding in packages() if "nowhere" in finding.text]
    assert (lost.state, lost.advice) == ("problem", "Install it: pip install nowhere")
    assert "no magic" in lost.text


def test_in_a_frozen_build_a_part_that_was_left_out_is_no_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.frozen", True, raising=False)
    monkeypatch.setattr(checkup, "PARTS", (("nowhere", "no_such_module", "magic"),))
    (lost,) = [finding for finding in packages() if "nowhere" in finding.text]
    assert lost.state == "note"


def test_missing_assets_name_the_command_that_fetches_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sidecar.paths.package_root", lambda: tmp_path / "sidecar")
    found = list(assets())
    assert {finding.state for finding in found} == {"problem"}
    assert "Run make assets." in {finding.advice for finding in found}


def test_a_damaged_history_is_found_and_left_as_it_is(tmp_path: Path) -> None:
    database = tmp_path / "history.sqlite3"
    database.write_bytes(b"this is no database, " * 300)
    (history,) = of(list(data_folder(tmp_path)), "history")
    assert history.state == "problem"
    assert database.read_bytes().startswith(b"this is no database")


def test_a_data_folder_that_cannot_be_written_to_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(checkup.tempfile, "TemporaryFile", refused)
    (data, *_) = of(list(data_folder(tmp_path)), "data")
    assert data.state == "problem"
    assert "--data-dir" in data.advice


def test_a_sidecar_that_does_not_start_is_a_problem_and_not_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.client.client.program", lambda: [str(tmp_path / "absent")])
    (run,) = checkup.trial(tmp_path, [], [], draw=False)
    assert (run.topic, run.state) == ("run", "problem")
