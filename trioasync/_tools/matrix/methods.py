"""The section of the loop's methods: the test that calls each, and the ways in which trio hosted the loop for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioasync._tools.matrix.document import Cell, Group, Row, Section, Table, paragraphs
from trioasync._tools.matrix.rows import arrangement, cell_of, link, pythons

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trioasync._tools.matrix.evidence import Evidence, Test

__all__ = ["section"]

# By the name of a test's case, in the order in which they are told.
WAYS = {
    "run": "the main Task of `trioasync.run`",
    "nap": "the same, where the pump sleeps in trio",
    "task": "a Task of a loop that a trio program has opened",
    "adopted": "the plain trio task that has opened the loop",
    "guest": "a trio run that is the guest of another loop",
}

TEXT = (
    *paragraphs(
        """
        Every method of `asyncio.AbstractEventLoop`. Each has a test that calls it on asyncio's loop and on
        trioasync's and compares results, exceptions, log records and warnings. Where a connection, a socket, a
        pipe or a process is behind the method, the test runs in each way in which trio may host a loop:
        """
    ),
    "\n".join((f"* *{name}*: {told};" for name, told in WAYS.items()))[:-1] + ".",
    *paragraphs(
        """
        The other tests make a loop themselves and run it, which is what is tested: *alone*.
        """
    ),
)


def section(evidence: Sequence[Evidence]) -> Section:
    """Return the table of methods."""
    rows = [_row(method, names, evidence) for method, names in arrangement(evidence, "methods")]
    ordered = tuple(row for row in rows if row is not None)
    return Section("Loop methods", TEXT, (Table("method", pythons(evidence), ("ways", "test"), (Group("", ordered),)),))


def _row(method: str, names: list[str], evidence: Sequence[Evidence]) -> Row | None:
    by_python = [each.tests("methods") for each in evidence]
    ran = [[tests[name] for name in names if name in tests] for tests in by_python]
    if not any(ran):
        return None
    cells = tuple(_cell(method, tests, each) for tests, each in zip(ran, evidence, strict=True))
    ways = _ways(test for tests in ran for test in tests)
    return Row(f"`loop.{method}`", cells, (ways, ", ".join(map(link, names[:3]))))


def _cell(method: str, tests: list[Test], evidence: Evidence) -> Cell:
    """Return the cell of a method, which this Python's asyncio may not have yet."""
    methods = [each for each, _names in evidence.rows("methods")]
    if method not in methods:
        return Cell("absent" if methods else "none")
    return cell_of(tests, "new" if method in evidence.parts["methods"].get("new", ()) else "same")


def _ways(tests: Iterable[Test]) -> str:
    words = {word for test in tests for case in test.cases for word in case.split("-")}
    return " ".join(way for way in WAYS if way in words) or "alone"
