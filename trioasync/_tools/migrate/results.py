"""What comes out of looking at one file, and of looking at all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trioasync._tools.migrate.findings import Finding
    from trioasync._tools.migrate.project import FileFacts

__all__ = ["Analysis", "FileResult", "FunctionInfo", "Outcome", "Use"]


class Use(NamedTuple):
    """One use of a name of asyncio's or trio's."""

    name: str
    line: int
    column: int
    function: str
    path: str


class FunctionInfo(NamedTuple):
    """One function or method."""

    name: str
    line: int
    end_line: int
    is_async: bool


@dataclass(frozen=True)
class FileResult:
    """One file, looked at and not changed.

    Args:
        path: as it was given.
        lines: how many it has.
        findings: in the order of the text.
        uses: in the order of the text.
        functions: in the order of the text.
        third_party: packages it imports that are neither Python's nor the project's.
        residual: canonical names of asyncio that are left when every fix has been made that waits for nothing.
        facts: what other files may want to know of it.
        error: why it could not be read, "" otherwise.
        error_line: where.
        skipped: why it was not looked at, "" otherwise.
        asked: what rules wanted to know of other files.
    """

    path: str
    lines: int = 0
    findings: tuple[Finding, ...] = ()
    uses: tuple[Use, ...] = ()
    functions: tuple[FunctionInfo, ...] = ()
    third_party: tuple[str, ...] = ()
    residual: frozenset[str] = frozenset()
    facts: FileFacts | None = None
    error: str = ""
    error_line: int = 0
    skipped: str = ""
    asked: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Analysis:
    """All files of an audit, by path."""

    files: tuple[FileResult, ...]


@dataclass(frozen=True)
class Outcome:
    """One file after a rewrite, which is not written yet.

    Args:
        path: as it was given.
        before: its bytes.
        after: its bytes then, None if nothing changes.
        made: how many fixes of each code were made.
        findings: what is left, in the order of the text as it is then.
        residual: names of asyncio that are left, those in gated fixes left out.
        waits: a fix waits for the rest of the file or program.
        helpers: helper functions that were used.
        error: why the file stays as it is, "" otherwise.
        error_code: "TAM001" to "TAM004" with an error.
        error_line: where.
        skipped: why it was not looked at, "" otherwise.
        facts: what other files may want to know of it, as it was.
        asked: what rules wanted to know of other files.
    """

    path: str
    before: bytes = b""
    after: bytes | None = None
    made: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    residual: frozenset[str] = frozenset()
    waits: bool = False
    helpers: frozenset[str] = frozenset()
    error: str = ""
    error_code: str = ""
    error_line: int = 0
    skipped: str = ""
    facts: FileFacts | None = None
    asked: frozenset[tuple[str, str]] = frozenset()
