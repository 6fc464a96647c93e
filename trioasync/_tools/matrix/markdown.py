"""The matrix as compat_matrix.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioasync._tools.matrix.whole import TITLE, sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trioasync._tools.matrix.document import Row, Section, Table
    from trioasync._tools.matrix.evidence import Evidence

__all__ = ["text"]


def text(evidence: Sequence[Evidence]) -> str:
    """Return the file's text."""
    return "\n".join(_lines(evidence)) + "\n"


def _lines(evidence: Sequence[Evidence]) -> Iterator[str]:
    yield f"# {TITLE}"
    yield ""
    yield "<!-- Made by `trioasync matrix` from evidence/; a change by hand is undone by the next run. -->"
    for section in sections(evidence):
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield f'\n<a id="{section.place}"></a>\n'
    yield f"## {section.title}"
    for paragraph in section.text:
        yield ""
        yield paragraph
    for table in section.tables:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    if table.text:
        yield ""
        yield table.text
    yield ""
    yield _line([table.label, *table.columns, *table.notes])
    yield "|" + "|".join(["---", *(":-:" for _ in table.columns), *("---" for _ in table.notes)]) + "|"
    for group in table.groups:
        if group.title:
            yield _line([f"**{group.title}**", *("" for _ in (*table.columns, *table.notes))])
        for row in group.rows:
            yield _row(row)


def _row(row: Row) -> str:
    return _line([row.label, *map(str, row.cells), *row.notes])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
