"""Model folders: what is listed, what is refused, and why."""

import sys
from pathlib import Path

import pytest

from sidecar.catalog import Defaults, ModelCatalog
from sidecar.errors import EngineMissing, ModelCorrupt, ModelNotFound, ModelUnsupported
from sidecar.paths import starter_folder
from tests.catalog.catalog_samples import write_json, write_model


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def catalog(models: Path) -> ModelCatalog:
    return ModelCatalog([models], starter_folder())


def test_the_starter_is_always_there(catalog: ModelCatalog) -> None:
    starter = catalog.find("starter")
    assert (starter.name, starter.family, starter.path) == ("starter", "starter", starter_folder())
    assert starter.defaults.preview_steps == 10
    assert starter.card.bytes > 1_000_000
    assert catalog.cards() == [starter.card]


@pytest.mark.parametrize(
    ("width", "sample_size", "family", "side"),
    [(768, 64, "sd15", 512), (1024, 96, "sd21", 768), (1024, 64, "sd21", 512)],
)
def test_family_and_size_come_from_the_configs(
    catalog: ModelCatalog, models: Path, width: int, sample_size: int, family: str, side: int
) -> None:
    write_model(models / "mine", width, sample_size)
    found = catalog.find("mine")
    assert (found.family, found.defaults.width, found.defaults.height) == (family, side, side)
    assert [card.name for card in catalog.cards()] == ["starter", "mine"]


def test_defaults_of_stable_diffusion_1_5(catalog: ModelCatalog, models: Path) -> None:
    write_model(models / "sd")
    expected = Defaults(512, 512, 25, 7.5, "dpmpp_2m_karras", preview_side=256, preview_steps=10)
    assert catalog.find("sd").defaults == expected


def test_a_diffusers_folder_is_found_by_its_absolute_path(
    catalog: ModelCatalog, tmp_path: Path
) -> None:
    path = write_model(tmp_path / "elsewhere" / "sd")
    found = catalog.find(str(path))
    assert found.path == path
    assert catalog.find(found.name).path == path
    assert len(catalog.cards()) == 1


def test_a_path_inside_the_models_folder_has_its_name(catalog: ModelCatalog, models: Path) -> None:
    assert catalog.find(str(write_model(models / "sd"))).name == "sd"


def test_bytes_are_those_of_the_weights_that_are_loaded(
    catalog: ModelCatalog, models: Path
) -> None:
    folder = write_model(models / "sd")
    (folder / "unet" / "diffusion_pytorch_model.fp16.safetensors").write_bytes(bytes(500))
    assert catalog.find("sd").card.bytes == 3000


def test_the_license_is_read_from_the_model_card(catalog: ModelCatalog, models: Path) -> None:
    folder = write_model(models / "sd")
    (folder / "README.md").write_text("---\nlicense: creativeml-openrail-m\ntags: []\n---\n")
    assert catalog.find("sd").card.license == "creativeml-openrail-m"


def test_pickled_weights_are_listed_nowhere_and_refused(
    catalog: ModelCatalog, models: Path
) -> None:
    write_model(models / "old", weights="diffusion_pytorch_model.bin")
    assert [card.name for card in catalog.cards()] == ["starter"]
    with pytest.raises(ModelUnsupported, match="pickled weights"):
        catalog.find("old")


@pytest.mark.parametrize(
    ("pipeline", "width", "words"),
    [
        ("StableDiffusionInpaintPipeline", 768, "StableDiffusionInpaintPipeline"),
        ("StableDiffusionPipeline", 2048, "width 2048"),
        ("FluxPipeline", 768, "FluxPipeline"),
        ("StableDiffusionPipeline", 4096, "width 4096"),
    ],
)
def test_other_kinds_of_models_are_refused_with_the_reason(
    catalog: ModelCatalog, models: Path, pipeline: str, width: int, words: str
) -> None:
    write_model(models / "other", width, pipeline=pipeline)
    with pytest.raises(ModelUnsupported, match=words):
        catalog.find("other")
    assert len(catalog.cards()) == 1


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("model_index.json", "not valid JSON"),
        ("unet/config.json", "unet/config.json is not valid JSON"),
        ("vae/config.json", "vae/config.json is not valid JSON"),
    ],
)
def test_a_broken_folder_is_corrupt_and_the_others_are_still_listed(
    catalog: ModelCatalog, models: Path, broken: str, words: str
) -> None:
    folder = write_model(models / "broken")
    write_model(models / "good")
    (folder / broken).write_text("{")
    with pytest.raises(ModelCorrupt, match=words):
        catalog.find("broken")
    assert [card.name for card in catalog.cards()] == ["starter", "good"]


def test_a_folder_without_weights_is_corrupt(catalog: ModelCatalog, models: Path) -> None:
    folder = write_model(models / "half")
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(ModelCorrupt, match="vae has no weights"):
        catalog.find("half")


@pytest.mark.parametrize("suffix", ["ckpt", "pt", "bin"])
def test_a_pickle_is_refused_with_what_to_do(
    catalog: ModelCatalog, models: Path, suffix: str
) -> None:
    (models / f"sd.{suffix}").write_bytes(b"weights")
    for model in ("sd", f"sd.{suffix}", str(models / f"sd.{suffix}")):
        with pytest.raises(ModelUnsupported, match=r"save it as \.safetensors"):
            catalog.find(model)
    assert len(catalog.cards()) == 1


def test_a_folder_that_is_no_model_is_unsupported(catalog: ModelCatalog, tmp_path: Path) -> None:
    with pytest.raises(ModelUnsupported, match=r"no model_index\.json"):
        catalog.find(str(tmp_path))


@pytest.mark.parametrize("name", ["nothing", "", "..", "../models", "a/b", "nul", "x\0", "/no/x"])
def test_what_is_not_there_is_not_found(catalog: ModelCatalog, models: Path, name: str) -> None:
    write_model(models / "sd")
    with pytest.raises(ModelNotFound) as caught:
        catalog.find(name)
    assert caught.value.fields == {"model": name, "available": ["starter", "sd"]}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_that_leaves_the_models_folder_is_no_name(
    catalog: ModelCatalog, models: Path, tmp_path: Path
) -> None:
    write_model(tmp_path / "elsewhere")
    (models / "linked").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelNotFound):
        catalog.find("linked")


def test_a_users_folder_cannot_take_the_starters_place(catalog: ModelCatalog, models: Path) -> None:
    write_model(models / "starter")
    assert catalog.find("starter").path == starter_folder()


def test_configs_with_values_of_other_kinds_give_the_familys_defaults(
    catalog: ModelCatalog, models: Path
) -> None:
    folder = write_model(models / "sd")
    write_json(folder / "unet" / "config.json", {"cross_attention_dim": 768, "sample_size": [9]})
    assert catalog.find("sd").defaults.width == 512


def test_a_build_without_the_starter_says_that_it_cannot_draw(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing):
        ModelCatalog([tmp_path], tmp_path / "no starter").find("starter")
