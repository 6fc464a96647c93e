"""Lines and indentation: what a rule needs to put a block around statements or to take one away."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from trioasync._tools.migrate.findings import Edit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioasync._tools.migrate.source import Source

__all__ = ["Layout"]


class Layout:
    """The lines of one file.

    Args:
        source: the file.
        tree: its tree.
    """

    def __init__(self, source: Source, tree: ast.Module) -> None:
        self._source = source
        self._tree = tree

    def first_line(self, statement: ast.stmt) -> int:
        """Give the line on which a statement begins, decorators included."""
        decorators = getattr(statement, "decorator_list", [])
        first: int = min([statement.lineno, *(node.lineno for node in decorators)])
        return first

    def indent(self, statement: ast.stmt) -> str:
        """Give the white space before a statement; of a statement after `;` or `:`, that of its line."""
        line = self._source.line(self.first_line(statement))
        return line[: len(line) - len(line.lstrip())]

    @cached_property
    def unit(self) -> str:
        """One step of indentation, as the file has it; four spaces if it has none."""
        for node in self._tree.body:
            for inner in ast.walk(node):
                for statement in (getattr(inner, "body", None) or [])[:1] if isinstance(inner, ast.stmt) else ():
                    outer, deeper = self.indent(inner), self.indent(statement)  # type: ignore[arg-type]
                    if deeper.startswith(outer) and len(deeper) > len(outer) and statement.lineno > inner.lineno:  # type: ignore[attr-defined]
                        return deeper[len(outer) :]
        return "    "

    def alone(self, first: ast.stmt, last: ast.stmt | None = None) -> bool:
        """Tell whether statements share no line with other code: nothing before them but white space, nothing behind
        them but a comment. Only then can they be indented or get lines before and after them.
        """
        last = last or first
        start = self._source.line_span(self.first_line(first))[0]
        begin = self._source.offset(first.lineno, first.col_offset)
        if self.first_line(first) == first.lineno and self._source.text[start:begin].strip():
            return False
        end = self._source.offset(last.end_lineno or last.lineno, last.end_col_offset or 0)
        behind = self._source.text[end : self._source.line_span(last.end_lineno or last.lineno)[1]].strip()
        continued = (
            self._source.line(self.first_line(first) - 1).endswith("\\") if self.first_line(first) > 1 else False
        )
        return not continued and (not behind or behind.startswith("#"))

    def lines_span(self, first: ast.stmt, last: ast.stmt | None = None) -> tuple[int, int]:
        """Give the offsets of the whole lines of statements, the last newline included."""
        last = last or first
        start = self._source.line_span(self.first_line(first))[0]
        return start, self._source.line_span(last.end_lineno or last.lineno)[1]

    def indented(self, first: ast.stmt, last: ast.stmt | None = None) -> Sequence[Edit]:
        """Make the edits that indent statements by one step; lines inside strings and empty lines stay as they are."""
        last = last or first
        base = self.indent(first)
        edits = []
        for number in range(self.first_line(first), (last.end_lineno or last.lineno) + 1):
            line = self._source.line(number)
            if not line.strip() or number in self._source.lines_inside_strings:
                continue
            start = self._source.line_span(number)[0]
            at = start + (len(base) if line.startswith(base) else 0)
            edits.append(Edit(at, at, self.unit))
        return edits

    def dedented(self, first: ast.stmt, last: ast.stmt | None = None) -> Sequence[Edit] | None:
        """Make the edits that take one step of indentation from statements, or None where a line has too little."""
        last = last or first
        indent = self.indent(first)
        if not indent.endswith(self.unit):
            return None
        base = indent[: -len(self.unit)]
        edits = []
        for number in range(self.first_line(first), (last.end_lineno or last.lineno) + 1):
            line = self._source.line(number)
            if not line.strip() or number in self._source.lines_inside_strings:
                continue
            if not line.startswith(indent):
                if line.lstrip().startswith("#") or number == self.first_line(first):
                    continue
                return None
            start = self._source.line_span(number)[0] + len(base)
            edits.append(Edit(start, start + len(self.unit), ""))
        return edits

    def wrapped(self, header: str, first: ast.stmt, last: ast.stmt | None = None) -> Sequence[Edit]:
        """Make the edits that put `header` (as "with x:", without newline) above statements and indent these.

        A header of several lines has its further lines relative to the first.
        """
        indent = self.indent(first)
        start = self.lines_span(first, last)[0]
        lines = "".join(f"{indent}{line}\n" for line in header.split("\n"))
        indented = list(self.indented(first, last))
        if indented and indented[0].start == start:
            return [Edit(start, start, lines + indented[0].text), *indented[1:]]
        return [Edit(start, start, lines), *indented]

    def line_before(self, statement: ast.stmt, text: str) -> Edit:
        """Make the edit that puts lines of text above a statement, as far in as it is."""
        indent = self.indent(statement)
        start = self.lines_span(statement)[0]
        return Edit(start, start, "".join(f"{indent}{line}\n" for line in text.split("\n")))

    def line_after(self, statement: ast.stmt, text: str) -> Edit:
        """Make the edit that puts lines of text below a statement, as far in as it is."""
        indent = self.indent(statement)
        end = self.lines_span(statement)[1]
        lines = "".join(f"{indent}{line}\n" for line in text.split("\n"))
        if end and self._source.text[end - 1] not in "\r\n":
            return Edit(end, end, "\n" + lines[:-1])
        return Edit(end, end, lines)

    def removed(self, statement: ast.stmt) -> Edit:
        """Make the edit that removes a statement's lines, comment at the end of the line included: see `alone` first.

        The comment guard refuses it where that comment would be lost.
        """
        return Edit(*self.lines_span(statement), "")
