import random

import pytest

from starter.subjects import (
    COLOURLESS_NAMES,
    HELD_OUT,
    NAMES,
    OTHER_NAMES,
    SUBJECTS,
    caption,
    colour_name,
    name_of,
    names_of,
    with_article,
)


def test_there_are_at_least_150_different_subjects() -> None:
    assert len(SUBJECTS) == len(set(SUBJECTS)) >= 150


def test_every_table_speaks_of_known_subjects() -> None:
    for table in (NAMES, OTHER_NAMES, COLOURLESS_NAMES):
        assert set(table) <= set(SUBJECTS)
    assert set(HELD_OUT) <= set(SUBJECTS)


def test_no_name_stands_for_two_subjects() -> None:
    names = [name for subject in SUBJECTS for name in names_of(subject)]
    assert len(names) == len(set(names))


def test_a_caption_holds_one_of_the_names() -> None:
    rng = random.Random(1)
    for subject in SUBJECTS:
        text = caption(subject, rng)
        assert any(name in text for name in names_of(subject))


def test_a_recoloured_picture_is_captioned_with_its_colour() -> None:
    rng = random.Random(2)
    assert all("blue apple" in caption("red-apple", rng, "blue") for _ in range(20))


def test_captions_repeat_with_the_seed() -> None:
    one, two = random.Random(3), random.Random(3)
    assert [caption("cat-face", one) for _ in range(9)] == [
        caption("cat-face", two) for _ in range(9)
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("a owl", "an owl"), ("a picture of a apple", "a picture of an apple"), ("a cat", "a cat")],
)
def test_articles_before_vowels(text: str, wanted: str) -> None:
    assert with_article(text) == wanted


def test_everyday_names() -> None:
    assert name_of("automobile") == "car"
    assert colour_name("red-apple", "green") == "green apple"
    assert colour_name("cat-face", "blue") == "blue cat face"
