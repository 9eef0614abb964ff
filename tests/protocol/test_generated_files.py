"""schema/, docs/protocol.md and the README's table follow from the protocol's tables."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sidecar.errors import LoraNotFound
from sidecar.protocol.methods import METHODS
from tools import generate, reference


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return generate.protocol_schema()


def part_of(schema: dict[str, Any], *path: str) -> Draft202012Validator:
    """A validator for one type of the schema, such as methods, generate, params."""
    node = schema
    for name in path:
        node = node["properties"][name]
    return Draft202012Validator({**node, "$defs": schema["$defs"]})


def test_the_files_in_the_repository_are_fresh() -> None:
    stale = [
        path.name for path, text in generate.generated().items() if generate.read(path) != text
    ]
    assert stale == []


def test_the_schema_is_valid_and_has_every_method(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]["methods"]["properties"]) == set(METHODS)


def test_the_schema_takes_good_parameters_and_refuses_bad_ones(schema: dict[str, Any]) -> None:
    params = part_of(schema, "methods", "generate", "params")
    assert params.is_valid({"prompt": "red apple", "seed": 7, "loras": [{"name": "ink"}]})
    assert not params.is_valid({"prompt": "red apple", "width": 100})
    assert not params.is_valid({"prompt": "red apple", "sede": 7})
    assert not params.is_valid({})


def test_the_schema_describes_errors_as_they_are_sent(schema: dict[str, Any]) -> None:
    error = part_of(schema, "errors", "lora_not_found")
    wire = LoraNotFound(name="ink", available=[]).to_wire()
    assert error.is_valid(json.loads(json.dumps(wire)))
    assert not error.is_valid({**wire, "code": 1})


def test_every_method_has_a_section_in_the_reference() -> None:
    page = generate.protocol_page()
    for name in METHODS:
        assert f"### {name}\n" in page


def test_every_link_within_the_reference_has_its_target() -> None:
    page = generate.protocol_page()
    targets = {reference.anchor(title) for title in re.findall(r"^#+ (.+)$", page, re.M)}
    targets |= set(re.findall(r'<a id="([^"]+)"', page))
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= targets
