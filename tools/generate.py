"""Writes what follows from the protocol's tables: schema/, docs/protocol.md, the README's table.

`--check` writes nothing and fails when a file is not what it would be.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from sidecar.protocol import PROTOCOL_VERSION
from sidecar.protocol.events import NOTIFICATIONS
from sidecar.protocol.methods import METHODS, Method
from sidecar.protocol.openrpc import all_errors, document, method_errors, type_schemas
from tools import reference

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
PAGE = Path(__file__).with_name("protocol_page.md")
RESULTS = ROOT / "benchmarks" / "results" / "issue-2.json"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when a file is stale")
    check = parser.parse_args().check
    stale = [path for path, text in generated().items() if read(path) != text]
    if check:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale; run make generate.")
        if not stale:
            print("Generated files are fresh.")
        return 1 if stale else 0
    for path, text in generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return 0


def read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def generated() -> dict[Path, str]:
    """Each generated file and what must stand in it."""
    readme = ROOT / "README.md"
    parts = {"methods": reference.method_table(), **examples(), **figures()}
    return {
        ROOT / "schema" / "openrpc.json": as_json(document()),
        ROOT / "schema" / "protocol.schema.json": as_json(protocol_schema()),
        ROOT / "docs" / "protocol.md": protocol_page(),
        readme: fill(readme.read_text(encoding="utf-8"), parts),
    }


def examples() -> dict[str, str]:
    """The README's examples, which are files that the tests run."""
    folder = ROOT / "examples"
    languages = {"stdio.sh": "sh", "client.py": "python"}
    return {
        name: f"```{language}\n{(folder / name).read_text('utf-8')}```"
        for name, language in languages.items()
    }


def figures() -> dict[str, str]:
    """The README's table of figures, from the newest run of `make bench`."""
    if not RESULTS.is_file():
        return {}
    return {"benchmarks": reference.benchmark_table(json.loads(RESULTS.read_text("utf-8")))}


def as_json(value: Json) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def protocol_page() -> str:
    return fill(
        PAGE.read_text(encoding="utf-8"),
        {
            "methods": reference.method_sections(),
            "notifications": reference.notification_sections(),
            "types": reference.type_sections(),
            "errors": reference.common_errors() + "\n\n" + reference.error_table(),
        },
    )


def fill(text: str, parts: dict[str, str]) -> str:
    """Puts each part between its pair of `<!-- name -->` and `<!-- /name -->` lines."""
    for name, part in parts.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if start in text and end in text:
            before, rest = text.split(start, 1)
            text = before + start + part + "\n" + end + rest.split(end, 1)[1]
    return text


# ------------------------------------------------------------------------------ the schema


def protocol_schema() -> Json:
    """One JSON Schema whose properties are the methods, notifications and errors.

    Nothing on the wire has this shape: it gives every type one name, so that a generator makes
    one interface of each (`Protocol["methods"]["generate"]["params"]`).
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Protocol",
        "description": f"Every type of the LoRA Sidecar protocol, version {PROTOCOL_VERSION}.",
        **record(
            {
                "methods": record({name: method_schema(m) for name, m in METHODS.items()}),
                "notifications": record(
                    {name: reference_to(n.params) for name, n in NOTIFICATIONS.items()}
                ),
                "errors": record({error.kind: error_schema(error) for error in all_errors()}),
            }
        ),
        "$defs": type_schemas("#/$defs/"),
    }


def record(properties: dict[str, Json]) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def reference_to(model: type) -> Json:
    return {"$ref": f"#/$defs/{model.__name__}"}


def method_schema(method: Method) -> Json:
    parts: dict[str, Json] = {"params": reference_to(method.params)}
    if method.name == "rpc.discover":
        parts["result"] = {"type": "object"}
    elif method.result is not None:
        parts["result"] = reference_to(method.result)
    elif method.answer != "never":
        parts["result"] = {"type": "null"}
    kinds = [error.kind for error in method_errors(method)]
    if kinds:
        parts["errors"] = {"enum": kinds}
    return {"description": method.summary, **record(parts)}


def error_schema(error: Any) -> Json:
    data = {
        "type": "object",
        "properties": {"kind": {"const": error.kind}, "hint": {"type": "string"}},
        "required": ["kind", "hint"],
    }
    return record({"code": {"const": error.code}, "message": {"type": "string"}, "data": data})


if __name__ == "__main__":
    raise SystemExit(main())
