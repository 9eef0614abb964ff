"""The contact sheet: one row a prompt, one group of columns a style, alpha rising to the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

PAPER = (250, 249, 246)
INK = (32, 33, 36)
QUIET = (128, 126, 120)
RULE = (214, 211, 203)

MARGIN, GAP, GROUP_GAP = 96, 8, 40
TITLE_PX, TEXT_PX, HEAD_PX, SMALL_PX = 92, 46, 50, 38
HEAD_HEIGHT, LABEL_GAP = 158, 44


@dataclass(frozen=True)
class Group:
    """A style's columns, by the heads that stand over them (one without text for no style)."""

    title: str
    columns: Sequence[str]


@dataclass(frozen=True)
class Sheet:
    """`cells[row][column]` are encoded pictures; columns run through all groups.

    `cell` is the side of a picture on the sheet, pixels.
    """

    title: str
    subtitle: str
    footer: str
    groups: Sequence[Group]
    rows: Sequence[str]
    cells: Sequence[Sequence[bytes]]
    cell: int = 256


Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def font(size: int) -> Font:
    """The typeface that Pillow brings along, so that the sheet looks the same everywhere."""
    return ImageFont.load_default(size)


def draw_sheet(sheet: Sheet) -> Image.Image:
    """The sheet as one RGB picture."""
    label_width = round(max(font(TEXT_PX).getlength(row) for row in sheet.rows)) + LABEL_GAP
    starts = column_starts(sheet, MARGIN + label_width)
    top = MARGIN + TITLE_PX + TEXT_PX + 72 + HEAD_HEIGHT
    bottom = top + len(sheet.rows) * (sheet.cell + GAP) - GAP
    width = starts[-1][-1] + sheet.cell + MARGIN
    paper = Image.new("RGB", (width, bottom + 44 + SMALL_PX + MARGIN), PAPER)
    pen = ImageDraw.Draw(paper)
    pen.text((MARGIN, MARGIN), sheet.title, INK, font(TITLE_PX))
    pen.text((MARGIN, MARGIN + TITLE_PX + 28), sheet.subtitle, QUIET, font(TEXT_PX))
    draw_heads(pen, sheet, starts, top)
    draw_rows(paper, pen, sheet, starts, top)
    pen.text((MARGIN, bottom + 44), sheet.footer, QUIET, font(SMALL_PX))
    return paper


def column_starts(sheet: Sheet, left: int) -> list[list[int]]:
    """The left edge of each column, by group."""
    starts: list[list[int]] = []
    for group in sheet.groups:
        starts.append([left + i * (sheet.cell + GAP) for i in range(len(group.columns))])
        left = starts[-1][-1] + sheet.cell + GROUP_GAP
    return starts


def draw_heads(pen: ImageDraw.ImageDraw, sheet: Sheet, starts: list[list[int]], top: int) -> None:
    for group, edges in zip(sheet.groups, starts, strict=True):
        right = edges[-1] + sheet.cell
        pen.text((edges[0], top - HEAD_HEIGHT), group.title, INK, font(HEAD_PX))
        pen.line((edges[0], top - 80, right, top - 80), RULE, 2)
        for head, edge in zip(group.columns, edges, strict=True):
            pen.text((edge, top - 62), head, QUIET, font(SMALL_PX))


def draw_rows(
    paper: Image.Image,
    pen: ImageDraw.ImageDraw,
    sheet: Sheet,
    starts: list[list[int]],
    top: int,
) -> None:
    edges = [edge for group in starts for edge in group]
    for row, (label, cells) in enumerate(zip(sheet.rows, sheet.cells, strict=True)):
        y = top + row * (sheet.cell + GAP)
        pen.text((MARGIN, y + sheet.cell // 2), label, INK, font(TEXT_PX), anchor="lm")
        for edge, data in zip(edges, cells, strict=True):
            paper.paste(cell_picture(data, sheet.cell), (edge, y))


def cell_picture(data: bytes, side: int) -> Image.Image:
    """The encoded picture at the size of a cell."""
    with Image.open(BytesIO(data)) as picture:
        return picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
