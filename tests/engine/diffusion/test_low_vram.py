"""Every rung of the low-memory ladder draws the same picture and switches LoRAs bit for bit."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from sidecar.engine.contract import CancelToken, LoraSpec, ModelSpec
from sidecar.engine.diffusion import devices
from sidecar.engine.diffusion.attention import SDPA, XFORMERS, AttentionBackend
from sidecar.engine.diffusion.devices import Cuda, Device, Metal, probe
from sidecar.engine.diffusion.engine import DiffusionEngine
from sidecar.engine.diffusion.low_vram import measures
from sidecar.engine.memory.rungs import RUNGS
from tests.engine.diffusion.drawing import BUNDLED, STARTER, Drawn, lora, render_spec
from tests.engine.diffusion.fake_cuda import fake_cuda
from tests.engine.diffusion.small_models import write_folder
from tests.engine.memory.test_other_devices import nvml

pytestmark = pytest.mark.engine

MANY_STEPS = 12


def on(rung: str) -> ModelSpec:
    return replace(STARTER, low_vram=rung)


def load(engine: DiffusionEngine, spec: ModelSpec) -> Any:
    return engine.load_model("load", spec, lambda event: None, CancelToken())


def draw(engine: DiffusionEngine, spec: ModelSpec, **changes: Any) -> Any:
    drawn = Drawn()
    job = render_spec(model=spec, **changes)
    engine.render("draw", job, drawn.events.append, CancelToken())
    return drawn.images[0]


def switch(engine: DiffusionEngine, spec: ModelSpec, *loras: LoraSpec) -> Any:
    return engine.apply_loras("switch", spec, loras, lambda event: None, CancelToken())


def fingerprint(engine: Any) -> dict[str, str]:
    """The hash of every weight, as it rests."""
    return {
        f"{part}.{name}": hashlib.sha256(weight.detach().numpy().tobytes()).hexdigest()
        for part, network in engine._resident.components.networks().items()
        for name, weight in network.named_parameters()
    }


@pytest.fixture(params=["cpu", "cuda"])
def own_engine(request: pytest.FixtureRequest) -> DiffusionEngine:
    device = fake_cuda() if request.param == "cuda" else Device("cpu", "test")
    return DiffusionEngine(threads=1, device=device)


@pytest.mark.parametrize("rung", RUNGS)
def test_a_lora_goes_on_and_off_bit_for_bit_on_every_rung(
    own_engine: DiffusionEngine, rung: str
) -> None:
    assert load(own_engine, on(rung)).rung == rung
    before, plain = fingerprint(own_engine), draw(own_engine, on(rung), steps=2)
    for style in BUNDLED[:2]:
        receipt = switch(own_engine, on(rung), lora(style))
        assert receipt.matched_keys == receipt.total_keys
        styled = draw(own_engine, on(rung), steps=2, loras=(lora(style),))
        assert (styled != plain).any()
        assert fingerprint(own_engine) != before
    switch(own_engine, on(rung))
    assert fingerprint(own_engine) == before
    assert (draw(own_engine, on(rung), steps=2) == plain).all()


@pytest.mark.parametrize("family", ["starter", "sd15", "sd21", "sdxl"])
def test_pictures_of_all_rungs_are_those_without_any_of_them(tmp_path: Path, family: str) -> None:
    spec = STARTER
    if family != "starter":
        spec = ModelSpec(family, str(write_folder(family, tmp_path / family)), family)
    engine = DiffusionEngine(threads=1, device=Device("cpu", "test"))
    style = (lora(BUNDLED[0]),) if family == "starter" else ()
    size = 128 if family == "starter" else 64
    changes = {"steps": MANY_STEPS, "width": size, "height": size, "loras": style}
    reference = draw(engine, replace(spec, low_vram="off"), **changes)
    for rung in ("balanced", "aggressive"):
        for device in (Device("cpu", "test"), fake_cuda()):
            other = DiffusionEngine(threads=1, device=device)
            picture = draw(other, replace(spec, low_vram=rung), **changes)
            assert abs(picture - reference).max() <= 2, (rung, device.kind)


def test_half_storage_takes_three_fifths_at_most_and_computes_in_full() -> None:
    engine = DiffusionEngine(threads=1, device=Device("cpu", "test"))
    full = {c.name: c.bytes for c in load(engine, on("off")).components}
    loaded = load(engine, on("aggressive"))
    assert "half_storage" in loaded.low_vram
    assert loaded.dtype == "float32"
    assert {c.dtype for c in loaded.components if c.name != "text_encoder"} == {"float16"}
    assert sum(c.bytes for c in loaded.components) <= 0.6 * sum(full.values())


def test_weights_that_half_precision_cannot_hold_stay_in_full(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = write_folder("sd15", tmp_path / "model")
    file = next((folder / "unet").glob("*.safetensors"))
    tensors = load_file(file)
    tensors["conv_in.weight"][0, 0, 0, 0] = 1e6
    save_file(tensors, file)
    engine = DiffusionEngine(threads=1, device=Device("cpu", "test"))
    load(engine, ModelSpec("large", str(folder), "sd15", low_vram="aggressive"))
    unet = engine._resident.components.unet  # type: ignore[union-attr]
    assert unet.conv_in.weight.dtype == torch.float32
    assert float(unet.conv_in.weight[0, 0, 0, 0]) == 1e6
    assert unet.conv_out.weight.dtype == torch.float16


class TestOnADeviceWithMemoryOfItsOwn:
    def test_component_offload_lends_one_network_at_a_time(self) -> None:
        device = fake_cuda()
        engine = DiffusionEngine(threads=1, device=device)
        loaded = load(engine, on("balanced"))
        draw(engine, on("balanced"), steps=2)
        largest = max(c.bytes for c in loaded.components)
        assert device.lent.most == largest
        assert device.lent.now == 0, "everything is back in main memory"

    def test_sequential_offload_lends_one_layer_at_a_time(self) -> None:
        device = fake_cuda()
        engine = DiffusionEngine(threads=1, device=device)
        components = load(engine, on("aggressive")).components
        device.lent.most = 0
        draw(engine, on("aggressive"), steps=2)
        text = next(c.bytes for c in components if c.name == "text_encoder")
        assert device.lent.most <= max(text, max(c.bytes for c in components) / 5)
        assert device.lent.now == 0

    def test_off_lends_nothing_because_all_is_there(self) -> None:
        device = fake_cuda()
        engine = DiffusionEngine(threads=1, device=device)
        draw(engine, on("off"), steps=1)
        assert device.lent.times == 0

    @pytest.mark.parametrize("rung", ["balanced", "aggressive"])
    def test_a_failing_step_leaves_every_weight_where_it_rests(
        self, rung: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        device = fake_cuda()
        engine = DiffusionEngine(threads=1, device=device)
        load(engine, on(rung))
        before = fingerprint(engine)

        def fails(*_: object) -> None:
            raise ValueError("a step")

        attend = engine._resident.components.attend  # type: ignore[union-attr]
        monkeypatch.setattr(type(attend), "__call__", fails)
        with pytest.raises(ValueError, match="a step"):
            draw(engine, on(rung), steps=1)
        assert device.lent.now == 0
        assert fingerprint(engine) == before

    def test_measures_are_named_in_the_answer(self) -> None:
        engine = DiffusionEngine(threads=1, device=fake_cuda())
        assert "component_offload" in load(engine, on("balanced")).low_vram
        loaded = load(engine, on("aggressive"))
        assert {"sequential_offload", "attention_slicing", "vae_tiling"} <= set(loaded.low_vram)

    def test_the_report_has_its_memory_and_where_weights_rest(self) -> None:
        engine = DiffusionEngine(threads=1, device=fake_cuda())
        load(engine, on("balanced"))
        report = engine.memory(3)
        assert (report.devices[0].name, report.devices[0].kind) == ("Fake GPU", "cuda")
        assert report.devices[0].total == 8 * 2**30
        assert {c.device for c in report.components} == {"cpu"}
        assert report.rss > 0

    def test_another_card_of_the_same_name_is_in_the_report_too(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        twins = {"nvmlDeviceGetName": lambda handle: "Fake GPU"}
        nvml(monkeypatch, **twins)
        device = fake_cuda()
        monkeypatch.setattr(type(device), "address", (0, 1, 0))
        engine = DiffusionEngine(threads=1, device=device)
        first, second = engine.memory(1).devices
        assert first.total == 8 * 2**30
        assert (second.name, second.used_by_process) == ("Fake GPU", 300)


class TestSelection:
    """CUDA before Apple's Metal before the CPU; nothing is asked of a device that is not there."""

    def test_cuda_is_chosen_where_there_is_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "GeForce")
        device = probe()
        assert isinstance(device, Cuda)
        assert (device.kind, device.name, device.has_own_memory) == ("cuda", "GeForce", True)
        assert device.dtype("auto") == torch.float16

    def test_metal_is_chosen_on_a_mac(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
        device = probe()
        assert isinstance(device, Metal)
        assert not device.has_own_memory

    def test_the_cpu_is_left_and_computes_in_full(self) -> None:
        if torch.cuda.is_available() or torch.backends.mps.is_available():
            pytest.skip("this machine has a GPU")
        device = probe()
        assert (device.kind, device.dtype("auto")) == ("cpu", torch.float32)

    def test_cuda_reports_what_the_driver_says(self, monkeypatch: pytest.MonkeyPatch) -> None:
        figures = {
            "mem_get_info": (3000, 8000),
            "memory_reserved": 1000,
            "memory_allocated": 400,
            "max_memory_reserved": 2500,
        }
        for name, value in figures.items():
            monkeypatch.setattr(torch.cuda, name, lambda value=value: value)
        device = Cuda("cuda", "GeForce")
        info = device.info()
        assert (info.total, info.free, info.used_by_process, info.peak) == (8000, 3000, 1000, 2500)
        assert device.free() == 3600, "what torch holds idle can be had too"
        monkeypatch.setattr(torch.version, "hip", "6.4")
        assert device.info().kind == "rocm"

    def test_cuda_says_where_it_is_plugged_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        card = SimpleNamespace(pci_domain_id=0, pci_bus_id=65, pci_device_id=0)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda: card)
        assert Cuda("cuda", "GeForce").address == (0, 65, 0)
        assert Device("cpu", "test").address is None

    def test_metal_reports_what_macos_recommends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 5000)
        monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 2000)
        device = Metal("mps", "Apple GPU")
        assert (device.free(), device.info().total, device.info().used_by_process) == (
            3000,
            5000,
            2000,
        )

    @pytest.mark.parametrize(
        ("kind", "dtype", "installed", "expected"),
        [
            ("cuda", torch.float16, True, XFORMERS),
            ("cuda", torch.float32, True, SDPA),
            ("cuda", torch.float16, False, SDPA),
            ("cpu", torch.float16, True, SDPA),
        ],
    )
    def test_attention_is_xformers_only_where_it_is_installed_and_pays(
        self,
        monkeypatch: pytest.MonkeyPatch,
        kind: str,
        dtype: torch.dtype,
        installed: bool,
        expected: str,
    ) -> None:
        from sidecar.engine.diffusion import attention

        found = object() if installed else None
        monkeypatch.setattr(attention.importlib.util, "find_spec", lambda name: found)
        monkeypatch.setattr(attention.importlib, "import_module", lambda name: object())
        assert Device(kind, "test").attention(dtype).name == expected

    def test_sliced_attention_is_the_same_attention(self) -> None:
        attend = AttentionBackend(torch.device("cpu"), torch.float32)
        query, key, value = torch.randn(3, 4, 2, 9, 8).unbind(0)
        whole = attend(query, key, value)
        attend.slice_size = 1
        assert torch.equal(attend(query, key, value), whole)


def test_what_a_rung_means_depends_on_the_device_and_the_precision() -> None:
    full, half = torch.float32, torch.float16
    assert measures("off", True, half) == ()
    assert "component_offload" not in measures("balanced", False, full)
    assert "half_storage" in measures("aggressive", False, full)
    assert "half_storage" not in measures("aggressive", True, half)
    assert "sequential_offload" in measures("aggressive", True, half)


@pytest.mark.gpu
@pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a CUDA device; this machine has none"
)
@pytest.mark.parametrize("rung", RUNGS)
def test_a_real_gpu_draws_on_every_rung_and_gives_its_memory_back(rung: str) -> None:
    engine = DiffusionEngine(device=devices.probe())
    reference = draw(DiffusionEngine(device=Device("cpu", "test")), on("off"), steps=4)
    picture = draw(engine, replace(on(rung), dtype="float32"), steps=4)
    assert abs(picture - reference).mean() <= 2
    engine.unload_model()
    assert torch.cuda.memory_allocated() < 2**20
