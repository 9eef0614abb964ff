"""The noise a model was trained with, and which of its levels a sampler visits.

Betas, spacings and Karras' ladder are computed as diffusers' schedulers compute them, in the same
precision and order, so that the same seed gives the same picture in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sidecar.engine.diffusion.nets.unet_config import Unbuildable

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.int64]

PREDICTIONS = ("epsilon", "v_prediction", "sample")
SPACINGS = ("linspace", "leading", "trailing")
RHO = 7.0


@dataclass(frozen=True)
class NoiseSchedule:
    """What `scheduler_config.json` says about training. `alphas` are cumulative products.

    `alphas` ends in exactly zero where the terminal signal is rescaled to none (Lin et al. 2023);
    `finite_alphas` ends in 2⁻²⁴ instead, for samplers that divide by it.
    """

    alphas: Tensor
    finite_alphas: Tensor
    prediction: str
    spacing: str
    steps_offset: int
    alpha_to_one: bool
    sigma_min_last: bool
    lower_order_final: bool

    @staticmethod
    def of(config: Mapping[str, Any]) -> NoiseSchedule:
        """Raises `Unbuildable`."""
        prediction = config.get("prediction_type", "epsilon")
        spacing = config.get("timestep_spacing", "leading")
        if prediction not in PREDICTIONS:
            raise Unbuildable(f"its scheduler has prediction_type = {prediction}")
        if spacing not in SPACINGS:
            raise Unbuildable(f"its scheduler has timestep_spacing = {spacing}")
        zero_terminal = bool(config.get("rescale_betas_zero_snr", False))
        betas = _betas(config)
        if zero_terminal:
            betas = _zero_terminal(betas)
        alphas = torch.cumprod(1.0 - betas, dim=0)
        finite = alphas.clone()
        if zero_terminal:
            finite[-1] = 2**-24
        return NoiseSchedule(
            alphas=alphas,
            finite_alphas=finite,
            prediction=prediction,
            spacing=spacing,
            steps_offset=config.get("steps_offset", 0),
            alpha_to_one=config.get("set_alpha_to_one", True),
            sigma_min_last=config.get("final_sigmas_type", "zero") == "sigma_min",
            lower_order_final=config.get("lower_order_final", True),
        )

    @property
    def count(self) -> int:
        return len(self.alphas)

    def sigmas(self) -> Floats:
        """Noise over signal at each training step, rising."""
        return (((1 - self.finite_alphas) / self.finite_alphas) ** 0.5).numpy()


def multistep_timesteps(schedule: NoiseSchedule, steps: int) -> Integers:
    """As DPM-Solver and UniPC space them: one more point than steps, the last left out."""
    count = schedule.count
    if schedule.spacing == "linspace":
        return np.linspace(0, count - 1, steps + 1).round()[::-1][:-1].copy().astype(np.int64)
    if schedule.spacing == "leading":
        ratio = count // (steps + 1)
        times = (np.arange(0, steps + 1) * ratio).round()[::-1][:-1].copy().astype(np.int64)
        return times + schedule.steps_offset
    return _trailing(count, steps).astype(np.int64) - 1


def singlestep_timesteps(schedule: NoiseSchedule, steps: int) -> Floats:
    """As Euler and DDIM space them; whole numbers except for "linspace"."""
    count = schedule.count
    if schedule.spacing == "linspace":
        return np.linspace(0, count - 1, steps, dtype=np.float32)[::-1].copy()
    if schedule.spacing == "leading":
        times = (np.arange(0, steps) * (count // steps)).round()[::-1].copy().astype(np.float32)
        return times + schedule.steps_offset
    return _trailing(count, steps).astype(np.float32) - 1


def _trailing(count: int, steps: int) -> Floats:
    return np.arange(count, 0, -(count / steps)).round().copy()


def karras(high: float, low: float, steps: int) -> Floats:
    """Noise levels from `high` to `low` (Karras et al. 2022, equation 5), rho 7."""
    ramp = np.linspace(0, 1, steps)
    return (high ** (1 / RHO) + ramp * (low ** (1 / RHO) - high ** (1 / RHO))) ** RHO


def timestep_of(sigma: float, log_sigmas: Floats) -> float:
    """The training step, between two, that has that noise level."""
    log_sigma = np.log(np.maximum(sigma, 1e-10))
    above = log_sigma - log_sigmas >= 0
    low = int(np.cumsum(above).argmax().clip(max=len(log_sigmas) - 2))
    weight = (log_sigmas[low] - log_sigma) / (log_sigmas[low] - log_sigmas[low + 1])
    weight = np.clip(weight, 0, 1)
    return float((1 - weight) * low + weight * (low + 1))


def levels(sigmas: Floats, last: float) -> Tensor:
    """Noise levels with the final one appended, float32."""
    return torch.tensor(np.concatenate([sigmas, [last]]).astype(np.float32))


def _betas(config: Mapping[str, Any]) -> Tensor:
    start, end = config.get("beta_start", 0.0001), config.get("beta_end", 0.02)
    count, kind = config.get("num_train_timesteps", 1000), config.get("beta_schedule", "linear")
    if config.get("trained_betas") is not None:
        return torch.tensor(config["trained_betas"], dtype=torch.float32)
    if kind == "linear":
        return torch.linspace(start, end, count, dtype=torch.float32)
    if kind == "scaled_linear":
        return torch.linspace(start**0.5, end**0.5, count, dtype=torch.float32) ** 2
    raise Unbuildable(f"its scheduler has beta_schedule = {kind}")


def _zero_terminal(betas: Tensor) -> Tensor:
    """Rescaled so that the last step is pure noise (Lin et al. 2023, algorithm 1)."""
    roots = torch.cumprod(1.0 - betas, dim=0).sqrt()
    first, last = roots[0].clone(), roots[-1].clone()
    roots -= last
    roots *= first / (first - last)
    squares = roots**2
    alphas = torch.cat([squares[0:1], squares[1:] / squares[:-1]])
    return 1 - alphas
