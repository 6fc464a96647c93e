"""The section of libraries: which versions ran unmodified on which Python, and how many tests they were put through."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from trioasync._tools.matrix.document import Cell, Group, Row, Section, Table, paragraphs
from trioasync._tools.matrix.rows import arrangement, file_of, pythons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioasync._tools.matrix.evidence import Evidence, Test

__all__ = ["outcomes", "section", "verdict"]

# The ways of a case that are not asyncio's, by their names.
OURS = {"trioasync", "trio"}

TEXT = paragraphs(
    """
    Unmodified libraries, each with the programs that its tests run: as the main Task of `trioasync.run`, in a plain
    trio task beside an open loop, and on plain asyncio first, as the measure of what the library does there. A cell has
    the version that was installed and how many of its tests have passed; `=`: all of them that pass on asyncio.
    """
)


def outcomes(tests: Sequence[Test]) -> Counter[str]:
    """Return how many cases passed, failed, were skipped, or failed "as on asyncio", where the same case fails too."""
    return Counter(_outcome(test, case) for test in tests for case in test.cases)


def _outcome(test: Test, case: str) -> str:
    """Return the outcome of one case, seen beside the same case on asyncio, whose way is a word of its name."""
    outcome = test.cases[case]
    words = ["asyncio" if word in OURS else word for word in case.split("-")]
    return "as on asyncio" if outcome == "failed" == test.cases.get("-".join(words)) else outcome


def verdict(tests: Sequence[Test]) -> str:
    """Return the kind of a library's cell."""
    seen = outcomes(tests)
    return "fails" if seen["failed"] else "same" if seen["passed"] else "none"


def section(evidence: Sequence[Evidence]) -> Section:
    """Return the table of libraries."""
    rows = tuple(_row(name, tests, evidence) for name, tests in sorted(arrangement(evidence, "libraries")))
    return Section("Libraries", TEXT, (Table("library", pythons(evidence), ("tests",), (Group("", rows),)),))


def _row(name: str, names: list[str], evidence: Sequence[Evidence]) -> Row:
    cells = tuple(_cell(name, names, each) for each in evidence)
    return Row(f"**{name}**", cells, (", ".join(dict.fromkeys(map(file_of, names))),))


def _cell(name: str, names: list[str], evidence: Evidence) -> Cell:
    ran = evidence.tests("libraries")
    tests = [ran[test] for test in names if test in ran]
    if not tests:
        return Cell("none")
    seen = outcomes(tests)
    version = evidence.parts["libraries"]["libraries"][name]
    told = f"{seen['passed']}" if not seen["failed"] else f"{seen['passed']} of {seen['passed'] + seen['failed']}"
    return Cell(verdict(tests), f"{version} ({told})" if seen["passed"] or seen["failed"] else version)
