"""The files that training writes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sidecar.engine.train.tensors import read_tensors, write_tensors

pytestmark = pytest.mark.engine


def test_a_trained_file_is_as_readable_as_any_other(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    path = tmp_path / "style.safetensors"
    write_tensors({"a": torch.arange(3)}, path, {"format": "pt"})
    assert path.stat().st_mode == other.stat().st_mode
    assert read_tensors(path)["a"].tolist() == [0, 1, 2]
