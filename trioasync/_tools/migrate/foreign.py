"""Packages of other people: which ones a file imports, and which of them need asyncio."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from trioasync._tools.migrate.known_packages import package_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trioasync._tools.migrate.project import Project

__all__ = ["needs_asyncio", "third_party"]

_OURS = frozenset(["trio", "trioasync", "__future__"])


def third_party(imports: Iterable[str], project: Project) -> tuple[str, ...]:
    """Give the packages that are imported and are neither Python's, nor the project's, nor trio and trioasync."""
    tops = {name.split(".")[0] for name in imports if name and not name.startswith(".")}
    return tuple(sorted(name for name in tops - sys.stdlib_module_names - _OURS if not project.has_module(name)))


def needs_asyncio(imports: Iterable[str]) -> bool:
    """Tell whether one of the modules is of a package that runs on asyncio alone."""
    packages = (package_of(name) for name in imports)
    return any(package is not None and package.runs_on == "asyncio" for package in packages)
