"""`python -m starter grids`: contact sheets of a finished pipeline, for the eye."""

from __future__ import annotations

import argparse
from pathlib import Path

from starter.generate import ASSET, generate, grid, load_pipeline
from starter.subjects import SUBJECTS, name_of

THIRTY: tuple[str, ...] = (
    "red apple", "cat face", "rocket", "sun", "pizza", "butterfly",
    "house", "tree", "car", "airplane", "rose", "robot",
    "hamburger", "dog face", "umbrella", "strawberry", "octopus", "castle",
    "pineapple", "watermelon", "birthday cake", "panda", "unicorn", "honeybee",
    "train", "bicycle", "palm tree", "camera", "jack-o-lantern", "penguin",
)  # fmt: skip
COLOURED: tuple[str, ...] = (
    "blue apple", "green cat face", "pink car", "purple tree", "yellow rose", "orange fish",
    "red house", "blue dog face", "green heart", "pink elephant", "yellow balloon", "red t-shirt",
    "purple star", "blue strawberry", "orange butterfly", "green robot", "pink umbrella",
    "red dinosaur",
)  # fmt: skip
FIVE_SEEDS: tuple[str, ...] = (
    "cat face", "car", "rose", "castle", "fish", "robot", "hamburger", "rocket",
)  # fmt: skip


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m starter grids", description=__doc__)
    parser.add_argument("--model", type=Path, default=ASSET)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--guidance", type=float, default=2.5)
    parser.add_argument("--steps", type=int, default=14)
    parser.add_argument("--only", choices=["thirty", "all", "coloured", "seeds"])
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    names = [name_of(subject) for subject in SUBJECTS]
    sheets: dict[str, tuple[list[str], list[int], int]] = {
        "thirty": (list(THIRTY), list(range(100, 130)), 6),
        "all": (names, list(range(100, 100 + len(names))), 14),
        "coloured": (list(COLOURED), list(range(300, 300 + len(COLOURED))), 6),
        "seeds": (
            [prompt for prompt in FIVE_SEEDS for _ in range(6)],
            [400 + i for _ in FIVE_SEEDS for i in range(6)],
            6,
        ),
    }
    pipeline = load_pipeline(options.model)
    for name, (prompts, seeds, columns) in sheets.items():
        if options.only in (None, name):
            made = generate(pipeline, prompts, seeds, options.steps, options.guidance)
            grid(made, columns).save(options.out / f"{name}.png")
            print(options.out / f"{name}.png", flush=True)
