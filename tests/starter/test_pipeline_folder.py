from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline

from starter.subjects import SUBJECTS, names_of

FOLDER = Path(__file__).parents[2] / "sidecar" / "assets" / "starter"
pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionPipeline:
    loaded = StableDiffusionPipeline.from_pretrained(FOLDER, dtype=torch.float32)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def test_the_folder_is_small() -> None:
    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file())
    assert size <= 40_000_000


def test_licence_texts_lie_beside_the_weights() -> None:
    assert "Apache License" in (FOLDER / "LICENSE").read_text()
    notice = (FOLDER / "NOTICE").read_text()
    assert "Microsoft" in notice
    assert "Noto Emoji" in notice


def test_no_file_names_the_machine_it_was_made_on() -> None:
    for path in FOLDER.rglob("*.json"):
        assert "_name_or_path" not in path.read_text()


def test_geometry(pipeline: StableDiffusionPipeline) -> None:
    assert pipeline.unet.config.in_channels == pipeline.vae.config.latent_channels == 8
    assert pipeline.unet.config.sample_size == 16
    assert pipeline.vae_scale_factor == 8
    assert pipeline.unet.config.cross_attention_dim == pipeline.text_encoder.config.hidden_size
    assert pipeline.scheduler.config.prediction_type == "v_prediction"
    assert pipeline.vae.config.scaling_factor == 1.0


def test_weights_are_finite(pipeline: StableDiffusionPipeline) -> None:
    for module in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        assert all(bool(p.isfinite().all()) for p in module.parameters())


def test_tokenizer_round_trip(pipeline: StableDiffusionPipeline) -> None:
    tokenizer = pipeline.tokenizer
    for prompt in ("red apple", "a picture of a cat face", "face with sunglasses", "Zażółć"):
        ids = tokenizer(prompt, padding="max_length", max_length=16, truncation=True).input_ids
        assert len(ids) == 16
        assert ids[0] == tokenizer.bos_token_id
        decoded = tokenizer.decode(ids, skip_special_tokens=True)
        assert decoded.replace(" ", "") == prompt.lower().replace(" ", "")


def test_every_name_fits_the_text_encoder(pipeline: StableDiffusionPipeline) -> None:
    for subject in SUBJECTS:
        for name in names_of(subject):
            assert len(pipeline.tokenizer(f"a purple {name}").input_ids) <= 16


def test_the_same_seed_draws_the_same_picture_on_white(pipeline: StableDiffusionPipeline) -> None:
    def draw(seed: int) -> torch.Tensor:
        return pipeline(
            "red apple",
            num_inference_steps=6,
            guidance_scale=2.5,
            generator=torch.Generator().manual_seed(seed),
            output_type="pt",
        ).images[0]

    one, again = draw(7), draw(7)
    assert one.shape == (3, 128, 128)
    assert torch.equal(one, again)
    assert one[:, :4, :4].mean() > 0.95
    red, green, blue = one[:, 70:80, 40:60].mean((1, 2)).tolist()
    assert red > green + 0.3
    assert red > blue + 0.3
