"""Switching styles: exact, reversible, without leaks, all or nothing."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file

from sidecar.engine.contract import CancelToken, LoraSpec
from sidecar.errors import (
    LoraCorrupt,
    LoraIncompatible,
    LoraNotFound,
    LoraUnsafe,
    LoraWithoutEffect,
    SidecarError,
)
from tests.engine.diffusion.drawing import BUNDLED, STARTER, Draw, lora

pytestmark = pytest.mark.engine

Switch = Callable[..., Any]
MEGABYTE = 1024 * 1024


def fingerprint(engine: Any) -> dict[str, str]:
    """The hash of every weight."""
    return {
        f"{part}.{name}": hashlib.sha256(weight.detach().numpy().tobytes()).hexdigest()
        for part, network in engine._resident.components.networks().items()
        for name, weight in network.named_parameters()
    }


def changed(
    path: Path, folder: Path, name: str, change: Callable[[dict[str, Any]], Any]
) -> LoraSpec:
    """A copy of a LoRA whose tensors `change` has altered."""
    tensors = load_file(path)
    tensors = change(tensors) or tensors
    target = folder / f"{name}.safetensors"
    save_file(tensors, target)
    return lora(target)


def test_200_random_switches_leave_every_weight_and_the_memory_as_they_were(
    engine: Any, switch: Switch
) -> None:
    switch()
    before = fingerprint(engine)
    dice = random.Random(0)
    for _ in range(20):  # let the allocators settle
        switch(*(lora(path, 1.0) for path in BUNDLED))
    switch()
    resident = psutil.Process().memory_info().rss
    for _ in range(200):
        chosen = dice.sample(BUNDLED, dice.randint(0, len(BUNDLED)))
        switch(*(lora(path, round(dice.uniform(-2, 2), 2)) for path in chosen))
    switch()
    assert fingerprint(engine) == before
    assert psutil.Process().memory_info().rss - resident < 20 * MEGABYTE
    assert not engine._resident.merger._pristine, "no copies are kept without a stack"


def test_a_switch_changes_weights_and_the_same_switch_gives_the_same_weights(
    engine: Any, switch: Switch
) -> None:
    switch()
    plain = fingerprint(engine)
    switch(lora(BUNDLED[0]))
    first = fingerprint(engine)
    assert first != plain
    switch(lora(BUNDLED[-1], 0.3), lora(BUNDLED[0], 1.5))
    switch(lora(BUNDLED[0]))
    assert fingerprint(engine) == first


def test_the_receipt_tells_what_matched_and_how_much_changed(switch: Switch) -> None:
    switch()
    weak = switch(lora(BUNDLED[0], 0.35))
    strong = switch(lora(BUNDLED[0], 0.7))
    assert strong.cached
    assert strong.rank
    assert strong.family == "starter"
    assert strong.bytes == BUNDLED[0].stat().st_size
    assert strong.relative_delta == pytest.approx(2 * weak.relative_delta)
    assert strong.loras[0].sha256 == hashlib.sha256(BUNDLED[0].read_bytes()).hexdigest()
    assert all(
        block.startswith(("unet.", "text_encoder.")) for block in strong.relative_delta_by_block
    )


def test_the_relative_delta_is_that_of_the_weights(engine: Any, switch: Switch) -> None:
    switch()
    weights = engine._resident.merger._weights
    before = {layer: weight.clone() for layer, weight in weights.items()}
    receipt = switch(lora(BUNDLED[0], 0.9), lora(BUNDLED[-1], -0.4))
    touched = engine._resident.merger._pristine
    delta = sum(float((weights[k].double() - before[k].double()).square().sum()) for k in touched)
    base = sum(float(before[k].double().square().sum()) for k in touched)
    assert receipt.relative_delta == pytest.approx((delta / base) ** 0.5, rel=1e-4)


def test_no_lora_and_alpha_zero_are_the_same_picture(draw: Draw) -> None:
    plain = draw().images[0]
    assert (draw(loras=(lora(BUNDLED[0], 0.0),)).images[0] == plain).all()
    assert (draw().images[0] == plain).all()


def test_the_order_of_a_stack_does_not_matter_to_the_eye(draw: Draw) -> None:
    a, b = lora(BUNDLED[0], 0.5), lora(BUNDLED[-1], 0.5)
    assert abs(draw(loras=(a, b)).images[0] - draw(loras=(b, a)).images[0]).mean() <= 1


def _nan(tensors: dict[str, Any]) -> None:
    next(iter(tensors.values())).view(-1)[0] = float("nan")


def _infinite(tensors: dict[str, Any]) -> None:
    next(iter(tensors.values())).view(-1)[0] = float("inf")


def _zero(tensors: dict[str, Any]) -> dict[str, Any]:
    return {k: v * 0 if "lora_B" in k else v for k, v in tensors.items()}


def _foreign(tensors: dict[str, Any]) -> dict[str, Any]:
    return {f"somewhere.else.{k}": v for k, v in tensors.items()}


def _wide(tensors: dict[str, Any]) -> dict[str, Any]:
    wider = {
        k: torch.zeros(v.shape[0], 768).half() for k, v in tensors.items() if _is_cross_down(k)
    }
    return {**tensors, **wider}


def _is_cross_down(key: str) -> bool:
    return "attn2.to_k" in key and "lora_A" in key


@pytest.mark.parametrize(
    ("name", "change", "error"),
    [
        ("nan", _nan, LoraCorrupt),
        ("infinite", _infinite, LoraCorrupt),
        ("zero", _zero, LoraWithoutEffect),
        ("foreign", _foreign, LoraWithoutEffect),
        ("wide", _wide, LoraIncompatible),
    ],
)
def test_a_lora_that_cannot_be_used_is_refused_and_changes_nothing(
    engine: Any,
    switch: Switch,
    tmp_path: Path,
    name: str,
    change: Callable[[dict[str, Any]], Any],
    error: type[SidecarError],
) -> None:
    switch(lora(BUNDLED[0]))
    before = fingerprint(engine)
    bad = changed(BUNDLED[0], tmp_path, name, change)
    with pytest.raises(error) as refusal:
        switch(lora(BUNDLED[-1]), bad)
    assert refusal.value.fields["name"] == name
    assert fingerprint(engine) == before


@pytest.mark.parametrize("other", [False, True])
def test_a_dora_as_it_is_before_training_is_refused(
    engine: Any, switch: Switch, tmp_path: Path, other: bool
) -> None:
    """Also when it is measured against weights into which another LoRA is merged."""
    switch()
    layer = next(k for k in load_file(BUNDLED[0]) if "lora_A" in k).split(".lora_A")[0]
    component, _, name = layer.partition(".")
    weight = engine._resident.merger.pristine((component, name))
    tensors = {
        f"{layer}.lora_A.weight": torch.ones(2, *weight.shape[1:]),
        f"{layer}.lora_B.weight": torch.zeros(weight.shape[0], 2, 1, 1),
        f"{layer}.lora_magnitude_vector": weight.flatten(1).norm(dim=1).half(),
    }
    switch(*([lora(BUNDLED[0])] if other else []))
    before = fingerprint(engine)
    save_file(tensors, tmp_path / f"untrained{other}.safetensors")
    with pytest.raises(LoraWithoutEffect, match="zero"):
        switch(lora(tmp_path / f"untrained{other}.safetensors"))
    assert fingerprint(engine) == before
    tensors[f"{layer}.lora_magnitude_vector"] *= 1.01
    save_file(tensors, tmp_path / f"trained{other}.safetensors")
    assert switch(lora(tmp_path / f"trained{other}.safetensors")).relative_delta > 0
    switch()


def test_an_incompatible_lora_is_told_by_both_families(switch: Switch, tmp_path: Path) -> None:
    with pytest.raises(LoraIncompatible) as refusal:
        switch(changed(BUNDLED[0], tmp_path, "wide", _wide))
    assert refusal.value.fields["lora_family"] == "sd15"
    assert refusal.value.fields["model_family"] == "starter"


def test_keys_of_other_methods_are_reported_and_left_out(switch: Switch, tmp_path: Path) -> None:
    def with_strangers(tensors: dict[str, Any]) -> None:
        stem = next(k for k in tensors if "lora_A" in k).split(".lora_A")[0]
        tensors[f"{stem}.dora_scale"] = torch.ones(1)
        tensors["unet.conv_in.hada_w1_a"] = torch.ones(4, 4)

    receipt = switch(changed(BUNDLED[0], tmp_path, "mixed", with_strangers))
    assert len(receipt.unsupported) == 4
    assert receipt.matched_keys == receipt.total_keys - 4
    switch()


def test_kohya_names_and_their_alpha_mean_the_same(
    draw: Draw, switch: Switch, tmp_path: Path
) -> None:
    def kohya(tensors: dict[str, Any]) -> dict[str, Any]:
        renamed: dict[str, Any] = {}
        for key, tensor in tensors.items():
            layer, part, _ = key.removeprefix("unet.").rsplit(".", 2)
            stem = "lora_unet_" + layer.replace(".", "_")
            renamed[f"{stem}.{'lora_down' if part == 'lora_A' else 'lora_up'}.weight"] = tensor
            renamed[f"{stem}.alpha"] = torch.tensor(float(tensors[key].shape[0]) / 2)
            if part == "lora_B":
                renamed[f"{stem}.alpha"] = torch.tensor(float(tensor.shape[1]) / 2)
        return renamed

    spec = changed(BUNDLED[0], tmp_path, "kohya", kohya)
    ours = draw(loras=(replace(spec, alpha=1.0),)).images[0]
    assert abs(ours - draw(loras=(lora(BUNDLED[0], 0.5),)).images[0]).max() <= 1
    assert switch(spec).unsupported == ()
    switch()


def test_keys_of_layers_that_the_model_lacks_are_listed(switch: Switch, tmp_path: Path) -> None:
    def with_more(tensors: dict[str, Any]) -> None:
        down, up = torch.ones(2, 9), torch.ones(7, 2)
        tensors["unet.down_blocks.9.attentions.0.proj.lora_A.weight"] = down
        tensors["unet.down_blocks.9.attentions.0.proj.lora_B.weight"] = up
        tensors["unet.mid_block.attentions.0.proj_in.nowhere.diff_b"] = torch.ones(3)

    receipt = switch(changed(BUNDLED[0], tmp_path, "more", with_more))
    assert receipt.unsupported == (
        "unet.down_blocks.9.attentions.0.proj.lora_A.weight",
        "unet.down_blocks.9.attentions.0.proj.lora_B.weight",
        "unet.mid_block.attentions.0.proj_in.nowhere.diff_b",
    )
    assert receipt.matched_keys + len(receipt.unsupported) == receipt.total_keys
    switch()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", LoraCorrupt),
        (b"PK\x03\x04" + b"\0" * 64, LoraUnsafe),
        (b"\x80\x04\x95" + b"\0" * 64, LoraUnsafe),
        (b"\xff" * 64, LoraCorrupt),
        ((2**62).to_bytes(8, "little") + b"{}" * 8, LoraCorrupt),
        ((8).to_bytes(8, "little") + b"not json" * 4, LoraCorrupt),
        ((4).to_bytes(8, "little") + b"[[1]" + b"\0" * 8, LoraCorrupt),
        (BUNDLED[0].read_bytes()[:-1000], LoraCorrupt),
        (BUNDLED[0].read_bytes()[:1000], LoraCorrupt),
    ],
)
def test_files_that_are_not_what_they_say_are_refused(
    switch: Switch, tmp_path: Path, data: bytes, error: type[SidecarError]
) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(data)
    with pytest.raises(error):
        switch(lora(path))


def test_a_missing_file_is_told_by_name(switch: Switch, tmp_path: Path) -> None:
    with pytest.raises(LoraNotFound):
        switch(lora(tmp_path / "gone.safetensors"))


def test_a_file_that_changes_on_disk_is_read_again(
    switch: Switch, draw: Draw, tmp_path: Path
) -> None:
    spec = changed(BUNDLED[0], tmp_path, "style", lambda t: None)
    first = switch(spec)
    assert switch(spec).cached
    again = changed(BUNDLED[0], tmp_path, "style", lambda t: {k: v * 0.5 for k, v in t.items()})
    second = switch(again)
    assert not second.cached
    assert second.loras[0].sha256 != first.loras[0].sha256
    assert second.relative_delta < first.relative_delta
    switch()


def test_a_failed_switch_to_another_model_leaves_the_former_one(
    engine: Any, switch: Switch, tmp_path: Path
) -> None:
    switch(lora(BUNDLED[0]))
    before = engine._resident
    other = replace(STARTER, name="other", no_half_vae=True)
    with pytest.raises(LoraNotFound):
        engine.apply_loras(
            "x", other, (lora(tmp_path / "gone.safetensors"),), lambda e: None, CancelToken()
        )
    assert engine._resident is before
    switch()
