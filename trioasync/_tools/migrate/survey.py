"""From what the engine found to the document that reports are made from."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trioasync._tools.migrate import environment, report
from trioasync._tools.migrate.catalogue import entries
from trioasync._tools.migrate.known_packages import line_of, package_of, tested
from trioasync._tools.migrate.source import Source, SourceError
from trioasync._tools.migrate.support import lookup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from trioasync._tools.migrate.findings import Finding, Fix
    from trioasync._tools.migrate.known_packages import Package
    from trioasync._tools.migrate.report import Dependency, Document, FileAudit
    from trioasync._tools.migrate.results import FileResult, Use

__all__ = ["document_of"]


def document_of(
    results: Iterable[FileResult], surroundings: Sequence[str] = (), wants: Callable[[str], object] = bool
) -> Document:
    """Make the document of a report.

    Args:
        results: of all Python files.
        surroundings: paths of settings files, notebooks and the like.
        wants: tells whether findings of a code are asked for in those.
    """
    audits = [_of_file(result) for result in results]
    audits += [_of_surroundings(path, wants) for path in surroundings]
    return report.document(audits, [entry.as_mapping() for entry in entries().values()])


def shown(path: str) -> str:
    """Give a path as reports have it: relative to the current directory, with slashes."""
    return os.path.relpath(path).replace(os.sep, "/")


# Files


def _of_file(result: FileResult) -> FileAudit:
    path = shown(result.path)
    if result.error:
        where = f"line {result.error_line}: " if result.error_line else ""
        return report.FileAudit(path, result.lines, error=where + result.error)
    findings = [finding for finding in result.findings if _of_others(result, finding)]
    # Rewriting its import makes no use of a name native: what a report counts is stage 2.
    source = _read(result.path) if findings else Source("")
    deciding = _Deciding([finding for finding in findings if finding.symbol != "asyncio"], source)
    uses = tuple(
        report.Use(use.name, use.function, use.line, *deciding.kind_of(use))
        for use in sorted(result.uses, key=lambda use: (use.line, use.column, use.name))
    )
    members = tuple(_member(finding, path, source) for finding in sorted(findings, key=lambda each: each.sort_key()))
    return report.FileAudit(path, result.lines, uses, members, tuple(_dependencies(result, path)))


def _of_surroundings(path: str, wants: Callable[[str], object]) -> FileAudit:
    try:
        source = Source.decode(_bytes(path)) if path.endswith(".pyx") else Source(_bytes(path).decode("utf-8"))
    except (OSError, SourceError, UnicodeDecodeError) as error:
        return report.FileAudit(shown(path), error=str(error), python=False)
    found = environment.look(path, source.text)
    members = tuple(_member(finding, shown(path), source) for finding in found if wants(finding.code))
    return report.FileAudit(shown(path), findings=members, python=False)


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _read(path: str) -> Source:
    return Source.decode(_bytes(path))


def _of_others(result: FileResult, finding: Finding) -> bool:
    """Tell whether a finding is not one about a package that is the project's own."""
    return finding.code != "TAM400" or finding.symbol.partition(".")[0] in result.third_party


def _dependencies(result: FileResult, path: str) -> list[Dependency]:
    if result.skipped == "no asyncio":
        # No rule has seen it: it does not name asyncio itself.
        found = _imported(result)
    else:
        named = [(package_of(each.symbol), each.line) for each in result.findings if each.code == "TAM400"]
        found = [(package, line) for package, line in named if package is not None]
    return [
        report.Dependency(package.name, package.runs_on, package.native, tested(package), path, line)
        for package, line in found
        if package.name.partition(".")[0] in result.third_party
    ]


def _imported(result: FileResult) -> list[tuple[Package, int]]:
    imports = result.facts.imports if result.facts else ()
    packages = {package for package in map(package_of, imports) if package is not None}
    if not packages:
        return []
    text = _bytes(result.path).decode("utf-8", "replace")
    return sorted((package, line_of(package, text)) for package in packages)


# Uses


class _Deciding:
    """Which finding decides about a use: the one that is about its name there, else the one whose fix replaces it."""

    def __init__(self, findings: Sequence[Finding], source: Source) -> None:
        self._source = source
        self._spans: dict[int, list[tuple[int, int, str, Finding]]] = defaultdict(list)
        for finding in findings:
            self._add(finding.start, finding.end, finding.symbol, finding)
            for edit in finding.fix.edits if finding.fix else ():
                self._add(edit.start, edit.end, "", finding)

    def _add(self, start: int, end: int, symbol: str, finding: Finding) -> None:
        first, last = self._source.position(start)[0], self._source.position(end)[0]
        for line in range(first, last + 1):
            self._spans[line].append((start, end, symbol, finding))

    def kind_of(self, use: Use) -> tuple[str, str]:
        """Give who makes a use native, and the code that says so."""
        if use.name.partition(".")[0] == "trio":
            return "native", ""
        finding = self._around(use)
        if finding is not None:
            return (finding.safety if finding.fix else "C"), finding.code
        entry = lookup(use.name)
        return (entry.worst if entry else "C"), ""

    def _around(self, use: Use) -> Finding | None:
        candidates = self._spans.get(use.line, ())
        if not candidates:
            return None
        place = self._source.line_span(use.line)[0] + use.column - 1
        around = [
            (symbol == "", end - start, finding.code, finding)
            for start, end, symbol, finding in candidates
            if start <= place < end and symbol in ("", use.name)
        ]
        return min(around, key=lambda each: each[:3])[3] if around else None


# Findings


def _member(finding: Finding, path: str, source: Source) -> dict[str, Any]:
    text = source.line(finding.line).strip()
    return {
        **replace(finding, path=path).as_mapping(),
        "text": text,
        "fingerprint": report.fingerprint(finding.code, path, finding.function, text),
        "fix": _fix(finding.fix, source),
    }


def _fix(fix: Fix | None, source: Source) -> dict[str, Any] | None:
    if fix is None:
        return None
    edits = [
        {"start": _position(edit.start, source), "end": _position(edit.end, source), "text": edit.text}
        for edit in fix.edits
    ]
    return {"safety": fix.safety, "edits": edits}


def _position(offset: int, source: Source) -> dict[str, int]:
    line, column = source.position(offset)
    return {"line": line, "col": column}
