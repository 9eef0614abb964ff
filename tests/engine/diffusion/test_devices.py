"""How many threads a step gets."""

from __future__ import annotations

import pytest
import torch

from sidecar.engine.diffusion.devices import SMALL_STEP, threads_for_step

pytestmark = pytest.mark.engine


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
def test_a_small_step_runs_on_one_thread_and_the_others_come_back():
    with threads_for_step(weights=7_000_000, cells=2 * 16 * 16):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_a_large_step_keeps_all_threads():
    with threads_for_step(weights=SMALL_STEP, cells=1):
        assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_the_threads_come_back_when_a_step_fails():
    with pytest.raises(ValueError, match="step"), threads_for_step(weights=1, cells=1):
        raise ValueError("step")
    assert torch.get_num_threads() == 3
