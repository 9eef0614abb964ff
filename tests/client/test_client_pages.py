"""What the pages tell a reader to run really runs, with the engine that only pretends."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
LIMIT = 300


def block(page: str, language: str) -> str:
    """The first block of that language."""
    found = re.search(rf"```{language}\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_page_about_python_runs_as_it_stands(tmp_path: Path) -> None:
    script = tmp_path / "page.py"
    script.write_text(block("python.md", "python"), encoding="utf-8")
    words = [sys.executable, str(script), "--engine", "fake", "--data-dir", str(tmp_path / "data")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "save 100%" in lines
    assert any("night, sunset belong to one group" in line for line in lines)
    (larger,) = [line.removeprefix("larger: ") for line in lines if line.startswith("larger: ")]
    assert Path(larger).is_file()
    assert lines[-2:] == ["cancelled", "back: red apple"]


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a POSIX shell")
def test_the_protocols_first_example_runs_as_it_stands(tmp_path: Path) -> None:
    text = block("protocol.md", "sh")
    assert text.startswith("lora-sidecar serve ")
    command = f"'{sys.executable}' -m sidecar serve --engine fake --data-dir '{tmp_path / 'data'}' "
    script = text.replace("lora-sidecar serve ", command)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    results = {message["id"]: message["result"] for message in messages if "id" in message}
    assert results[2]["stack"][0]["name"] == "ink"
    assert Path(results[3]["images"][0]["path"]).is_file()
