"""What is fetched at set-up: kept only when it is the right file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sidecar.paths import clip_vocabulary
from tools import assets


def test_the_vocabulary_that_is_there_has_the_right_hash() -> None:
    data = clip_vocabulary().read_bytes()
    assert assets.is_there(clip_vocabulary())
    assert assets.checked(data) == data
    assert hashlib.sha256(data).hexdigest() == assets.SHA256


def test_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="not the file it was"):
        assets.checked(b"something else")
    changed = tmp_path / "vocabulary.gz"
    changed.write_bytes(b"something else")
    assert not assets.is_there(changed)
