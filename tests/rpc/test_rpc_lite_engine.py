"""A real sidecar whose engine has no torch: it enlarges, enhances, and says what it cannot do."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.rpc.child import Child, starter


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    for start in starter(tmp_path, ("--engine", "lite", "--threads", "1")):
        yield start()


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    picture = Image.new("RGB", (96, 64), (250, 245, 235))
    ImageDraw.Draw(picture).ellipse((20, 10, 70, 58), (200, 40, 40))
    path = tmp_path / "drawing.png"
    picture.save(path)
    return path


def test_a_picture_is_enlarged_and_nothing_but_the_protocol_is_on_stdout(
    child: Child, drawing: Path
) -> None:
    result = child.call("upscale", image={"path": str(drawing)}, scale=4)
    with Image.open(result["images"][0]["path"]) as large, Image.open(drawing) as small:
        assert large.size == (384, 256)
        assert "Postprocess upscale by: 4" in large.text["parameters"]  # type: ignore[attr-defined]
        back = large.resize(small.size, Image.Resampling.BOX)
        assert np.abs(np.asarray(back, int) - np.asarray(small, int)).mean() < 4
    assert result["provider"].endswith("ExecutionProvider")
    assert result["timings"]["upscale_ms"] > 0
    assert all(line.startswith(b'{"jsonrpc"') for line in bytes(child.raw).splitlines())


def test_enhance_takes_the_path_that_is_there(child: Child, drawing: Path) -> None:
    result = child.call("enhance", image={"path": str(drawing)})
    assert result["path_used"] == "onnx"
    assert (result["images"][0]["width"], result["images"][0]["height"]) == (96, 64)


def test_drawing_says_what_is_missing(child: Child) -> None:
    error = child.error("load_model", model="starter")
    assert error["data"]["kind"] == "engine_missing"
    assert "torch" in error["message"]


def test_a_network_that_is_none_is_refused_by_name(child: Child, drawing: Path) -> None:
    models = drawing.parent / "data" / "models"
    models.mkdir(parents=True, exist_ok=True)
    (models / "broken.onnx").write_bytes(b"no network at all")
    error = child.error("upscale", image={"path": str(drawing)}, model="broken")
    assert error["data"]["kind"] == "model_corrupt"
    assert child.call("upscale", image={"path": str(drawing)})["images"]


def test_a_cancel_ends_it_between_pieces_and_the_next_one_works(
    child: Child, drawing: Path, tmp_path: Path
) -> None:
    large = io.BytesIO()
    Image.effect_noise((1400, 1400), 50).convert("RGB").save(large, "PNG")
    path = tmp_path / "large.png"
    path.write_bytes(large.getvalue())
    request = child.request("upscale", image={"path": str(path)}, scale=4)
    child.notification("thumbnail", lambda p: p["request_id"] == request)
    child.notify("$/cancelRequest", id=request)
    assert child.answer(request)["error"]["data"]["kind"] == "cancelled"
    assert child.call("upscale", image={"path": str(drawing)})["images"]
    assert list((tmp_path / "data" / "unfinished").rglob("*.tmp")) == []
