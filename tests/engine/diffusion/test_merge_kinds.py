"""The merge for every kind of change: exact by definition, reversible, all or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sidecar.engine.diffusion.adapters import Fitter
from sidecar.engine.diffusion.deltas import WIDEST_UNFOLDED, LowRank
from sidecar.engine.diffusion.lora_file import LoraFile
from sidecar.engine.diffusion.lora_layers import NotUnderstood, Scales, deltas_of
from sidecar.engine.diffusion.merge import Adapter, Merger
from sidecar.errors import LoraCorrupt, LoraWithoutEffect
from sidecar.lora_format.families import judge

pytestmark = pytest.mark.engine

LINEAR, CONV = ("unet", "mid_block.linear"), ("unet", "mid_block.conv")
BIAS = ("unet", "mid_block.conv.bias")
SHAPES = {LINEAR: (8, 12), CONV: (8, 6, 3, 3), BIAS: (8,)}
KINDS = ("lora", "tucker", "loha", "loha wide", "loha tucker", "lokr", "lokr split", "lokr tucker",
         "full", "dora out", "dora in", "dora peft")  # fmt: skip
ALPHA = 3.0

alphas = st.floats(-2, 2, allow_nan=False).map(lambda value: round(value, 2))
stacks = st.lists(st.tuples(st.sampled_from(KINDS), alphas), max_size=4)

Weights = dict[Any, Tensor]


def weights(dtype: torch.dtype = torch.float32) -> Weights:
    draw = torch.Generator().manual_seed(1)
    return {layer: torch.randn(shape, generator=draw).to(dtype) for layer, shape in SHAPES.items()}


def parts_of(kind: str, layer: Any) -> dict[str, Tensor]:
    """As they stand in a file."""
    draw = torch.Generator().manual_seed(KINDS.index(kind) * 7 + len(layer[1]))

    def some(*shape: int) -> Tensor:
        return 0.5 * torch.randn(*shape, generator=draw)

    out, into, *kernel = SHAPES[layer]
    k = 9 if kernel else 1
    method, _, form = kind.partition(" ")
    if form == "tucker" and not kernel:
        form = ""
    if kind == "tucker" and kernel:
        parts = {"up": some(out, 3, 1, 1), "mid": some(3, 2, 3, 3), "down": some(2, into, 1, 1)}
    elif method in ("lora", "tucker", "dora"):
        one = (1,) * len(kernel)
        parts = {"up": some(out, 2, *one), "down": some(2, into, *kernel)}
    elif method == "loha":
        rank = 9 if form == "wide" else 3
        parts = {}
        for n in "12":
            if form == "tucker":
                parts[f"hada_t{n}"] = some(rank, rank, 3, 3)
                parts |= {f"hada_w{n}_a": some(rank, out), f"hada_w{n}_b": some(rank, into)}
            else:
                parts |= {f"hada_w{n}_a": some(out, rank), f"hada_w{n}_b": some(rank, into * k)}
    elif method == "lokr":
        parts = {"lokr_w1": some(2, 3)}
        if form == "split":
            parts |= {"lokr_w2_a": some(out // 2, 2), "lokr_w2_b": some(2, into // 3 * k)}
        elif form == "tucker":
            parts |= {"lokr_w2_a": some(2, out // 2), "lokr_w2_b": some(2, into // 3)}
            parts["lokr_t2"] = some(2, 2, 3, 3)
        else:
            parts["lokr_w2"] = some(out // 2, into // 3, *kernel)
    else:
        return {"diff": some(out, into, *kernel), "diff_b": some(out)}
    if method == "dora":
        sizes = {"out": (out, 1, *kernel), "in": (1, into, *kernel), "peft": (out,)}[form]
        shape = [1 if place > 1 else size for place, size in enumerate(sizes)]
        parts["magnitude" if form == "peft" else "dora_scale"] = 1 + some(*shape).abs()
    return {**parts, "alpha": torch.tensor(ALPHA)}


def change_of(kind: str, layer: Any, base: Tensor, strength: float) -> Tensor:
    """By its definition, in double precision."""
    p = {name: tensor.double() for name, tensor in parts_of(kind, layer).items()}
    shape = base.shape
    if "diff" in p:
        return strength * p["diff"].reshape(shape)
    if "hada_w1_a" in p:
        rank, halves = p["hada_w1_b"].shape[0], []
        for n in "12":
            a, b = p[f"hada_w{n}_a"], p[f"hada_w{n}_b"]
            core = p.get(f"hada_t{n}")
            half = a @ b if core is None else torch.einsum("ijkl,ip,jr->prkl", core, a, b)
            halves.append(half.reshape(shape))
        delta = halves[0] * halves[1] * ALPHA / rank
    elif "lokr_w1" in p:
        scale = ALPHA / p["lokr_w2_b"].shape[0] if "lokr_w2_b" in p else 1.0
        if "lokr_t2" in p:
            right = torch.einsum("ijkl,ip,jr->prkl", p["lokr_t2"], p["lokr_w2_a"], p["lokr_w2_b"])
        elif "lokr_w2_a" in p:
            right = (p["lokr_w2_a"] @ p["lokr_w2_b"]).reshape(
                shape[0] // 2, shape[1] // 3, *shape[2:]
            )
        else:
            right = p["lokr_w2"]
        left = p["lokr_w1"].reshape(2, 3, *[1] * (len(shape) - 2))
        delta = torch.kron(left, right.contiguous()) * scale
    elif "mid" in p:
        up, down = p["up"].flatten(1), p["down"].flatten(1)
        delta = torch.einsum("mnkl,om,ni->oikl", p["mid"], up, down) * ALPHA / down.shape[0]
    else:
        up, down = p["up"].flatten(1), p["down"].flatten(1)
        delta = (up @ down).reshape(shape) * ALPHA / down.shape[0]
    if "magnitude" in p:
        changed = base + strength * delta
        norm = changed.flatten(1).norm(dim=1).reshape(-1, *[1] * (len(shape) - 1))
        return p["magnitude"].reshape(norm.shape) * changed / norm - base
    if "dora_scale" in p:
        changed = base + delta
        kept = 1 if p["dora_scale"].shape[0] == 1 else 0
        others = [place for place in range(len(shape)) if place != kept]
        norm = changed.pow(2).sum(dim=others, keepdim=True).sqrt()
        return strength * (p["dora_scale"] * changed / norm - base)
    return strength * delta


def adapter(kind: str, alpha: float) -> Adapter:
    layers: dict[Any, Any] = {}
    for layer in (LINEAR, CONV):
        for suffix, delta in deltas_of(".".join(layer), parts_of(kind, layer), Scales({})).items():
            if suffix == "" or layer == CONV:
                layers[layer[0], f"{layer[1]}{suffix}"] = delta
    return Adapter(kind, alpha, layers)


def build(stack: Sequence[tuple[str, float]]) -> tuple[Adapter, ...]:
    return tuple(adapter(kind, alpha) for kind, alpha in stack)


def defined(base: Weights, stack: Sequence[tuple[str, float]]) -> Weights:
    wanted = {layer: weight.double() for layer, weight in base.items()}
    for kind, alpha in stack:
        for layer in (LINEAR, CONV):
            if alpha:
                wanted[layer] += change_of(kind, layer, base[layer].double(), alpha)
        if kind == "full":
            wanted[BIAS] += alpha * parts_of(kind, CONV)["diff_b"].double()
    return wanted


def same(a: Weights, b: Weights) -> bool:
    return all(torch.equal(a[layer], b[layer]) for layer in a)


def fingerprint(of: Weights) -> str:
    return hashlib.sha256(b"".join(weight.numpy().tobytes() for weight in of.values())).hexdigest()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("alpha", [1.0, 0.6, -1.5])
def test_each_kind_changes_weights_as_it_is_defined(kind: str, alpha: float) -> None:
    base, resident = weights(), weights()
    Merger(resident).apply(build([(kind, alpha)]))
    for layer, wanted in defined(base, [(kind, alpha)]).items():
        assert torch.allclose(resident[layer].double(), wanted, atol=1e-4), layer


def test_small_lohas_are_merged_as_one_product_and_wide_ones_are_not() -> None:
    small, wide = adapter("loha", 1.0), adapter("loha wide", 1.0)
    assert WIDEST_UNFOLDED == 64
    assert all(isinstance(delta, LowRank) for delta in small.layers.values())
    assert not any(isinstance(delta, LowRank) for delta in wide.layers.values())
    assert [delta.rank for delta in small.layers.values()] == [3, 3]


@settings(max_examples=80)
@given(history=st.lists(stacks, min_size=1, max_size=4))
def test_any_history_of_mixed_stacks_gives_the_sum_and_nothing_gives_the_start(
    history: list[list[tuple[str, float]]],
) -> None:
    base, resident = weights(), weights()
    merger = Merger(resident)
    for stack in history:
        merger.apply(build(stack))
    for layer, wanted in defined(base, history[-1]).items():
        assert torch.allclose(resident[layer].double(), wanted, atol=1e-3, rtol=1e-4)
    fresh = weights()
    Merger(fresh).apply(build(history[-1]))
    assert same(resident, fresh), "what was merged before does not matter"
    merger.apply(())
    assert same(resident, base)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@settings(max_examples=30)
@given(stack=stacks)
def test_half_precision_weights_are_rounded_once(
    dtype: torch.dtype, stack: list[tuple[str, float]]
) -> None:
    base, resident = weights(dtype), weights(dtype)
    merger = Merger(resident)
    merger.apply(build(stack))
    in_full = {layer: weight.float() for layer, weight in base.items()}
    Merger(in_full).apply(build(stack))
    for layer, weight in resident.items():
        wanted = in_full[layer].to(dtype).float()
        assert torch.allclose(weight.float(), wanted, rtol=torch.finfo(dtype).eps, atol=1e-6)
    merger.apply(())
    assert same(resident, base)


@settings(max_examples=60)
@given(first=stacks, second=stacks, fails_at=st.integers(0, 5))
def test_a_failure_in_any_layer_leaves_the_former_stack_bit_for_bit(
    first: list[tuple[str, float]], second: list[tuple[str, float]], fails_at: int
) -> None:
    base, resident = weights(), weights()
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
    merger._write = write  # type: ignore[method-assign]
    merger.apply(())
    assert same(resident, base)


@settings(max_examples=60)
@given(stack=stacks)
def test_the_change_that_is_reported_is_the_change_of_the_weights(
    stack: list[tuple[str, float]],
) -> None:
    base = weights()
    merger = Merger(weights())
    merger.apply(build(stack))
    touched = {layer for one in build(stack) for layer in one.layers}
    wanted = defined(base, stack)
    delta = sum(float((wanted[k] - base[k].double()).square().sum()) for k in touched)
    size = sum(float(base[k].double().square().sum()) for k in touched)
    expected = (delta / size) ** 0.5 if touched else 0.0
    assert merger.change().overall == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_1000_swaps_leave_hash_and_memory_where_they_were() -> None:
    resident = weights()
    before, merger = fingerprint(resident), Merger(resident)
    built = {kind: adapter(kind, 0.7) for kind in KINDS}
    for number in range(100):  # let the allocators settle
        merger.apply((built[KINDS[number % len(KINDS)]],))
    held = psutil.Process().memory_info().rss
    for number in range(1000):
        merger.apply((built[KINDS[number % len(KINDS)]], built[KINDS[number * 5 % len(KINDS)]]))
        if number % 7 == 0:
            merger.apply(())
            assert fingerprint(resident) == before
    merger.apply(())
    assert fingerprint(resident) == before
    assert psutil.Process().memory_info().rss - held < 8 * 1024 * 1024


def file_of(parts: dict[str, Tensor], layer: Any = LINEAR) -> LoraFile:
    name = ".".join(layer)
    changes = {name: deltas_of(name, parts, Scales({}))}
    shapes = {f"{name}.{part}": tuple(tensor.shape) for part, tensor in parts.items()}
    return LoraFile("0" * 64, 1, changes, (), len(parts), judge(shapes, {}))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "dora" not in kind])
def test_a_file_whose_product_is_zero_is_refused(kind: str) -> None:
    parts = {name: t * (name == "alpha") for name, t in parts_of(kind, LINEAR).items()}
    with pytest.raises(LoraWithoutEffect):
        Fitter("starter", weights()).fit("zero", file_of(parts))


def test_a_product_that_overflows_is_refused_though_its_factors_are_finite() -> None:
    parts = {"up": torch.full((8, 2), 1e30), "down": torch.full((2, 12), 1e30)}
    with pytest.raises(LoraCorrupt):
        Fitter("starter", weights()).fit("vast", file_of(parts))
    parts = {"up": torch.full((8, 2), 300.0), "down": torch.full((2, 12), 300.0)}
    with pytest.raises(LoraCorrupt):
        Fitter("starter", weights(torch.float16)).fit("vast", file_of(parts))
    assert Fitter("starter", weights()).fit("large", file_of(parts)).matched_keys == 2


@pytest.mark.parametrize(
    "parts",
    [
        {"up": torch.ones(8, 2)},
        {"up": torch.ones(8, 2), "down": torch.ones(3, 12)},
        {"up": torch.ones(8, 2), "down": torch.ones(2, 12), "diff": torch.ones(8, 12)},
        {"up": torch.ones(8, 2), "down": torch.ones(2, 12), "dora_scale": torch.ones(5)},
        {"up": torch.ones(8, 2).int(), "down": torch.ones(2, 12).int()},
        {"hada_w1_a": torch.ones(8, 2), "hada_w1_b": torch.ones(2, 12)},
        {"lokr_w1": torch.ones(2, 3), "lokr_w2_a": torch.ones(4, 2)},
        {"alpha": torch.tensor(1.0)},
        {"other": torch.ones(4)},
        {},
    ],
    ids=lambda parts: "+".join(parts) or "nothing",
)
def test_parts_that_make_no_change_are_not_guessed_at(parts: dict[str, Tensor]) -> None:
    with pytest.raises(NotUnderstood):
        deltas_of("unet.x", parts, Scales({}))


@pytest.mark.parametrize("kind", ["lora", "full"])
def test_factors_of_a_half_precision_file_rest_in_it_and_count_in_full(kind: str) -> None:
    half = {name: tensor.half() for name, tensor in parts_of(kind, LINEAR).items()}
    name = ".".join(LINEAR)
    narrow = deltas_of(name, half, Scales({}))[""]
    wide = deltas_of(name, {k: t.float() for k, t in half.items()}, Scales({}))[""]
    assert narrow.bytes < wide.bytes
    assert narrow.square == wide.square
    base = weights()[LINEAR]
    outs = [base.clone(), base.clone()]
    for out, delta in zip(outs, (narrow, wide), strict=True):
        delta.add_to(out, base, 0.7)
    assert torch.equal(*outs)
    assert not torch.equal(outs[0], base)
