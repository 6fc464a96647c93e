"""The first sections: what the matrix is, how it is read, and the summary."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from trioasync._tools.matrix import cpython, libraries, names
from trioasync._tools.matrix.document import LEGEND, Cell, Group, Row, Section, Table, paragraphs
from trioasync._tools.matrix.rows import arrangement, pythons

if TYPE_CHECKING:
    from trioasync._tools.matrix.evidence import Evidence

__all__ = ["how_to_read", "lines_of", "section"]

ABOUT = paragraphs(
    """
    What of asyncio holds under trioasync, on which Python. Nothing here is written by hand: every cell rests on a test
    that ran on that Python and wrote down what came of it, in `evidence/`, from which `trioasync matrix` makes this
    page. `trioasync doctor` says what it means for one's own interpreter and packages.

    Nearly all tests run one program twice, on the running Python's asyncio and on trioasync, and compare everything
    that can be observed: results, types and arguments of exceptions, order of events, log records, warnings, what is
    printed, and the time it took.
    """
)


def how_to_read() -> Section:
    """Return the section that says what the matrix is and what its signs mean."""
    signs = "\n".join(f"* `{sign}` {told};" for sign, told in LEGEND.values() if sign)
    return Section("How to read it", (*ABOUT, signs + "\n* an empty cell: " + LEGEND["none"][1] + "."))


def section(evidence: Sequence[Evidence]) -> Section:
    """Return the summary."""
    rows = tuple(Row(label, tuple(cell(each) for each in evidence)) for label, cell in LINES.items())
    return Section("Summary", (), (Table("", pythons(evidence), (), (Group("", rows),)),))


def lines_of(evidence: Evidence) -> list[list[str]]:
    """Return what the summary counts on one Python as plain text, with the numbers."""
    cells = {label: cell(evidence) for label, cell in LINES.items() if label not in ("Python", "trio")}
    return [[re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", label), cell.text] for label, cell in cells.items() if cell.text]


# -- the cells of a Python


def _version(of: str) -> Callable[[Evidence], Cell]:
    def cell(evidence: Evidence) -> Cell:
        version = evidence.version("page", of)
        return Cell("none", version or "")

    return cell


def _names(status: str) -> Callable[[Evidence], Cell]:
    def cell(evidence: Evidence) -> Cell:
        number = names.counts(evidence)[status]
        return Cell(names.KINDS[status], str(number)) if number else Cell("none")

    return cell


def _tests(part: str, passed: str) -> Callable[[Evidence], Cell]:
    def cell(evidence: Evidence) -> Cell:
        seen = [test.outcome for test in evidence.tests(part).values() if test.outcome != "skipped"]
        return _share(seen.count("passed"), len(seen), passed)

    return cell


def _methods(evidence: Evidence) -> Cell:
    tests = evidence.tests("methods")
    rows = [
        [tests[name].outcome for name in ran if name in tests] for _method, ran in arrangement([evidence], "methods")
    ]
    return _share(sum("failed" not in row for row in rows if "passed" in row), len(rows), "same")


def _cpython(mode: str) -> Callable[[Evidence], Cell]:
    def cell(evidence: Evidence) -> Cell:
        total = cpython.total(evidence, mode)
        if not total["counted"]:
            return Cell("none")
        return Cell(cpython.kind_of(total), f"{cpython.percentage(total)} of {total['counted']}")

    return cell


def _libraries(evidence: Evidence) -> Cell:
    tests = evidence.tests("libraries")
    rows = [[tests[name] for name in ran if name in tests] for _name, ran in arrangement([evidence], "libraries")]
    kinds = [kind for row in rows if (kind := libraries.verdict(row)) != "none"]
    return _share(kinds.count("same"), len(kinds), "same")


def _share(passed: int, of: int, kind: str) -> Cell:
    if not of:
        return Cell("none")
    return Cell(kind if passed == of else "fails", f"{passed} of {of}")


LINES = {
    "Python": _version("python"),
    "trio": _version("trio"),
    "[names](#names) of asyncio that are its own objects": _names("identical"),
    "names that this Python's asyncio lacks": _names("backported"),
    "names with an object of ours": _names("differs"),
    "names that CPython has removed": _names("absent"),
    "statements of [the page](#page)": _tests("page", "same"),
    "[loop methods](#loop-methods)": _methods,
    "statements of [mixing](#mixing)": _tests("mixing", "holds"),
    "[CPython's tests](#cpython), trioasync's own": _cpython("own"),
    "CPython's tests, registered": _cpython("registered"),
    "CPython's tests, trio-asyncio": _cpython("trio-asyncio"),
    "[libraries](#libraries)": _libraries,
}
