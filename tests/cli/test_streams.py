"""Whatever a terminal, a pipe or a missing stream can take, no subcommand stops over it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = 300
NARROW = {
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
NO_SHELL = pytest.mark.skipif(os.name == "nt", reason="closes streams with a POSIX shell")


def environment(narrow: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, **NARROW[narrow]}


def doctor(data: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "sidecar", *more, "--no-drawing", "--data-dir", str(data)]


def generate(data: Path) -> list[str]:
    words = [sys.executable, "-m", "sidecar", "generate", "an owl", "--engine", "fake"]
    return [*words, "--data-dir", str(data), "--seed", "3"]


def ran(words: list[str], closed: str = "", **more: object) -> subprocess.CompletedProcess[bytes]:
    """`closed`: what a shell does to the streams first, such as `>&-`."""
    if closed:
        words = ["sh", "-c", f'exec "$@" {closed}', "sh", *words]
    return subprocess.run(words, capture_output=True, timeout=SECONDS, check=False, **more)  # type: ignore[call-overload]


@pytest.mark.parametrize("narrow", NARROW)
def test_the_doctor_writes_utf8_wherever_it_writes(narrow: str, tmp_path: Path) -> None:
    done = ran(doctor(tmp_path / "Prógramm 模型", "doctor"), env=environment(narrow))
    assert b"Traceback" not in done.stderr
    said = done.stdout.decode("utf-8")
    assert "✓ program" in said
    assert done.returncode == (1 if "✗" in said else 0)


def test_the_doctors_json_is_utf8_too(tmp_path: Path) -> None:
    data = tmp_path / "模型"
    done = ran(doctor(data, "doctor", "--json"), env=environment("ascii"))
    findings = json.loads(done.stdout.decode("utf-8"))
    assert [one["text"] for one in findings if one["topic"] == "data"] == [str(data)]


@NO_SHELL
@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_the_doctor_comes_to_its_verdict_without_streams(closed: str, tmp_path: Path) -> None:
    done = ran(doctor(tmp_path, "doctor"), closed)
    assert b"Traceback" not in done.stderr
    assert done.returncode == ran(doctor(tmp_path, "doctor")).returncode


@NO_SHELL
def test_a_picture_is_drawn_without_a_place_for_progress(tmp_path: Path) -> None:
    done = ran(generate(tmp_path), "2>&-")
    assert done.returncode == 0
    assert done.stdout.endswith(b"seed 3\n")


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("narrow", NARROW)
def test_the_bar_is_drawn_on_a_terminal_of_any_encoding(narrow: str, tmp_path: Path) -> None:
    import pty

    screen, terminal = pty.openpty()
    done = subprocess.run(
        generate(tmp_path),
        stdout=subprocess.PIPE,
        stderr=terminal,
        env=environment(narrow),
        timeout=SECONDS,
        check=False,
    )
    os.close(terminal)
    shown = os.read(screen, 1 << 16).decode("utf-8", "replace")
    os.close(screen)
    assert "░" in shown
    assert done.returncode == 0


@NO_SHELL
@pytest.mark.parametrize("closed", ["<&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_serve_without_a_wire_ends_with_two_and_no_traceback(closed: str, tmp_path: Path) -> None:
    done = ran([sys.executable, "-m", "sidecar", "serve", "--data-dir", str(tmp_path)], closed)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    if "2>&-" not in closed:
        assert b"serve needs a stdin and a stdout" in done.stderr


def test_a_name_of_a_file_that_is_no_text_is_written_all_the_same() -> None:
    code = "from sidecar.cli.streams import speak_utf8; speak_utf8(); print('\\udcff')"
    done = ran([sys.executable, "-c", code], env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"})
    assert done.stdout.decode().strip() == r"\udcff"
