"""Comments that tell the tool to keep its hands off: `# trioasync: ignore[TAM230]`, `# trioasync: skip-file`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trioasync._tools.migrate.findings import Finding
    from trioasync._tools.migrate.source import Source

__all__ = ["not_ignored", "skips_file"]

_IGNORE = re.compile(r"#\s*trioasync:\s*ignore(?:\[([^\]]*)\])?", re.IGNORECASE)
_SKIP = re.compile(r"#\s*trioasync:\s*skip-file", re.IGNORECASE)


def skips_file(source: Source) -> bool:
    """Tell whether a comment asks to leave the whole file alone."""
    return "trioasync:" in source.text and any(_SKIP.match(comment.text) for comment in source.comments())


def not_ignored(source: Source, findings: Iterable[Finding]) -> list[Finding]:
    """Leave out the findings that a comment on their first or last line asks not to hear of."""
    if "trioasync:" not in source.text:
        return list(findings)
    ignored: dict[int, tuple[str, ...]] = {}
    for comment in source.comments():
        match = _IGNORE.search(comment.text)
        if match:
            codes = match.group(1)
            line = source.position(comment.start)[0]
            ignored[line] = ("",) if codes is None else tuple(code.strip() for code in codes.split(",") if code.strip())
    return [
        finding
        for finding in findings
        if not any(finding.code.startswith(ignored.get(line, ())) for line in (finding.line, finding.end_line))
    ]
