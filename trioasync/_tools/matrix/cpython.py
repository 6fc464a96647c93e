"""The section of CPython's own tests: how many pass in each mode, by module, with trio-asyncio beside it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from trioasync._tools.matrix.document import Cell, Group, Row, Section, Table, paragraphs
from trioasync._tools.matrix.rows import pythons

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trioasync._tools.matrix.evidence import Evidence

__all__ = ["MODES", "kind_of", "percentage", "section", "total"]

MODES = {
    "own": "the tests' `asyncio` is trioasync: its Task, Future, gather, Runner and the rest",
    "registered": "the tests use asyncio's own names, and the loop is ours, behind `install()`",
    "trio-asyncio": "the same with trio-asyncio's loop, for comparison",
}
TEXT = (
    *paragraphs(
        """
        `test.test_asyncio` as it is shipped with each Python, in these modes:
        """
    ),
    "\n".join((f"* *{mode}*: {told};" for mode, told in MODES.items()))[:-1] + ".",
    *paragraphs(
        """
        A cell says how many tests passed of those that count. A test counts if plain asyncio passes it on this
        machine, if it touches the loop, the Task or the Future under test (one that does not proves nothing),
        and if its subject is not another loop's inside. `=`: all of them passed. `≠`: what did not pass is a
        known difference.
        """
    ),
)


def section(evidence: Sequence[Evidence]) -> Section:
    """Return a table of modules for each Python, and the table of what is not counted."""
    ran = [each for each in evidence if each.cpython is not None]
    tables = [_modules(each) for each in reversed(ran)]
    if ran:
        tables.append(_not_counted(ran))
    return Section("CPython's own test suite", TEXT, tuple(tables), anchor="cpython")


def total(evidence: Evidence, mode: str) -> Counter[str]:
    """Return how CPython's tests went in a mode, as the counts of its files have it."""
    files = (evidence.cpython or {}).get("files", {}).values()
    return sum((Counter(file["modes"][mode]) for file in files if mode in file["modes"]), Counter())


def percentage(count: Mapping[str, int]) -> str:
    """Return how many of the tests that count have passed, in per cent, rounded down: 100 is all."""
    return f"{count['passed'] * 1000 // count['counted'] / 10:.1f} %"


def kind_of(count: Mapping[str, int]) -> str:
    """Return the kind of a cell with these counts."""
    return "fails" if count["failed"] else "same" if count["passed"] == count["counted"] else "differs"


def _modules(evidence: Evidence) -> Table:
    files = evidence.cpython["files"] if evidence.cpython else {}
    modes = [mode for mode in MODES if any(mode in file["modes"] for file in files.values())]
    rows = [_module(name, files[name], modes) for name in sorted(files)]
    rows.append(Row("**all**", tuple(_cell(total(evidence, mode)) for mode in modes), ("",)))
    return Table("module", tuple(modes), ("in the file",), (Group("", tuple(rows)),), f"**Python {evidence.python}**")


def _module(name: str, file: dict[str, Any], modes: list[str]) -> Row:
    return Row(f"`{name}`", tuple(_cell(file["modes"].get(mode)) for mode in modes), (f"{file['tests']} tests",))


def _cell(count: Mapping[str, int] | None) -> Cell:
    if count is None or not count["counted"]:
        return Cell("none")
    return Cell(kind_of(count), f"{count['passed']} / {count['counted']}")


def _not_counted(ran: Sequence[Evidence]) -> Table:
    """Return how many tests are left out on each Python, by what they are about and why that is not ours."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for each in ran:
        for entry in (each.cpython or {}).get("not applicable", ()):
            if entry["mode"] == "own":
                found.setdefault((entry["row"], entry["reason"]), Counter())[each.python] += entry["tests"]
    groups: dict[str, list[Row]] = {title: [] for title, _reason in sorted(found)}
    for (title, reason), numbers in sorted(found.items()):
        groups[title].append(Row(reason, tuple(_number(numbers[python]) for python in pythons(ran))))
    whole = tuple(Group(title, tuple(rows)) for title, rows in groups.items())
    return Table("why", pythons(ran), (), whole, "**Not counted, because the test is about something else**")


def _number(number: int) -> Cell:
    return Cell("none", str(number)) if number else Cell("none")
