"""Which fixes are made together, and the guard that no comment is lost."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trioasync._tools.migrate.findings import Edit, Finding, Fix
    from trioasync._tools.migrate.source import Source

__all__ = ["chosen", "lost_comment", "misplaced"]


class _Taken:
    """The stretches of text that are spoken for, without overlaps, in order."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def meets(self, start: int, end: int) -> bool:
        """Tell whether a stretch overlaps one that is taken, or is an insertion at a place where there is one."""
        index = bisect_left(self._starts, start)
        if index and self._ends[index - 1] > start:
            return True
        while index < len(self._starts) and self._starts[index] <= start:
            if (self._ends[index] == start) == (start == end):
                return True
            index += 1
        return index < len(self._starts) and self._starts[index] < end

    def add(self, start: int, end: int) -> None:
        index = bisect_left(self._starts, start)
        while index < len(self._starts) and (self._starts[index], self._ends[index]) < (start, end):
            index += 1
        self._starts.insert(index, start)
        self._ends.insert(index, end)


def chosen(findings: Iterable[Finding]) -> list[Finding]:
    """Take the findings, in the order given, whose fixes do not meet one that was taken before."""
    edited, needed, taken = _Taken(), _Regions(), []
    for finding in findings:
        fix = finding.fix
        if (
            fix is None
            or finding.blocked
            or any(edited.meets(edit.start, edit.end) or needed.holds(edit) for edit in fix.edits)
        ):
            continue
        if fix.region is not None and edited.meets(*fix.region):
            continue
        taken.append(finding)
        for edit in fix.edits:
            edited.add(edit.start, edit.end)
        if fix.region is not None:
            needed.add(fix.region)
    return taken


class _Regions:
    """What fixes rely on staying as it is; few, and they may be nested."""

    def __init__(self) -> None:
        self._regions: list[tuple[int, int]] = []

    def add(self, region: tuple[int, int]) -> None:
        self._regions.append(region)

    def holds(self, edit: Edit) -> bool:
        return any(edit.start < end and edit.end > start for start, end in self._regions) or any(
            edit.start == edit.end and start <= edit.start < end for start, end in self._regions
        )


def misplaced(source: Source, fix: Fix) -> bool:
    """Tell whether edits overlap each other or lie outside of the text."""
    done = 0
    for edit in fix.edits:
        if not done <= edit.start <= edit.end <= len(source.text):
            return True
        done = edit.end
    return False


def lost_comment(source: Source, edits: Sequence[Edit]) -> str:
    """Give a comment that edits would lose, or ""."""
    gone: Counter[str] = Counter()
    for edit in edits:
        gone.update(comment.text.rstrip() for comment in source.comments(edit.start, edit.end))
    for text in gone:
        if sum(edit.text.count(text) for edit in edits) < gone[text]:
            return text
    return ""
