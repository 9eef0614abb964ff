"""scan_lora, inspect_lora, check_conflicts, merge_prompt."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from time import perf_counter
from typing import Any

from sidecar.catalog.blocks import blocks
from sidecar.catalog.conflicts import conflicts, fused
from sidecar.catalog.lora_facts import verdict_of as family_verdict
from sidecar.catalog.loras import FoundLora
from sidecar.catalog.names import is_plain_name
from sidecar.catalog.safetensors_header import BrokenHeader, Header, read_header
from sidecar.catalog.training import shown_metadata, training_report
from sidecar.errors import Cancelled, LoraNotFound
from sidecar.lora_format.titles import title
from sidecar.prompt import without
from sidecar.protocol.library import (
    BlockReport,
    CheckConflictsParams,
    CheckConflictsResult,
    Compatibility,
    ConflictReport,
    InspectLoraParams,
    InspectLoraResult,
    MergePromptParams,
    MergePromptResult,
    ScanLoraParams,
    ScanLoraResult,
)
from sidecar.protocol.lora import LoraCard, StackEntry
from sidecar.rpc.context import Call, Front
from sidecar.rpc.guard import verdict_of
from sidecar.rpc.specs import lora_specs
from sidecar.rpc.styles import merged_prompts, styled, template_of
from sidecar.scan import Scan, Stopped
from sidecar.texts import sentence_and_hint


def scan_lora(call: Call, params: ScanLoraParams) -> Future[Any]:
    front, start = call.front, perf_counter()
    path = _file_meant(front, params.path)
    scan = front.guard.scan(path)
    known = scan.done()

    def report(done: Scan) -> ScanLoraResult:
        return ScanLoraResult(
            path=path,
            bytes=done.bytes,
            sha256=done.sha256,
            verdict=verdict_of(done),
            findings=front.guard.reports(done.findings),
            scan_ms=0.0 if known else round((perf_counter() - start) * 1000, 3),
        )

    return _then(scan, report, params.path)


def inspect_lora(call: Call, params: InspectLoraParams) -> Future[Any]:
    front = call.front
    found = front.loras.find(params.name)
    return _then(
        front.guard.scan(str(found.path)),
        lambda scan: _inspected(front, found, scan),
        found.name,
    )


def check_conflicts(call: Call, params: CheckConflictsParams) -> CheckConflictsResult:
    front = call.front
    stack = styled(front, lora_specs(front, params.loras))
    limit = front.settings.fusion_limit
    alphas = fused(stack, limit)
    return CheckConflictsResult(
        conflicts=[
            ConflictReport(group=c.group, names=list(c.names), alpha_sum=c.alpha_sum, limit=c.limit)
            for c in conflicts(stack, limit)
        ],
        suggested=[
            StackEntry(name=lora.name, alpha=alpha, sha256=None)
            for lora, alpha in zip(stack, alphas, strict=True)
        ],
    )


def merge_prompt(call: Call, params: MergePromptParams) -> MergePromptResult:
    """The words of the former style go out first, then those of the style come in."""
    loras = call.front.loras
    prompt, negative, removed = params.prompt, params.negative_prompt, list[str]()
    if params.former_style is not None:
        former = template_of(loras.find(params.former_style).card)
        taken_out = without(prompt, former)
        prompt, removed = taken_out.text, [*taken_out.removed]
        negative = without(negative, former.of_negative).text
    if params.style is None:
        return MergePromptResult(prompt=prompt, negative_prompt=negative, added=[], removed=removed)
    merged, merged_negative = merged_prompts(prompt, negative, loras.find(params.style).card)
    return MergePromptResult(
        prompt=merged.text,
        negative_prompt=merged_negative.text,
        added=list(merged.added),
        removed=[*removed, *merged.removed],
    )


# --------------------------------------------------------------------- inside


def _file_meant(front: Front, given: str) -> str:
    """A file of the library by its name, else one by its absolute path. Raises LoraNotFound."""
    if is_plain_name(given):
        return str(front.loras.find(given).path)
    if "\0" in given or not os.path.isabs(given) or not Path(given).is_file():
        raise LoraNotFound(name=given, available=[], sought="file")
    return os.path.abspath(given)


def _then(scan: Future[Scan], report: Callable[[Scan], Any], name: str) -> Future[Any]:
    """The answer made from a scan, now or when it is done."""
    answer: Future[Any] = Future()

    def done(finished: Future[Scan]) -> None:
        try:
            answer.set_result(report(finished.result()))
        except Stopped:
            answer.set_exception(Cancelled())
        except OSError:
            answer.set_exception(LoraNotFound(name=name, available=[]))
        except Exception as exc:  # goes to the wire as any handler's would
            answer.set_exception(exc)

    scan.add_done_callback(done)
    return answer


def _inspected(front: Front, found: FoundLora, scan: Scan) -> InspectLoraResult:
    try:
        header = read_header(found.path)
    except BrokenHeader:  # the findings say what is wrong with it
        header = Header({}, {})
    dtypes = [info.dtype for info in header.tensors.values()]
    return InspectLoraResult(
        card=found.card,
        blocks=[
            BlockReport(
                block=b.name,
                tensors=b.tensors,
                layers=b.layers,
                parameters=b.parameters,
                bytes=b.bytes,
                ranks=sorted(b.ranks),
            )
            for b in blocks(header)
        ],
        dtypes={dtype: dtypes.count(dtype) for dtype in sorted(set(dtypes))},
        training=training_report(header.metadata),
        metadata=shown_metadata(header.metadata),
        verdict=verdict_of(scan),
        findings=front.guard.reports(scan.findings),
        sha256=scan.sha256,
        compatibility=_compatibility(front, found.card, header),
    )


def _compatibility(front: Front, card: LoraCard, header: Header) -> Compatibility:
    """By shapes, as the engine decides when the file is applied."""
    model = front.projection.current.model
    verdict = family_verdict(header, card.name)
    family = model.family if model else None
    if family is None:
        kind, compatible = "fit_no_model", None
    elif not header.tensors or family not in verdict.possible:
        kind, compatible = "fit_no", False
    elif verdict.family == family:
        kind, compatible = "fit_yes", True
    else:
        kind, compatible = "fit_unknown", None
    values = {"name": card.name, "lora_family": title(card.family), "model_family": title(family)}
    return Compatibility(
        compatible=compatible,
        lora_family=card.family,
        model=model.name if model else None,
        model_family=family,
        reason=sentence_and_hint(kind, values, front.locale)[0],
    )
