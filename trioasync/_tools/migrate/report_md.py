"""The report as Markdown, for a pull request or an issue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trioasync._tools.migrate.report_text import summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trioasync._tools.migrate.report import Document

__all__ = ["write"]


def write(document: Document) -> str:
    """Give the report as Markdown: tables by rule and by file, and what a person must do."""
    sections = [
        "# From asyncio to trio",
        summary(document) + ".",
        *_section("By rule", _rules(document)),
        *_section("By file", _files(document)),
        *_section("Names in use", _symbols(document)),
        *_section("For a person", _for_a_person(document)),
        *_section("Packages that run on asyncio", _dependencies(document)),
        *_section(
            "Not read", [f"* {_code(error['path'])}: {_plain(error['message'])}" for error in document["errors"]]
        ),
    ]
    return "\n\n".join(sections) + "\n"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    text = "\n".join(lines)
    return [f"## {title}", text] if text else []


def _table(header: list[str], rows: list[list[object]]) -> Iterator[str]:
    if rows:
        yield "| " + " | ".join(header) + " |"
        yield "|" + "---|" * len(header)
        for row in rows:
            yield "| " + " | ".join(str(cell) for cell in row) + " |"


def _rules(document: Document) -> Iterator[str]:
    counts = document["summary"]["by_code"]
    rows = [[_code(r["code"]), r["safety"], _plain(r["summary"]), counts[r["code"]]] for r in document["rules"]]
    return _table(["code", "class", "what", "findings"], rows)


def _files(document: Document) -> Iterator[str]:
    rows = []
    for file in document["files"]:
        uses = file["uses"]
        rows.append([_code(file["path"]), *uses.values(), f"{file['native_pct']} %", f"{file['reachable_pct']} %"])
    return _table(["file", "native", "A", "B", "C", "native now", "within reach of the tool"], rows)


def _symbols(document: Document) -> Iterator[str]:
    rows = [
        [_code(each["symbol"]), each["uses"], each["support"], each["class"], _plain(each["native"])]
        for each in document["symbols"]
    ]
    return _table(["name", "uses", "on trioasync", "class", "trio"], rows)


def _for_a_person(document: Document) -> Iterator[str]:
    for finding in document["findings"]:
        if finding["safety"] == "C":
            place = _code(f"{finding['path']}:{finding['start']['line']}")
            yield f"* [ ] {place} {finding['code']} {_plain(finding['message'])}" + (
                f" ({_plain(finding['help'])})" if finding["help"] else ""
            )


def _dependencies(document: Document) -> Iterator[str]:
    rows: list[list[object]] = [
        [_code(each["package"]), each["runs_on"], each["tested"], len(each["imported_at"]), _plain(each["native"])]
        for each in document["dependencies"]
    ]
    return _table(["package", "runs on", "tested on trioasync", "imports", "for trio"], rows)


def _code(text: str) -> str:
    """Give a text as code; inside of a table a bar needs its backslash even there."""
    text = re.sub(r"\s", " ", text)
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}".replace("|", "\\|")


def _plain(text: str) -> str:
    """Give a text that means itself inside of a table."""
    # An underscore in the midst of a name is one already.
    return " ".join(re.sub(r"[\\|<*\[]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\\g<0>", text).split())
