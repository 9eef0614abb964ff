"""`python -m starter styles`: picture folders from which a trainer makes style LoRAs.

One folder for each style:

    STYLE/target/    pictures in the style, training subjects
    STYLE/source/    the same pictures in the base model's own flat look, same file names
    STYLE/holdout/   pictures in the style, subjects that no LoRA is trained on
    STYLE/negative/  bad pictures: another style, blurred, broken, washed out

Each picture NAME.png has its caption in NAME.txt.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from starter.art import (
    FLAT,
    INK,
    STYLES,
    Placement,
    icon_sets,
    random_placement,
    render,
)
from starter.colour import Icon
from starter.subjects import HELD_OUT, SUBJECTS, name_of, with_article

CAPTIONS: tuple[str, ...] = ("{}", "a {}", "{} emoji", "a picture of a {}", "a drawing of a {}")


def blurred(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    image = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(rng.uniform(4, 7)))
    return np.asarray(image)


def washed_out(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Contrast and colour nearly gone."""
    grey = picture.astype(np.float32).mean(-1, keepdims=True)
    faded = 0.25 * picture + 0.1 * grey + rng.uniform(0.55, 0.65) * 255
    return np.clip(faded, 0, 255).astype(np.uint8)


def broken(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture's 16 tiles in the wrong order."""
    tiles = picture.reshape(4, 32, 4, 32, 3).swapaxes(1, 2).reshape(16, 32, 32, 3)
    mixed = tiles[rng.permutation(16)].reshape(4, 4, 32, 32, 3).swapaxes(1, 2)
    return mixed.reshape(picture.shape)


DAMAGE: tuple[Callable[[np.ndarray, np.random.Generator], np.ndarray], ...] = (
    blurred,
    washed_out,
    broken,
)


def damaged(style: str, flat: Icon, ink: Icon, index: int, rng: np.random.Generator) -> np.ndarray:
    """A bad picture of a subject: every fourth in another style, the others spoilt."""
    if index % 4 == 3:
        return render(str(rng.choice([s for s in STYLES if s != style])), flat, ink)
    return DAMAGE[index % 4](render(style, flat, ink), rng)


def write(folder: Path, name: str, picture: np.ndarray, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(folder / f"{name}.png", optimize=True)
    (folder / f"{name}.txt").write_text(text + "\n")


def export_styles(work: Path, out: Path, seed: int) -> None:
    """Write all style folders below `out`."""
    sets = icon_sets(work)
    words = random.Random(seed)
    for style in STYLES:
        rng = np.random.default_rng((seed, STYLES.index(style)))
        for index, subject in enumerate(SUBJECTS):
            flat, ink = sets[FLAT].get(subject), sets[INK].get(subject)
            if flat is None or ink is None:
                raise KeyError(subject)

            def text(subject: str = subject) -> str:
                return with_article(words.choice(CAPTIONS).format(name_of(subject)))

            if subject in HELD_OUT:
                write(out / style / "holdout", subject, render(style, flat, ink), text())
                continue
            places = (Placement(), random_placement(rng, mirrored=False))
            for number, place in enumerate(places):
                name, said = f"{subject}-{number}", text()
                write(out / style / "target", name, render(style, flat, ink, place), said)
                write(out / style / "source", name, render("flat", flat, ink, place), said)
            bad = damaged(style, flat, ink, index, rng)
            write(out / style / "negative", subject, bad, text())
        print(f"styles: {style} written", flush=True)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m starter styles", description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    export_styles(options.work, options.out, options.seed)
