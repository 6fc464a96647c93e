"""Third-party packages that run on asyncio: the table `known_packages.json`, and how to find them in a file."""

from __future__ import annotations

import ast
import functools
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from trioasync._tools.matrix import facts

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Package", "imported", "libraries", "line_of", "package_of", "table", "tested"]


# The name by which the compatibility matrix knows a package, if it is not that of the top-level module.
_IN_THE_MATRIX = {
    "grpc": "grpcio",
    "prompt_toolkit": "prompt-toolkit",
    "psycopg_pool": "psycopg",
    "telegram": "python-telegram-bot",
    "zmq": "pyzmq",
}


class Package(NamedTuple):
    """A package.

    Args:
        name: the dotted name that is imported; "redis.asyncio" where the rest of the package does not need asyncio.
        runs_on: "asyncio" or "asyncio and trio".
        native: what does its job on trio, "" if there is nothing to name.
    """

    name: str
    runs_on: str
    native: str


@functools.cache
def table() -> dict[str, Package]:
    """Return the packages that are known, by dotted name."""
    text = files(__package__).joinpath("known_packages.json").read_text("utf-8")
    return {name: Package(name, **entry) for name, entry in json.loads(text).items()}


def package_of(module: str) -> Package | None:
    """Return the package that a dotted module name belongs to."""
    parts = module.split(".")
    names = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((table()[name] for name in names if name in table()), None)


def imported(node: ast.Import | ast.ImportFrom) -> Iterator[Package]:
    """Give the packages that an import statement names, each once."""
    found: dict[str, Package] = {}
    for module in _modules(node):
        package = package_of(module)
        if package is not None:
            found[package.name] = package
    yield from found.values()


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if node.level or not node.module:
        return []
    return [f"{node.module}.{alias.name}" for alias in node.names]


def tested(package: Package) -> str:
    """Give the version of a package that does the same on trioasync, by the compatibility matrix, or ""."""
    root = package.name.partition(".")[0]
    by_python = libraries().get(_IN_THE_MATRIX.get(root, root), {})
    same = [(_version(python), version) for python, (version, _, failed) in by_python.items() if not failed]
    return max(same)[1] if same else ""


@functools.cache
def libraries() -> dict[str, dict[str, tuple[str, int, int]]]:
    """Return what the matrix says of libraries: by Python the version, and how many tests have passed and failed."""
    found: dict[str, dict[str, tuple[str, int, int]]] = facts.read()["libraries"]
    return found


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def line_of(package: Package, text: str) -> int:
    """Give the line on which a file imports a package for the first time, by its text alone; else 1."""
    root = package.name.partition(".")[0]
    match = re.search(rf"^[ \t]*(?:from|import)[ \t]+[^\n]*\b{root}\b", text, re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match else 1
