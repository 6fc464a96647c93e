"""The section of mixing: operations of one world in situations of the other, and what else holds between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trioasync._tools.matrix.document import Cell, Group, Row, Section, Table, paragraphs
from trioasync._tools.matrix.names import span
from trioasync._tools.matrix.rows import link, of_tests

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trioasync._tools.matrix.evidence import Evidence, Test

__all__ = ["section"]

TEXT = paragraphs(
    """
    What asyncio does not know: waits of one world under the cancellations of the other, in Tasks and in plain trio
    tasks. There is nothing of asyncio's to compare it with; each test says what must come out. The first tables have a
    row for each kind of wait and a column for each situation, numbered as in the list above the table; a ✓ stands for
    all Pythons of the matrix. The last table has every statement, with the Pythons.
    """
)


def section(evidence: Sequence[Evidence]) -> Section:
    """Return a table of waits and situations for each file that has such, and the table of statements."""
    grids = [_grid(grid, evidence) for grid in _grids(evidence)]
    statements = of_tests(evidence, "mixing", "statement", "holds")
    return Section("Mixing", TEXT, (*grids, statements))


def _grids(evidence: Sequence[Evidence]) -> list[dict[str, Any]]:
    """Return the tables of waits as the newest Python has them, whose waits include those of the older ones."""
    recorded = [each.parts["mixing"]["grids"] for each in evidence if "mixing" in each.parts]
    return recorded[-1] if recorded else []


def _situations(grid: dict[str, Any]) -> str:
    told = [f"{place}. {says} ({link(name)})" for place, (name, says) in enumerate(grid["situations"], 1)]
    return "\n".join([f"**{grid['title']}**", "", *told])


def _grid(grid: dict[str, Any], evidence: Sequence[Evidence]) -> Table:
    by_python = [(each.python, each.tests("mixing")) for each in evidence if "mixing" in each.parts]
    names = [name for name, _says in grid["situations"]]
    rows = tuple(
        Row(wait, tuple(_cell(wait, [(python, tests.get(name)) for python, tests in by_python]) for name in names))
        for wait in grid["waits"]
    )
    columns = tuple(f"{place}" for place in range(1, len(names) + 1))
    return Table("wait", columns, (), (Group("", rows),), _situations(grid))


def _cell(wait: str, ran: list[tuple[str, Test | None]]) -> Cell:
    outcomes = {python: set(_of_wait(wait, test)) for python, test in ran}
    failed = [python for python, seen in outcomes.items() if "failed" in seen]
    passed = [python for python, seen in outcomes.items() if "passed" in seen and "failed" not in seen]
    if failed:
        return Cell("fails", span(failed))
    if not passed:
        return Cell("none")
    return Cell("holds", "" if len(passed) == len(ran) else span(passed))


def _of_wait(wait: str, test: Test | None) -> Iterator[str]:
    """Give the outcomes of a test's cases that are about one kind of wait."""
    for case, outcome in (test.cases if test else {}).items():
        if wait in case.split("-"):
            yield outcome
