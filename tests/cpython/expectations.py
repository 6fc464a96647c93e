"""The table of expected differences, expected.toml, and what it makes of the results.

Two kinds of entries:

* `difference`: the tests fail, for a reason that is documented. One that passes makes the run fail.
* `not applicable`: the subject of the tests is another loop's internals, or asyncio's own second implementation. Whole
  classes are set aside whatever comes of them; a single test that passes and touches ours makes the run fail.
"""

import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from .modes import OURS

TABLE = Path(__file__).parent / "expected.toml"
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14", "3.15"]
KINDS = ["difference", "not applicable"]
RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"

# What a test counts as, in one mode.
COUNTS = ["passed", "deliberate", "failed", "untouched", "not applicable", "skipped", "baseline"]
COUNTED = ["passed", "deliberate", "failed"]


@dataclass(frozen=True)
class Entry:
    """One line of the table."""

    kind: str
    tests: tuple
    modes: tuple
    pythons: tuple
    reason: str
    row: str

    def is_about(self, mode, python):
        return mode in self.modes and python in self.pythons

    def matches(self, test):
        return any(fnmatchcase(test, pattern) for pattern in self.tests)


def load(path=TABLE):
    """Return the entries of a table.

    Raises:
        ValueError: saying what is wrong with which entries.
    """
    with open(path, "rb") as file:
        raw = tomllib.load(file)["expected"]
    problems = [
        f"entry {number}, {entry.get('tests')}: {text}" for number, entry in enumerate(raw, 1) for text in faults(entry)
    ]
    if problems:
        raise ValueError("\n".join(problems))
    return [
        Entry(
            entry["kind"],
            tuple(entry["tests"]),
            tuple(entry.get("modes", OURS)),
            tuple(entry.get("pythons", PYTHONS)),
            entry["reason"],
            entry["row"],
        )
        for entry in raw
    ]


def faults(entry):
    """Say what is wrong with an entry as it stands in the table."""
    for key in ("reason", "row"):
        if not str(entry.get(key, "")).strip():
            yield f"it has no {key}"
    if not str(entry.get("reason", "")).rstrip().endswith("."):
        yield "its reason is not a sentence"
    if not entry.get("tests"):
        yield "it names no tests"
    if entry.get("kind") not in KINDS:
        yield f"its kind is not one of {KINDS}"
    for key, known in (("modes", OURS), ("pythons", PYTHONS)):
        if not set(entry.get(key, known)) <= set(known) or entry.get(key) == []:
            yield f"its {key} are not among {known}"
    for key in sorted(set(entry) - {"kind", "tests", "modes", "pythons", "reason", "row"}):
        yield f"nobody knows what {key} is"


def entry_for(test, mode, entries, python=RUNNING):
    """Return the first entry for a test, or None."""
    return next((entry for entry in entries if entry.is_about(mode, python) and entry.matches(test)), None)


def count_as(result, stock, entry):
    """Return what a test counts as.

    Args:
        result: its result in the mode.
        stock: its result on stock asyncio; None takes it to have passed there.
        entry: what the table says of it, or None.
    """
    if stock is not None and stock.outcome != "passed":
        return "skipped" if stock.outcome == "skipped" else "baseline"
    if entry is not None and entry.kind == "not applicable":
        return "not applicable"
    if result is not None and result.outcome == "passed":
        return "passed" if result.touched else "untouched"
    return "failed" if entry is None else "deliberate"


def stale(entry, test, result, stock):
    """Tell whether the result of a test makes an entry wrong that matches it."""
    if result is None or result.outcome != "passed" or (stock is not None and stock.outcome != "passed"):
        return False
    return entry.kind == "difference" or (test in entry.tests and result.touched)


def unused(entries, tests, mode, file, python=RUNNING):
    """Return the patterns for a file and a mode that match none of the file's tests."""
    return [
        pattern
        for entry in entries
        if entry.is_about(mode, python)
        for pattern in entry.tests
        if pattern.partition(".")[0] == file and not any(fnmatchcase(test, pattern) for test in tests)
    ]
