"""The evidence: what the test runs have written down, one file per Python, and another for CPython's own suite."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Evidence", "Test", "load"]


@dataclass(frozen=True)
class Test:
    """A test that ran: its name, its sentence, and what became of each of its cases ("" where it has one alone)."""

    name: str
    says: str
    cases: dict[str, str]
    # The implementations that it compares, None where it does not say.
    sides: tuple[str, ...] | None = None
    # What a case has written down beside its outcome.
    properties: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """What its cases come to: failed if one has, skipped if all were, otherwise passed."""
        seen = set(self.cases.values())
        return "failed" if "failed" in seen else "passed" if "passed" in seen else "skipped"

    @property
    def compares(self) -> bool:
        """Whether asyncio ran beside trioasync."""
        return self.sides is None or "asyncio" in self.sides


@dataclass(frozen=True)
class Evidence:
    """What is known of one Python, as "3.13", by part."""

    python: str
    parts: dict[str, dict[str, Any]]
    cpython: dict[str, Any] | None = None

    def version(self, part: str, of: str) -> str | None:
        """Return a version with which a part was run, None if it was not."""
        version: str | None = self.parts.get(part, {}).get("versions", {}).get(of)
        return version

    def tests(self, part: str) -> dict[str, Test]:
        """Return the tests of a part that ran, by name."""
        return {name: _test(name, told) for name, told in self.parts.get(part, {}).get("tests", {}).items()}

    def rows(self, part: str) -> list[tuple[str, list[str]]]:
        """Return how a part is arranged: what stands in front of a row, or over a group of rows, and its tests."""
        return [(head, names) for head, names in self.parts.get(part, {}).get("rows", ())]


def _test(name: str, told: dict[str, Any]) -> Test:
    sides = told.get("sides")
    return Test(name, told["says"], told["cases"], None if sides is None else tuple(sides), told.get("properties", {}))


def load(folder: Path) -> list[Evidence]:
    """Return the evidence in a folder, the oldest Python first."""
    return sorted(_load(folder), key=lambda each: [int(number) for number in each.python.split(".")])


def _load(folder: Path) -> Iterator[Evidence]:
    for file in folder.glob("3.*.json"):
        suite = folder / f"cpython-{file.name}"
        parts = json.loads(file.read_text(encoding="utf-8"))["parts"]
        yield Evidence(file.stem, parts, json.loads(suite.read_text(encoding="utf-8")) if suite.exists() else None)
