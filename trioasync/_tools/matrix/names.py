"""The section of names: what became of each public name of asyncio, on each Python."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from trioasync._tools.matrix.document import Cell, Group, Row, Section, Table, paragraphs
from trioasync._tools.matrix.rows import pythons

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trioasync._tools.matrix.evidence import Evidence

__all__ = ["KINDS", "counts", "section", "statuses"]

# What the look at a name says, in the words of the legend.
KINDS = {"identical": "same", "backported": "new", "differs": "differs", "absent": "absent"}

TEXT = paragraphs(
    """
    Every name that asyncio has exported on Linux in any Python from 3.10 to 3.15. `=`: `trioasync.NAME is
    asyncio.NAME`. `+`: this Python's asyncio lacks it, trioasync brings it. `≠`: an object of trioasync's own takes the
    place of asyncio's, for the reason given; it behaves as asyncio's, and where it does not, that is among the known
    differences. `–`: CPython has removed it, and so it is not there.
    """
)


def statuses(evidence: Evidence) -> dict[str, tuple[str, str]]:
    """Return the status and the reason of each name that was looked at, and found to be as told."""
    found = {}
    for test in evidence.tests("names").values():
        for name, told in test.properties.items():
            if test.cases[name] == "passed":
                found[name] = told["status"], told.get("why", "")
            else:
                found[name] = "fails", ""
    return found


def counts(evidence: Evidence) -> Counter[str]:
    """Return how many names have each status."""
    return Counter(status for status, _why in statuses(evidence).values())


def section(evidence: Sequence[Evidence]) -> Section:
    """Return the table of names."""
    found = [statuses(each) for each in evidence]
    ordered = sorted(set().union(*found), key=lambda name: (name.lower(), name))
    rows = tuple(_row(name, found, pythons(evidence)) for name in ordered)
    return Section("Names", TEXT, (Table("name", pythons(evidence), ("why",), (Group("", rows),)),))


def _row(name: str, found: list[dict[str, tuple[str, str]]], columns: tuple[str, ...]) -> Row:
    cells = tuple(_cell(statuses.get(name)) for statuses in found)
    return Row(f"`{name}`", cells, ("; ".join(_reasons(name, found, columns)),))


def _cell(told: tuple[str, str] | None) -> Cell:
    return Cell("none") if told is None else Cell(KINDS.get(told[0], "fails"))


def _reasons(name: str, found: list[dict[str, tuple[str, str]]], columns: tuple[str, ...]) -> Iterator[str]:
    """Give each reason once, with the Pythons for which it holds where that is not all of them."""
    reasons: dict[str, list[str]] = {}
    for column, statuses in zip(columns, found, strict=True):
        why = statuses.get(name, ("", ""))[1]
        if why:
            reasons.setdefault(why, []).append(column)
    for why, where in reasons.items():
        told_by_itself = why.startswith("asyncio has")
        yield why if told_by_itself or len(where) == len(columns) else f"{span(where)}: {why}"


def span(where: list[str]) -> str:
    """Return some neighbouring Pythons in short, as "3.10 to 3.12"."""
    return where[0] if len(where) == 1 else f"{where[0]} to {where[-1]}"
