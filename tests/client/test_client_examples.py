"""The examples really run, as a reader would run them, with the engine that only pretends."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(command: list[str], tmp_path: Path) -> str:
    env = {**os.environ, "LORA_SIDECAR": f"{sys.executable} -m sidecar"}
    words = [*command, "--engine", "fake", "--data-dir", str(tmp_path / "data")]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def pictures_in(output: str) -> list[bytes]:
    paths = re.findall(r"(\S+\.png)$", output, re.MULTILINE)
    return [Path(path).read_bytes() for path in paths]


@pytest.mark.skipif(shutil.which("mkfifo") is None, reason="needs a POSIX shell")
def test_the_shell_example_draws_a_picture(tmp_path: Path) -> None:
    output = run(["sh", str(EXAMPLES / "stdio.sh")], tmp_path)
    assert '"family":"starter"' in output
    assert pictures_in(output)[0].startswith(b"\x89PNG")


def test_the_python_example_draws_one_picture_in_every_style(tmp_path: Path) -> None:
    output = run([sys.executable, str(EXAMPLES / "client.py")], tmp_path)
    assert output.startswith("no style:")
    assert len(pictures_in(output)) == len(output.splitlines()) > 1


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_the_node_example_draws_a_picture(tmp_path: Path) -> None:
    output = run(["node", str(EXAMPLES / "node-raw.mjs")], tmp_path)
    assert "save 100%" in output
    assert pictures_in(output)[0].startswith(b"\x89PNG")


@pytest.mark.engine
@pytest.mark.skipif(shutil.which("mkfifo") is None, reason="needs a POSIX shell")
def test_the_shell_example_draws_with_the_real_engine(tmp_path: Path) -> None:
    env = {**os.environ, "LORA_SIDECAR": f"{sys.executable} -m sidecar"}
    words = ["sh", str(EXAMPLES / "stdio.sh"), "--data-dir", str(tmp_path / "data")]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(pictures_in(done.stdout)[0]) > 2000
