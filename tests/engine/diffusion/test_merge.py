"""Properties of the merge on small weights: exact, reversible, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.engine.diffusion.deltas import Delta, LowRank
from sidecar.engine.diffusion.merge import Adapter, Merger

pytestmark = pytest.mark.engine

LAYERS = {
    ("unet", "down_blocks.0.linear"): (6, 5),
    ("unet", "mid_block.conv"): (4, 3, 3, 3),
    ("unet", "up_blocks.1.linear"): (8, 8),
    ("text_encoder", "encoder.layers.0.mlp.fc1"): (7, 3),
}

alphas = st.floats(-2, 2, allow_nan=False).map(lambda value: round(value, 3))
stacks = st.lists(st.tuples(st.integers(0, 4), alphas), max_size=4, unique_by=lambda pair: pair[0])


def weights(dtype: torch.dtype) -> dict[Any, torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    return {layer: torch.randn(shape, generator=draw).to(dtype) for layer, shape in LAYERS.items()}


def adapter(number: int, alpha: float) -> Adapter:
    """Number 0 changes nothing but convolutions; others some of the layers, each its own rank."""
    draw = torch.Generator().manual_seed(100 + number)
    chosen = [layer for i, layer in enumerate(LAYERS) if number == 4 or i % (number + 1) <= 1]
    layers: dict[Any, Delta] = {}
    for layer in chosen:
        shape, rank = LAYERS[layer], number + 1
        columns = torch.Size(shape).numel() // shape[0]
        down = torch.randn(rank, columns, generator=draw)
        up = torch.randn(shape[0], rank, generator=draw)
        layers[layer] = LowRank(up, down, 0.5 + number, keys=2, rank=rank)
    return Adapter(f"file{number}", alpha, layers)


def build(stack: Sequence[tuple[int, float]]) -> tuple[Adapter, ...]:
    return tuple(adapter(number, alpha) for number, alpha in stack)


def naive(base: dict[Any, torch.Tensor], stack: Sequence[Adapter]) -> dict[Any, torch.Tensor]:
    merged = {layer: weight.double() for layer, weight in base.items()}
    for one in stack:
        for layer, factors in one.layers.items():
            delta = factors.up.double() @ factors.down.double() * factors.scale * one.alpha
            merged[layer] = merged[layer] + delta.view(merged[layer].shape)
    return merged


def same(a: dict[Any, torch.Tensor], b: dict[Any, torch.Tensor]) -> bool:
    return all(torch.equal(a[layer], b[layer]) for layer in a)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@settings(max_examples=60)
@given(history=st.lists(stacks, min_size=1, max_size=5))
def test_any_history_of_stacks_gives_the_sum_and_nothing_gives_the_start(
    dtype: torch.dtype, history: list[list[tuple[int, float]]]
) -> None:
    base, resident = weights(dtype), weights(dtype)
    merger = Merger(resident)
    for stack in history:
        merger.apply(build(stack))
        wanted = naive(base, build(stack))
        for layer, weight in resident.items():
            tolerance = 1e-4 if dtype == torch.float32 else 0.15
            assert torch.allclose(weight.double(), wanted[layer], atol=tolerance, rtol=1e-2)
    fresh = weights(dtype)
    Merger(fresh).apply(build(history[-1]))
    assert same(resident, fresh), "what was merged before does not matter"
    merger.apply(())
    assert same(resident, base)
    assert not merger._pristine


@settings(max_examples=60)
@given(first=stacks, second=stacks, fails_at=st.integers(0, 6))
def test_a_failure_anywhere_leaves_the_former_stack_bit_for_bit(
    first: list[tuple[int, float]], second: list[tuple[int, float]], fails_at: int
) -> None:
    base, resident = weights(torch.float32), weights(torch.float32)
    merger = Merger(resident)
    merger.apply(build(first))
    before = {layer: weight.clone() for layer, weight in resident.items()}
    write, calls = merger._write, 0

    def failing(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == fails_at + 1:
            raise MemoryError
        write(*arguments)

    merger._write = failing  # type: ignore[method-assign]
    try:
        merger.apply(build(second))
    except MemoryError:
        assert same(resident, before)
        assert merger.in_force(build(first))
    merger._write = write  # type: ignore[method-assign]
    merger.apply(())
    assert same(resident, base)


@settings(max_examples=40)
@given(stack=stacks)
def test_the_change_is_exact_without_forming_it(stack: list[tuple[int, float]]) -> None:
    base, resident = weights(torch.float32), weights(torch.float32)
    merger = Merger(resident)
    merger.apply(build(stack))
    touched = {layer for one in build(stack) for layer in one.layers}
    wanted = naive(base, build(stack))
    delta = sum(float((wanted[k] - base[k].double()).square().sum()) for k in touched)
    size = sum(float(base[k].double().square().sum()) for k in touched)
    expected = (delta / size) ** 0.5 if touched else 0.0
    assert merger.change().overall == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_only_touched_layers_are_copied() -> None:
    merger = Merger(weights(torch.float32))
    one = adapter(3, 1.0)
    merger.apply((one,))
    assert set(merger._pristine) == set(one.layers)


def test_the_state_of_a_component_names_only_loras_that_touch_it() -> None:
    merger = Merger(weights(torch.float32))
    touching, other = adapter(4, 0.5), adapter(1, 0.5)
    only_unet = Adapter("u", 0.5, {k: v for k, v in other.layers.items() if k[0] == "unet"})
    merger.apply((touching, only_unet))
    assert merger.state_of("text_encoder") == (("file4", 0.5),)
    assert len(merger.state_of("unet")) == 2
