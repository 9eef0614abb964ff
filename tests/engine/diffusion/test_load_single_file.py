"""Single files, VAEs and pieces: what is refused and what stays, what is read and in what type."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from sidecar.engine.contract import CancelToken, EngineWarning, ModelLoading, ModelSpec
from sidecar.engine.diffusion.checkpoint_source import checkpoint_source
from sidecar.engine.diffusion.engine import DiffusionEngine
from sidecar.errors import (
    ModelCorrupt,
    ModelUnsupported,
    NumericalFault,
    SidecarError,
    VaeNotFound,
)
from tests.engine.diffusion.drawing import Drawn, render_spec
from tests.engine.diffusion.small_models import (
    PROMPT,
    SIDE,
    checkpoint_of,
    write_checkpoint,
    write_folder,
)

pytestmark = pytest.mark.engine

Tensors = dict[str, torch.Tensor]
UNET, VAE, CLIP = "model.diffusion_model.", "first_stage_model.", "cond_stage_model."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder("sd15", tmp_path_factory.mktemp("models") / "sd15")


@pytest.fixture(scope="module")
def tensors(folder: Path) -> Tensors:
    return checkpoint_of(folder, "sd15")


@pytest.fixture(scope="module")
def own(folder: Path) -> DiffusionEngine:
    engine = DiffusionEngine(threads=1)
    engine.warm_up()
    load(engine, folder)
    return engine


def spec_of(path: Path, **changes: Any) -> ModelSpec:
    return ModelSpec(path.stem, str(path), "sd15", **changes)


def load(engine: DiffusionEngine, path: Path, **changes: Any) -> Any:
    return engine.load_model("x", spec_of(path, **changes), lambda event: None, CancelToken())


def draw(engine: DiffusionEngine, path: Path, **changes: Any) -> Drawn:
    drawn = Drawn()
    spec = render_spec(
        model=spec_of(path, **changes), prompt=PROMPT, width=SIDE, height=SIDE, steps=2
    )
    engine.render("draw", spec, drawn.events.append, CancelToken())
    return drawn


def truncated(path: Path, tensors: Tensors) -> None:
    write_checkpoint(path, tensors)
    path.write_bytes(path.read_bytes()[:-5000])


def lying_header(path: Path, tensors: Tensors) -> None:
    write_checkpoint(path, tensors)
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header[f"{UNET}out.2.bias"]["shape"] = [400000]
    raw = json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data[8 + size :])


def header_bomb(path: Path, tensors: Tensors) -> None:
    path.write_bytes((2**60).to_bytes(8, "little") + b"{}")


def a_pickle_under_another_name(path: Path, tensors: Tensors) -> None:
    torch.save({"a": torch.ones(1)}, path)


def without_a_weight(path: Path, tensors: Tensors) -> None:
    write_checkpoint(path, {k: v for k, v in tensors.items() if "out_layers.3" not in k})


def of_another_shape(path: Path, tensors: Tensors) -> None:
    name = f"{UNET}output_blocks.0.0.in_layers.2.weight"
    write_checkpoint(path, {**tensors, name: tensors[name][:, :-1]})


def inpainting(path: Path, tensors: Tensors) -> None:
    name = f"{UNET}input_blocks.0.0.weight"
    write_checkpoint(path, {**tensors, name: tensors[name].repeat(1, 3, 1, 1)[:, :9]})


def with_an_unknown_layer(path: Path, tensors: Tensors) -> None:
    write_checkpoint(path, {**tensors, f"{UNET}input_blocks.1.2.weight": torch.ones(1)})


def without_a_vae(path: Path, tensors: Tensors) -> None:
    write_checkpoint(path, {k: v for k, v in tensors.items() if not k.startswith(VAE)})


def a_lora(path: Path, tensors: Tensors) -> None:
    write_checkpoint(path, {"lora_unet_x.lora_down.weight": torch.ones(2, 2)})


@pytest.mark.parametrize(
    ("write", "error"),
    [
        (truncated, ModelCorrupt),
        (lying_header, ModelCorrupt),
        (header_bomb, ModelCorrupt),
        (a_pickle_under_another_name, ModelCorrupt),
        (without_a_weight, ModelUnsupported),
        (of_another_shape, ModelCorrupt),
        (inpainting, ModelUnsupported),
        (with_an_unknown_layer, ModelUnsupported),
        (without_a_vae, ModelUnsupported),
        (a_lora, ModelUnsupported),
    ],
)
def test_a_file_that_cannot_be_loaded_is_refused_and_the_former_model_stays(
    own: DiffusionEngine,
    tensors: Tensors,
    tmp_path: Path,
    write: Callable[[Path, Tensors], None],
    error: type[SidecarError],
) -> None:
    before = own._resident
    path = tmp_path / "mine.safetensors"
    write(path, tensors)
    with pytest.raises(error) as refusal:
        load(own, path)
    assert refusal.value.fields["model"] == "mine"
    assert own._resident is before


def test_percent_is_of_bytes_that_are_placed_and_ema_weights_are_not_read(
    own: DiffusionEngine, tensors: Tensors, tmp_path: Path
) -> None:
    ema = {f"model_ema.{k}".replace(".", ""): v for k, v in tensors.items()}
    path = write_checkpoint(tmp_path / "ema.safetensors", {**ema, **tensors})
    events: list[Any] = []
    own.load_model("x", spec_of(path), events.append, CancelToken())
    told = [(event.stage, event.percent) for event in events if isinstance(event, ModelLoading)]
    percents = [percent for _, percent in told]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    prefixes = {"text_encoder": CLIP, "vae": VAE, "unet": UNET}
    sizes = {k: v.numel() * v.element_size() for k, v in tensors.items()}
    share = 0.0
    for stage in dict.fromkeys(stage for stage, _ in told):
        part = sum(size for name, size in sizes.items() if name.startswith(prefixes[stage]))
        share += 100 * part / sum(sizes.values())
        assert abs(max(p for s, p in told if s == stage) - share) < 5


def test_half_precision_files_and_leftovers_are_read(
    own: DiffusionEngine, folder: Path, tensors: Tensors, tmp_path: Path
) -> None:
    leftovers = {
        "alphas_cumprod": torch.ones(1000),
        f"{CLIP}transformer.text_model.embeddings.position_ids": torch.arange(77)[None],
        f"{VAE}loss.logvar": torch.zeros(()),
        f"{CLIP}logit_scale": torch.zeros(()),
    }
    half = {k: v.half() for k, v in tensors.items()}
    path = write_checkpoint(tmp_path / "half.safetensors", {**half, **leftovers})
    ours, full = draw(own, path).images[0], draw(own, folder).images[0]
    assert np.abs(ours - full).mean() < 3


def test_text_encoders_named_as_newer_transformers_do_are_read(
    own: DiffusionEngine, folder: Path, tensors: Tensors, tmp_path: Path
) -> None:
    renamed = {k.replace("transformer.text_model.", "transformer."): v for k, v in tensors.items()}
    path = write_checkpoint(tmp_path / "new.safetensors", renamed)
    assert (draw(own, path).images[0] == draw(own, folder).images[0]).all()


def split(folder: Path, target: Path, part: str) -> None:
    """The weights of one part in two files with an index, as large models come."""
    shutil.copytree(folder, target)
    whole = next((target / part).glob("*.safetensors"))
    tensors = load_file(whole)
    whole.unlink()
    names = sorted(tensors)
    halves = {"a": names[::2], "b": names[1::2]}
    weight_map: dict[str, str] = {}
    for mark, half in halves.items():
        file = f"{whole.stem}-{mark}.safetensors"
        save_file({name: tensors[name] for name in half}, target / part / file)
        weight_map |= dict.fromkeys(half, file)
    index = target / part / f"{whole.name}.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def test_a_folder_whose_weights_are_in_pieces_is_read(
    own: DiffusionEngine, folder: Path, tmp_path: Path
) -> None:
    split(folder, tmp_path / "pieces", "unet")
    assert (draw(own, tmp_path / "pieces").images[0] == draw(own, folder).images[0]).all()


@pytest.mark.parametrize(
    "weight_map", [{"conv_in.weight": "../../secret.safetensors"}, {"a": 1}, [], {"a": "gone"}]
)
def test_pieces_outside_the_folder_or_missing_are_refused(
    own: DiffusionEngine, folder: Path, tmp_path: Path, weight_map: Any
) -> None:
    split(folder, tmp_path / "pieces", "unet")
    index = next((tmp_path / "pieces" / "unet").glob("*.index.json"))
    index.write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(ModelCorrupt):
        load(own, tmp_path / "pieces")


class TestVae:
    def brighter(self, tensors: Tensors) -> Tensors:
        vae = {k.removeprefix(VAE): v for k, v in tensors.items() if k.startswith(VAE)}
        return {**vae, "decoder.conv_out.bias": vae["decoder.conv_out.bias"] + 0.5}

    @pytest.mark.parametrize("form", ["original", "within a checkpoint", "diffusers", "folder"])
    def test_another_one_is_used_in_every_form(
        self, own: DiffusionEngine, folder: Path, tensors: Tensors, tmp_path: Path, form: str
    ) -> None:
        original = self.brighter(tensors)
        path = tmp_path / "bright.safetensors"
        config = folder / "vae" / "config.json"
        diffusers = load_file(folder / "vae" / "diffusion_pytorch_model.safetensors")
        diffusers["decoder.conv_out.bias"] = original["decoder.conv_out.bias"]
        if form == "original":
            write_checkpoint(path, original)
        elif form == "within a checkpoint":
            write_checkpoint(path, {**tensors, **{VAE + k: v for k, v in original.items()}})
        elif form == "diffusers":
            write_checkpoint(path, diffusers)
        else:
            path = tmp_path / "bright"
            path.mkdir()
            shutil.copy(config, path)
            save_file(diffusers, path / "diffusion_pytorch_model.safetensors")
        pinned = draw(own, folder, vae="bright", vae_path=str(path)).images[0]
        plain = draw(own, folder).images[0]
        assert pinned.mean() > plain.mean() + 10
        again = draw(own, folder, vae="bright", vae_path=str(path)).images[0]
        assert (pinned == again).all()

    def test_it_makes_up_for_one_that_a_checkpoint_lacks(
        self, own: DiffusionEngine, folder: Path, tensors: Tensors, tmp_path: Path
    ) -> None:
        path = tmp_path / "bare.safetensors"
        without_a_vae(path, tensors)
        vae = {"vae": "own", "vae_path": str(folder / "vae")}
        assert (draw(own, path, **vae).images[0] == draw(own, folder).images[0]).all()

    def test_one_that_is_gone_or_is_none_is_refused_by_name(
        self, own: DiffusionEngine, folder: Path, tensors: Tensors, tmp_path: Path
    ) -> None:
        with pytest.raises(VaeNotFound):
            load(own, folder, vae="gone", vae_path=str(tmp_path / "gone.safetensors"))
        lora = tmp_path / "lora.safetensors"
        a_lora(lora, tensors)
        with pytest.raises(ModelUnsupported) as refusal:
            load(own, folder, vae="lora", vae_path=str(lora))
        assert refusal.value.fields["model"] == "lora"

    def overflowing(self, folder: Path, target: Path, factor: float) -> Path:
        """A VAE whose inner numbers do not fit into half precision."""
        shutil.copytree(folder / "vae", target)
        file = target / "diffusion_pytorch_model.safetensors"
        tensors = load_file(file)
        for name in ("decoder.conv_in.weight", "decoder.conv_in.bias"):
            tensors[name] = tensors[name] * factor
        save_file(tensors, file)
        return target

    def test_one_that_overflows_in_half_precision_is_decoded_once_more_in_full(
        self, own: DiffusionEngine, folder: Path, tmp_path: Path
    ) -> None:
        vae = self.overflowing(folder, tmp_path / "loud", 3e4)
        pinned = {"vae": "loud", "vae_path": str(vae), "dtype": "float16"}
        drawn = draw(own, folder, **pinned)
        assert [warning.kind for warning in drawn.of(EngineWarning)] == ["nan_retry"]
        full = draw(own, folder, **pinned, no_half_vae=True)
        assert full.of(EngineWarning) == []
        assert np.abs(drawn.images[0] - full.images[0]).mean() < 1
        once_more = draw(own, folder, **pinned)
        assert (once_more.images[0] == drawn.images[0]).all(), "back in half precision after it"

    @pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
    def test_one_that_fails_in_full_precision_too_is_a_fault_and_no_picture(
        self, own: DiffusionEngine, folder: Path, tmp_path: Path, dtype: str
    ) -> None:
        vae = self.overflowing(folder, tmp_path / "broken", float("inf"))
        drawn = Drawn()
        spec = render_spec(
            model=spec_of(folder, vae="broken", vae_path=str(vae), dtype=dtype),
            width=SIDE,
            height=SIDE,
            steps=1,
        )
        with pytest.raises(NumericalFault):
            own.render("draw", spec, drawn.events.append, CancelToken())
        assert drawn.images == []
        warned = [warning.kind for warning in drawn.of(EngineWarning)]
        assert warned == ([] if dtype == "float32" else ["nan_retry"])

    def test_a_black_picture_is_a_fault(
        self, own: DiffusionEngine, folder: Path, tmp_path: Path
    ) -> None:
        vae = tmp_path / "black"
        shutil.copytree(folder / "vae", vae)
        file = vae / "diffusion_pytorch_model.safetensors"
        tensors = load_file(file)
        tensors["decoder.conv_out.weight"].zero_()
        tensors["decoder.conv_out.bias"].fill_(-1.0)
        save_file(tensors, file)
        with pytest.raises(NumericalFault, match="black"):
            draw(own, folder, vae="black", vae_path=str(vae))


class TestPrediction:
    """What the UNet of a Stable Diffusion 2 predicts, and who says so."""

    @pytest.fixture(scope="class")
    def sd21(self, tmp_path_factory: pytest.TempPathFactory) -> Tensors:
        root = tmp_path_factory.mktemp("sd21")
        return checkpoint_of(write_folder("sd21", root / "sd21"), "sd21")

    def prediction(self, path: Path) -> str:
        return checkpoint_source(path, None).noise["prediction_type"]

    @pytest.mark.parametrize(("spread", "found"), [(0.02, "epsilon"), (0.2, "v_prediction")])
    def test_the_weights_tell_it_where_nothing_is_said(
        self, sd21: Tensors, tmp_path: Path, spread: float, found: str
    ) -> None:
        name = f"{UNET}output_blocks.11.1.transformer_blocks.0.norm1.bias"
        bias = torch.linspace(-1, 1, sd21[name].shape[0]) * spread * 3**0.5
        path = write_checkpoint(tmp_path / "m.safetensors", {**sd21, name: bias})
        assert self.prediction(path) == found

    def test_metadata_come_before_the_weights_and_a_yaml_before_both(
        self, sd21: Tensors, tmp_path: Path
    ) -> None:
        metadata = {"modelspec.prediction_type": "v"}
        path = write_checkpoint(tmp_path / "m.safetensors", sd21, **metadata)
        assert self.prediction(path) == "v_prediction"
        path.with_suffix(".yaml").write_text("model:\n  params:\n    beta: 1\n")
        assert self.prediction(path) == "epsilon"
        path.with_suffix(".yaml").write_text('model:\n  params:\n    parameterization: "v"\n')
        assert self.prediction(path) == "v_prediction"

    def test_marker_tensors_tell_it_of_every_family(self, tensors: Tensors, tmp_path: Path) -> None:
        marks = {"v_pred": torch.ones(0), "ztsnr": torch.ones(0)}
        path = write_checkpoint(tmp_path / "m.safetensors", {**tensors, **marks})
        noise = checkpoint_source(path, None).noise
        assert (noise["prediction_type"], noise["rescale_betas_zero_snr"]) == ("v_prediction", True)
        path = write_checkpoint(tmp_path / "n.safetensors", tensors)
        noise = checkpoint_source(path, None).noise
        assert (noise["prediction_type"], noise["rescale_betas_zero_snr"]) == ("epsilon", False)
