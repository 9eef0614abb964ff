"""Losses, augmentation and the plan of a stage, without a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.engine.train.dataset import read_dataset
from sidecar.engine.train.preset import parse_preset
from sidecar.engine.train.stages import EarlyStopping, generator_for, plan_stages
from tests.engine.train.tiny import PRESET, torch

pytestmark = pytest.mark.engine

from sidecar.engine.train import diffaugment  # noqa: E402
from sidecar.engine.train.losses import draw_timesteps, errors, push  # noqa: E402


def test_the_push_from_negatives_is_bounded_on_both_sides_and_ends() -> None:
    reference = torch.tensor([0.5, 0.001, 2.0])
    for size in (0.0, 1e-6, 1.0, 1e6, 1e30):
        error = torch.full((3,), size, requires_grad=True)
        pushed = push(error, reference, margin=0.2)
        assert 0 <= float(pushed.detach()) <= 1.2 + 1e-6
    pushed.backward()
    assert float(error.grad.abs().max()) == 0.0


def test_pushing_alone_does_not_run_away() -> None:
    error = torch.full((4,), 0.3, requires_grad=True)
    reference = torch.full((4,), 0.3)
    optimizer = torch.optim.SGD([error], lr=0.1)
    for _ in range(500):
        optimizer.zero_grad()
        push(error, reference, margin=0.2).backward()
        optimizer.step()
    assert float(error.detach().max()) < 0.3 * 1.2 + 0.1


def test_errors_count_only_what_is_seen() -> None:
    seen = torch.ones(2, 1, 4, 4)
    seen[:, :, :2] = 0
    wrong = torch.zeros(2, 3, 4, 4)
    wrong[:, :, :2] = 100.0
    assert errors(wrong, torch.zeros_like(wrong), seen).tolist() == [0.0, 0.0]


def test_timesteps_cover_the_whole_range() -> None:
    steps = draw_timesteps(100, 1000, 1.0, generator_for(1))
    assert (int(steps.min()) < 20, int(steps.max()) > 980) == (True, True)


@pytest.mark.parametrize("change", [diffaugment.tint, diffaugment.translate])
def test_augmentation_is_differentiable_and_keeps_the_shape(
    change: Callable[..., torch.Tensor],
) -> None:
    latents = torch.randn(3, 4, 16, 16, requires_grad=True)
    changed = change(latents, generator_for(5))
    assert changed.shape == latents.shape
    changed.sum().backward()
    assert latents.grad is not None


def test_without_a_policy_nothing_is_changed() -> None:
    latents = torch.randn(2, 4, 8, 8)
    assert torch.equal(diffaugment.augment(latents, [], generator_for(1)), latents)
    assert float(diffaugment.cutout(latents.shape, [], generator_for(1)).min()) == 1.0


def test_cutout_always_leaves_more_than_it_hides() -> None:
    for seed in range(20):
        seen = diffaugment.cutout(torch.Size((4, 4, 16, 16)), ["cutout"], generator_for(seed))
        assert float(seen.mean((1, 2, 3)).min()) >= 0.75


def test_a_warm_up_batch_is_half_source_with_bare_captions(data: Path) -> None:
    preset = parse_preset({**PRESET, "trigger": "blocks"})
    stage = preset.stages[0].model_copy(
        update={"batch_size": 4, "prompt_template": "{prompt}, <target>"}
    )
    preset = preset.model_copy(update={"stages": [stage], "guidance_dropout": 0.0})
    plan = plan_stages(preset, read_dataset(data))[0]
    batch = plan.batch(0, plan.generator(0))
    assert [item.path.parent.name for item in batch.items] == ["target"] * 2 + ["source"] * 2
    assert [prompt.endswith(", blocks") for prompt in batch.prompts] == [True, True, False, False]


def test_every_target_comes_once_in_an_epoch(data: Path) -> None:
    plan = plan_stages(parse_preset(PRESET), read_dataset(data))[1]
    seen = [i for s in range(3) for i in plan.batch(s, plan.generator(s)).items]
    assert sorted(i.path for i in seen) == sorted(i.path for i in plan.targets)


def test_negatives_come_only_in_the_hardening(data: Path) -> None:
    plans = plan_stages(parse_preset(PRESET), read_dataset(data))
    assert [p.batch(0, p.generator(0)).negatives for p in plans] == [0, 0, 1]


def test_early_stopping_waits_as_long_as_it_was_told() -> None:
    stopping = EarlyStopping(patience=2)
    better = [stopping.take(loss) for loss in (1.0, 0.8, 0.9)]
    assert (better, stopping.over) == ([True, True, False], False)
    stopping.take(0.85)
    assert (stopping.over, stopping.best, stopping.best_epoch) == (True, 0.8, 1)
