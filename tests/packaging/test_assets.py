"""What is fetched at set-up: kept only when it is the right file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.paths import check_model, clip_vocabulary, upscaler_folder
from tools.assets.table import SOURCES
from tools.assets.wheels import checked, is_there

ASSETS = [asset for source in SOURCES for asset in source.assets]


def test_everything_fetched_is_there_with_the_right_hash() -> None:
    wrong = [asset.target.name for asset in ASSETS if not is_there(asset.target, asset.sha256)]
    assert wrong == [], "make assets"


def test_what_the_program_looks_for_is_what_is_fetched() -> None:
    targets = {asset.target for asset in ASSETS}
    names = ("open-nsfw", "text-finder", "text-reader")
    assert {clip_vocabulary(), *map(check_model, names)} <= targets
    assert upscaler_folder() / "realesr-animevideov3.onnx" in targets


def test_every_folder_of_assets_has_a_licence() -> None:
    assert all((asset.target.parent / "LICENSE").is_file() for asset in ASSETS)


def test_another_file_is_refused(tmp_path: Path) -> None:
    asset = ASSETS[0]
    with pytest.raises(SystemExit, match="not the file it was"):
        checked(b"something else", asset.target.name, asset.sha256)
    changed = tmp_path / "vocabulary.gz"
    changed.write_bytes(b"something else")
    assert not is_there(changed, asset.sha256)
