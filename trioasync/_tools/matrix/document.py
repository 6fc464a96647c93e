"""The matrix as a document: sections of text and tables, which `markdown.py` and `html.py` write."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["LEGEND", "Cell", "Group", "Row", "Section", "Table", "anchor_of", "paragraphs"]

# What a cell may say, the sign for it, and what it means.
LEGEND = {
    "same": ("=", "as asyncio on this Python: the test ran on both, and everything that can be observed was equal"),
    "new": ("+", "asyncio of this Python lacks it: it behaves as the newest asyncio does"),
    "holds": ("✓", "holds: what is tested is trioasync's own, with nothing of asyncio's to compare it with"),
    "differs": ("≠", "differs from asyncio on purpose; the reason stands beside it"),
    "absent": ("–", "not there, because asyncio of this Python does not have it either"),
    "fails": ("✗", "fails"),
    "none": ("", "not run on this Python"),
}


@dataclass(frozen=True)
class Cell:
    """One cell: a kind of the legend, and a text instead of the sign or after it."""

    kind: str
    text: str = ""

    def __str__(self) -> str:
        sign = LEGEND[self.kind][0]
        return f"{sign} {self.text}".strip()


@dataclass(frozen=True)
class Row:
    """One row: its label (Markdown), its cells, and what stands behind them (Markdown, a column each)."""

    label: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    # Its name in a link, where the label is too long for one.
    name: str = ""

    @property
    def place(self) -> str:
        """Its name in a link, which is unique in its table."""
        return self.name or anchor_of(self.label)


@dataclass(frozen=True)
class Group:
    """Rows under a heading of their own, "" for none."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """A table: the headings of labels, cells and notes, the rows in groups, and what stands over it."""

    label: str
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    groups: tuple[Group, ...]
    text: str = ""


@dataclass(frozen=True)
class Section:
    """A section: title, paragraphs, tables."""

    title: str
    text: tuple[str, ...]
    tables: tuple[Table, ...] = ()
    anchor: str = field(default="", kw_only=True)

    @property
    def place(self) -> str:
        """Its name in a link."""
        return self.anchor or anchor_of(self.title)


def anchor_of(text: str) -> str:
    """Return the name under which a text is linked to: its words, joined by hyphens."""
    plain = re.sub(r"\]\([^)]*\)", "", text)
    return "-".join(re.findall(r"[\w.]+", plain.lower()))


def paragraphs(text: str) -> tuple[str, ...]:
    """Return the paragraphs of a text whose lines are broken for the reader of the code."""
    return tuple(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))
