"""What holds for every test."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.torture.counts import LONG

settings.register_profile(
    "suite",
    deadline=None,  # how long an example takes is the machine's affair
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=not LONG,  # the long form searches, the short one finds the same each time
)
settings.load_profile("suite")
