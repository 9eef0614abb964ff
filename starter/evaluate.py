"""`python -m starter evaluate`: figures for the base model and for style LoRAs.

The judge is the small classifier, which was trained on augmented original art only. Seeds are ones
that no grid uses.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline

from starter.art import STYLES, Art
from starter.classifier import LOOKS, Judge
from starter.colour import COLOURS
from starter.generate import ASSET, GUIDANCE, STEPS, generate, load_pipeline
from starter.subjects import HELD_OUT, SUBJECTS, colour_name, name_of

SEEDS: tuple[int, ...] = (1001, 1002, 1003)
LORA_SEEDS: tuple[int, ...] = (2001, 2002)
ALPHAS: tuple[float, ...] = (0.0, 0.35, 0.7, 1.0)
COLOURED_SUBJECTS: tuple[str, ...] = (
    "red-apple", "cat-face", "automobile", "rose", "fish", "balloon", "elephant", "umbrella",
    "t-shirt", "star", "t-rex", "house",
)  # fmt: skip


def corner_whiteness(pictures: np.ndarray) -> np.ndarray:
    """Mean (0..255) of each of the four 6x6 corners of each picture: (N, 4)."""
    corners = [
        pictures[:, y, x].reshape(len(pictures), -1).mean(1)
        for y in (slice(0, 6), slice(-6, None))
        for x in (slice(0, 6), slice(-6, None))
    ]
    return np.stack(corners, 1)


def hue_of(picture: np.ndarray) -> tuple[float, float] | None:
    """Mean hue (0..1) and lightness of the coloured pixels, None if there are hardly any."""
    rgb = picture.reshape(-1, 3).astype(np.float32) / 255
    high, low = rgb.max(1), rgb.min(1)
    strong = rgb[(high - low) > 0.25]
    if len(strong) < 200:
        return None
    red, green, blue = strong.T
    angle = np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)
    bins = np.histogram(angle, bins=48, range=(-np.pi, np.pi))[0]
    smooth = bins + np.roll(bins, 1) + np.roll(bins, -1)
    centre = -np.pi + (smooth.argmax() + 0.5) * 2 * np.pi / 48
    near = np.abs(np.angle(np.exp(1j * (angle - centre)))) < 0.5
    hue = np.angle(np.exp(1j * angle[near]).mean()) / (2 * np.pi) % 1
    light = (strong[near].max(1) + strong[near].min(1)).mean() / 2
    return float(hue), float(light)


def colour_of(picture: np.ndarray) -> str | None:
    """The colour word nearest to a picture's commonest hue."""
    found = hue_of(picture)
    if found is None:
        return None

    def distance(word: str) -> float:
        hue, _, lightness = COLOURS[word]
        around = abs((found[0] - hue + 0.5) % 1 - 0.5)
        return around + 0.25 * abs(found[1] - lightness)

    return min(COLOURS, key=distance)


def mean_colour(pictures: np.ndarray) -> np.ndarray:
    """Mean RGB of the pixels that are not background, per picture."""
    result = []
    for picture in pictures:
        pixels = picture.reshape(-1, 3).astype(np.float32)
        drawn = pixels[pixels.min(1) < 235]
        result.append(drawn.mean(0) if len(drawn) else np.full(3, 255.0))
    return np.array(result)


def evaluate_subjects(pipeline: StableDiffusionPipeline, judge: Judge) -> dict[str, Any]:
    """Recognition of every subject on three seeds, whiteness, variety."""
    prompts = [name_of(subject) for subject in SUBJECTS for _ in SEEDS]
    pictures = generate(pipeline, prompts, list(SEEDS) * len(SUBJECTS))
    by_subject, by_look = judge(pictures)
    guesses = by_subject.argmax(1).reshape(len(SUBJECTS), len(SEEDS))
    right = guesses == np.arange(len(SUBJECTS))[:, None]
    missed = {
        subject: [SUBJECTS[g] for g, ok in zip(guesses[i], right[i], strict=True) if not ok]
        for i, subject in enumerate(SUBJECTS)
        if not right[i].all()
    }
    white = corner_whiteness(pictures)
    trios = pictures.reshape(len(SUBJECTS), len(SEEDS), *pictures.shape[1:]).astype(np.float32)
    variety = np.abs(trios - np.roll(trios, 1, 1)).mean((1, 2, 3, 4))
    return {
        "pictures": len(pictures),
        "recognised": round(float(right.mean()), 4),
        "subjects_recognised_mostly": int((right.sum(1) >= 2).sum()),
        "subjects_always_missed": [s for s, r in zip(SUBJECTS, right, strict=True) if not r.any()],
        "missed": missed,
        "flat_style": round(float((by_look.argmax(1) == 0).mean()), 4),
        "corners_above_247": round(float((white >= 247).mean()), 4),
        "corner_median": round(float(np.median(white)), 1),
        "seed_difference_median": round(float(np.median(variety)), 1),
        "mean_colours": mean_colour(pictures).round(1).tolist(),
    }


def background_of_art(art: Art) -> dict[str, float]:
    """The same corner figures for the original art, whose drawings fill some corners."""
    white = corner_whiteness(np.stack([art[f"{subject}|flat"] for subject in SUBJECTS]))
    return {
        "corners_above_247": round(float((white >= 247).mean()), 4),
        "corner_median": round(float(np.median(white)), 1),
    }


def evaluate_own_colours(result: dict[str, Any], art: Art) -> dict[str, Any]:
    """Distance between the mean colour of the drawings and of the original art."""
    made = np.array(result["mean_colours"]).reshape(len(SUBJECTS), len(SEEDS), 3).mean(1)
    wanted = mean_colour(np.stack([art[f"{subject}|flat"] for subject in SUBJECTS]))
    distance = np.abs(made - wanted).mean(1)
    worst = sorted(zip(distance.round(1).tolist(), SUBJECTS, strict=True), reverse=True)[:6]
    return {"median_distance": round(float(np.median(distance)), 1), "worst": worst}


def evaluate_colour_words(pipeline: StableDiffusionPipeline, judge: Judge) -> dict[str, Any]:
    """Whether a colour word gives that colour, and whether the subject stays."""
    pairs = [(s, c) for s in COLOURED_SUBJECTS for c in COLOURS]
    prompts = [colour_name(subject, colour) for subject, colour in pairs]
    pictures = generate(pipeline, prompts, [3001 + i for i in range(len(pairs))])
    guesses = judge(pictures)[0].argmax(1)
    right_subject = [SUBJECTS[g] == s for g, (s, _) in zip(guesses, pairs, strict=True)]
    found = [colour_of(picture) for picture in pictures]
    right_colour = [f == c for f, (_, c) in zip(found, pairs, strict=True)]
    return {
        "pictures": len(pairs),
        "colour": round(float(np.mean(right_colour)), 3),
        "subject": round(float(np.mean(right_subject)), 3),
        "both": round(float(np.mean(np.array(right_colour) & np.array(right_subject))), 3),
        "by_colour": {
            c: round(float(np.mean([r for r, p in zip(right_colour, pairs, strict=True)
                                    if p[1] == c])), 2)
            for c in COLOURS
        },
    }  # fmt: skip


def seconds_per_picture(pipeline: StableDiffusionPipeline) -> dict[str, float]:
    """Median seconds for one picture, batch 1, for 10, 12 and 14 steps."""
    result = {}
    for steps in (10, 12, 14):
        times = []
        for seed in range(5):
            start = time.perf_counter()
            generate(pipeline, ["red apple"], [seed], steps)
            times.append(time.perf_counter() - start)
        result[str(steps)] = round(float(np.median(times)), 3)
    return result


def judge_on_art(judge: Judge, art: Art) -> dict[str, float]:
    """How good the judge itself is, on the clean original art."""
    result = {}
    for look in LOOKS:
        pictures = np.stack([art[f"{subject}|{look}"] for subject in SUBJECTS])
        by_subject, by_look = judge(pictures)
        right = by_subject.argmax(1) == np.arange(len(SUBJECTS))
        result[look] = round(float(right.mean()), 3)
        result[f"{look} look"] = round(float((by_look.argmax(1) == LOOKS.index(look)).mean()), 3)
    return result


def evaluate_base(model: Path, work: Path | None) -> dict[str, Any]:
    """All figures of the base model; those that compare with the art need the work folder."""
    pipeline, judge = load_pipeline(model), Judge()
    subjects = evaluate_subjects(pipeline, judge)
    report: dict[str, Any] = {"steps": STEPS, "guidance": GUIDANCE, "subjects": subjects}
    if work is not None:
        report["own_colours"] = evaluate_own_colours(subjects, Art(work))
        report["background_of_art"] = background_of_art(Art(work))
        report["judge"] = judge_on_art(judge, Art(work))
    del subjects["mean_colours"]
    report["colour_words"] = evaluate_colour_words(pipeline, judge)
    report["threads"] = torch.get_num_threads()
    report["seconds_per_picture"] = seconds_per_picture(pipeline)
    return report


def style_named(stem: str) -> str:
    """The style in a LoRA's file name: `ink-v2` -> `ink`."""
    found = [style for style in STYLES if style in stem]
    if not found:
        raise ValueError(f"{stem}: no style in the name, expected one of {', '.join(STYLES)}")
    return max(found, key=len)


def evaluate_lora(
    pipeline: StableDiffusionPipeline, judge: Judge, path: Path
) -> list[dict[str, Any]]:
    """A row per alpha: subject recognition and style share, seen and held-out subjects apart."""
    style = style_named(path.stem)
    groups = {"seen": [s for s in SUBJECTS if s not in HELD_OUT][::12], "held_out": list(HELD_OUT)}
    pipeline.load_lora_weights(path.parent, weight_name=path.name, adapter_name="judged")
    rows = []
    for alpha in ALPHAS:
        pipeline.set_adapters(["judged"], [alpha])
        row: dict[str, Any] = {"lora": path.stem, "style": style, "alpha": alpha}
        for group, subjects in groups.items():
            prompts = [name_of(subject) for subject in subjects for _ in LORA_SEEDS]
            pictures = generate(pipeline, prompts, list(LORA_SEEDS) * len(subjects))
            by_subject, by_look = judge(pictures)
            wanted = np.repeat([SUBJECTS.index(s) for s in subjects], len(LORA_SEEDS))
            right = by_subject.argmax(1) == wanted
            score = by_look[:, LOOKS.index(style)]
            row[group] = {
                "subject": round(float(right.mean()), 3),
                "style": round(float((by_look.argmax(1) == LOOKS.index(style)).mean()), 3),
                "style_score": round(float(score.mean()), 3),
                "missed": sorted({s for s, ok in zip(np.repeat(subjects, len(LORA_SEEDS)).tolist(),
                                                     right, strict=True) if not ok}),
            }  # fmt: skip
        rows.append(row)
        print(
            f"{path.stem:12} alpha {alpha:.2f}  "
            + "  ".join(f"{g}: subject {row[g]['subject']:.2f} style {row[g]['style']:.2f} "
                        f"({row[g]['style_score']:.2f})" for g in groups),
            flush=True,
        )  # fmt: skip
    pipeline.delete_adapters(["judged"])
    return rows


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m starter evaluate", description=__doc__)
    parser.add_argument("--model", type=Path, default=ASSET, help="pipeline folder")
    parser.add_argument("--loras", type=Path, help="folder of LoRA files; without it: base model")
    parser.add_argument("--work", type=Path, help="work folder with the art (base model only)")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args(arguments)
    if options.loras:
        pipeline, judge = load_pipeline(options.model), Judge()
        paths = sorted(options.loras.glob("*.safetensors"))
        report: Any = [row for path in paths for row in evaluate_lora(pipeline, judge, path)]
    else:
        report = evaluate_base(options.model, options.work)
        print(json.dumps(report, indent=1))
    if options.out:
        options.out.write_text(json.dumps(report, indent=1) + "\n")
