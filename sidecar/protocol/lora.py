"""LoRA methods: list, switch, strength."""

from __future__ import annotations

from pydantic import Field, model_validator

from sidecar.protocol.base import Alpha, LoraRef, Params, Result


class LoraCard(Result):
    """What is known about one LoRA file without loading its tensors."""

    name: str
    title: str
    family: str | None = Field(None, description="sd15, sd21, sdxl or starter, where known")
    rank: int | None = None
    bytes: int
    trigger_words: list[str] = Field(default_factory=list[str])
    suggested_words: list[str] = Field(
        default_factory=list[str],
        description="the commonest words of its training, where its maker names no trigger words",
    )
    prompt_template: str | None = Field(
        None, description="with {prompt} where the prompt goes; without: stands before it"
    )
    negative_prompt: str | None = None
    conflict_group: str | None = None
    alpha_range: tuple[float, float] | None = Field(None, description="recommended strengths")
    vae: str | None = Field(None, description="used while it is on and no other VAE is named")
    no_half_vae: bool = Field(False, description="decode in full precision while it is on")
    preview: str | None = Field(None, description="path of a preview picture")
    preview_url: str | None = Field(
        None, description="that picture as a data URL, when asked for and at most 512 KiB"
    )
    license: str | None = None
    warnings: list[str] = Field(default_factory=list[str])


class ListLorasParams(Params):
    """What the cards are to hold."""

    previews: bool = Field(
        False, description="send the preview pictures too, for callers that may read no files"
    )


class LoraList(Result):
    loras: list[LoraCard]


class SwitchLoraParams(Params):
    """One style by `name` and `alpha`, several by `loras`, none by `name: null`."""

    name: str | None = Field(None, description="as list_loras has it; null: no style")
    alpha: Alpha = 0.7
    loras: list[LoraRef] | None = Field(None, max_length=16, description="a stack of several")
    allow_suspicious: bool = Field(False, description="use files that the safety scan doubts")
    allow_conflict: bool = Field(False, description="lower the alphas of styles that conflict")

    @model_validator(mode="after")
    def _one_form(self) -> SwitchLoraParams:
        given = self.model_fields_set
        if "name" not in given and "loras" not in given:
            raise ValueError("give name (null for none) or loras")
        if "loras" in given and given & {"name", "alpha"}:
            raise ValueError("give either name and alpha, or loras")
        if self.loras and len({ref.name for ref in self.loras}) != len(self.loras):
            raise ValueError("each LoRA may stand once in a stack")
        return self

    def refs(self) -> list[LoraRef]:
        """The stack that is asked for."""
        if self.loras is not None:
            return list(self.loras)
        return [LoraRef(name=self.name, alpha=self.alpha)] if self.name is not None else []


class StackEntry(Result):
    """One LoRA of the stack in force."""

    name: str
    alpha: float
    sha256: str | None = Field(None, description="of the file, once it has been read")


class SwitchLoraResult(Result):
    """The receipt of a switch: what matched, what did not, how much it changes."""

    stack: list[StackEntry]
    family: str | None = Field(description="of the loaded model; null when nothing is loaded yet")
    rank: int | None = Field(description="the largest rank in the stack")
    matched_keys: int
    total_keys: int
    unsupported: list[str] = Field(description="keys of the files that were not applied")
    relative_delta: float = Field(description="‖ΔW‖/‖W‖ (Frobenius) over all touched weights")
    relative_delta_by_block: dict[str, float]
    cached: bool = Field(description="every file was in memory already")
    load_ms: float
    merge_ms: float
    bytes: int = Field(description="size of the LoRA files")


class SetAlphaParams(Params):
    """The strength of one LoRA of the stack; `name` may be left out when there is one."""

    alpha: Alpha
    name: str | None = Field(None, description="which one; null when the stack has one")
    allow_conflict: bool = Field(False, description="lower the alphas of styles that conflict")


class SetAlphaResult(Result):
    """The stack as it is now. The merge runs before the next step that needs it."""

    stack: list[StackEntry]
    merge_ms: float = Field(
        description="0 while deferred; the timings of the next picture have the time it took"
    )
    deferred: bool
