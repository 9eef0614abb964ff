"""Single-file checkpoints and pinned VAEs over the wire."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.catalog.checkpoint_samples import checkpoint, vae, write
from tests.rpc.child import Child, Message, starter
from tests.rpc.in_memory import InMemory


def test_a_pinned_vae_is_noted_by_name_and_put_back_with_the_picture(
    wire: InMemory, tmp_path: Path
) -> None:
    models = tmp_path / "data" / "models"
    path = write(models / "vae" / "mse.safetensors", vae())
    wire.call("load_model", model="starter", vae="mse.safetensors")
    spec = wire.engine.commands[-1].model  # type: ignore[union-attr]
    assert (spec.vae, spec.vae_path) == ("mse", str(path))
    picture = wire.call("generate", prompt="red apple")["images"][0]
    assert picture["parameters"]["vae"] == "mse"
    wire.call("load_model", model="starter")
    restored = wire.call("history_rollback", id=picture["history_id"])
    assert restored["state"]["vae"] == "mse"
    model = wire.front.projection.current.model
    assert model is not None
    assert model.vae_path == str(path)


def test_a_vae_that_is_not_there_changes_nothing(loaded: InMemory) -> None:
    before = loaded.front.projection.current
    error = loaded.error("load_model", model="starter", vae="../../secret")
    assert error["data"]["kind"] == "vae_not_found"
    assert loaded.front.projection.current == before


def test_single_files_are_listed_with_their_family(wire: InMemory, tmp_path: Path) -> None:
    write(tmp_path / "data" / "models" / "mine.safetensors", checkpoint("sdxl"))
    cards = {card["name"]: card for card in wire.call("list_models")["models"]}
    assert set(cards) == {"starter", "mine"}
    assert (cards["mine"]["family"], cards["mine"]["width"]) == ("sdxl", 1024)


@pytest.fixture
def drawing(tmp_path: Path) -> Iterator[Child]:
    """A real sidecar with the real engine."""
    for start in starter(tmp_path, ("--threads", "1")):
        yield start()


def pixels(result: Message) -> bytes:
    encoded = result["images"][0]["data_url"].partition(",")[2]
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        return image.tobytes()


@pytest.mark.engine
def test_a_single_file_draws_and_a_broken_one_leaves_it_in_force(
    drawing: Child, tmp_path: Path
) -> None:
    from tests.engine.diffusion.small_models import checkpoint_of, write_checkpoint, write_folder

    models = tmp_path / "data" / "models"
    models.mkdir(parents=True, exist_ok=True)
    tensors = checkpoint_of(write_folder("sd15", tmp_path / "folder"), "sd15")
    whole = write_checkpoint(models / "whole.safetensors", tensors)
    loaded = drawing.call("load_model", model="whole")
    assert (loaded["model"], loaded["family"]) == ("whole", "sd15")
    same = {"prompt": "red apple", "seed": 3, "delivery": "inline"}
    same |= {"width": 64, "height": 64, "steps": 2}
    before = drawing.call("generate", **same)
    less = {name: tensor for name, tensor in tensors.items() if "time_embed" not in name}
    write_checkpoint(models / "less.safetensors", less)
    (models / "cut.safetensors").write_bytes(whole.read_bytes()[:-5000])
    (models / "old.ckpt").write_bytes(b"\x80\x04.")
    kinds = {"less": "model_corrupt", "cut": "model_corrupt", "old": "model_unsupported"}
    for name, kind in kinds.items():
        assert drawing.error("load_model", model=name)["data"]["kind"] == kind
    assert drawing.call("status")["model"] == "whole"
    assert pixels(drawing.call("generate", **same)) == pixels(before)
