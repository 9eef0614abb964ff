"""The training pictures: open emoji art, rasterised, recoloured and restyled.

Three npm packages at pinned versions are the only source. Each picture is a 128x128 RGB raster with
a key `subject|variant`; all of them lie in one memory-mapped array (`art.npy`, `art.json`).
"""

from __future__ import annotations

import colorsys
import io
import json
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image, ImageFilter

from starter.colour import COLOURS, HEX, Icon, colour_word, hex_to_hls, recolour, same_family
from starter.subjects import SUBJECTS

SIZE = 128
FLAT, INK, NOTO = "fluent-emoji-flat", "fluent-emoji-high-contrast", "noto"

PACKAGES: dict[str, tuple[str, str]] = {
    FLAT: (
        "1.2.6",
        "sha512-RY47RgPb47fYUiyrA64sIOL0+UU02s29sXpNBbIQRBUlPlfNFTKUmZDERGuxDs/7yNGWqQYvuaSYM1M4fR"
        "XlUw==",
    ),
    INK: (
        "1.2.6",
        "sha512-esqhZPpkrF7sNX3NsLoh8KW64okEr/bzko7WNnFP+qTJGAqDPDYjp0925yxuivXy3HtVQB8xhIKu3+Nq1b"
        "yX5w==",
    ),
    NOTO: (
        "1.2.9",
        "sha512-DQiuXENbun41ch+XPSV55H9FaWKpHTyz46YIKtSaKYD4fIDDzL1tR6H4np/T38jfrTAeI3rcKF0mqHYeZV"
        "Auaw==",
    ),
}
"""npm package (scope @iconify-json) -> version and the registry's integrity value."""

LICENCES: dict[str, str] = {FLAT: "MIT", INK: "MIT", NOTO: "Apache-2.0"}

STYLES: tuple[str, ...] = ("ink", "night", "pixel", "sunset", "blueprint", "sticker")
JITTERED: tuple[str, ...] = ("j0", "j1", "j2", "j3", "j4", "j5")
"""Shifted and scaled copies; the odd ones are mirrored."""

SKIPPED = re.compile(r"skin|light$|dark$|medium|clock|flag|button|input-|thirty")
RGB = tuple[int, int, int]


@dataclass(frozen=True)
class Placement:
    """Where the icon lies on its square: `scale` > 1 makes it smaller, `x`, `y` are its offset."""

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    mirrored: bool = False


def fetch_packages(folder: Path) -> Path:
    """Install the pinned npm packages into `folder` and check integrity and licence of each."""
    modules = folder / "node_modules"
    wanted = [f"@iconify-json/{name}@{version}" for name, (version, _) in PACKAGES.items()]
    if not all((modules / "@iconify-json" / name / "icons.json").exists() for name in PACKAGES):
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *wanted],
            cwd=folder,
            check=True,
        )
    lock = json.loads((folder / "package-lock.json").read_text())["packages"]
    for name, (version, integrity) in PACKAGES.items():
        entry = lock[f"node_modules/@iconify-json/{name}"]
        if (entry["version"], entry["integrity"]) != (version, integrity):
            raise ValueError(f"{name}: not the pinned package {version}")
        licence = json.loads((modules / "@iconify-json" / name / "info.json").read_text())
        if licence["license"]["spdx"] != LICENCES[name]:
            raise ValueError(f"{name}: licence is not {LICENCES[name]}")
    return modules / "@iconify-json"


class IconSet:
    """The icons of one package, by name, aliases followed."""

    def __init__(self, folder: Path, name: str) -> None:
        self.data = json.loads((folder / name / "icons.json").read_text())

    def names(self) -> list[str]:
        return sorted(self.data["icons"])

    def get(self, name: str) -> Icon | None:
        alias = self.data.get("aliases", {}).get(name, {}).get("parent")
        entry = self.data["icons"].get(name) or self.data["icons"].get(alias)
        if entry is None:
            return None
        width = entry.get("width", self.data.get("width", 16))
        return Icon(entry["body"], width, entry.get("height", self.data.get("height", 16)))


def rasterise(icon: Icon, place: Placement | None = None) -> Image.Image:
    """Render an icon to a 128x128 RGBA image with a clear background."""
    place = place or Placement()
    box = (-place.x * icon.width, -place.y * icon.height)
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{box[0]} {box[1]} {icon.width * place.scale} {icon.height * place.scale}" '
        f'width="{SIZE}" height="{SIZE}">{icon.body}</svg>'
    )
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=SIZE, height=SIZE))
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if place.mirrored else image


def on_background(image: Image.Image, colour: RGB = (255, 255, 255)) -> np.ndarray:
    """Lay an RGBA image on a plain colour; returns uint8 RGB of shape (128, 128, 3)."""
    plain = Image.new("RGBA", image.size, (*colour, 255))
    plain.alpha_composite(image)
    return np.asarray(plain.convert("RGB"))


def main_colour(icon: Icon) -> tuple[str, float] | None:
    """The fill that covers most of the icon, and the share of the icon that its shades cover."""
    fills = sorted(set(HEX.findall(icon.body)))
    if not fills:
        return None
    image = np.asarray(rasterise(icon))
    pixels = image[image[..., 3] > 200][:, :3].astype(np.float32)
    if len(pixels) == 0:
        return None
    hls = [hex_to_hls(f) for f in fills]
    table = np.array([colorsys.hls_to_rgb(*c) for c in hls], np.float32) * 255
    nearest = ((pixels[:, None] - table[None]) ** 2).sum(-1).argmin(1)
    area = np.bincount(nearest, minlength=len(fills)) / len(pixels)
    family = np.array([sum(area[j] for j in range(len(fills)) if same_family(hls[j], hls[i]))
                       for i in range(len(fills))])  # fmt: skip
    allowed = [i for i in range(len(fills)) if hls[i][1] > 0.15]
    if not allowed:
        return None
    best = max(allowed, key=lambda i: area[i] + 0.3 * family[i])
    return fills[best], float(family[best])


# --- styles ---------------------------------------------------------------------------------------

SUNSET = np.array([[38, 20, 72], [150, 40, 110], [245, 120, 70], [255, 236, 190]], np.float32)
NAVY: RGB = (21, 42, 107)
COBALT: RGB = (24, 78, 180)
TEAL: RGB = (64, 196, 186)


def luminance(image: np.ndarray) -> np.ndarray:
    return image.astype(np.float32) @ np.array([0.3, 0.59, 0.11], np.float32) / 255


def sunset(flat: np.ndarray) -> np.ndarray:
    """Luminance mapped to a gradient of four colours: plum, wine, orange, cream."""
    level = luminance(flat) * 3
    low = np.clip(level.astype(int), 0, 2)
    mix = (level - low)[..., None]
    return (SUNSET[low] * (1 - mix) + SUNSET[low + 1] * mix).round().astype(np.uint8)


def pixel(flat: np.ndarray) -> np.ndarray:
    """A mosaic of 16x16 squares."""
    cells = flat.reshape(16, 8, 16, 8, 3).mean((1, 3)).round().astype(np.uint8)
    return cells.repeat(8, 0).repeat(8, 1)


def night(image: Image.Image) -> np.ndarray:
    """Flat art under moonlight: cooled, a little darkened, on deep navy."""
    pixels = np.asarray(image).astype(np.float32)
    cooled = pixels[..., :3] * np.array([0.72, 0.82, 1.0]) + np.array([0, 4, 22])
    rgba = np.concatenate([np.clip(cooled, 0, 255), pixels[..., 3:]], -1).round().astype(np.uint8)
    return on_background(Image.fromarray(rgba, "RGBA"), NAVY)


def blueprint(ink: np.ndarray) -> np.ndarray:
    """The bold ink drawing in near-white on cobalt."""
    level = luminance(ink)[..., None]
    paper, line = np.array(COBALT, np.float32), np.array([240, 247, 255], np.float32)
    return (paper * level + line * (1 - level)).round().astype(np.uint8)


def sticker(image: Image.Image) -> np.ndarray:
    """Flat art with a thick white rim and a soft shadow on teal."""
    small = Image.new("RGBA", image.size)
    inner = SIZE - 16
    small.paste(image.resize((inner, inner), Image.Resampling.LANCZOS), (8, 8))
    alpha = small.getchannel("A").point(lambda a: 255 if a > 96 else 0)
    rim = alpha.filter(ImageFilter.MaxFilter(11)).filter(ImageFilter.GaussianBlur(1.6))
    rim = rim.point(lambda a: min(255, max(0, (a - 96) * 4)))
    result = Image.new("RGBA", image.size, (*TEAL, 255))
    shade = Image.new("L", image.size)
    shade.paste(rim.filter(ImageFilter.GaussianBlur(2)).point(lambda a: a * 2 // 5), (2, 3))
    result.paste((16, 74, 78, 255), mask=shade)
    result.paste((255, 255, 255, 255), mask=rim)
    result.alpha_composite(small)
    return np.asarray(result.convert("RGB"))


def render(variant: str, flat: Icon, ink: Icon, place: Placement | None = None) -> np.ndarray:
    """One picture of a subject: `flat` or one of `STYLES`, at a place."""
    if variant in ("ink", "blueprint"):
        black = Icon(ink.body.replace("currentColor", "#111"), ink.width, ink.height)
        drawing = on_background(rasterise(black, place))
        return drawing if variant == "ink" else blueprint(drawing)
    image = rasterise(flat, place)
    if variant == "night":
        return night(image)
    if variant == "sticker":
        return sticker(image)
    plain = on_background(image)
    return {"flat": lambda a: a, "pixel": pixel, "sunset": sunset}[variant](plain)


def random_placement(rng: np.random.Generator, mirrored: bool) -> Placement:
    """A slight shift and shrinking that keeps the icon (almost) wholly inside the square."""
    scale = 1 + rng.uniform(0.02, 0.16)
    room = scale - 0.985
    return Placement(rng.uniform(-0.01, room), rng.uniform(-0.01, room), scale, mirrored)


# --- the collection -------------------------------------------------------------------------------


class Art:
    """All training pictures, memory-mapped: `art[key]` is uint8 of shape (128, 128, 3)."""

    def __init__(self, work: Path) -> None:
        index = json.loads((work / "art.json").read_text())
        self.keys: list[str] = index["keys"]
        self.main: dict[str, tuple[str, float]] = index["main"]
        self.pixels = np.load(work / "art.npy", mmap_mode="r")
        self.where = {key: i for i, key in enumerate(self.keys)}

    def __getitem__(self, key: str) -> np.ndarray:
        return self.pixels[self.where[key]]

    def __contains__(self, key: str) -> bool:
        return key in self.where


def recolourable(main: tuple[str, float] | None) -> bool:
    """Recolouring makes sense when the main colour covers enough of the subject."""
    return main is not None and main[1] >= 0.3


def icon_sets(work: Path) -> dict[str, IconSet]:
    folder = fetch_packages(work / "npm")
    return {name: IconSet(folder, name) for name in PACKAGES}


def build_art(work: Path, seed: int) -> None:
    """Rasterise everything once into `work/art.npy` (about 9000 pictures, a minute)."""
    if (work / "art.json").exists():
        return
    start = time.time()
    rng = np.random.default_rng(seed)
    sets = icon_sets(work)
    usable = [n for n in sets[FLAT].names() if sets[INK].get(n) and not SKIPPED.search(n)]
    pictures: dict[str, np.ndarray] = {}
    mains: dict[str, tuple[str, float]] = {}
    for name in sorted({*usable, *SUBJECTS}):
        flat, ink, noto = (sets[s].get(name) for s in (FLAT, INK, NOTO))
        if flat is None or ink is None:
            raise KeyError(name)
        pictures[f"{name}|flat"] = render("flat", flat, ink)
        wanted = STYLES if name in SUBJECTS else tuple(rng.choice(STYLES, 2, replace=False))
        for style in wanted:
            pictures[f"{name}|{style}"] = render(style, flat, ink)
        if noto:
            pictures[f"{name}|noto"] = on_background(rasterise(noto))
        if name not in SUBJECTS:
            continue
        for i, variant in enumerate(JITTERED):
            place = random_placement(rng, mirrored=i % 2 == 1)
            pictures[f"{name}|{variant}"] = render("flat", flat, ink, place)
        main = main_colour(flat)
        if main:
            mains[name] = main
        if main and recolourable(main):
            for colour in COLOURS:
                if colour != colour_word(main[0]):
                    painted = recolour(flat, main[0], colour)
                    pictures[f"{name}|{colour}"] = render("flat", painted, ink)
    np.save(work / "art.npy", np.stack(list(pictures.values())))
    (work / "art.json").write_text(json.dumps({"keys": list(pictures), "main": mains}))
    print(f"art: {len(pictures)} pictures in {time.time() - start:.0f} s", flush=True)
