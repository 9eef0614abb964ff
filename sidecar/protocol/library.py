"""The LoRA library: scanning and inspecting files, conflicts between styles, prompt templates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sidecar.protocol.base import LoraRef, Params, Result
from sidecar.protocol.lora import LoraCard, StackEntry

Severity = Literal["corrupt", "unsafe", "suspicious", "notice"]
Verdict = Literal["clean", "notice", "suspicious", "unsafe", "corrupt"]


class FindingReport(Result):
    """One thing that the safety scan found."""

    severity: Severity = Field(
        description="corrupt and unsafe are refused; suspicious is used with allow_suspicious"
    )
    kind: str = Field(description="stable, for programs")
    message: str = Field(description="a phrase about the file, in the session's language")
    where: str = Field(description="tensor or metadata key; empty: the file as a whole")
    detail: str = Field(description="what stands there, such as an address")
    offset: int | None = Field(description="bytes into the file, where that says something")


class ScanLoraParams(Params):
    """A file of the library by its name, or any file on this machine by its absolute path."""

    path: str = Field(
        min_length=1, max_length=4096, description="a name as list_loras has it, or absolute path"
    )


class ScanLoraResult(Result):
    """Every byte of the file was read; nothing in it was run or unpickled."""

    path: str
    bytes: int
    sha256: str
    verdict: Verdict = Field(description="the gravest severity among the findings")
    findings: list[FindingReport]
    scan_ms: float = Field(description="0 when this file was scanned before and has not changed")


class InspectLoraParams(Params):
    name: str = Field(min_length=1, max_length=255, description="as list_loras has it")


class BlockReport(Result):
    """Tensors of one block of the model, as the file names it."""

    block: str = Field(description='such as "unet.down_blocks.1", "text_encoder.layers.0"')
    tensors: int
    layers: int
    parameters: int = Field(description="numbers in all of them")
    bytes: int
    ranks: list[int] = Field(description="ranks that occur, ascending")


class TagCount(Result):
    tag: str
    count: int


class TrainingReport(Result):
    """What the trainer wrote into the file, as far as it is understood."""

    base_model: str | None = None
    network: str | None = Field(None, description="the kind of adapter, as the trainer names it")
    rank: int | None = None
    alpha: float | None = None
    resolution: str | None = None
    images: int | None = None
    steps: int | None = None
    epochs: int | None = None
    learning_rate: float | None = None
    trained: str | None = Field(None, description="when it was finished, ISO 8601")
    author: str | None = None
    description: str | None = None
    top_tags: list[TagCount] = Field(description="the commonest words of its captions")


class Compatibility(Result):
    """Whether it goes with the model in force; `compatible` is null where that cannot be told."""

    compatible: bool | None
    lora_family: str | None
    model: str | None
    model_family: str | None
    reason: str = Field(description="a plain sentence, in the session's language")


class InspectLoraResult(Result):
    card: LoraCard
    blocks: list[BlockReport]
    dtypes: dict[str, int] = Field(description="tensors of each type")
    training: TrainingReport
    metadata: dict[str, str] = Field(description="the file's own, long values cut")
    verdict: Verdict
    findings: list[FindingReport]
    sha256: str
    compatibility: Compatibility


class CheckConflictsParams(Params):
    loras: list[LoraRef] = Field(max_length=16, description="the stack that is thought of")


class ConflictReport(Result):
    """Styles of one group whose strengths add up to more than they may."""

    group: str
    names: list[str]
    alpha_sum: float = Field(description="of the absolute strengths asked for")
    limit: float


class CheckConflictsResult(Result):
    conflicts: list[ConflictReport]
    suggested: list[StackEntry] = Field(
        description="the whole stack with the fusion-strength curve applied"
    )


class MergePromptParams(Params):
    """`former_style`: whose words are taken out first, when the prompt was merged before."""

    prompt: str = Field(max_length=8192)
    negative_prompt: str = Field("", max_length=8192)
    style: str | None = Field(max_length=255, description="a LoRA's name; null: no style")
    former_style: str | None = Field(None, max_length=255, description="a LoRA's name")


class MergePromptResult(Result):
    prompt: str
    negative_prompt: str
    added: list[str] = Field(description="words that the style added to the prompt")
    removed: list[str] = Field(description="duplicates and words of the former style, left out")


class LorasChanged(Result):
    """Names in the library. `changed`: another file under the same name, or another card."""

    added: list[str]
    changed: list[str]
    removed: list[str]
