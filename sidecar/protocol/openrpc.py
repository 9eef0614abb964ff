"""The OpenRPC document of this version, derived from the tables of methods, events and errors.

Follows the OpenRPC specification 1.3.2. OpenRPC has no word for what a server sends on its own,
so notifications stand under `x-notifications`; a method's `x-answer` tells whether it is answered
at once or goes through the queue.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from pydantic.json_schema import models_json_schema

from sidecar import __version__
from sidecar import errors as e
from sidecar.protocol import PROTOCOL_VERSION
from sidecar.protocol.base import Params, Result
from sidecar.protocol.events import NOTIFICATIONS, Notification
from sidecar.protocol.methods import METHODS, Method
from sidecar.texts import ENGLISH

Json = dict[str, Any]
Mode = Literal["validation", "serialization"]

OPENRPC_VERSION = "1.3.2"
TITLE = "LoRA Sidecar"
SUMMARY = "A resident Stable Diffusion that changes its style in the blink of an eye."

ANY_MESSAGE: tuple[type[e.SidecarError], ...] = (e.ParseFault, e.InvalidRequest, e.MethodNotFound)
"""May answer any message, whatever method it meant to call."""

ANY_REQUEST: tuple[type[e.SidecarError], ...] = (e.InvalidParams, e.ShuttingDown, e.SidecarError)
"""May answer a request of any method, besides those that its row names."""


@cache
def document() -> Json:
    """The whole document. Callers share it and must not change it."""
    schemas = type_schemas("#/components/schemas/")
    return {
        "openrpc": OPENRPC_VERSION,
        "info": {
            "title": TITLE,
            "version": __version__,
            "description": SUMMARY,
            "license": {"name": "Apache-2.0"},
        },
        "methods": [_method(method, schemas) for method in METHODS.values()],
        "components": {
            "schemas": schemas,
            "errors": {error.kind: _error(error) for error in all_errors()},
        },
        "x-protocol-version": PROTOCOL_VERSION,
        "x-notifications": [_notification(event) for event in NOTIFICATIONS.values()],
    }


def type_schemas(prefix: str) -> dict[str, Json]:
    """The JSON Schema of every parameter, result and notification, by name.

    `prefix` stands before the name in each `$ref`. Parameters are described as they are taken
    (defaults may be left out), results as they are sent (every field is there).
    """
    models: list[tuple[type[Params | Result], Mode]] = []
    for method in METHODS.values():
        models.append((method.params, "validation"))
        if method.result is not None:
            models.append((method.result, "serialization"))
    models.extend((event.params, "serialization") for event in NOTIFICATIONS.values())
    _, schema = models_json_schema(list(dict.fromkeys(models)), ref_template=f"{prefix}{{model}}")
    definitions: dict[str, Json] = schema["$defs"]
    return {name: _without_field_titles(definitions[name]) for name in sorted(definitions)}


def all_errors() -> tuple[type[e.SidecarError], ...]:
    """Every error a caller can meet, by code: protocol faults first, then ours."""
    return tuple(sorted(e.REGISTRY.values(), key=lambda error: (error.code > 0, abs(error.code))))


def method_errors(method: Method) -> tuple[type[e.SidecarError], ...]:
    """The errors of a method's row, and those that any request may meet; none for those that are
    never answered."""
    return () if method.answer == "never" else (*method.errors, *ANY_REQUEST)


def _without_field_titles(schema: Json) -> Json:
    """Fields are known by their names; titles would only become extra names in generated types."""
    for field in schema.get("properties", {}).values():
        field.pop("title", None)
    return schema


def _method(method: Method, schemas: dict[str, Json]) -> Json:
    described: Json = {
        "name": method.name,
        "summary": method.summary,
        "paramStructure": "by-name",
        "params": _parameters(schemas[method.params.__name__]),
        "x-answer": method.answer,
    }
    if method.answer == "never":
        return described
    return {
        **described,
        "result": _result(method),
        "errors": [
            {"$ref": f"#/components/errors/{error.kind}"} for error in method_errors(method)
        ],
    }


def _parameters(schema: Json) -> list[Json]:
    """One content descriptor per field, each with the field's own schema."""
    required = set(schema.get("required", ()))
    return [
        {
            "name": name,
            **({"description": field["description"]} if "description" in field else {}),
            "required": name in required,
            "schema": field,
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _result(method: Method) -> Json:
    if method.name == "rpc.discover":
        return {"name": "OpenRPC document", "schema": {"type": "object"}}
    if method.result is None:
        return {"name": "null", "schema": {"type": "null"}}
    name = method.result.__name__
    return {"name": name, "schema": {"$ref": f"#/components/schemas/{name}"}}


def _error(error: type[e.SidecarError]) -> Json:
    message, hint = ENGLISH[error.kind]
    return {"code": error.code, "message": message, "data": {"kind": error.kind, "hint": hint}}


def _notification(event: Notification) -> Json:
    return {
        "name": event.name,
        "summary": event.summary,
        "params": {"$ref": f"#/components/schemas/{event.params.__name__}"},
    }
