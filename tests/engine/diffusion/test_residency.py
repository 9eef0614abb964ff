"""How one model takes another one's place: checked first, beside it where there is room."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from sidecar.engine.contract import CancelToken, ModelLoading, ModelSpec
from sidecar.engine.diffusion import load as load_module
from sidecar.errors import Cancelled, ModelCorrupt, ModelNotFound, SidecarError
from tests.engine.diffusion.drawing import BUNDLED, STARTER, lora
from tests.engine.diffusion.small_models import write_folder
from tests.engine.diffusion.tight import PLENTY, Laptop

pytestmark = pytest.mark.engine

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder("sd15", tmp_path_factory.mktemp("models") / "sd15")


@pytest.fixture
def laptop() -> Laptop:
    laptop = Laptop()
    laptop.load()
    return laptop


def other(folder: Path) -> ModelSpec:
    return ModelSpec("other", str(folder), "sd15")


def no_room_for_two(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the models fits, both do not."""
    monkeypatch.setattr(laptop.engine._parts.preflight, "fits_beside", lambda *_: False)


class Witness:
    """Sees, as weights are placed, whether the former model is still there."""

    def __init__(self, laptop: Laptop) -> None:
        self._laptop = laptop
        self.present: set[str | None] = set()

    def __call__(self, event: Any) -> None:
        if isinstance(event, ModelLoading):
            resident = self._laptop.resident
            self.present.add(resident.components.spec.name if resident else None)


def load(laptop: Laptop, spec: ModelSpec) -> Witness:
    witness = Witness(laptop)
    laptop.engine.load_model("load", spec, witness, CancelToken())
    return witness


def test_with_room_for_both_the_former_one_stays_until_the_new_one_is_whole(
    laptop: Laptop, folder: Path
) -> None:
    assert load(laptop, other(folder)).present == {"starter"}
    assert laptop.resident.components.spec.name == "other"


def test_without_it_the_former_one_goes_first(
    laptop: Laptop, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_room_for_two(laptop, monkeypatch)
    assert load(laptop, other(folder)).present == {None}
    assert laptop.draw(other(folder), width=64, height=64)


def test_room_for_both_is_what_is_free_and_not_a_guess(laptop: Laptop, folder: Path) -> None:
    preflight, parts = laptop.engine._parts.preflight, laptop.resident.components
    present = parts.stored_bytes()
    one = laptop.engine._parts.forecaster.loading(parts, "off").device
    laptop.limit(max(one, laptop.device.used()) + present + MEGABYTE)
    assert preflight.fits_beside(parts, "off", present)
    laptop.limit(one + present - 16 * MEGABYTE)
    if laptop.device.used() < one + present - 16 * MEGABYTE:
        assert not preflight.fits_beside(parts, "off", present)
    assert not preflight.fits_beside(parts, "off", PLENTY)


def broken(folder: Path, target: Path, how: str) -> Path:
    """A copy that can be told to be broken without reading a weight."""
    import shutil

    shutil.copytree(folder, target)
    file = next((target / "unet").glob("*.safetensors"))
    if how == "cut off":
        file.write_bytes(file.read_bytes()[:-1000])
    elif how == "lacks a weight":
        tensors = load_file(file)
        del tensors["conv_in.weight"]
        save_file(tensors, file)
    elif how == "misshapen":
        tensors = load_file(file)
        tensors["conv_in.weight"] = torch.zeros(3, 3)
        save_file(tensors, file)
    else:
        file.unlink()
    return target


@pytest.mark.parametrize("how", ["cut off", "lacks a weight", "misshapen", "gone"])
def test_what_can_be_refused_unread_is_refused_with_the_former_one_in_place(
    laptop: Laptop, folder: Path, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_room_for_two(laptop, monkeypatch)
    before = laptop.resident
    with pytest.raises(ModelCorrupt):
        load(laptop, other(broken(folder, tmp_path / "broken", how)))
    assert laptop.resident is before
    with pytest.raises(ModelNotFound):
        load(laptop, replace(other(folder), path=str(tmp_path / "nowhere")))
    assert laptop.resident is before


@pytest.mark.parametrize(
    "error", [Cancelled(), OSError("the disk is gone")], ids=["cancel", "disk"]
)
def test_when_reading_fails_the_next_job_brings_the_former_one_back(
    laptop: Laptop, folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    styled = laptop.draw(loras=(lora(BUNDLED[0]),))[0]
    no_room_for_two(laptop, monkeypatch)

    def fails(*_: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(load_module, "fill", fails)
        with pytest.raises(SidecarError):
            load(laptop, other(folder))
    assert laptop.resident is None
    again = laptop.draw(loras=(lora(BUNDLED[0]),))[0]
    assert (again == styled).all()


def test_another_rung_of_the_same_model_is_loaded_in_its_place(laptop: Laptop) -> None:
    plain = laptop.draw()[0]
    laptop.load(replace(STARTER, low_vram="aggressive"))
    assert laptop.resident.components.low_vram[-1] == "half_storage"
    assert len(laptop.loadings) > 0
    laptop.load(replace(STARTER, low_vram="off"))
    assert (laptop.draw(replace(STARTER, low_vram="off"))[0] == plain).all()
    laptop.load(replace(STARTER, low_vram="balanced"))
    assert laptop.loadings == [], "weights rest as they did"


def test_the_vae_is_exchanged_alone_on_every_rung(laptop: Laptop, folder: Path) -> None:
    base = other(folder)
    for rung in ("off", "aggressive"):
        spec = replace(base, low_vram=rung)
        laptop.load(spec)
        unet = laptop.resident.components.unet
        laptop.load(replace(spec, vae="own", vae_path=str(folder / "vae")))
        assert laptop.resident.components.unet is unet
        assert laptop.resident.components.rung == rung
        assert {e.stage for e in laptop.loadings} == {"vae"}
