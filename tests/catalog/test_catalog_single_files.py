"""Single-file checkpoints and VAEs: told by their tensors, listed from their headers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sidecar.catalog.models import ModelCatalog
from sidecar.errors import ModelCorrupt, ModelUnsupported, SidecarError, VaeNotFound
from sidecar.model_format.kinds import NotDrawable
from sidecar.model_format.measures import measure
from sidecar.paths import starter_folder
from tests.catalog.catalog_samples import Shapes, lora_shapes, write_model
from tests.catalog.checkpoint_samples import (
    CLIP_1,
    UNET,
    VAE,
    checkpoint,
    clip,
    prefixed,
    unet,
    vae,
    write,
)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def catalog(models: Path) -> ModelCatalog:
    return ModelCatalog([models], starter_folder())


@pytest.mark.parametrize(("family", "side"), [("sd15", 512), ("sd21", 768), ("sdxl", 1024)])
def test_the_family_is_told_by_the_tensors_whatever_the_name(
    catalog: ModelCatalog, models: Path, family: str, side: int
) -> None:
    path = write(models / "sdxl_flux_v1.5.safetensors", checkpoint(family))
    found = catalog.find("sdxl_flux_v1.5")
    assert (found.family, found.path, found.defaults.width) == (family, path, side)
    assert found.card.bytes == path.stat().st_size
    assert [card.name for card in catalog.cards()] == ["starter", "sdxl_flux_v1.5"]
    assert catalog.find("sdxl_flux_v1.5.safetensors") == found
    assert catalog.find(str(path)) == found


def test_metadata_tells_size_and_licence(catalog: ModelCatalog, models: Path) -> None:
    metadata = {"modelspec.resolution": "768x512", "modelspec.license": "CreativeML Open RAIL-M"}
    write(models / "mine.safetensors", checkpoint("sd15"), metadata)
    found = catalog.find("mine")
    assert (found.defaults.width, found.defaults.height) == (768, 512)
    assert found.card.license == "CreativeML Open RAIL-M"


@pytest.mark.parametrize("resolution", ["0x0", "99999x1", "512", "513x512", "4096x4096"])
def test_a_size_that_cannot_be_drawn_is_not_believed(
    catalog: ModelCatalog, models: Path, resolution: str
) -> None:
    write(models / "m.safetensors", checkpoint("sd15"), {"modelspec.resolution": resolution})
    assert catalog.find("m").defaults.width == 512


def test_a_file_outside_the_models_folder_goes_by_its_path(
    catalog: ModelCatalog, tmp_path: Path
) -> None:
    path = write(tmp_path / "elsewhere" / "sd.safetensors", checkpoint("sd15"))
    assert catalog.find(str(path)).name == str(path)
    assert len(catalog.cards()) == 1


def test_a_file_is_looked_at_again_when_it_changes(catalog: ModelCatalog, models: Path) -> None:
    path = write(models / "m.safetensors", checkpoint("sd15"))
    assert catalog.find("m").family == "sd15"
    write(path, checkpoint("sdxl"))
    assert catalog.find("m").family == "sdxl"


def without(shapes: Shapes, part: str) -> Shapes:
    return {name: shape for name, shape in shapes.items() if part not in name}


def deeper(shapes: Shapes) -> Shapes:
    """Layers of one block that differ, as in cut-down models."""
    place = f"{UNET}input_blocks.2"
    return shapes | {
        f"{place}.0.out_layers.3.weight": [64, 64, 3, 3],
        f"{place}.1.transformer_blocks.0.attn2.to_k.weight": [64, 64],
        f"{place}.1.transformer_blocks.1.attn2.to_k.weight": [64, 64],
    }


REFINER = prefixed(UNET, unet(64, True, added=128)) | prefixed(
    "conditioner.embedders.0.model.", {"token_embedding.weight": [64, 64]}
)
OTHERS: dict[str, tuple[Shapes, str]] = {
    "inpainting": (checkpoint("sd15", channels=9), "inpainting"),
    "pix2pix": (checkpoint("sd15", channels=8), "InstructPix2Pix"),
    "depth": (checkpoint("sd15", channels=5), "takes 5 channels"),
    "refiner": (REFINER, "refiner"),
    "sd3": ({f"{UNET}joint_blocks.0.x": [4]}, "Stable Diffusion 3"),
    "flux": ({f"{UNET}double_blocks.0.x": [4]}, "Flux"),
    "controlnet": ({"control_model.input_hint_block.0.weight": [4]}, "ControlNet"),
    "video": (checkpoint("sd15") | {f"{UNET}x.time_stack.y": [4]}, "video"),
    "unclip": (checkpoint("sd21") | {"noise_augmentor.x": [4]}, "unCLIP"),
    "edm": (checkpoint("sdxl") | {"edm_mean": [4]}, "EDM"),
    "lora": (lora_shapes(768, 4), "it is a LoRA"),
    "kohya lora": ({"lora_unet_down_blocks_0.lora_down.weight": [4, 4]}, "it is a LoRA"),
    "vae": (vae(), "it is a VAE"),
    "embedding": ({"emb_params": [4, 768]}, "textual inversion"),
    "diffusers part": ({"down_blocks.0.x": [4]}, "one part of a diffusers model"),
    "bare unet": (unet(64, False), "a UNet alone"),
    "no text encoder": (without(checkpoint("sd15"), CLIP_1), "without the text encoder"),
    "cut down": (deeper(checkpoint("sd15")), "cut-down"),
    "no middle": (without(checkpoint("sdxl"), "middle_block"), "cut-down"),
    "ill-matched": (checkpoint("sd15") | prefixed(CLIP_1, clip(128)), "width 64"),
    "something": ({"weight": [4]}, "not those of Stable Diffusion"),
    "nothing": ({}, "not those of Stable Diffusion"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_files_are_refused_with_what_they_are_and_listed_nowhere(
    catalog: ModelCatalog, models: Path, kind: str
) -> None:
    shapes, words = OTHERS[kind]
    write(models / "sd15.safetensors", shapes)
    with pytest.raises(ModelUnsupported, match=words):
        catalog.find("sd15")
    assert [card.name for card in catalog.cards()] == ["starter"]


def test_a_checkpoint_that_lacks_tensors_is_corrupt(catalog: ModelCatalog, models: Path) -> None:
    write(models / "m.safetensors", without(checkpoint("sd15"), "out.2.weight"))
    with pytest.raises(ModelCorrupt, match=r"lacks the tensor out\.2\.weight"):
        catalog.find("m")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "too short"),
        (b"\x80\x04\x95weights", "pickle"),
        (b"PK\x03\x04weights", "pickle"),
        ((2**40).to_bytes(8, "little") + b"{}", "cut off"),
        ((2).to_bytes(8, "little") + b"[]", "not a JSON object"),
    ],
)
def test_a_file_that_is_no_safetensors_is_corrupt(
    catalog: ModelCatalog, models: Path, data: bytes, words: str
) -> None:
    (models / "m.safetensors").write_bytes(data)
    with pytest.raises(ModelCorrupt, match=words):
        catalog.find("m")


def test_a_truncated_checkpoint_is_corrupt(catalog: ModelCatalog, models: Path) -> None:
    path = write(models / "m.safetensors", checkpoint("sd15"))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelCorrupt, match="cut off"):
        catalog.find("m")


def test_a_folder_comes_before_a_file_of_the_same_name(catalog: ModelCatalog, models: Path) -> None:
    file = write(models / "sd.safetensors", checkpoint("sdxl"))
    folder = write_model(models / "sd")
    assert catalog.find("sd").path == folder
    assert catalog.find(str(file)).family == "sdxl"


class TestSdxlFolders:
    def folder(self, models: Path) -> Path:
        folder = write_model(models / "xl", 2048, 128, "StableDiffusionXLPipeline")
        (folder / "text_encoder_2").mkdir()
        (folder / "text_encoder_2" / "model.safetensors").write_bytes(bytes(500))
        return folder

    def test_both_text_encoders_count(self, catalog: ModelCatalog, models: Path) -> None:
        self.folder(models)
        found = catalog.find("xl")
        assert (found.family, found.defaults.width, found.card.bytes) == ("sdxl", 1024, 3500)

    def test_without_the_second_one_it_is_corrupt(
        self, catalog: ModelCatalog, models: Path
    ) -> None:
        (self.folder(models) / "text_encoder_2" / "model.safetensors").unlink()
        with pytest.raises(ModelCorrupt, match="text_encoder_2 has no weights"):
            catalog.find("xl")


def test_an_inpainting_folder_is_refused(catalog: ModelCatalog, models: Path) -> None:
    folder = write_model(models / "fill")
    config = {"cross_attention_dim": 768, "in_channels": 9}
    (folder / "unet" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelUnsupported, match="inpainting"):
        catalog.find("fill")


class TestVaes:
    def test_one_is_found_by_name_set_apart_or_beside_the_models(
        self, catalog: ModelCatalog, models: Path
    ) -> None:
        beside = write(models / "anime.safetensors", vae())
        apart = write(models / "vae" / "mse.safetensors", prefixed(VAE, vae()))
        for name in ("mse", "mse.safetensors", str(apart)):
            found = catalog.find_vae(name)
            assert (found.name, found.path) == ("mse", apart)
        assert catalog.find_vae("anime").path == beside
        assert [card.name for card in catalog.cards()] == ["starter"]

    def test_one_set_apart_comes_before_a_model_of_the_same_name(
        self, catalog: ModelCatalog, models: Path
    ) -> None:
        write(models / "best.safetensors", checkpoint("sd15"))
        apart = write(models / "vae" / "best.safetensors", vae())
        assert catalog.find_vae("best").path == apart

    def test_a_folder_and_a_whole_model_will_do(self, catalog: ModelCatalog, models: Path) -> None:
        folder = write_model(models / "sd")
        file = write(models / "other.safetensors", checkpoint("sd15"))
        assert catalog.find_vae("sd").path == folder
        assert catalog.find_vae(str(folder / "vae")).path == folder / "vae"
        assert catalog.find_vae("other").path == file

    def test_diffusers_names_are_known_too(self, catalog: ModelCatalog, models: Path) -> None:
        shapes: Shapes = {"decoder.conv_in.weight": [32, 4, 3, 3]}
        write(models / "vae" / "new.safetensors", shapes)
        assert catalog.find_vae("new").name == "new"

    def test_one_that_is_not_there_is_told_with_those_that_are(
        self, catalog: ModelCatalog, models: Path
    ) -> None:
        write(models / "vae" / "mse.safetensors", vae())
        write(models / "anime.safetensors", vae())
        write(models / "sd.safetensors", checkpoint("sd15"))
        with pytest.raises(VaeNotFound) as caught:
            catalog.find_vae("none")
        assert caught.value.fields == {"vae": "none", "available": ["anime", "mse"]}

    @pytest.mark.parametrize(
        ("name", "data", "error"),
        [
            ("x.safetensors", b"", ModelCorrupt),
            ("x.pt", b"\x80\x04", ModelUnsupported),
        ],
    )
    def test_one_that_cannot_be_read_is_refused_by_name(
        self,
        catalog: ModelCatalog,
        models: Path,
        name: str,
        data: bytes,
        error: type[SidecarError],
    ) -> None:
        (models / "vae").mkdir()
        (models / "vae" / name).write_bytes(data)
        with pytest.raises(error) as caught:
            catalog.find_vae("x")
        assert caught.value.fields["model"] == "x"

    def test_a_model_without_one_and_a_lora_are_no_vaes(
        self, catalog: ModelCatalog, models: Path
    ) -> None:
        write(models / "bare.safetensors", without(checkpoint("sd15"), VAE))
        write(models / "lora.safetensors", lora_shapes(768, 4))
        (models / "empty").mkdir()
        for name in ("bare", "lora", "empty"):
            with pytest.raises(ModelUnsupported, match="no VAE"):
                catalog.find_vae(name)


def test_without_a_vae_a_checkpoint_is_still_a_model() -> None:
    shapes = {name: tuple(shape) for name, shape in checkpoint("sd15").items() if VAE not in name}
    assert not measure(shapes).kind.has_vae
    with pytest.raises(NotDrawable):
        measure({})
