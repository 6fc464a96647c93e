"""The section of known differences: the table of `known.py`, with what has shown each of them on which Python."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from trioasync._tools.matrix.document import Cell, Group, Row, Section, Table, paragraphs
from trioasync._tools.matrix.known import DIFFERENCES, Difference
from trioasync._tools.matrix.rows import link, outcome_of, pythons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioasync._tools.matrix.evidence import Evidence

__all__ = ["holds_on", "rows_of_cpython", "section"]

TEXT = paragraphs(
    """
    Where trioasync is not asyncio, on purpose. A ≠ says that a test has shown the difference on this Python; the number
    after it is how many cases of CPython's own suite fail for this reason and no other. Anything else that differs is a
    bug.
    """
)


def section(evidence: Sequence[Evidence]) -> Section:
    """Return the table of differences."""
    rows = tuple(_row(difference, evidence) for difference in DIFFERENCES)
    table = Table("difference", pythons(evidence), ("why", "what to do", "shown by"), (Group("", rows),))
    return Section("Known differences", TEXT, (table,))


def rows_of_cpython(evidence: Evidence) -> Counter[str]:
    """Return how many cases of CPython's suite fail for each known difference; "" for those that nothing explains."""
    known = (evidence.cpython or {}).get("differences", ())
    return Counter(each.get("row") or "" for each in known if each["mode"] != "trio-asyncio")


def holds_on(difference: Difference, evidence: Evidence) -> Cell:
    """Return the cell of a difference on one Python."""
    tests = evidence.tests("differences")
    outcome = outcome_of(tests[name] for name in difference.proofs if name in tests)
    cases = rows_of_cpython(evidence)[difference.title]
    if outcome == "failed":
        return Cell("fails")
    if not outcome and not cases:
        return Cell("none")
    if difference.until and _number(evidence.python) > _number(difference.until) and not cases:
        return Cell("same")
    return Cell("differs", str(cases) if cases else "")


def _number(python: str) -> list[int]:
    return [int(number) for number in python.split(".")]


def _row(difference: Difference, evidence: Sequence[Evidence]) -> Row:
    cells = tuple(holds_on(difference, each) for each in evidence)
    shown_by = [link(name) for name in difference.proofs]
    if any(rows_of_cpython(each)[difference.title] for each in evidence):
        shown_by.append("[CPython's suite](#cpython)")
    return Row(f"**{difference.title}**", cells, (difference.reason, difference.workaround, ", ".join(shown_by)))
