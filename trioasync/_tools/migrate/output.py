"""What a run shows: the patch, what is left, how far it is, and always the counts."""

from __future__ import annotations

import difflib
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from trioasync._tools.migrate.source import Source, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trioasync._tools.migrate.findings import Finding
    from trioasync._tools.migrate.results import Outcome

__all__ = ["Counts", "Progress", "finding_line", "left_lines", "patch"]

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


def patch(outcome: Outcome) -> str:
    """Give the unified diff of a file; what has no newline at the end says so, as in git's."""
    assert outcome.after is not None
    before, after = _lines(outcome.before), _lines(outcome.after)
    path = Path(outcome.path).as_posix().lstrip("/")
    pieces = []
    for line in difflib.unified_diff(before, after, f"a/{path}", f"b/{path}"):
        whole = line.endswith(("\n", "\r"))
        pieces.append(line if whole else f"{line}\n\\ No newline at end of file\n")
    return "".join(pieces)


def _lines(data: bytes) -> list[str]:
    try:
        text = Source.decode(data).text
    except SourceError:
        text = data.decode("latin-1")
    return _LINE.findall(text)


def finding_line(finding: Finding) -> str:
    """Give the line of text for a finding that is left."""
    place = f"{Path(finding.path).as_posix()}:{finding.line}:{finding.column}"
    more = finding.blocked or finding.help.split("\n")[0]
    return f"{place}: {finding.code}[{finding.safety}] {finding.message}" + (f" ({more})" if more else "")


class Counts:
    """What a run comes to."""

    def __init__(self) -> None:
        self.scanned = 0
        self.changed = 0
        self.without = 0
        self.skipped = 0
        self.failed = 0
        self.made: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        self.helpers: set[str] = set()

    def add(self, outcome: Outcome) -> None:
        """Count a file."""
        self.scanned += 1
        self.changed += outcome.after is not None
        self.failed += bool(outcome.error)
        self.without += outcome.skipped == "no asyncio"
        self.skipped += bool(outcome.skipped) and outcome.skipped != "no asyncio"
        if not outcome.error:
            self.made.update(outcome.made)
            self.helpers |= outcome.helpers
        self.left.update(finding.code for finding in outcome.findings)

    def summary(self, *, written: bool) -> str:
        """Give the lines that end every run."""
        verb, done = ("changed", "made") if written else ("would change", "would be made")
        files = "1 file" if self.changed == 1 else f"{self.changed} files"
        counts = f"{self.scanned} scanned, {self.without} without asyncio, {self.skipped} skipped, {self.failed} failed"
        lines = [f"{files} {verb}, {counts}"]
        if self.made:
            lines.append(f"fixes {done}: {_listed(self.made)}")
        if self.helpers:
            lines.append(f"helper functions used: {', '.join(sorted(self.helpers))}")
        if self.left:
            lines.append(f"left as it is: {_listed(self.left)}")
        return "\n".join(lines)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{code} {number}" for code, number in sorted(counts.items()))


class Progress:
    """How far a run is, on a terminal and only after the first second; anything that is not a terminal sees nothing.

    Args:
        total: how many files there are.
        stream: where it is shown; standard error by default.
    """

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self._total = total
        self._stream = stream or sys.stderr
        self._done = 0
        self._shown = time.monotonic()
        self._width = 0
        self._live = self._stream.isatty()

    def __call__(self, path: str) -> None:
        """Count a file that is done."""
        self._done += 1
        now = time.monotonic()
        if self._live and now - self._shown > (0.1 if self._width else 1.0):
            filled = 30 * self._done // max(1, self._total)
            text = f"[{'#' * filled}{'.' * (30 - filled)}] {self._done}/{self._total} {path[-40:]}"
            self._stream.write("\r" + text.ljust(self._width))
            self._stream.flush()
            self._width, self._shown = len(text), now

    def clear(self) -> None:
        """Take the bar away."""
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()


def left_lines(outcomes: Iterable[Outcome]) -> list[str]:
    """Give the lines for what could not be done, by file and place."""
    lines = []
    for outcome in sorted(outcomes, key=lambda outcome: outcome.path):
        if outcome.error:
            line = f":{outcome.error_line}" if outcome.error_line else ""
            lines.append(f"{Path(outcome.path).as_posix()}{line}: {outcome.error_code} {outcome.error}")
        lines += [finding_line(finding) for finding in outcome.findings]
    return lines
