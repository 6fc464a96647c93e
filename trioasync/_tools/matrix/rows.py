"""What the sections share: the cell of a test, and the table of tests in groups, a column for each Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioasync._tools.matrix.document import Cell, Group, Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trioasync._tools.matrix.evidence import Evidence, Test

__all__ = ["arrangement", "cell_of", "file_of", "link", "of_tests", "outcome_of", "pythons", "short"]


def pythons(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Return the headings of the columns."""
    return tuple(each.python for each in evidence)


def arrangement(evidence: Sequence[Evidence], part: str) -> list[tuple[str, list[str]]]:
    """Return the rows of a part as the newest Python has them, and what only older ones have."""
    merged: dict[str, list[str]] = {}
    for each in reversed(evidence):
        for head, names in each.rows(part):
            known = merged.setdefault(head, [])
            known += [name for name in names if name not in known]
    return list(merged.items())


def outcome_of(tests: Iterable[Test]) -> str:
    """Return what several tests come to, "" if none of them ran."""
    seen = {test.outcome for test in tests}
    return "failed" if "failed" in seen else "passed" if "passed" in seen else ""


def cell_of(tests: Sequence[Test], passed: str) -> Cell:
    """Return the cell of a row that rests on these tests; `passed` is its kind if they passed."""
    kinds = {"failed": "fails", "passed": passed, "": "none"}
    return Cell(kinds[outcome_of(tests)])


def of_tests(evidence: Sequence[Evidence], part: str, label: str, passed: str) -> Table:
    """Return the table of a part: a row for each test, by its sentence; groups as the part is arranged."""
    by_python = [each.tests(part) for each in evidence]
    groups = []
    for title, names in arrangement(evidence, part):
        rows = [_row(name, by_python, passed) for name in names]
        groups.append(Group(title, tuple(rows)))
    return Table(label, pythons(evidence), ("test",), tuple(groups))


def _row(name: str, by_python: list[dict[str, Test]], passed: str) -> Row:
    ran = [tests.get(name) for tests in by_python]
    newest = next(test for test in reversed(ran) if test is not None)
    cells = [_cell(test, passed) for test in ran]
    return Row(newest.says, tuple(cells), (link(name),), short(name))


def _cell(test: Test | None, passed: str) -> Cell:
    if test is None:
        return Cell("none")
    return cell_of([test], passed if test.compares or passed != "same" else "new")


def link(name: str) -> str:
    """Return a test's name with a link to its file."""
    file, _, test = name.partition("::")
    return f"[{test}]({file})"


def short(name: str) -> str:
    """Return a test's name as a row is linked to by it: page_wait.first_completed."""
    file, _, test = name.partition("::")
    return f"{file.rpartition('/test_')[2].removesuffix('.py')}.{test.removeprefix('test_')}"


def file_of(name: str) -> str:
    """Return the link to a test's file by the file's own name."""
    file = name.partition("::")[0]
    return f"[{file.removeprefix('tests/')}]({file})"
