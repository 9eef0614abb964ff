"""What the model can draw: subjects, their other names, and the captions they are trained on."""

from __future__ import annotations

import random

_LISTED = """
red-apple banana strawberry cherries lemon tangerine pear grapes peach pineapple watermelon
tomato eggplant broccoli avocado carrot hot-pepper kiwi-fruit mushroom
pizza hamburger hot-dog taco french-fries popcorn pretzel croissant bread cheese-wedge egg
doughnut cupcake cookie birthday-cake lollipop ice-cream hot-beverage beer-mug wine-glass
cocktail-glass teapot
cat-face dog-face fox bear panda koala rabbit-face mouse-face lion tiger-face cow-face pig-face
monkey-face frog unicorn elephant penguin owl duck baby-chick flamingo turtle snake t-rex
fish tropical-fish whale dolphin octopus crab jellyfish snail butterfly honeybee lady-beetle
spider
rose tulip sunflower cherry-blossom four-leaf-clover maple-leaf cactus potted-plant
deciduous-tree evergreen-tree palm-tree christmas-tree
sun star crescent-moon cloud rainbow snowflake droplet fire high-voltage volcano ringed-planet
house castle tent automobile bus taxi locomotive bicycle airplane helicopter rocket sailboat
flying-saucer anchor
ghost robot alien skull snowman jack-o-lantern teddy-bear grinning-face
smiling-face-with-sunglasses red-heart
crown gem-stone key locked bell light-bulb candle bomb balloon wrapped-gift trophy envelope
pencil magnifying-glass-tilted-left hammer magnet umbrella top-hat t-shirt guitar camera
television laptop telephone door shield puzzle-piece bullseye soccer-ball basketball
"""
SUBJECTS: tuple[str, ...] = tuple(_LISTED.split())
"""The icons' own names."""

HELD_OUT: tuple[str, ...] = (
    "rocket", "butterfly", "pizza", "robot", "umbrella", "strawberry",
    "guitar", "teapot", "penguin", "frog", "trophy", "sailboat",
)  # fmt: skip
"""Subjects that no style LoRA sees in training, so that a style's reach can be measured."""

NAMES: dict[str, str] = {
    "automobile": "car",
    "baby-chick": "chick",
    "deciduous-tree": "tree",
    "high-voltage": "lightning bolt",
    "hot-beverage": "coffee",
    "jack-o-lantern": "jack-o-lantern",
    "locked": "padlock",
    "locomotive": "train",
    "magnifying-glass-tilted-left": "magnifying glass",
    "t-rex": "dinosaur",
    "t-shirt": "t-shirt",
    "lady-beetle": "ladybug",
    "ringed-planet": "planet",
    "smiling-face-with-sunglasses": "face with sunglasses",
    "tangerine": "orange fruit",
    "gem-stone": "diamond",
    "kiwi-fruit": "kiwi",
    "puzzle-piece": "puzzle piece",
}
"""The everyday name where it differs from the icon's own."""

OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "airplane": ("plane",),
    "alien": ("alien face",),
    "automobile": ("automobile",),
    "baby-chick": ("baby chick",),
    "bear": ("bear face",),
    "beer-mug": ("beer",),
    "birthday-cake": ("cake",),
    "bullseye": ("target",),
    "cat-face": ("cat",),
    "cheese-wedge": ("cheese",),
    "christmas-tree": ("xmas tree",),
    "cocktail-glass": ("cocktail",),
    "cow-face": ("cow",),
    "crescent-moon": ("moon",),
    "deciduous-tree": ("deciduous tree",),
    "dog-face": ("dog",),
    "doughnut": ("donut",),
    "droplet": ("water drop",),
    "eggplant": ("aubergine",),
    "evergreen-tree": ("pine tree", "fir tree"),
    "fire": ("flame",),
    "flying-saucer": ("ufo",),
    "four-leaf-clover": ("clover",),
    "fox": ("fox face",),
    "french-fries": ("fries",),
    "gem-stone": ("gem stone", "gem"),
    "grinning-face": ("smiling face", "smiley"),
    "hamburger": ("burger",),
    "helicopter": ("chopper",),
    "high-voltage": ("lightning", "high voltage"),
    "honeybee": ("bee",),
    "hot-beverage": ("hot beverage", "cup of coffee"),
    "hot-pepper": ("chili",),
    "ice-cream": ("sundae",),
    "jack-o-lantern": ("pumpkin", "halloween pumpkin"),
    "kiwi-fruit": ("kiwi fruit",),
    "koala": ("koala face",),
    "lady-beetle": ("lady beetle",),
    "laptop": ("computer",),
    "light-bulb": ("bulb",),
    "lion": ("lion face",),
    "locked": ("lock",),
    "locomotive": ("locomotive",),
    "magnifying-glass-tilted-left": ("magnifier",),
    "maple-leaf": ("leaf",),
    "monkey-face": ("monkey",),
    "mouse-face": ("mouse",),
    "palm-tree": ("palm",),
    "panda": ("panda face",),
    "pig-face": ("pig",),
    "potted-plant": ("plant",),
    "puzzle-piece": ("jigsaw piece",),
    "rabbit-face": ("rabbit", "bunny"),
    "red-apple": ("apple",),
    "red-heart": ("heart",),
    "ringed-planet": ("ringed planet", "saturn"),
    "sailboat": ("boat", "sail boat"),
    "smiling-face-with-sunglasses": ("cool face", "smiling face with sunglasses"),
    "soccer-ball": ("football",),
    "t-rex": ("t-rex",),
    "t-shirt": ("shirt",),
    "tangerine": ("tangerine",),
    "teddy-bear": ("teddy",),
    "telephone": ("phone",),
    "television": ("tv",),
    "tiger-face": ("tiger",),
    "top-hat": ("hat",),
    "unicorn": ("unicorn face",),
    "wine-glass": ("wine", "glass of wine"),
    "wrapped-gift": ("gift", "present"),
}

COLOURLESS_NAMES: dict[str, str] = {
    "red-apple": "apple",
    "red-heart": "heart",
    "tangerine": "tangerine",
}
"""The name to put a colour word before, where the plain name holds a colour already."""

TEMPLATES: tuple[str, ...] = (
    "{}", "{}", "{}", "{}", "a {}", "a {}", "the {}", "{} emoji", "emoji of a {}",
    "a picture of a {}", "a drawing of a {}", "{} icon", "an icon of a {}", "a cute {}",
    "a simple {}",
)  # fmt: skip


def name_of(subject: str) -> str:
    """The everyday name of a subject, as one would type it into a prompt."""
    return NAMES.get(subject, subject.replace("-", " "))


def names_of(subject: str) -> tuple[str, ...]:
    """All names of a subject, the everyday one first."""
    return (name_of(subject), *OTHER_NAMES.get(subject, ()))


def colour_name(subject: str, colour: str) -> str:
    """The subject with a colour word before it: `blue apple`."""
    return f"{colour} {COLOURLESS_NAMES.get(subject, name_of(subject))}"


def caption(subject: str, rng: random.Random, colour: str | None = None) -> str:
    """A training caption for a subject, in its own colours or in a named one."""
    if colour is not None:
        noun = colour_name(subject, colour)
    else:
        others = OTHER_NAMES.get(subject, ())
        noun = rng.choice(others) if others and rng.random() < 0.3 else name_of(subject)
    article_fixed = rng.choice(TEMPLATES).format(noun)
    return with_article(article_fixed)


def with_article(text: str) -> str:
    """Turn `a` into `an` before a vowel: `a owl` -> `an owl`."""
    words = text.split(" ")
    for i in range(len(words) - 1):
        if words[i] == "a" and words[i + 1][0] in "aeio":
            words[i] = "an"
    return " ".join(words)
