"""`trioasync explain CODE`: what a rule looks for, what it makes of it, and what to know before one agrees."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING

from trioasync._tools.migrate.catalogue import entries
from trioasync._tools.migrate.support import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trioasync._tools.migrate.catalogue import Entry

__all__ = ["command", "text"]

_CLASSES = {
    "A": "class A: `trioasync migrate native` rewrites it; a program cannot see the difference",
    "B": "class B: `trioasync migrate native --safety B` rewrites it where the conditions hold that the rule checks",
    "C": "class C: a person rewrites it",
}


def command(arguments: list[str]) -> int:
    """Print the explanation of the codes that `arguments` name; 2 if there is no such code."""
    parser = argparse.ArgumentParser(
        prog="trioasync explain",
        description="Says what a code of 'trioasync audit' and 'trioasync migrate' means, with an example.",
        epilog="'trioasync rules' lists all codes.",
    )
    parser.add_argument(
        "code", nargs="+", metavar="CODE", help="a code, TAM200 for one, or a name: asyncio.sleep, loop.time"
    )
    asked = parser.parse_args(arguments).code
    explanations = [text(code) for code in asked]
    unknown = [code for code, explanation in zip(asked, explanations, strict=True) if not explanation]
    if unknown:
        parser.error(f"there is no code or name {', '.join(unknown)}: 'trioasync rules' lists all codes")
    print("\n\n".join(explanations))
    return 0


def text(code: str) -> str:
    """Return the explanation of a code, or of a name of asyncio; nothing if there is no such thing."""
    entry = entries().get(code.upper())
    return "\n".join(_of_rule(entry)) if entry else "\n".join(_of_name(code))


def _of_rule(entry: Entry) -> Iterator[str]:
    yield f"{entry.code} ({entry.name}): {entry.summary}"
    yield ""
    yield from _wrapped(entry.description)
    yield from _wrapped(_CLASSES[entry.safety] + ".")
    before, after = entry.example
    if before:
        yield from ["", "Before:", "", *_indented(before)]
    if after:
        title = "What a person can make of it:" if entry.safety == "C" else "After:"
        yield from ["", title, "", *_indented(after)]
    if entry.traps:
        yield from ["", "Worth knowing:", ""]
        for trap in entry.traps:
            yield from _wrapped(trap, "* ", "  ")


def _of_name(name: str) -> Iterator[str]:
    entry = table().get(name) or table().get(f"asyncio.{name}")
    if entry is None:
        return
    versions = [f"since {entry.since}"] if entry.since else []
    versions += [f"until {entry.until}"] if entry.until else []
    versions += ["on Windows only"] if entry.platform == "win32" else []
    yield entry.name + (f" (in asyncio {', '.join(versions)})" if versions else "")
    yield ""
    yield f"on trioasync: {entry.support}" + (f": {entry.support_note}" if entry.support_note else "")
    yield f"in trio:      {entry.native or 'nothing takes its place'}"
    yield f"class:        {entry.safety}" + (f": {entry.note}" if entry.note else "")


def _wrapped(said: str, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(said, 100, initial_indent=first, subsequent_indent=rest)


def _indented(code: str) -> list[str]:
    return textwrap.indent(code.rstrip("\n"), "    ").splitlines()
