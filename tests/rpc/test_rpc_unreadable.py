"""What is told to somebody who sends what cannot be read: what it is, and what to do."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from sidecar.picture_texts import CHINESE, ENGLISH
from tests.rpc.in_memory import InMemory


def refused(wire: InMemory, **image: str) -> dict[str, Any]:
    error = wire.error("upscale", image=image)
    assert (error["code"], error["data"]["kind"]) == (1301, "image_unreadable")
    return error


@pytest.mark.parametrize(
    ("data", "format_"),
    [
        (b"GIF89a\x01\0", "GIF"),
        (b"BM\x36\0\0\0", "BMP"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_pictures_of_other_formats_are_called_by_their_names(
    wire: InMemory, tmp_path: Path, data: bytes, format_: str
) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(data)
    error = refused(wire, path=str(path))
    assert error["message"] == f"The picture cannot be read: its format is {format_}."
    assert "PNG or JPEG" in error["data"]["hint"]
    wire.call("initialize", locale="zh-CN")
    assert f"它的格式是 {format_}" in refused(wire, path=str(path))["message"]


def test_a_file_that_is_not_there_a_folder_and_an_empty_one_are_told_apart(
    wire: InMemory, tmp_path: Path
) -> None:
    gone = tmp_path / "my pictures" / "猫.png"
    assert f"there is no file {gone}" in refused(wire, path=str(gone))["message"]
    assert f"{tmp_path} is not a file" in refused(wire, path=str(tmp_path))["message"]
    gone.parent.mkdir()
    gone.touch()
    assert "the file is empty" in refused(wire, path=str(gone))["message"]
    assert "not absolute" in refused(wire, path="猫.png")["message"]


@pytest.mark.skipif(sys.platform == "win32", reason="rights are of another kind there")
@pytest.mark.skipif(sys.platform != "win32" and os.geteuid() == 0, reason="root may read all")
def test_a_file_that_may_not_be_opened_says_whose_right_is_missing(
    wire: InMemory, tmp_path: Path
) -> None:
    path = tmp_path / "private.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    path.chmod(0)
    error = refused(wire, path=str(path))
    assert "may not be opened" in error["message"]
    assert "right to read it" in error["data"]["hint"]


def test_every_sentence_about_pictures_is_there_in_both_languages() -> None:
    assert ENGLISH.keys() == CHINESE.keys()
