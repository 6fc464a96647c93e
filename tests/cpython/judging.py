"""Runs files in modes and judges the results by the table of expected differences."""

from collections import Counter
from dataclasses import dataclass, field

from . import expectations, suite
from .modes import OURS


@dataclass
class Judgement:
    """What a run of one file in one mode amounts to."""

    file: str
    mode: str
    counts: Counter = field(default_factory=Counter)
    # (test, result, entry or None) of what failed, with and without an explanation
    differences: list = field(default_factory=list)
    # entry: how many tests of the file it has set aside
    set_aside: Counter = field(default_factory=Counter)
    # sentences about entries that are not true
    problems: list = field(default_factory=list)

    @property
    def counted(self):
        return sum(self.counts[name] for name in expectations.COUNTED)

    @property
    def is_good(self):
        return not self.counts["failed"] and not self.problems


def judge(file, mode, results, stock, entries, *, is_whole=True, python=expectations.RUNNING):
    """Judge the results of a file.

    Args:
        results: by test, those of the mode.
        stock: by test, those of stock asyncio; a test that is missing there is taken to pass.
        entries: the table.
        is_whole: whether these are the results of all the tests in the file.
    """
    judgement = Judgement(file, mode)
    for test in sorted({*results, *stock}):
        result, baseline = results.get(test), stock.get(test)
        entry = expectations.entry_for(test, mode, entries, python)
        count = expectations.count_as(result, baseline, entry)
        judgement.counts[count] += 1
        if count in ("failed", "deliberate"):
            judgement.differences.append((test, result, entry))
        elif count == "not applicable":
            judgement.set_aside[entry] += 1
        if entry is not None and expectations.stale(entry, test, result, baseline):
            judgement.problems.append(f"{test} passes in the mode {mode}, but expected.toml says: {entry.reason}")
    if mode in OURS and is_whole:
        for pattern in expectations.unused(entries, {*results, *stock}, mode, file, python):
            judgement.problems.append(f"{pattern} in expected.toml matches no test in the mode {mode}")
    return judgement


def run(file, mode, entries, *, stock=None, names=(), seconds=suite.SECONDS_PER_TEST):
    """Run a file in a mode, failures a second time, and judge it.

    Args:
        stock: the results of stock asyncio; None asks asyncio only about the tests that do not pass.
        names: of classes and tests, if not the whole file is to be run.
    """
    results = suite.run_file(mode, file, seconds=seconds, names=names)
    unexplained = [
        test
        for test, result in results.items()
        if not result.is_good and test != file and expectations.entry_for(test, mode, entries) is None
    ]
    if stock is None:
        doubtful = [test for test, result in results.items() if result.outcome != "passed" and test != file]
        stock = suite.run_file("stock", file, seconds=seconds, names=doubtful) if doubtful else {}
        stock = {test: result for test, result in stock.items() if test in results}
    again = [test for test in unexplained if test not in stock or stock[test].outcome == "passed"]
    results |= suite.run_again(mode, file, again, seconds=seconds)
    return judge(file, mode, results, stock, entries, is_whole=not names)
