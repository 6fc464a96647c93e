"""What an audit found, as one document of plain data, from which every kind of report is written."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trioasync._tools.migrate.support import is_there, lookup
from trioasync._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Dependency", "Document", "FileAudit", "Use", "document", "fingerprint"]

# The document that `report.schema.json` describes.
Document = dict[str, Any]

KINDS = ("native", "A", "B", "C")


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a name of asyncio or trio.

    Args:
        symbol: "asyncio.sleep", "loop.time", "trio.sleep".
        function: qualified name of the function around it, "" in a module.
        line: from 1.
        kind: "native" for trio's names, else who makes it native: A, B or C.
        code: of the finding that decided the kind, "" where the table did.
    """

    symbol: str
    function: str
    line: int
    kind: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Dependency:
    """A third-party package that asyncio code imports."""

    package: str
    runs_on: str
    native: str
    tested: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class FileAudit:
    """What was found in one file; `findings` are members of the document already."""

    path: str
    lines: int = 0
    uses: tuple[Use, ...] = ()
    findings: tuple[dict[str, Any], ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    error: str = ""
    # Settings files and the like are not counted among the Python files.
    python: bool = field(default=True)


def document(audits: Iterable[FileAudit], rules: Sequence[Mapping[str, Any]]) -> Document:
    """Make the document.

    Args:
        audits: of all files that were looked at.
        rules: the entries of all codes, as in the document.
    """
    ordered = sorted(audits, key=lambda each: each.path)
    used = [each for each in ordered if each.uses]
    findings = [finding for each in ordered for finding in each.findings]
    codes = {finding["code"] for finding in findings}
    return {
        "schema": 1,
        "tool": {"name": "trioasync", "version": __version__},
        "summary": _summary(ordered, findings),
        "files": [_file(each) for each in used],
        "symbols": _symbols(used),
        "findings": findings,
        "rules": [dict(rule) for rule in rules if rule["code"] in codes],
        "dependencies": _dependencies(ordered),
        "errors": [{"path": each.path, "message": each.error} for each in ordered if each.error],
    }


def fingerprint(code: str, path: str, function: str, text: str) -> str:
    """Give what makes a finding the same one after its line has moved."""
    words = " ".join(text.split())
    return hashlib.sha256(f"{code}\0{path}\0{function}\0{words}".encode("utf-8", "replace")).hexdigest()[:16]


def _summary(audits: Sequence[FileAudit], findings: Sequence[dict[str, Any]]) -> Document:
    uses = _count(use for each in audits for use in each.uses)
    classes = Counter(finding["safety"] for finding in findings)
    codes = Counter(finding["code"] for finding in findings)
    return {
        "scanned": sum(each.python for each in audits),
        "files": sum(bool(each.uses) for each in audits),
        "lines": sum(each.lines for each in audits if each.python),
        "uses": uses,
        "native_pct": _percent(uses, "native"),
        "reachable_pct": _percent(uses, "native", "A", "B"),
        "by_class": {kind: classes[kind] for kind in "ABC"},
        "by_code": dict(sorted(codes.items())),
        "blockers": _blockers(audits),
    }


def _count(uses: Iterable[Use]) -> dict[str, int]:
    counted = Counter(use.kind for use in uses)
    return {kind: counted[kind] for kind in KINDS}


def _percent(uses: Mapping[str, int], *kinds: str) -> int | None:
    """Give the share of some kinds, rounded down: 100 means all."""
    total = sum(uses.values())
    return 100 * sum(uses[kind] for kind in kinds) // total if total else None


def _blockers(audits: Iterable[FileAudit]) -> list[Document]:
    files: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for each in audits:
        reasons = {use.code or use.symbol for use in each.uses if use.kind == "C"}
        files.update(reasons)
        if len(reasons) == 1:
            alone.update(reasons)
    order = sorted(files, key=lambda reason: (-files[reason], -alone[reason], reason))
    return [{"code": reason, "files": files[reason], "alone": alone[reason]} for reason in order]


def _file(audit: FileAudit) -> Document:
    by_function: dict[str, list[Use]] = defaultdict(list)
    for use in audit.uses:
        by_function[use.function].append(use)
    functions = [_function(name, uses) for name, uses in by_function.items()]
    uses = _count(audit.uses)
    return {
        "path": audit.path,
        "lines": audit.lines,
        "uses": uses,
        "native_pct": _percent(uses, "native"),
        "reachable_pct": _percent(uses, "native", "A", "B"),
        "functions": sorted(functions, key=lambda each: (each["line"], each["name"])),
    }


def _function(name: str, uses: Sequence[Use]) -> Document:
    symbols = Counter(use.symbol for use in uses if use.kind != "native")
    return {
        "name": name,
        "line": min(use.line for use in uses),
        "uses": _count(uses),
        "symbols": dict(sorted(symbols.items())),
    }


def _symbols(audits: Sequence[FileAudit]) -> list[Document]:
    uses: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for each in audits:
        symbols = [use.symbol for use in each.uses if use.kind != "native"]
        uses.update(symbols)
        files.update(set(symbols))
    return [_symbol(symbol, uses[symbol], files[symbol]) for symbol in sorted(uses, key=lambda s: (-uses[s], s))]


def _symbol(symbol: str, uses: int, files: int) -> Document:
    entry = lookup(symbol)
    return {
        "symbol": symbol,
        "uses": uses,
        "files": files,
        "support": entry.support if entry else "full" if is_there(symbol) else "unknown",
        "class": entry.safety if entry else "C",
        "native": entry.native if entry else "",
        "note": "; ".join(filter(None, [entry.note, entry.support_note])) if entry else "",
    }


def _dependencies(audits: Iterable[FileAudit]) -> list[Document]:
    places: dict[str, list[Dependency]] = defaultdict(list)
    for each in audits:
        for dependency in each.dependencies:
            places[dependency.package].append(dependency)
    return [
        {
            "package": package,
            "runs_on": found[0].runs_on,
            "native": found[0].native,
            "tested": found[0].tested,
            "imported_at": [f"{each.path}:{each.line}" for each in found],
        }
        for package, found in sorted(places.items())
    ]
