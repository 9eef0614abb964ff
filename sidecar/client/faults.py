"""What can go wrong between client and sidecar, and the sidecar's own errors as classes again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sidecar.errors import SidecarError, error_from


class ClientFault(Exception):
    """The connection failed; the sidecar itself refused nothing."""


class SidecarGone(ClientFault):
    """The process ended, or was stopped, before it answered.

    `exit_code`: None when it is not known; `log`: the last lines of its stderr.
    """

    def __init__(self, exit_code: int | None, log: tuple[str, ...] = ()) -> None:
        self.exit_code = exit_code
        self.log = log
        code = "" if exit_code is None else f" (exit code {exit_code})"
        tail = "".join(f"\n  {line}" for line in log[-5:])
        super().__init__(f"The sidecar is no longer running{code}.{tail}")


class AnswerTimeout(ClientFault, TimeoutError):
    """No answer within `seconds`; the sidecar was asked to cancel the request."""

    def __init__(self, method: str, seconds: float) -> None:
        self.method = method
        self.seconds = seconds
        super().__init__(f"The sidecar did not answer {method} within {seconds:g} s.")


class UnexpectedAnswer(ClientFault):
    """The answer does not have the form that this version of the protocol gives it."""


def error_of(error: Mapping[str, Any]) -> SidecarError:
    """The error object of a JSON-RPC answer as an exception with the sidecar's own words."""
    given = error.get("data")
    data = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    fields = {str(k): v for k, v in data.items() if k not in ("kind", "hint", "self")}
    exc = error_from(str(data.get("kind", "internal_error")), fields)
    message, hint = str(error.get("message", "")), str(data.get("hint", ""))
    if message:
        exc.args = (f"{message} {hint}".strip(),)
    return exc
