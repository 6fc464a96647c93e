"""All codes with what there is to say about each, from the rules themselves and from what only an audit finds."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trioasync._tools.migrate.rules import all_rules

if TYPE_CHECKING:
    from trioasync._tools.migrate.rule import Rule

__all__ = ["Entry", "entries"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One code.

    Args:
        code: "TAM200".
        name: of the rule.
        stage: 1 for imports, 2 for native code.
        safety: of its rewrites.
        summary: one line.
        description: of the rule.
        example: before and after; "" for what there is no example of.
        traps: what a person must know, in sentences.
    """

    code: str
    name: str
    stage: int
    safety: str
    summary: str
    description: str
    example: tuple[str, str]
    traps: tuple[str, ...]

    def as_mapping(self) -> dict[str, Any]:
        """Give the fields that reports show, as plain data."""
        return {
            "code": self.code,
            "name": self.name,
            "safety": self.safety,
            "summary": self.summary,
            "before": self.example[0],
            "after": self.example[1],
            "traps": list(self.traps),
        }


@functools.cache
def entries() -> dict[str, Entry]:
    """Return the entries by code, in the order of the codes."""
    found = {entry.code: entry for rule in all_rules() for entry in _of_rule(rule)}
    return dict(sorted(found.items()))


def _of_rule(rule: Rule) -> list[Entry]:
    examples: dict[str, tuple[str, str]] = getattr(rule, "examples", {})
    return [
        Entry(
            code,
            rule.name,
            rule.stage,
            rule.safety.get(code, "B"),
            summary,
            " ".join((type(rule).__doc__ or "").split()),
            examples.get(code, ("", "")),
            rule.traps,
        )
        for code, summary in rule.codes.items()
    ]
