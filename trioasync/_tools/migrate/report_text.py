"""The report as text: one line for each finding, as compilers give them, then what they amount to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.report import Document

__all__ = ["share", "summary", "write"]

_SHOWN = 10


def write(document: Document) -> str:
    """Give the report as text for a terminal."""
    parts = [
        *_findings(document),
        *_files(document),
        *_symbols(document),
        *_dependencies(document),
        *_errors(document),
        *_blockers(document),
        summary(document),
    ]
    return "\n".join(parts) + "\n"


def share(uses: Mapping[str, int]) -> str:
    """Say how many uses of a kind there are: "3 native, 1 A, 2 C"."""
    said = [f"{number} {kind}" for kind, number in uses.items() if number]
    return ", ".join(said) or "no uses"


def summary(document: Document) -> str:
    """Say in one line what was looked at and how far it has come."""
    counts = document["summary"]
    uses = counts["uses"]
    asyncio_uses = uses["A"] + uses["B"] + uses["C"]
    said = [
        f"{_many(counts['scanned'], 'file')} scanned, {_many(counts['lines'], 'line')}",
        f"{_many(asyncio_uses, 'use')} of asyncio: {uses['A']} A, {uses['B']} B, {uses['C']} C",
    ]
    if document["errors"]:
        said[0] += f", {len(document['errors'])} not read"
    if counts["native_pct"] is not None:
        reachable = f", {counts['reachable_pct']}% within the tool's reach"
        said.append(f"{counts['native_pct']}% native" + (reachable if uses["A"] + uses["B"] else ""))
    return "; ".join(said)


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _findings(document: Document) -> Iterator[str]:
    for finding in document["findings"]:
        yield _finding(finding)
    if document["findings"]:
        yield ""


def _finding(finding: Mapping[str, Any]) -> str:
    start = finding["start"]
    place = f"{finding['path']}:{start['line']}:{start['col']}"
    inside = f" (in {finding['function']})" if finding["function"] else ""
    text = f"{place}: {finding['code']}[{finding['safety']}] {finding['message']}{inside}"
    more = finding["blocked"] or (finding["help"] if finding["safety"] == "C" else "")
    return text + (f"\n    {more}" if more else "")


def _files(document: Document) -> Iterator[str]:
    for file in document["files"]:
        yield f"{file['path']}: {share(file['uses'])}; {file['native_pct']}% native, {file['reachable_pct']}% reachable"
        for function in file["functions"]:
            names = ", ".join(
                name if number == 1 else f"{name} ({number})" for name, number in function["symbols"].items()
            )
            yield f"    {function['name'] or '(module)'}: {share(function['uses'])}" + (f": {names}" if names else "")
    if document["files"]:
        yield ""


def _symbols(document: Document) -> Iterator[str]:
    lacking = [symbol for symbol in document["symbols"] if symbol["support"] != "full"]
    if lacking:
        yield "not wholly supported by trioasync:"
        yield from (
            f"    {each['symbol']}: {each['support']}" + (f", {each['note']}" if each["note"] else "")
            for each in lacking
        )
        yield ""
    elif document["symbols"]:
        yield "all names in use are supported by trioasync"
        yield ""


def _dependencies(document: Document) -> Iterator[str]:
    if document["dependencies"]:
        yield "packages that run on asyncio:"
        for each in document["dependencies"]:
            native = f"; for trio: {each['native']}" if each["native"] else ""
            tested = f", {each['tested']} tested on trioasync" if each["tested"] else ""
            places = ", ".join(each["imported_at"][:3])
            yield f"    {each['package']} ({each['runs_on']}{tested}), imported at {places}{native}"
        yield ""


def _errors(document: Document) -> Iterator[str]:
    for error in document["errors"]:
        yield f"{error['path']}: not read: {error['message']}"


def _blockers(document: Document) -> Iterator[str]:
    blockers = document["summary"]["blockers"][:_SHOWN]
    if blockers:
        meanings = {rule["code"]: rule["summary"] for rule in document["rules"]}
        yield "what a person must do:"
        for each in blockers:
            meaning = f" {meanings[each['code']]}" if each["code"] in meanings else ""
            alone = f", {each['alone']} of which nothing else keeps" if each["alone"] else ""
            yield f"    {each['code']}{meaning}: in {_many(each['files'], 'file')}{alone}"
        yield ""
