"""The document that `rpc.discover` answers with, against OpenRPC's own meta-schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from sidecar import errors as e
from sidecar.protocol.events import NOTIFICATIONS
from sidecar.protocol.methods import METHODS
from sidecar.protocol.openrpc import document
from sidecar.texts import LOCALES, TEXTS

META_SCHEMA = Path(__file__).parent / "openrpc-meta-schema" / "schema.json"


def meta_schema_validator() -> Draft7Validator:
    """Refers to two pages of JSON Schema's own meta-schema; any schema is let through there."""
    json_schema = Resource.from_contents(
        {"definitions": {"JSONSchemaObject": {"properties": {"$ref": {"type": "string"}}}}},
        default_specification=DRAFT7,
    )
    address = "https://meta.json-schema.tools"
    registry = Registry().with_resources([(address, json_schema), (f"{address}/", json_schema)])
    return Draft7Validator(json.loads(META_SCHEMA.read_text("utf-8")), registry=registry)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def looked_up(reference: str) -> Any:
    assert reference.startswith("#/")
    node: Any = document()
    for part in reference[2:].split("/"):
        node = node[part]
    return node


def test_the_document_is_valid_openrpc() -> None:
    problems = [
        f"{error.json_path}: {error.message}"
        for error in meta_schema_validator().iter_errors(document())
    ]
    assert problems == []


def test_the_document_is_plain_json() -> None:
    assert json.loads(json.dumps(document())) == document()


def test_every_reference_resolves() -> None:
    found = set(references(document()))
    assert found
    for reference in found:
        assert looked_up(reference)


@pytest.mark.parametrize("name", sorted(document()["components"]["schemas"]))
def test_each_schema_is_valid_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(document()["components"]["schemas"][name])


def test_every_method_and_notification_is_in_the_document() -> None:
    assert [method["name"] for method in document()["methods"]] == list(METHODS)
    assert [event["name"] for event in document()["x-notifications"]] == list(NOTIFICATIONS)


def test_a_method_names_every_parameter_with_its_default_and_whether_it_is_required() -> None:
    generate = next(m for m in document()["methods"] if m["name"] == "generate")
    parameters = {p["name"]: p for p in generate["params"]}
    assert set(parameters) == set(METHODS["generate"].params.model_fields)
    assert parameters["prompt"]["required"] is True
    assert parameters["count"]["required"] is False
    assert parameters["count"]["schema"]["default"] == 1


def test_only_notifications_have_no_result() -> None:
    for method in document()["methods"]:
        assert ("result" in method) == (METHODS[method["name"]].answer != "never")


def test_a_method_may_answer_with_the_errors_of_its_row() -> None:
    switch = next(m for m in document()["methods"] if m["name"] == "switch_lora")
    kinds = {looked_up(error["$ref"])["data"]["kind"] for error in switch["errors"]}
    assert {"lora_not_found", "lora_incompatible", "invalid_params", "internal_error"} <= kinds


def test_results_are_described_as_they_are_sent_with_every_field() -> None:
    schema = document()["components"]["schemas"]["GenerateResult"]
    assert set(schema["required"]) == {"job_id", "images", "timings"}


def test_error_codes_and_kinds_are_each_used_once() -> None:
    kinds = e.REGISTRY
    assert len({error.code for error in kinds.values()}) == len(kinds)
    assert all(kind == error.kind for kind, error in kinds.items())


@pytest.mark.parametrize("locale", LOCALES)
def test_every_error_has_its_sentence_and_hint_in_each_language(locale: str) -> None:
    for kind in e.REGISTRY:
        message, hint = TEXTS[locale][kind]
        assert message
        assert hint
