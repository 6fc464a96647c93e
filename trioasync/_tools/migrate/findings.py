"""What a rule has to say: a finding at a place, and the edits that would settle it.

Positions are offsets in characters into the decoded text (`ctx.text`), never bytes and never lines: what an edit does
not cover cannot change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Edit", "Finding", "Fix", "Safety"]

# A: mechanical, nothing changes that can be seen. B: safe under conditions that the rule has checked. C: a person's.
Safety = Literal["A", "B", "C"]


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the characters from `start` up to `end` by `text`; equal offsets insert. Newlines in `text` are "\\n"."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that belong together: all of them are made or none is.

    Args:
        safety: "A" or "B".
        edits: in order, without overlaps.
        needs: what must be importable afterwards, as given to `Context.needs`.
        region: what the fix relies on staying as it is, beside its edits; other fixes in there wait for the next pass.
    """

    safety: Safety
    edits: tuple[Edit, ...]
    needs: frozenset[str] = frozenset()
    region: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found at one place.

    Args:
        code: "TAM200".
        name: the rule's name, "sleep".
        safety: of the rewrite that the rule knows; "C" where there is none for this place.
        message: one line, lower case, without a full stop.
        start: offset of the first character.
        end: offset after the last one.
        line: of `start`, from 1.
        column: of `start`, in characters, from 1.
        end_line: of `end`.
        end_column: of `end`.
        symbol: what is used here, "asyncio.sleep".
        function: qualified name of the function around it, "" in a module.
        path: as it was given.
        fix: the edits, where the tool can make them.
        help: one line that says what a person could do.
        blocked: why the fix is not made although there is one, "" otherwise.
    """

    code: str
    name: str
    safety: Safety
    message: str
    start: int
    end: int
    line: int
    column: int
    end_line: int
    end_column: int
    symbol: str = ""
    function: str = ""
    path: str = ""
    fix: Fix | None = None
    help: str = ""
    blocked: str = ""

    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Order by file, place and code."""
        return (self.path, self.start, self.end, self.code, self.message)

    def as_mapping(self) -> Mapping[str, object]:
        """Give the fields that reports show, as plain data."""
        return {
            "code": self.code,
            "name": self.name,
            "safety": self.safety,
            "path": self.path,
            "start": {"line": self.line, "col": self.column},
            "end": {"line": self.end_line, "col": self.end_column},
            "symbol": self.symbol,
            "function": self.function,
            "message": self.message,
            "help": self.help,
            "blocked": self.blocked,
        }
