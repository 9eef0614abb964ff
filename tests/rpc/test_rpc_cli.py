"""The command line: what it lists, what it imports, how it fails."""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from sidecar.cli.main import COMMANDS, main
from sidecar.cli.serve import add_arguments, settings_from

HEAVY = ("pydantic", "torch", "numpy", "PIL", "diffusers")


def run(*words: str, stdin: int | None = subprocess.DEVNULL) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "importtime", "-m", "sidecar", *words]
    return subprocess.run(command, stdin=stdin, capture_output=True, text=True, timeout=300)


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    done = run("--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert name in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert not imported & set(HEAVY)


@pytest.mark.parametrize("name", ["serve", "engine"])
def test_a_command_has_its_module_with_arguments_and_run(name: str) -> None:
    assert find_spec(f"sidecar.cli.{name}") is not None
    module = import_module(f"sidecar.cli.{name}")
    assert callable(module.run)
    assert callable(module.add_arguments)


def test_no_command_is_an_error_with_a_hint() -> None:
    done = run()
    assert done.returncode == 2
    assert "lora-sidecar" in done.stderr


def test_a_wrong_option_writes_nothing_to_stdout() -> None:
    done = run("serve", "--no-such-option")
    assert done.returncode == 2
    assert done.stdout == ""


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert "lora-sidecar" in capsys.readouterr().out


def test_options_become_settings(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    given = ["--data-dir", str(tmp_path), "--loras", "a", "--loras", "b", "--history-keep", "7"]
    settings = settings_from(parser.parse_args(given))
    assert settings.data.root == tmp_path
    assert [folder.name for folder in settings.lora_folders] == ["a", "b"]
    assert all(folder.is_absolute() for folder in settings.lora_folders)
    assert settings.history_keep == 7


def test_a_session_of_nothing_ends_with_exit_code_0(tmp_path: Path) -> None:
    done = run("serve", "--engine", "fake", "--data-dir", str(tmp_path))
    assert done.returncode == 0
    assert done.stdout.startswith('{"jsonrpc":"2.0","method":"ready"')


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are closed by a POSIX shell")
def test_without_a_stdin_it_says_so(tmp_path: Path) -> None:
    script = f'exec "{sys.executable}" -m sidecar serve --data-dir "{tmp_path}" <&-'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert "stdin" in done.stderr
    assert "Traceback" not in done.stderr
