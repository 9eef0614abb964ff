"""What checks found, in words and on the wire."""

from __future__ import annotations

from dataclasses import asdict

from sidecar.engine.contract import Checked
from sidecar.protocol.finishing import CheckResult, Finding
from sidecar.rpc.context import Front
from sidecar.texts import sentence_and_hint


def check_result(front: Front, checked: Checked) -> CheckResult | None:
    """None when there was no check. A blocked picture has its sentence."""
    if not checked.checks:
        return None
    message = hint = None
    if checked.blocked:
        message, hint = sentence_and_hint(
            "content_blocked", {"found": _phrase(front, checked, "block")}, front.locale
        )
    return CheckResult(
        checked=list(checked.checks),
        findings=[Finding.model_validate(asdict(found)) for found in checked.found],
        blocked=checked.blocked,
        message=message,
        hint=hint,
    )


def tell_found(front: Front, checked: Checked) -> None:
    """A warning for the person, when there is something."""
    if checked.found:
        kind, action = ("content_blocked", "block") if checked.blocked else ("content_found", "")
        front.warn(kind, {"found": _phrase(front, checked, action)})


def _phrase(front: Front, checked: Checked, action: str) -> str:
    """What was found, each kind once; only of that action, unless that is empty."""
    wanted = [found for found in checked.found if action in ("", found.action)]
    checks = dict.fromkeys(found.check for found in wanted)
    return ", ".join(sentence_and_hint(f"found_{c}", {}, front.locale)[0] for c in checks)
