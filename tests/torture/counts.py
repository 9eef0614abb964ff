"""How often: the short form is part of `make test`, the long one is `make torture`."""

from __future__ import annotations

import os

LONG = os.environ.get("SIDECAR_TORTURE") == "1"
ONLY_LONG = "part of the long form: make torture"


def count(short: int, long: int) -> int:
    return long if LONG else short
