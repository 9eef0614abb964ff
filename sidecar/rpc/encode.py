"""JSON text of answers and notifications, and JSON values out of message bodies."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, from_json, to_json

from sidecar.errors import ParseFault


def parse(body: bytes) -> Any:
    """The JSON value. Raises ParseFault, also for bad UTF-8, NaN and very deep nesting."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as exc:
        raise ParseFault(reason=f": {exc}") from exc


def json_of(value: Any) -> bytes:
    """Compact JSON; NaN and infinities become null."""
    if isinstance(value, BaseModel):
        return type(value).__pydantic_serializer__.to_json(value)
    try:
        return to_json(value, inf_nan_mode="null")
    except (PydanticSerializationError, UnicodeEncodeError):
        return to_json(_printable(value), inf_nan_mode="null", fallback=str)


def answer(request_id: Any, result: Any) -> bytes:
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (to_json(request_id), json_of(result))


def failure(request_id: Any, error: dict[str, Any]) -> bytes:
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (to_json(request_id), json_of(error))


def notification(method: str, params: Any) -> bytes:
    return b'{"jsonrpc":"2.0","method":%b,"params":%b}' % (to_json(method), json_of(params))


def _printable(value: Any) -> Any:
    """File names may hold bytes that are not UTF-8; they are shown escaped."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {str(k): _printable(v) for k, v in value.items()}  # type: ignore[misc]
    if isinstance(value, list | tuple):
        return [_printable(v) for v in value]  # type: ignore[misc]
    return value
