"""A paper as PDF: one design for invoices and acts.

Drawing takes some tens of milliseconds and no more than one runs at a time: call it in a thread.
What people wrote is shown as it is; nothing in it is read as markup.
"""

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    HRFlowable,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from vestnik.domain.paper import ACT, Paper, Party
from vestnik.papers import wording as say

FONTS = Path(__file__).parent / "fonts"
PLAIN, BOLD = "VestnikSans", "VestnikSans-Bold"

MARGIN = 18 * mm
WIDTH = A4[0] - 2 * MARGIN
LABEL_WIDTH = 30 * mm
INK, PALE, RULE, SHADE = (HexColor(c) for c in ("#1b1f24", "#6a737d", "#c4cad1", "#f2f4f6"))

# A party's details must leave room for the rest: longer ones are cut.
DETAILS_MAX = 2_000
DETAIL_LINES_MAX = 30

_UNSEEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")

_drawing = Lock()


def draw(paper: Paper) -> bytes:
    """The octets of the PDF; the same paper always makes the same ones."""
    with _drawing:  # fonts keep their state of each document in common
        _register_fonts()
        file = BytesIO()
        document = BaseDocTemplate(
            file,
            pagesize=A4,
            title=say.title(paper).replace(say.NBSP, " "),
            author=_shown(paper.seller.name),
            lang=paper.language,
            invariant=1,
        )
        frame = Frame(
            MARGIN,
            MARGIN,
            WIDTH,
            A4[1] - 2 * MARGIN,
            leftPadding=0,
            rightPadding=0,
            topPadding=0,
            bottomPadding=0,
        )
        document.addPageTemplates([PageTemplate(frames=[frame])])
        document.build(_story(paper), canvasmaker=_numbered(paper))
        return file.getvalue()


@cache
def _register_fonts() -> None:
    pdfmetrics.registerFont(TTFont(PLAIN, FONTS / "DejaVuSans.ttf"))
    pdfmetrics.registerFont(TTFont(BOLD, FONTS / "DejaVuSans-Bold.ttf"))
    pdfmetrics.registerFontFamily(PLAIN, PLAIN, BOLD, PLAIN, BOLD)


def _style(size: float, **more: Any) -> ParagraphStyle:
    more = {"fontName": PLAIN, "leading": size * 1.4, "textColor": INK, **more}
    return ParagraphStyle(f"{size}{sorted(more)}", fontSize=size, splitLongWords=1, **more)


TITLE = _style(15, fontName=BOLD, leading=20)
SUBTITLE = _style(11, textColor=PALE, spaceAfter=1 * mm)
TEXT = _style(9.5)
STRONG = _style(9.5, fontName=BOLD)
NAME = _style(10, fontName=BOLD)
LABEL = _style(8.5, textColor=PALE, leading=14)
HEAD = _style(8.5, fontName=BOLD)
HEAD_RIGHT = _style(8.5, fontName=BOLD, alignment=TA_RIGHT)
RIGHT = _style(9.5, alignment=TA_RIGHT)
STRONG_RIGHT = _style(10, fontName=BOLD, alignment=TA_RIGHT)
SMALL = _style(7.5, textColor=PALE, alignment=TA_CENTER)


def _shown(text: str) -> str:
    """Text as a page can show it: without marks that only a screen or a terminal obeys."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4))


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    """A paragraph of somebody's words, lines as they are; nothing in them is markup."""
    return Paragraph(escape(_shown(text)).replace("\n", "<br/>"), style)


def _story(paper: Paper) -> list[Flowable]:
    words = say.wording(paper)
    story: list[Flowable] = [_paragraph(say.title(paper), TITLE)]
    if paper.month is not None:
        story.append(_paragraph(say.period(paper), SUBTITLE))
    story += [HRFlowable("100%", 1.6, color=INK, spaceBefore=2 * mm, spaceAfter=4 * mm)]
    story += [_parties(paper, words), Spacer(0, 5 * mm), _lines(paper, words), Spacer(0, 5 * mm)]
    story += [_paragraph(say.summary(paper), TEXT), _paragraph(say.in_words(paper), STRONG)]
    if words.confirmed:
        story += [Spacer(0, 4 * mm), _paragraph(words.confirmed, TEXT)]
    story += [
        KeepTogether(
            [
                HRFlowable("100%", 0.8, color=INK, spaceBefore=5 * mm, spaceAfter=9 * mm),
                _signatures(paper, words),
            ]
        )
    ]
    return story


def _parties(paper: Paper, words: say.Wording) -> Table:
    rows: list[list[Any]] = [
        [_paragraph(words.seller, LABEL), _party(paper.seller)],
        [_paragraph(words.buyer, LABEL), _party(paper.buyer)],
    ]
    if paper.contract:
        rows.append([_paragraph(words.contract, LABEL), [_paragraph(say.contract(paper), TEXT)]])
    table = Table(rows, colWidths=[LABEL_WIDTH, WIDTH - LABEL_WIDTH], splitInRow=1)
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 1.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
            ]
        )
    )
    return table


def _party(party: Party) -> list[Flowable]:
    cell: list[Flowable] = [_paragraph(party.name, NAME)]
    details = party.details.strip()
    lines = details[:DETAILS_MAX].splitlines()[:DETAIL_LINES_MAX]
    if "\n".join(lines) != "\n".join(details.splitlines()):
        lines.append("…")
    if lines:
        cell.append(_paragraph("\n".join(lines), TEXT))
    return cell


def _lines(paper: Paper, words: say.Wording) -> Table:
    """The table of services; an act, whose prices differ from message to message, has none."""
    language = paper.language
    priced = paper.kind != ACT
    sums = [say.figures(line.amount, language) for line in paper.lines]
    total = say.figures(paper.total, language)
    head = [
        _paragraph("№" if language == "ru" else "No.", HEAD),
        _paragraph(words.service, HEAD),
        _paragraph(words.quantity, HEAD_RIGHT),
        _paragraph(words.unit, HEAD),
        *([_paragraph(words.price, HEAD_RIGHT)] if priced else []),
        _paragraph(f"{words.amount}, {say.currency(paper)}", HEAD_RIGHT),
    ]
    rows = [head]
    for number, (line, amount) in enumerate(zip(paper.lines, sums, strict=True), 1):
        price = say.figures(line.amount // line.quantity, language) if priced else ""
        rows.append(
            [
                _paragraph(str(number), TEXT),
                _paragraph(line.service, TEXT),
                _paragraph(say.count(line.quantity, language), RIGHT),
                _paragraph(say.unit(line.unit, language), TEXT),
                *([_paragraph(price, RIGHT)] if priced else []),
                _paragraph(amount, RIGHT),
            ]
        )
    last = len(head) - 1
    sum_row: list[Any] = [""] * len(head)
    sum_row[last - 1], sum_row[last] = _paragraph(words.total, STRONG_RIGHT), ""
    sum_row[last] = _paragraph(total, STRONG_RIGHT)
    rows.append(sum_row)
    table = Table(rows, colWidths=_widths(sums, total, priced=priced), repeatRows=1, splitInRow=1)
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), SHADE),
                ("LINEABOVE", (0, 0), (-1, 0), 0.8, INK),
                ("LINEBELOW", (0, 0), (-1, -2), 0.5, RULE),
                ("LINEABOVE", (0, -1), (-1, -1), 0.8, INK),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 4),
                ("RIGHTPADDING", (0, 0), (-1, -1), 4),
                ("TOPPADDING", (0, 0), (-1, -1), 4),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
            ]
        )
    )
    return table


def _widths(sums: Sequence[str], total: str, *, priced: bool) -> list[float]:
    """Columns wide enough for their figures; the service has what is left."""
    widest = max(pdfmetrics.stringWidth(total, BOLD, 10), *(_wide(sum_) for sum_ in sums))
    money = max(30 * mm, widest + 10)
    fixed = [10 * mm, 20 * mm, 19 * mm, *([money] if priced else []), money]
    return [fixed[0], WIDTH - sum(fixed), *fixed[1:]]


def _wide(text: str) -> float:
    return float(pdfmetrics.stringWidth(text, PLAIN, 9.5))


def _signatures(paper: Paper, words: say.Wording) -> Table:
    """Who signs: the seller alone on an invoice, both on an act."""
    who = [words.seller, words.buyer] if paper.kind == ACT else [words.seller]
    gap = 10 * mm
    half = (WIDTH - gap) / 2
    blocks: list[Any] = [_signature(name, half, words) for name in who]
    cells: list[Any] = [blocks[0], "", blocks[1] if len(blocks) > 1 else ""]
    table = Table([cells], colWidths=[half, gap, half])
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ]
        )
    )
    return table


def _signature(who: str, width: float, words: say.Wording) -> Table:
    gap = 5 * mm
    line = (width - gap) / 2
    rows: list[list[Any]] = [
        [_paragraph(who, STRONG), "", ""],
        ["", "", ""],
        [_paragraph(words.signature, SMALL), "", _paragraph(words.name, SMALL)],
        [_paragraph(words.stamp, LABEL), "", ""],
    ]
    table = Table(rows, colWidths=[line, gap, line], rowHeights=[None, 11 * mm, None, None])
    table.setStyle(
        TableStyle(
            [
                ("SPAN", (0, 0), (-1, 0)),
                ("LINEBELOW", (0, 1), (0, 1), 0.6, INK),
                ("LINEBELOW", (2, 1), (2, 1), 0.6, INK),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 1),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 3), (-1, 3), 8),
            ]
        )
    )
    return table


def _numbered(paper: Paper) -> type[Canvas]:
    """Pages that say which of how many they are, if there are several."""
    words = say.wording(paper)
    heading = say.title(paper)

    class Numbered(Canvas):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - the library's name
            self._pages.append(dict(self.__dict__))
            self._startPage()  # type: ignore[attr-defined]  # its types lack it

        def save(self) -> None:
            pages = self._pages
            for number, page in enumerate(pages, 1):
                self.__dict__.update(page)
                if len(pages) > 1:
                    self.setFont(PLAIN, 7.5)
                    self.setFillColor(PALE)
                    self.drawString(MARGIN, 10 * mm, heading)
                    text = words.page.format(number, len(pages))
                    self.drawRightString(A4[0] - MARGIN, 10 * mm, text)
                Canvas.showPage(self)
            Canvas.save(self)

    return Numbered
