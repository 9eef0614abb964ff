"""Samplers by their usual names, one class each, made afresh for every picture.

They take the arithmetic of diffusers' schedulers, so a picture is the same in both. All work
with velocity prediction and with a terminal signal of zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from sidecar.engine.diffusion.schedule import (
    NoiseSchedule,
    karras,
    levels,
    multistep_timesteps,
    singlestep_timesteps,
    timestep_of,
)

Noise = Callable[[], Tensor]


class Sampler(Protocol):
    """`timesteps`: (steps,), falling. `start_scale` multiplies unit noise at the first step."""

    timesteps: Tensor
    start_scale: Tensor

    def scale_input(self, x: Tensor, i: int) -> Tensor:
        """What the UNet is shown at step `i`."""
        ...

    def step(self, x: Tensor, output: Tensor, i: int, noise: Noise) -> tuple[Tensor, Tensor]:
        """From the UNet's `output` for `x` at step `i`: the next `x`, and the finished picture
        as it is predicted now. `noise` draws fresh unit noise."""
        ...

    def add_noise(self, original: Tensor, noise: Tensor, i: int) -> Tensor:
        """`original` as it would be on arriving at step `i` (for img2img)."""
        ...


def _signal_and_noise(sigma: Tensor) -> tuple[Tensor, Tensor]:
    """alpha_t and sigma_t of a variance-preserving process at that noise level."""
    alpha = 1 / ((sigma**2 + 1) ** 0.5)
    return alpha, sigma * alpha


def _predicted(x: Tensor, output: Tensor, alpha: Tensor, sigma: Tensor, kind: str) -> Tensor:
    """The finished picture, from a noise, velocity or direct prediction."""
    if kind == "epsilon":
        return (x - sigma * output) / alpha
    return alpha * x - sigma * output if kind == "v_prediction" else output


class _Multistep:
    """What DPM-Solver++ and UniPC share: levels, half-log signal-to-noise, prediction."""

    def __init__(self, schedule: NoiseSchedule, steps: int, ladder: bool) -> None:
        sigmas = schedule.sigmas()
        if ladder:
            high, low = float(sigmas[-1]), float(sigmas[0])
            logs = np.log(sigmas)
            sigmas = karras(high, low, steps)
            times = np.array([timestep_of(sigma, logs) for sigma in sigmas]).round()
        else:
            times = multistep_timesteps(schedule, steps)
            sigmas = np.interp(times, np.arange(len(sigmas)), sigmas)
        last = float(schedule.sigmas()[0]) if schedule.sigma_min_last else 0.0
        self.timesteps = torch.tensor(times.astype(np.int64))
        self.start_scale = torch.tensor(1.0)
        self._zero_last = not schedule.sigma_min_last
        self._sigmas = levels(sigmas, last)
        self._lower_order_final = schedule.lower_order_final
        self._kind = schedule.prediction
        self._alpha, self._sigma = _signal_and_noise(self._sigmas)
        self._lambda = torch.log(self._alpha) - torch.log(self._sigma)

    def scale_input(self, x: Tensor, i: int) -> Tensor:
        return x

    def add_noise(self, original: Tensor, noise: Tensor, i: int) -> Tensor:
        return self._alpha[i] * original + self._sigma[i] * noise

    def _picture(self, x: Tensor, output: Tensor, i: int) -> Tensor:
        return _predicted(x, output, self._alpha[i], self._sigma[i], self._kind)


class DpmSolver(_Multistep):
    """DPM-Solver++(2M), midpoint (Lu et al. 2022); with Karras' ladder when asked for."""

    def __init__(self, schedule: NoiseSchedule, steps: int, ladder: bool = False) -> None:
        super().__init__(schedule, steps, ladder)
        self._former: Tensor | None = None

    def step(self, x: Tensor, output: Tensor, i: int, noise: Noise) -> tuple[Tensor, Tensor]:
        picture, former = self._picture(x, output, i), self._former
        self._former = picture
        h = self._lambda[i + 1] - self._lambda[i]
        decay = self._alpha[i + 1] * (torch.exp(-h) - 1.0)
        ratio = self._sigma[i + 1] / self._sigma[i]
        steps = len(self.timesteps)
        final = i == steps - 1 and (self._zero_last or (self._lower_order_final and steps < 15))
        if former is None or final:
            return ratio * x - decay * picture, picture
        r = (self._lambda[i] - self._lambda[i - 1]) / h
        slope = (1.0 / r) * (picture - former)
        return ratio * x - decay * picture - 0.5 * decay * slope, picture


class UniPc(_Multistep):
    """UniPC of order 2, B(h) = exp(h) - 1 (Zhao et al. 2023): predict, then correct."""

    def __init__(self, schedule: NoiseSchedule, steps: int) -> None:
        super().__init__(schedule, steps, ladder=False)
        self._pictures: list[Tensor] = []
        self._last: Tensor | None = None
        self._order = 1

    def step(self, x: Tensor, output: Tensor, i: int, noise: Noise) -> tuple[Tensor, Tensor]:
        picture = self._picture(x, output, i)
        if self._last is not None:
            x = self._correct(self._last, picture, i)
        self._pictures = [*self._pictures[-1:], picture]
        order = min(2, len(self.timesteps) - i) if self._lower_order_final else 2
        self._order = min(order, len(self._pictures), i + 1)
        self._last = x
        return self._predict(x, i), picture

    def _predict(self, x: Tensor, i: int) -> Tensor:
        newest = self._pictures[-1]
        h = self._lambda[i + 1] - self._lambda[i]
        phi = torch.expm1(-h)
        moved = self._sigma[i + 1] / self._sigma[i] * x - self._alpha[i + 1] * phi * newest
        if self._order == 1:
            return moved
        r = (self._lambda[i - 1] - self._lambda[i]) / h
        slope = 0.5 * ((self._pictures[-2] - newest) / r)
        return moved - self._alpha[i + 1] * phi * slope

    def _correct(self, last: Tensor, picture: Tensor, i: int) -> Tensor:
        newest = self._pictures[-1]
        h = self._lambda[i] - self._lambda[i - 1]
        phi = torch.expm1(-h)
        moved = self._sigma[i] / self._sigma[i - 1] * last - self._alpha[i] * phi * newest
        change = picture - newest
        if self._order == 1:
            return moved - self._alpha[i] * phi * (0.5 * change)
        r = (self._lambda[i - 2] - self._lambda[i - 1]) / h
        weights = _corrector_weights(-h, phi, r)
        slope = weights[0] * ((self._pictures[-2] - newest) / r)
        return moved - self._alpha[i] * phi * (slope + weights[1] * change)


def _corrector_weights(hh: Tensor, phi: Tensor, r: Tensor) -> Tensor:
    """The two weights of the corrector: R(r) rho = b (Zhao et al. 2023, equation 11)."""
    rks = torch.stack([r, torch.ones(())])
    first = phi / hh - 1
    second = first / hh - 0.5
    right = torch.stack([first / phi, second * 2 / phi])
    left = torch.stack([torch.ones(2), rks])
    return torch.linalg.solve(left, right)  # pyright: ignore


class Euler:
    """Euler's method on the probability-flow ODE (Karras et al. 2022, algorithm 2)."""

    def __init__(self, schedule: NoiseSchedule, steps: int) -> None:
        times = singlestep_timesteps(schedule, steps)
        sigmas = schedule.sigmas()
        last = float(sigmas[0]) if schedule.sigma_min_last and not self._ancestral else 0.0
        self._sigmas = levels(np.interp(times, np.arange(len(sigmas)), sigmas), last)
        self.timesteps = torch.tensor(times.astype(np.float32))
        highest = self._sigmas.max()
        self.start_scale = (highest**2 + 1) ** 0.5 if schedule.spacing == "leading" else highest
        self._kind = schedule.prediction

    _ancestral = False

    def scale_input(self, x: Tensor, i: int) -> Tensor:
        return x / ((self._sigmas[i] ** 2 + 1) ** 0.5)

    def add_noise(self, original: Tensor, noise: Tensor, i: int) -> Tensor:
        return original + noise * self._sigmas[i]

    def step(self, x: Tensor, output: Tensor, i: int, noise: Noise) -> tuple[Tensor, Tensor]:
        picture = self._picture(x, output, i)
        slope = (x - picture) / self._sigmas[i]
        return x + slope * (self._sigmas[i + 1] - self._sigmas[i]), picture

    def _picture(self, x: Tensor, output: Tensor, i: int) -> Tensor:
        sigma = self._sigmas[i]
        if self._kind == "epsilon":
            return x - sigma * output
        if self._kind == "sample":
            return output
        return output * (-sigma / (sigma**2 + 1) ** 0.5) + (x / (sigma**2 + 1))


class EulerAncestral(Euler):
    """Euler steps that go a little too far down and add fresh noise."""

    _ancestral = True

    def step(self, x: Tensor, output: Tensor, i: int, noise: Noise) -> tuple[Tensor, Tensor]:
        picture = self._picture(x, output, i)
        here, there = self._sigmas[i], self._sigmas[i + 1]
        up = (there**2 * (here**2 - there**2) / here**2) ** 0.5
        down = (there**2 - up**2) ** 0.5
        x = x + (x - picture) / here * (down - here)
        return x + noise() * up, picture


class Ddim:
    """DDIM without added noise (Song et al. 2020), nothing clipped."""

    def __init__(self, schedule: NoiseSchedule, steps: int) -> None:
        times = singlestep_timesteps(schedule, steps).round().astype(np.int64)
        self.timesteps = torch.tensor(times)
        self.start_scale = torch.tensor(1.0)
        self._kind = schedule.prediction
        self._alphas = schedule.alphas if self._kind != "epsilon" else schedule.finite_alphas
        self._final = torch.tensor(1.0) if schedule.alpha_to_one else self._alphas[0]
        self._stride = schedule.count // steps

    def scale_input(self, x: Tensor, i: int) -> Tensor:
        return x

    def add_noise(self, original: Tensor, noise: Tensor, i: int) -> Tensor:
        alpha = self._alphas[self.timesteps[i]]
        return alpha**0.5 * original + (1 - alpha) ** 0.5 * noise

    def step(self, x: Tensor, output: Tensor, i: int, noise: Noise) -> tuple[Tensor, Tensor]:
        here = self._alphas[self.timesteps[i]]
        before = self.timesteps[i] - self._stride
        there = self._alphas[before] if before >= 0 else self._final
        signal, spread = here**0.5, (1 - here) ** 0.5
        picture = _predicted(x, output, signal, spread, self._kind)
        if self._kind == "epsilon":
            direction = output
        elif self._kind == "v_prediction":
            direction = signal * output + spread * x
        else:
            direction = (x - signal * picture) / spread
        return there**0.5 * picture + (1 - there) ** 0.5 * direction, picture


class Lcm:
    """Multistep consistency sampling (Luo et al. 2023)."""

    BASE_STEPS, SCALING, DATA_SIGMA = 50, 10.0, 0.5

    def __init__(self, schedule: NoiseSchedule, steps: int) -> None:
        base = max(self.BASE_STEPS, steps)
        ladder = np.arange(1, base + 1) * (schedule.count // base) - 1
        places = np.floor(np.linspace(0, base, num=steps, endpoint=False)).astype(np.int64)
        self.timesteps = torch.tensor(ladder[::-1][places])
        self.start_scale = torch.tensor(1.0)
        self._kind = schedule.prediction
        self._alphas = schedule.alphas if self._kind != "epsilon" else schedule.finite_alphas

    def scale_input(self, x: Tensor, i: int) -> Tensor:
        return x

    def add_noise(self, original: Tensor, noise: Tensor, i: int) -> Tensor:
        alpha = self._alphas[self.timesteps[i]]
        return alpha**0.5 * original + (1 - alpha) ** 0.5 * noise

    def step(self, x: Tensor, output: Tensor, i: int, noise: Noise) -> tuple[Tensor, Tensor]:
        alpha = self._alphas[self.timesteps[i]]
        picture = _predicted(x, output, alpha.sqrt(), (1 - alpha).sqrt(), self._kind)
        time, spread = self.timesteps[i] * self.SCALING, self.DATA_SIGMA**2
        skip, out = spread / (time**2 + spread), time / (time**2 + spread) ** 0.5
        denoised = out * picture + skip * x
        if i == len(self.timesteps) - 1:
            return denoised, picture
        there = self._alphas[self.timesteps[i + 1]]
        return there.sqrt() * denoised + (1 - there).sqrt() * noise(), picture


SAMPLERS: dict[str, Callable[[NoiseSchedule, int], Sampler]] = {
    "dpmpp_2m": DpmSolver,
    "dpmpp_2m_karras": lambda schedule, steps: DpmSolver(schedule, steps, ladder=True),
    "euler": Euler,
    "euler_a": EulerAncestral,
    "ddim": Ddim,
    "unipc": UniPc,
    "lcm": Lcm,
}
