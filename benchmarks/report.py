"""The table of figures, for readers and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring import Figure, Peer, Row

HEAD = (
    "| what | ours | peer | | ratio | bar | |",
    "|---|---|---|---|---|---|---|",
)


RESULTS = Path(__file__).parent / "results"


def tell(described: dict[str, str], rows: Sequence[Row], name: str | None) -> None:
    """Print the table; with a name, also write it to `results/`, for readers and for programs."""
    table = as_markdown(described, rows)
    print(table)
    if name is None:
        return
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(table, encoding="utf-8")
    values = json.dumps(as_json(described, rows), indent=1, ensure_ascii=False) + "\n"
    (RESULTS / f"{name}.json").write_text(values, encoding="utf-8")


def as_markdown(described: dict[str, str], rows: Sequence[Row]) -> str:
    """Machine, table and how each row was measured."""
    facts = ", ".join(f"{name} {value}" for name, value in described.items())
    lines = ["# Benchmarks", "", f"*{facts}.*", "", *HEAD]
    for row in rows:
        lines += row_lines(row)
    lines += ["", *(f"- {row.what}: {row.note}." for row in rows if row.note), ""]
    lines.append("Medians unless said otherwise; ours and peers in turns, in one run.")
    return "\n".join(lines) + "\n"


def row_lines(row: Row) -> Iterable[str]:
    """One line for each peer; the first also has our own bar."""
    own_bar = [f"≤ {shown(row.bar, row.ours.unit)}"] if row.bar is not None else []
    barred = row.bar is not None or any(peer.ratio_bar is not None for peer in row.peers)
    verdict = ("met" if row.met else "**missed**") if barred else ""
    ours = shown(row.ours.value, row.ours.unit)
    if not row.peers:
        yield cells(row.what, ours, "", "", "", "".join(own_bar), verdict)
    for index, peer in enumerate(row.peers):
        ratio = row.ours.value / peer.figure.value
        bars = (own_bar if index == 0 else []) + ratio_bar(peer)
        what, value, met = (row.what, ours, verdict) if index == 0 else ("", "", "")
        theirs = shown(peer.figure.value, peer.figure.unit)
        yield cells(what, value, peer.name, theirs, f"{ratio:.2f} ×", ", ".join(bars), met)


def ratio_bar(peer: Peer) -> list[str]:
    return [f"≤ {peer.ratio_bar:g} ×"] if peer.ratio_bar is not None else []


def cells(*texts: str) -> str:
    return "| " + " | ".join(texts) + " |"


def shown(value: float, unit: str) -> str:
    digits = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f} {unit}"


def as_json(described: dict[str, str], rows: Sequence[Row]) -> dict[str, Any]:
    """Everything, samples included."""
    return {"machine": described, "rows": [row_json(row) for row in rows]}


def row_json(row: Row) -> dict[str, Any]:
    return {
        "what": row.what,
        "ours": figure_json(row.ours),
        "bar": row.bar,
        "met": row.met,
        "note": row.note,
        "peers": [
            {
                "name": peer.name,
                **figure_json(peer.figure),
                "ratio": round(row.ours.value / peer.figure.value, 4),
                "ratio_bar": peer.ratio_bar,
            }
            for peer in row.peers
        ],
    }


def figure_json(figure: Figure) -> dict[str, Any]:
    return {
        "value": round(figure.value, 3),
        "unit": figure.unit,
        "statistic": figure.statistic,
        "count": len(figure.samples),
        "samples": [round(sample, 3) for sample in figure.samples[:200]],
    }
