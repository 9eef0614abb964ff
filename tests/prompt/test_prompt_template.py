"""Styles' words in prompts: once, wherever they belong, and out again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.prompt import Template, merge, merge_negative, without
from sidecar.prompt.phrases import KEPT, keys, same, split

INK = Template("{prompt}, ink drawing, bold lines", ("inkstyle",), "colour, photo")
PREFIX = Template("ink drawing")
JOINED = Template("best quality, a painting of {prompt} in oil, museum piece")


@pytest.mark.parametrize(
    ("template", "prompt", "merged"),
    [
        (INK, "red apple", "inkstyle, red apple, ink drawing, bold lines"),
        (PREFIX, "red apple", "ink drawing, red apple"),
        (JOINED, "red apple", "best quality, a painting of red apple in oil, museum piece"),
        (Template(), "red apple", "red apple"),
        (Template("{prompt}"), "red  apple ,", "red  apple ,"),
        (Template("{prompt}", ("<ink>", "pen")), "apple", "<ink>, pen, apple"),
        (PREFIX, "", "ink drawing"),
        (Template("{prompt}, a, a"), "b", "b, a"),
        (Template("{prompt}, x, {prompt}"), "b", "b, x"),
    ],
)
def test_a_template_takes_the_prompt_in(template: Template, prompt: str, merged: str) -> None:
    assert merge(prompt, template).text == merged


@pytest.mark.parametrize(
    "written",
    [
        "ink drawing", "Ink Drawing", " ink   drawing ", "ink_drawing", "(ink drawing:1.3)",
        "((ink drawing))", "[ink drawing]", "( ink drawing : .8 )", "{ink drawing}",
        "(bold, ink drawing:1.1)", "ｉｎｋ drawing", "an ink drawing of a fox",
    ],
)  # fmt: skip
def test_what_the_person_wrote_is_not_added_again_and_keeps_its_weight(written: str) -> None:
    merged = merge(f"apple, {written}", PREFIX)
    assert merged.added == ()
    assert written.strip() in merged.text


@pytest.mark.parametrize(
    "written",
    ["ink drawings", "ink \\(drawing\\)", "drawing ink", "[ink drawing:photo:0.5]", "[ink|pen]"],
)
def test_what_only_looks_alike_does_not_count(written: str) -> None:
    assert merge(f"apple, {written}", PREFIX).added == ("ink drawing",)


def test_duplicates_in_the_prompt_itself_are_removed_and_told() -> None:
    merged = merge("Red Apple, cat, red  apple, (cat:1.2), BREAK, dog, BREAK, fox", PREFIX)
    assert merged.text == "ink drawing, Red Apple, cat, BREAK, dog, BREAK, fox"
    assert merged.removed == ("red  apple", "(cat:1.2)")


def test_escaped_brackets_are_letters() -> None:
    assert keys("saber \\(fate\\)") == {"saber (fate)"}
    assert keys("saber (fate)") == {"saber fate"}
    assert keys("(saber \\(fate\\):1.2)") == {"saber (fate)"}
    assert split("a \\(b, c\\), d") == ["a \\(b", "c\\)", "d"]


def test_commas_in_brackets_and_full_width_commas() -> None:
    assert split("(a, b:1.2), c，d、e") == ["(a, b:1.2)", "c", "d", "e"]


def test_brackets_that_do_not_close_break_nothing() -> None:
    assert split("smile :(, apple") == ["smile :(", "apple"]
    assert split("smile :), apple") == ["smile :)", "apple"]
    assert merge("smile :(, apple", PREFIX).text == "ink drawing, smile :(, apple"


def test_the_negative_prompt_is_merged_behind() -> None:
    assert merge_negative("blurry, Photo", INK).text == "blurry, Photo, colour"
    assert merge_negative("", INK).text == "colour, photo"
    assert merge_negative("blurry", PREFIX).text == "blurry"


def test_a_style_is_taken_out_again_but_not_what_was_weighted_by_hand() -> None:
    assert without("inkstyle, apple, ink drawing, bold lines", INK).text == "apple"
    assert without("apple, (ink drawing:1.4)", INK).text == "apple, (ink drawing:1.4)"
    assert without(merge("apple", JOINED).text, JOINED).text == "apple"


# ------------------------------------------------------------------ properties

WORDS = st.sampled_from(
    ["cat", "red apple", "Ink Drawing", "ink_drawing", "bold lines", "inkstyle", "oil", "of", "a",
     "a painting of", "in oil", "museum piece", "BREAK", "猫", "st\\(art\\)", "<lora:x:1>"]
)  # fmt: skip
WEIGHTED = st.one_of(
    WORDS,
    WORDS.map(lambda word: f"({word}:1.2)"),
    WORDS.map(lambda word: f"[{word}]"),
    st.tuples(WORDS, WORDS).map(lambda two: f"({two[0]}, {two[1]}:0.9)"),
)
WRITTEN = st.lists(WEIGHTED, max_size=5).map(", ".join)
PROMPTS = st.one_of(
    WRITTEN,
    st.tuples(WRITTEN, st.sampled_from([":(", "a) b", "[", "<3"])).map(", ".join),
    st.text("ab ,()[]:1.\\{}<>", max_size=30),
)
TEMPLATES = st.one_of(
    st.sampled_from([INK, PREFIX, JOINED]),
    st.builds(
        Template,
        st.tuples(WRITTEN, st.sampled_from([", ", " ", ""]), WRITTEN).map(
            lambda t: f"{t[0]}{t[1]}{{prompt}}{t[1]}{t[2]}"
        ),
        st.lists(WORDS, max_size=3).map(tuple),
        WRITTEN,
    ),
)


def said(prompt: str) -> set[str]:
    return set().union(*(keys(phrase) for phrase in split(prompt)))


@given(PROMPTS, TEMPLATES)
def test_merging_twice_is_merging_once(prompt: str, template: Template) -> None:
    once = merge(prompt, template).text
    assert merge(once, template).text == once
    negative = merge_negative(prompt, template).text
    assert merge_negative(negative, template).text == negative


@given(PROMPTS, st.sampled_from([INK, PREFIX]))
def test_nothing_that_was_said_is_lost_and_nothing_is_said_twice(
    prompt: str, template: Template
) -> None:
    merged = merge(prompt, template)
    assert said(prompt) <= said(merged.text)
    if merged.added:
        plain = [same(p) for p in split(merged.text) if p not in KEPT and keys(p) == {same(p)}]
        assert len(plain) == len(set(plain))


@given(PROMPTS, TEMPLATES, TEMPLATES)
def test_switching_back_and_forth_piles_nothing_up(
    prompt: str, one: Template, other: Template
) -> None:
    def round_trip(text: str) -> str:
        return merge(merge(text, one).text, other).text

    settled = round_trip(prompt)
    assert round_trip(settled) == settled


@given(st.lists(st.sampled_from(["cat", "red apple", "(fox:1.2)", "猫"]), unique=True))
def test_taking_the_former_style_out_gives_what_the_other_makes_of_the_prompt(
    words: list[str],
) -> None:
    prompt = ", ".join(words)
    for one in (INK, PREFIX, JOINED):
        for other in (INK, PREFIX, JOINED):
            switched = merge(without(merge(prompt, one).text, one).text, other).text
            assert switched == merge(prompt, other).text
