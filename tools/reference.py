"""Puts the tables of methods, notifications and errors into Markdown for readers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from benchmarks.report import shown
from sidecar.errors import SidecarError
from sidecar.protocol.events import NOTIFICATIONS
from sidecar.protocol.methods import METHODS, Method
from sidecar.protocol.openrpc import (
    ANY_MESSAGE,
    ANY_REQUEST,
    all_errors,
    type_schemas,
)
from sidecar.texts import ENGLISH

Json = dict[str, Any]

GROUPS: dict[str, tuple[str, ...]] = {
    "Life cycle": (
        "initialize",
        "ping",
        "status",
        "rpc.discover",
        "cancel",
        "$/cancelRequest",
        "shutdown",
        "exit",
    ),
    "Models and memory": (
        "list_models",
        "load_model",
        "unload_model",
        "vram_report",
        "set_low_vram",
    ),
    "LoRA": (
        "list_loras",
        "inspect_lora",
        "scan_lora",
        "switch_lora",
        "set_alpha",
        "check_conflicts",
    ),
    "Pictures": ("preview", "generate", "repeat", "enhance", "upscale", "merge_prompt"),
    "History": (
        "history_list",
        "history_get",
        "history_pin",
        "history_delete",
        "history_clear",
        "history_rollback",
    ),
}
"""Reading order; a method that is in no group comes last, under “More”."""


PARAMETERS_OF = {method.params.__name__: method.name for method in METHODS.values()}
"""The method that takes them; they are described with it."""


def groups() -> dict[str, list[Method]]:
    placed = {name for names in GROUPS.values() for name in names}
    found = {
        title: [METHODS[name] for name in names if name in METHODS]
        for title, names in GROUPS.items()
    }
    rest = [method for name, method in METHODS.items() if name not in placed]
    return {**found, **({"More": rest} if rest else {})}


def method_table() -> str:
    """The short table of all methods, by group."""
    rows = ["| method | answered | what it does |", "|---|---|---|"]
    for title, methods in groups().items():
        rows.append(f"| **{title}** | | |")
        rows.extend(
            f"| [`{method.name}`](docs/protocol.md#{anchor(method.name)}) | {method.answer} "
            f"| {cell(method.summary)} |"
            for method in methods
        )
    return "\n".join(rows)


def method_sections() -> str:
    """Every method with its parameters, result and errors."""
    schemas = type_schemas("")
    parts: list[str] = []
    for title, methods in groups().items():
        parts.append(f"## {title}")
        parts.extend(method_section(method, schemas) for method in methods)
    return "\n\n".join(parts)


def method_section(method: Method, schemas: dict[str, Json]) -> str:
    params = schemas[method.params.__name__]
    parts = [f"### {method.name}", f"{method.summary} {answer_sentence(method)}"]
    if params.get("properties"):
        parts += filter(None, (prose_of(params), parameter_table(params)))
    else:
        parts.append("No parameters.")
    if method.answer != "never":
        parts.append(result_lines(method, schemas))
    if method.errors:
        parts.append("Errors: " + ", ".join(error_link(error) for error in method.errors) + ".")
    return "\n\n".join(parts)


def answer_sentence(method: Method) -> str:
    return {
        "at once": "*Answered at once.*",
        "when done": "*Goes through the queue; answered when done.*",
        "never": "*A notification: never answered.*",
    }[method.answer]


def result_lines(method: Method, schemas: dict[str, Json]) -> str:
    if method.name == "rpc.discover":
        return "Result: the document itself, an object."
    if method.result is None:
        return "Result: `null`."
    name = method.result.__name__
    if not schemas[name].get("properties"):
        return "Result: `{}`."
    return f"Result: [{name}](#{anchor(name)})."


def notification_sections() -> str:
    rows = ["| notification | params | when |", "|---|---|---|"]
    for event in NOTIFICATIONS.values():
        name = event.params.__name__
        rows.append(f"| `{event.name}` | [{name}](#{anchor(name)}) | {cell(event.summary)} |")
    return "\n".join(rows)


def type_sections() -> str:
    """Results, notifications and the objects within parameters, in alphabetical order."""
    schemas = type_schemas("")
    parameters = {method.params.__name__ for method in METHODS.values()}
    parts: list[str] = []
    for name, schema in schemas.items():
        if name in parameters or not schema.get("properties"):
            continue
        parts += filter(None, (f"### {name}", prose_of(schema), field_table(schema)))
    return "\n\n".join(parts)


def error_table() -> str:
    rows = ["| code | kind | message | hint | also in `data` |", "|---|---|---|---|---|"]
    for error in all_errors():
        message, hint = ENGLISH[error.kind]
        rows.append(
            f'| {error.code} | <a id="{error.kind}"></a>`{error.kind}` | {cell(message)} '
            f"| {cell(hint)} | {cell(extra_fields(error))} |"
        )
    return "\n".join(rows)


def common_errors() -> str:
    every = ", ".join(error_link(error) for error in ANY_REQUEST)
    broken = ", ".join(error_link(error) for error in ANY_MESSAGE)
    return (
        f"Any request may also be answered with {every}; a message that is no valid request "
        f"with {broken}."
    )


def extra_fields(error: type[SidecarError]) -> str:
    """The values an error carries, from its docstring when that names any."""
    doc = " ".join((error.__dict__.get("__doc__") or "").split())
    return doc if "`" in doc and doc.startswith("`") and "shutdown" not in doc else ""


def error_link(error: type[SidecarError]) -> str:
    return f"[`{error.kind}`](#{error.kind})"


def benchmark_table(results: Json) -> str:
    """One line a figure and peer, from what `make bench` wrote."""
    rows = ["| what | ours | beside | ratio |", "|---|---|---|---|"]
    for row in results["rows"]:
        ours = shown(row["ours"]["value"], row["ours"]["unit"])
        peers = row["peers"] or [None]
        for index, peer in enumerate(peers):
            what = (row["what"], ours) if index == 0 else ("", "")
            rows.append("| " + " | ".join((*what, *beside(peer))) + " |")
    machine = results["machine"]
    named = f"{machine['processor']}, {machine['cores']} cores, torch {machine['torch']}"
    return "\n".join((*rows, "", f"*{named}, {machine['date']}.*"))


def beside(peer: Json | None) -> tuple[str, str]:
    if peer is None:
        return "", ""
    return f"{peer['name']}: {shown(peer['value'], peer['unit'])}", f"{peer['ratio']:.2f} ×"


# ------------------------------------------------------------------------------ fields


def parameter_table(schema: Json) -> str:
    required = set(schema.get("required", ()))
    rows = ["| parameter | type | default | |", "|---|---|---|---|"]
    for name, field in schema["properties"].items():
        default = "*required*" if name in required else default_of(field)
        rows.append(f"| `{name}` | {cell(type_of(field))} | {default} | {cell(notes_of(field))} |")
    return "\n".join(rows)


def field_table(schema: Json) -> str:
    rows = ["| field | type | |", "|---|---|---|"]
    for name, field in schema["properties"].items():
        rows.append(f"| `{name}` | {cell(type_of(field))} | {cell(notes_of(field))} |")
    return "\n".join(rows)


def type_of(field: Json) -> str:
    """A short name of the type: `integer`, `LoraRef[]`, `"file" | "both"`, `string | null`."""
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{anchor(PARAMETERS_OF.get(name, name))})"
    if "anyOf" in field:
        return " or ".join(type_of(option) for option in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    kind = field.get("type", "any")
    if kind == "array":
        return array_type(field)
    if kind == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"object of {type_of(field['additionalProperties'])}"
    return str(kind)


def array_type(field: Json) -> str:
    if "prefixItems" in field:
        return "[" + ", ".join(type_of(item) for item in field["prefixItems"]) + "]"
    return f"list of {type_of(field['items'])}"


def notes_of(field: Json) -> str:
    """Description and limits."""
    notes = [field["description"].rstrip(".")] if "description" in field else []
    notes.extend(limits_of(field))
    return "; ".join(notes)


def limits_of(field: Json) -> Iterable[str]:
    for option in (field, *field.get("anyOf", ())):
        low = option.get("minimum", option.get("exclusiveMinimum"))
        high = option.get("maximum", option.get("exclusiveMaximum"))
        if low is not None and high is not None:
            above = "above " if "exclusiveMinimum" in option else ""
            yield f"{above}{number(low)} to {number(high)}"
        elif low is not None:
            yield f"at least {number(low)}"
        if "multipleOf" in option:
            yield f"a multiple of {number(option['multipleOf'])}"
        if "maxLength" in option:
            yield f"at most {option['maxLength']:,} characters"
        if "maxItems" in option:
            yield f"at most {number(option['maxItems'])}"


def default_of(field: Json) -> str:
    return f"`{json.dumps(field['default'], ensure_ascii=False)}`" if "default" in field else ""


def number(value: float) -> str:
    return "2⁵³ - 1" if value == 2**53 - 1 else f"{value:g}" if value < 1e5 else f"{value:,.0f}"


def prose_of(schema: Json) -> str:
    return " ".join(str(schema.get("description", "")).split())


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def anchor(heading: str) -> str:
    """The fragment that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
