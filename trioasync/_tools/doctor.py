"""`trioasync doctor`: what the compatibility matrix says of this interpreter and of the packages installed in it."""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import re
import sys
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

from trioasync import _trio
from trioasync._tools.matrix import facts
from trioasync._tools.matrix.known import DIFFERENCES
from trioasync._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["command"]

# Packages that put another loop in the place of ours, and what to do.
OTHER_LOOPS = {
    "uvloop": "has a loop of its own: a program that asks for it by name does not run on trio (docs/servers.md)",
    "trio-asyncio": "has loops of its own, which trioasync knows nothing of",
}


# What trioasync brings itself.
OURS = {"trioasync", "trio", "outcome", "sniffio"}


class Finding(NamedTuple):
    """A line of the report, and whether it tells of something that stands in the way."""

    text: str
    wrong: bool = False


def command(arguments: list[str]) -> int:
    """Print the report and return the exit status: 1 if something stands in the way, 0 otherwise."""
    _parser().parse_args(arguments)
    wrong = False
    for finding in report(facts.read(), python=platform.python_version(), packages=installed()):
        print(finding.text)
        wrong = wrong or finding.wrong
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog="trioasync doctor",
        description="Says what the compatibility matrix says of this interpreter and of the packages installed in it.",
        epilog="The exit status is 1 if this Python, this trio or an installed package is known not to work.",
        allow_abbrev=False,
    )


def installed() -> dict[str, tuple[str, bool]]:
    """Return the version of each installed distribution by its normalised name, and whether it says it is asyncio's."""
    found: dict[str, tuple[str, bool]] = {}
    for each in importlib.metadata.distributions():
        if name := each.metadata["Name"]:
            asynchronous = "Framework :: AsyncIO" in (each.metadata.get_all("Classifier") or ())
            found.setdefault(_normalised(name), (each.version, asynchronous))
    return found


def report(known: dict[str, Any], *, python: str, packages: dict[str, tuple[str, bool]]) -> Iterator[Finding]:
    """Give the report on an interpreter and its packages, as the matrix's facts have it."""
    minor = ".".join(python.split(".")[:2])
    here = known["pythons"].get(minor)
    yield Finding(f"trioasync {__version__}")
    yield _of_python(python, here, known["pythons"])
    yield _of_trio(here)
    if sys.platform == "win32":
        yield Finding("Windows is not supported", wrong=True)
    if here is None:
        return
    yield Finding(f"\nWhat the matrix counts on Python {minor}:")
    width = max(len(label) for label, _number in here["summary"])
    for label, number in here["summary"]:
        yield Finding(f"  {label:<{width}}  {number}")
    yield from _of_packages(known["libraries"], minor, packages)
    yield Finding(f"\nKnown differences from asyncio on Python {minor}:")
    for difference in DIFFERENCES:
        if difference.title in here["differences"]:
            yield Finding(f"  {difference.title}")
            yield Finding(_indented(f"{difference.reason} What to do: {difference.workaround}"))


def _of_python(python: str, here: dict[str, Any] | None, pythons: Iterable[str]) -> Finding:
    if here is None:
        return Finding(f"Python {python}: not in the matrix, which has {', '.join(pythons)}", wrong=True)
    return Finding(f"Python {python}: in the matrix, whose tests ran on {here['python']}")


def _of_trio(here: dict[str, Any] | None) -> Finding:
    try:
        _trio.check()
    except RuntimeError as error:
        return Finding(str(error), wrong=True)
    told = f"trio {importlib.metadata.version('trio')}: has what trioasync needs of it"
    return Finding(told if here is None else f"{told}; the tests ran with {here['trio']}")


def _of_packages(libraries: dict[str, Any], minor: str, packages: dict[str, tuple[str, bool]]) -> Iterator[Finding]:
    by_name = {_normalised(name): told for name, told in libraries.items()}
    told = {
        name for name, (_, asynchronous) in packages.items() if asynchronous or name in by_name
    } | OTHER_LOOPS.keys()
    lines = [
        (f"{name} {packages[name][0]}", _of_package(name, packages[name][0], by_name.get(name), minor))
        for name in sorted((told & packages.keys()) - OURS)
    ]
    yield Finding(
        "\nInstalled packages that use asyncio:" if lines else "\nNo installed package is known to use asyncio."
    )
    width = max((len(name) for name, _ in lines), default=0)
    for name, finding in lines:
        yield Finding(f"  {name:<{width}}  {finding.text}", finding.wrong)


def _of_package(name: str, version: str, tested: dict[str, Any] | None, minor: str) -> Finding:
    """Return what is known of an installed package."""
    if name in OTHER_LOOPS:
        return Finding(OTHER_LOOPS[name])
    if tested is None:
        return Finding("not in the matrix")
    if minor not in tested:
        return Finding(f"not tested on Python {minor}, but on {', '.join(tested)}")
    with_version, passed, failed = tested[minor]
    same = "this version" if version == with_version else f"{with_version}; yours is {_age(version, with_version)}"
    if failed:
        return Finding(f"{failed} of {passed + failed} tests failed with {same}", wrong=True)
    return Finding(f"runs unmodified: {passed} tests passed with {same}")


def _age(version: str, tested: str) -> str:
    numbers = [[int(number) for number in re.findall(r"\d+", each)] for each in (version, tested)]
    return "newer" if numbers[0] > numbers[1] else "older"


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _indented(text: str) -> str:
    return textwrap.fill(text, 100, initial_indent="      ", subsequent_indent="      ")
