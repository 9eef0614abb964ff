"""For every spelling and kind of file our merge draws what diffusers or LyCORIS draw with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sidecar.engine.contract import CancelToken, LoraReceipt, LoraSpec, ModelSpec
from sidecar.engine.diffusion.engine import DiffusionEngine
from tests.engine.diffusion.drawing import Drawn, lora, render_spec
from tests.engine.diffusion.lora_writers import (
    EVERY_LAYER,
    NATIVE,
    Factor,
    attention,
    factors_for,
    peft,
    text_attention,
    writers,
)
from tests.engine.diffusion.small_sd import (
    SIDE,
    UNET,
    WORDS,
    picture_by_diffusers,
    write_lora,
    write_model,
)

pytestmark = pytest.mark.engine

TOLERANCE = 1.0  # of 255, mean absolute difference
ALPHA = 0.8


class Ours:
    """The engine with the small model."""

    def __init__(self, folder: Path) -> None:
        self._model = ModelSpec("small", str(folder), "starter")
        self.engine = DiffusionEngine(threads=1)
        self.engine.warm_up()

    def draw(self, *loras: LoraSpec) -> Any:
        drawn = Drawn()
        spec = render_spec(
            model=self._model,
            prompt=WORDS,
            width=SIDE,
            height=SIDE,
            steps=3,
            sampler="ddim",
            seed=5,
        )
        spec = replace(spec, loras=loras)
        drawn.outcome = self.engine.render("draw", spec, drawn.events.append, CancelToken())
        return drawn.images[0]

    def switch(self, *loras: LoraSpec) -> LoraReceipt:
        return self.engine.apply_loras("s", self._model, loras, lambda event: None, CancelToken())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def ours(folder: Path) -> Iterator[Ours]:
    ours = Ours(folder)
    yield ours
    ours.engine.unload_model()


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    from diffusers import StableDiffusionPipeline

    torch.set_num_threads(1)
    pipe = StableDiffusionPipeline.from_pretrained(str(folder), local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture(scope="module")
def plain(pipe: Any) -> Any:
    return picture_by_diffusers(pipe)


def by_diffusers(pipe: Any, path: Path, alpha: float) -> Any:
    pipe.load_lora_weights(str(path), adapter_name="style")
    pipe.set_adapters(["style"], [alpha])
    try:
        return picture_by_diffusers(pipe)
    finally:
        pipe.unload_lora_weights()


def difference(a: Any, b: Any) -> float:
    return float(np.abs(a - b).mean())


def attention_factors(pipe: Any) -> list[Factor]:
    unet = factors_for({"unet": pipe.unet}, attention)
    return unet + factors_for({"text_encoder": pipe.text_encoder}, text_attention)


def all_factors(pipe: Any) -> list[Factor]:
    networks = {"unet": pipe.unet, "text_encoder": pipe.text_encoder}
    return factors_for(networks, lambda name: "embedding" not in name)


@pytest.fixture(scope="module")
def expected(pipe: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """What diffusers draws with the same numbers in its own spelling."""
    pictures: dict[str, Any] = {}

    def draw(layers: str) -> Any:
        if layers not in pictures:
            factors = attention_factors(pipe) if layers == "attention" else all_factors(pipe)
            path = tmp_path_factory.mktemp("expected") / "style.safetensors"
            pictures[layers] = by_diffusers(pipe, write_lora(path, peft(factors)), ALPHA)
        return pictures[layers]

    return draw


def test_without_a_lora_both_draw_the_same(ours: Ours, plain: Any) -> None:
    assert plain.std() > 10, "a picture with something on it"
    assert difference(ours.draw(), plain) <= TOLERANCE


@pytest.mark.parametrize("spelling", sorted(writers(UNET)))
@pytest.mark.parametrize("layers", ["attention", "all"])
def test_every_spelling_of_the_same_file_draws_the_picture_of_diffusers(
    ours: Ours, pipe: Any, plain: Any, expected: Any, tmp_path: Path, spelling: str, layers: str
) -> None:
    if layers == "all" and spelling not in EVERY_LAYER:
        pytest.skip("this spelling has no other layers than attention")
    factors = attention_factors(pipe) if layers == "attention" else all_factors(pipe)
    tensors = writers(UNET)[spelling](factors)
    path = write_lora(tmp_path / "style.safetensors", tensors)
    receipt = ours.switch(lora(path, ALPHA))
    assert receipt.unsupported == ()
    assert receipt.matched_keys == receipt.total_keys == len(tensors)
    assert receipt.rank == 5
    picture = ours.draw(lora(path, ALPHA))
    assert difference(picture, expected(layers)) <= TOLERANCE
    assert difference(picture, plain) > 5 * TOLERANCE, "the LoRA is seen"


@pytest.mark.parametrize("spelling", NATIVE)
def test_a_file_that_diffusers_reads_itself_draws_its_picture(
    ours: Ours, pipe: Any, tmp_path: Path, spelling: str
) -> None:
    factors = all_factors(pipe) if spelling in EVERY_LAYER else attention_factors(pipe)
    factors = [replace(f, alpha=2.5) for f in factors]  # diffusers loses alphas that differ
    path = write_lora(tmp_path / "style.safetensors", writers(UNET)[spelling](factors))
    picture = ours.draw(lora(path, ALPHA))
    assert difference(picture, by_diffusers(pipe, path, ALPHA)) <= TOLERANCE


LYCORIS: dict[str, dict[str, Any]] = {
    "LoCon": {"algo": "locon"},
    "LoCon, Tucker": {"algo": "locon", "use_tucker": True},
    "LoHa": {"algo": "loha", "std": 0.4},
    "LoHa, wide": {"algo": "loha", "linear_dim": 12, "conv_dim": 9, "std": 0.4},
    "LoHa, Tucker": {"algo": "loha", "use_tucker": True, "std": 0.4},
    "LoKr": {"algo": "lokr", "factor": 4},
    "LoKr, whole": {"algo": "lokr", "full_matrix": True},
    "LoKr, both split": {"algo": "lokr", "decompose_both": True, "linear_dim": 2, "std": 0.3},
    "LoKr, Tucker": {"algo": "lokr", "use_tucker": True, "linear_dim": 2, "std": 0.3},
    "full differences and norms": {"algo": "full", "train_norm": True, "std": 0.01},
    "DoRA": {"algo": "locon", "dora_wd": True},
    "DoRA, by input": {"algo": "locon", "dora_wd": True, "wd_on_out": False},
    "DoRA around LoHa": {"algo": "loha", "dora_wd": True},
    "DoRA around LoKr": {"algo": "lokr", "dora_wd": True, "factor": 4},
}


def lycoris_file(pipe: Any, kind: str, alpha: float, path: Path) -> tuple[Path, Any]:
    """A file as LyCORIS saves it, and the picture with its own modules at that strength."""
    import lycoris

    torch.manual_seed(31)
    usual = {"linear_dim": 4, "conv_dim": 2, "linear_alpha": 2, "conv_alpha": 2, "std": 0.15}
    options = {**usual, **LYCORIS[kind]}
    std = options.pop("std")
    network = lycoris.create_lycoris(pipe.unet, alpha, warn_on_unmatched=False, **options)
    network.apply_to()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith("dora_scale"):
                weight.mul_(1 + 0.2 * torch.randn_like(weight))
            else:
                weight.normal_(std=std)
    try:
        picture = picture_by_diffusers(pipe)
    finally:
        network.restore()
    return write_lora(path, network.state_dict()), picture


@pytest.mark.parametrize("kind", sorted(LYCORIS))
def test_every_kind_of_lycoris_draws_the_picture_of_lycoris(
    ours: Ours, pipe: Any, plain: Any, tmp_path: Path, kind: str
) -> None:
    alpha = 1.0 if "DoRA" in kind else ALPHA  # at others, programs differ about DoRA
    path, theirs = lycoris_file(pipe, kind, alpha, tmp_path / "style.safetensors")
    receipt = ours.switch(lora(path, alpha))
    assert receipt.unsupported == ()
    assert receipt.matched_keys == receipt.total_keys
    picture = ours.draw(lora(path, alpha))
    assert difference(picture, theirs) <= TOLERANCE
    assert difference(picture, plain) > 3 * TOLERANCE, "the LoRA is seen"


@pytest.mark.parametrize("alpha", [0.6, 1.0, 1.4])
def test_dora_of_peft_draws_the_picture_of_diffusers_at_every_strength(
    ours: Ours, pipe: Any, plain: Any, tmp_path: Path, alpha: float
) -> None:
    path = write_lora(tmp_path / "dora.safetensors", peft_dora(pipe))
    receipt = ours.switch(lora(path, alpha))
    assert receipt.unsupported == ()
    picture = ours.draw(lora(path, alpha))
    assert difference(picture, by_diffusers(pipe, path, alpha)) <= TOLERANCE
    assert difference(picture, plain) > 3 * TOLERANCE, "the LoRA is seen"


def peft_dora(pipe: Any) -> dict[str, torch.Tensor]:
    """Of linear layers and convolutions, with magnitudes some way from those of the weights."""
    torch.manual_seed(41)
    chosen = {"unet": pipe.unet}  # diffusers loses magnitudes on their way to a text encoder
    tensors = peft(factors_for(chosen, lambda n: attention(n) or n.endswith(("conv1", "_proj"))))
    for key in [key for key in tensors if ".lora_A." in key]:
        module = key.removeprefix("unet.").removesuffix(".lora_A.weight")
        weight = pipe.unet.get_submodule(module).weight.detach()
        norm = weight.flatten(1).norm(dim=1)
        magnitude = norm * (1 + 0.2 * torch.randn_like(norm))
        shape = (1, -1, 1, 1) if weight.ndim == 4 else (-1,)
        tensors[key.replace(".lora_A.weight", ".lora_magnitude_vector")] = magnitude.view(shape)
    return tensors
