"""The pictures of the engine are those of plain diffusers, with LoRAs and without."""

from __future__ import annotations

import io
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sidecar.engine.contract import ImageReady
from tests.engine.diffusion.drawing import BUNDLED, Draw, lora

pytestmark = pytest.mark.engine

TOLERANCE = 1.0  # of 255, mean absolute difference
PAIRS = list(combinations(BUNDLED, 2))


def names(value: Any) -> str:
    return "+".join(path.stem for path in ([value] if isinstance(value, Path) else value))


def schedulers() -> dict[str, tuple[Any, dict[str, Any]]]:
    import diffusers as d

    return {
        "dpmpp_2m": (d.DPMSolverMultistepScheduler, {}),
        "dpmpp_2m_karras": (d.DPMSolverMultistepScheduler, {"use_karras_sigmas": True}),
        "euler": (d.EulerDiscreteScheduler, {}),
        "euler_a": (d.EulerAncestralDiscreteScheduler, {}),
        "ddim": (d.DDIMScheduler, {"clip_sample": False}),
        "unipc": (d.UniPCMultistepScheduler, {}),
        "lcm": (d.LCMScheduler, {}),
    }


def by_diffusers(
    pipe: Any,
    loras: list[tuple[Path, float]],
    sampler: str = "dpmpp_2m",
    **changes: Any,
) -> Any:
    kind, config = schedulers()[sampler]
    usual = pipe.scheduler
    pipe.scheduler = kind.from_config(usual.config, **config)
    settings: dict[str, Any] = {
        "prompt": "red apple",
        "num_inference_steps": 4,
        "guidance_scale": 4.0,
        "width": 128,
        "height": 128,
        "generator": torch.Generator().manual_seed(7),
    }
    try:
        for path, _ in loras:
            pipe.load_lora_weights(str(path), adapter_name=path.stem)
        if loras:
            pipe.set_adapters([path.stem for path, _ in loras], [alpha for _, alpha in loras])
        picture = pipe(**{**settings, **changes}).images[0]
    finally:
        pipe.scheduler = usual
        if loras:
            pipe.unload_lora_weights()
    return np.asarray(picture).astype(np.int16)


def difference(a: Any, b: Any) -> float:
    return float(np.abs(a - b).mean())


def test_there_are_bundled_loras() -> None:
    assert BUNDLED


@pytest.mark.parametrize("sampler", sorted(schedulers()))
def test_each_sampler_gives_the_picture_of_diffusers(draw: Draw, plain: Any, sampler: str) -> None:
    ours = draw(sampler=sampler).images[0]
    theirs = by_diffusers(plain, [], sampler)
    assert ours.std() > 5, "a picture with something on it"
    assert difference(ours, theirs) <= TOLERANCE


@pytest.mark.parametrize("path", BUNDLED, ids=names)
@pytest.mark.parametrize("alpha", [0.35, 1.0])
def test_a_merged_lora_gives_the_picture_of_diffusers(
    draw: Draw, plain: Any, path: Path, alpha: float
) -> None:
    ours = draw(loras=(lora(path, alpha),)).images[0]
    without = draw().images[0]
    assert difference(ours, by_diffusers(plain, [(path, alpha)])) <= TOLERANCE
    assert difference(ours, without) > 3 * TOLERANCE, "the LoRA is seen"


@pytest.mark.parametrize("pair", PAIRS, ids=names)
def test_a_stack_of_two_gives_the_picture_of_diffusers(
    draw: Draw, plain: Any, pair: tuple[Path, Path]
) -> None:
    first, second = pair
    ours = draw(loras=(lora(first, 0.7), lora(second, 0.4))).images[0]
    theirs = by_diffusers(plain, [(first, 0.7), (second, 0.4)])
    assert difference(ours, theirs) <= TOLERANCE


@pytest.mark.parametrize("sampler", ["euler_a", "unipc", "dpmpp_2m_karras"])
def test_other_samplers_with_a_lora_give_the_picture_of_diffusers(
    draw: Draw, plain: Any, sampler: str
) -> None:
    path = BUNDLED[0]
    ours = draw(loras=(lora(path, 0.8),), sampler=sampler, steps=6).images[0]
    theirs = by_diffusers(plain, [(path, 0.8)], sampler, num_inference_steps=6)
    assert difference(ours, theirs) <= TOLERANCE


def test_without_guidance_and_with_a_negative_prompt(draw: Draw, plain: Any) -> None:
    ours = draw(guidance_scale=1.0).images[0]
    assert difference(ours, by_diffusers(plain, [], guidance_scale=1.0)) <= TOLERANCE
    ours = draw(negative_prompt="green").images[0]
    assert difference(ours, by_diffusers(plain, [], negative_prompt="green")) <= TOLERANCE


def test_an_initial_picture_gives_the_picture_of_diffusers(draw: Draw, plain: Any) -> None:
    from diffusers import StableDiffusionImg2ImgPipeline

    start = draw(seed=3).of(ImageReady)[0].data
    ours = draw(init_image=start, strength=0.5, steps=8, prompt="rocket").images[0]
    img2img = StableDiffusionImg2ImgPipeline(**plain.components, requires_safety_checker=False)
    img2img.set_progress_bar_config(disable=True)
    theirs = img2img(
        prompt="rocket",
        image=Image.open(io.BytesIO(start)),
        strength=0.5,
        num_inference_steps=8,
        guidance_scale=4.0,
        generator=torch.Generator().manual_seed(7),
    ).images[0]
    assert difference(ours, np.asarray(theirs).astype(np.int16)) <= TOLERANCE


def test_every_module_of_a_bundled_lora_is_matched(switch: Any) -> None:
    for path in BUNDLED:
        receipt = switch(lora(path))
        assert receipt.matched_keys == receipt.total_keys > 0
        assert receipt.unsupported == ()
        assert receipt.relative_delta > 0
    switch()


def test_the_embeddings_are_those_of_transformers(engine: Any, plain: Any) -> None:
    components = engine._resident.components
    for text in ("red apple", "", "Ünïcode 猫 it's 42", "a very long prompt " * 20):
        ids = plain.tokenizer(
            text,
            padding="max_length",
            max_length=plain.tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        ).input_ids
        assert components.tokenizer(text).ids == ids[0].tolist()
        with torch.inference_mode():
            theirs = plain.text_encoder(ids)[0]
            ours = components.text_encoder(ids)
        assert torch.allclose(ours, theirs, atol=1e-5)
