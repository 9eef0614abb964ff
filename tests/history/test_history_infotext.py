"""The A1111 form: written as its readers expect, and read back."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.history.infotext import SAMPLER_NAMES, infotext, parse_infotext, quote, unquote
from sidecar.protocol.lora import StackEntry
from sidecar.protocol.names import SamplerName
from tests.history.history_samples import parameters

ONE_LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=60)


def test_a_recipe_reads_as_in_the_web_ui() -> None:
    stack = [
        StackEntry(name="ink", alpha=0.7, sha256="ab" * 32),
        StackEntry(name="duo", alpha=1.0, sha256="cd" * 32),
    ]
    text = infotext(parameters(negative_prompt="blurry", loras=stack), "0.1.0")
    assert text == (
        "red apple <lora:ink:0.7> <lora:duo:1>\n"
        "Negative prompt: blurry\n"
        "Steps: 14, Sampler: DPM++ 2M Karras, CFG scale: 2.5, Seed: 7, Size: 128x128, "
        'Model: starter, Lora hashes: "ink: abababababab, duo: cdcdcdcdcdcd", '
        "Version: LoRA Sidecar 0.1.0"
    )


def test_optional_fields_stand_only_where_they_mean_something() -> None:
    bare = infotext(parameters(loras=[]), "1")
    assert "Lora hashes" not in bare
    assert "Denoising" not in bare
    assert "Negative" not in bare
    full = parse_infotext(infotext(parameters(vae="my, vae", strength=0.55), "1"))
    assert full.fields["VAE"] == "my, vae"
    assert full.fields["Denoising strength"] == "0.55"


@given(
    prompt=ONE_LINE.map(str.strip),
    negative=ONE_LINE.map(str.strip),
    seed=st.integers(0, 2**53 - 1),
    alpha=st.floats(-2, 2, allow_nan=False),
    guidance=st.floats(0, 50, allow_nan=False),
    model=ONE_LINE.filter(lambda text: bool(text.strip()) and text == text.strip()),
)
def test_what_is_written_is_read_back(
    prompt: str, negative: str, seed: int, alpha: float, guidance: float, model: str
) -> None:
    if "<lora:" in prompt or prompt.startswith("Negative prompt:"):
        return
    given_parameters = parameters(
        prompt=prompt,
        negative_prompt=negative,
        seed=seed,
        guidance_scale=guidance,
        model=model,
        loras=[StackEntry(name="ink", alpha=alpha)],
    )
    found = parse_infotext(infotext(given_parameters, "1"))
    assert (found.prompt, found.negative_prompt) == (prompt, negative)
    assert found.loras == (("ink", alpha),)
    assert int(found.fields["Seed"]) == seed
    assert float(found.fields["CFG scale"]) == guidance
    assert found.fields["Model"] == model


def test_prompts_of_several_lines_are_read_back() -> None:
    written = infotext(parameters(prompt="a\nb: c, d: e", negative_prompt="f\ng"), "1")
    found = parse_infotext(written)
    assert (found.prompt, found.negative_prompt) == ("a\nb: c, d: e", "f\ng")


def test_a_text_of_the_web_ui_itself_is_read() -> None:
    found = parse_infotext(
        "masterpiece, (cat:1.2) <lora:style-x:0.85>\n"
        "Negative prompt: bad hands\n"
        "Steps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7, Seed: 1, "
        'Size: 512x768, Model hash: 6ce0161689, Lora hashes: "style-x: 0123456789ab", Version: v1.9'
    )
    assert found.prompt == "masterpiece, (cat:1.2)"
    assert found.loras == (("style-x", 0.85),)
    assert found.fields["Size"] == "512x768"
    assert found.fields["Lora hashes"] == "style-x: 0123456789ab"


def test_a_text_without_a_field_line_is_all_prompt() -> None:
    assert parse_infotext("just words, nothing: more").prompt == "just words, nothing: more"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_quoting_comes_undone(text: str) -> None:
    assert unquote(quote(text)) == text


def test_every_sampler_of_the_protocol_has_a_name_in_this_form() -> None:
    assert set(SAMPLER_NAMES) == set(get_args(SamplerName))


@pytest.mark.parametrize("text", ['"', '"broken', '"a"b"', "plain"])
def test_text_that_only_looks_quoted_is_left_as_it_is(text: str) -> None:
    assert unquote(text) == text
