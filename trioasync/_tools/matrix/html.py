"""The matrix as one self-contained page, which can be filtered and linked to by row: `page.html` with the sections."""

from __future__ import annotations

import html
import re
from importlib import resources
from typing import TYPE_CHECKING

from trioasync._tools.matrix.document import LEGEND, anchor_of
from trioasync._tools.matrix.rows import pythons
from trioasync._tools.matrix.whole import TITLE, sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trioasync._tools.matrix.document import Row, Section, Table
    from trioasync._tools.matrix.evidence import Evidence

__all__ = ["inline", "text"]

# Markdown within a line, as far as the sections use it, in the order in which it is looked for.
INLINE = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\[([^]]+)\]\(((?:https?:|#)[^)]+)\)"), r'<a href="\2">\1</a>'),
    (re.compile(r"\[([^]]+)\]\(([^)]+)\)"), r'<span class="test" title="\2">\1</span>'),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*([^* ][^*]*)\*"), r"<em>\1</em>"),
)


def text(evidence: Sequence[Evidence]) -> str:
    """Return the page's text."""
    whole = sections(evidence)
    parts = {
        "title": f"trioasync: {TITLE[0].lower()}{TITLE[1:]}",
        "contents": "\n".join(f'<a href="#{each.place}">{inline(each.title)}</a>' for each in whole),
        "kinds": "\n".join(
            f'<option value="{kind}" title="{html.escape(told)}">{sign} {kind}</option>'
            for kind, (sign, told) in LEGEND.items()
            if sign
        ),
        "pythons": "\n".join(f'<option value="{each}">Python {each}</option>' for each in pythons(evidence)),
        "sections": "\n".join(line for section in whole for line in _section(section)),
    }
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return re.sub(r"<!-- (\w+) -->", lambda found: parts[found[1]], template)


def inline(text: str) -> str:
    """Return a line of Markdown as HTML."""
    text = html.escape(text, quote=False)
    for pattern, replacement in INLINE:
        text = pattern.sub(replacement, text)
    return text


def _section(section: Section) -> Iterator[str]:
    yield f'<section id="{section.place}"><h2><a href="#{section.place}">{inline(section.title)}</a></h2>'
    for paragraph in section.text:
        yield from _paragraph(paragraph)
    for number, table in enumerate(section.tables, 1):
        yield from _table(table, section.place if len(section.tables) == 1 else f"{section.place}/{number}")
    yield "</section>"


def _paragraph(paragraph: str) -> Iterator[str]:
    """Give a paragraph, or a list, whose lines may go on from a heading of their own."""
    head, _, rest = paragraph.rpartition("\n\n")
    if head:
        yield f"<p>{inline(head)}</p>"
    for kind, mark in (("ul", r"\* "), ("ol", r"\d+\. ")):
        if re.match(mark, rest):
            items = [inline(re.sub(mark, "", line, count=1)) for line in rest.split("\n")]
            yield f"<{kind}>{''.join(f'<li>{item}</li>' for item in items)}</{kind}>"
            return
    yield f"<p>{inline(rest)}</p>"


def _table(table: Table, place: str) -> Iterator[str]:
    yield '<div class="part">'
    if table.text:
        yield from _paragraph(table.text)
    heads = [f'<th scope="col">{inline(table.label)}</th>']
    heads += [f'<th scope="col" class="cell">{inline(head)}</th>' for head in table.columns]
    heads += [f'<th scope="col" class="note">{inline(head)}</th>' for head in table.notes]
    yield f'<div class="scroll"><table><thead><tr>{"".join(heads)}</tr></thead>'
    taken: set[str] = set()
    for group in table.groups:
        yield "<tbody>"
        if group.title:
            at = f"{place}/{anchor_of(group.title)}"
            yield f'<tr class="group" id="{at}"><th colspan="{len(heads)}">{inline(group.title)}</th></tr>'
        for row in group.rows:
            yield _row(row, _free(f"{place}/{row.place}", taken))
        yield "</tbody>"
    yield "</table></div></div>"


def _free(place: str, taken: set[str]) -> str:
    """Return a name that no row has yet, and take it."""
    name, number = place, 1
    while name in taken:
        number += 1
        name = f"{place}-{number}"
    taken.add(name)
    return name


def _row(row: Row, place: str) -> str:
    place = html.escape(place)
    label = f'<td class="label"><a class="here" href="#{place}">#</a>{inline(row.label)}</td>'
    cells = "".join(f'<td class="cell {cell.kind}">{inline(str(cell))}</td>' for cell in row.cells)
    notes = "".join(f'<td class="note">{inline(note)}</td>' for note in row.notes)
    return f'<tr id="{place}">{label}{cells}{notes}</tr>'
