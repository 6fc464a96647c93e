"""Files that a run was not asked about, but that a file of it imports or that import it.

A commit hook names single files. What is left of asyncio in the rest of the program still decides whether
`asyncio.run` may go, so the neighbours on the disk are looked at; what speaks of asyncio there keeps the gate closed.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from trioasync._tools.migrate import discover
from trioasync._tools.migrate.project import quick_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trioasync._tools.migrate.project import FileFacts, Project

__all__ = ["Outside", "mentions_asyncio"]

_MARKS = ("pyproject.toml", ".git", "setup.py", "setup.cfg")


def mentions_asyncio(data: bytes) -> bool:
    """Tell whether a file can have to do with asyncio at all."""
    return b"asyncio" in data or b"trioasync" in data


class Outside:
    """The surroundings of the files of a run.

    Args:
        project: the files of the run.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._inside = {os.path.realpath(path) for path in project.files}

    def is_reached(self, path: str) -> bool:
        """Tell whether a file imports, directly or not, one outside of the run that speaks of asyncio."""
        todo = list(self._project.reach(path))
        seen: set[str] = set()
        while todo:
            facts = todo.pop()
            for file in _imported_files(facts):
                real = os.path.realpath(file)
                if real in self._inside or real in seen:
                    continue
                seen.add(real)
                data = Path(file).read_bytes()
                if mentions_asyncio(data):
                    return True
                todo.append(quick_facts(data.decode("utf-8", "replace"), discover.place_of(file)))
        return False

    def reaches(self, path: str) -> bool:
        """Tell whether a file outside of the run that speaks of asyncio imports this one."""
        module = self._project.files[path].module
        return any(module in facts.imports for facts in self._neighbours)

    @cached_property
    def _neighbours(self) -> list[FileFacts]:
        """The files outside of the run, in the projects that its files are in, that speak of asyncio."""
        found: dict[str, FileFacts] = {}
        for folder in {_project_folder(path) for path in self._project.files}:
            for file in discover.find_files([folder]):
                real = os.path.realpath(file)
                if real in self._inside or real in found:
                    continue
                data = Path(file).read_bytes()
                if mentions_asyncio(data):
                    found[real] = quick_facts(data.decode("utf-8", "replace"), discover.place_of(file))
        return list(found.values())


def _top_folder(path: str) -> Path:
    """Give the folder from which a file's module is imported."""
    folder = Path(os.path.abspath(path)).parent
    for _ in range(discover.place_of(path).depth):
        folder = folder.parent
    return folder


def _project_folder(path: str) -> str:
    """Give the folder of the project that a file is in, else of its outermost package, else its own file."""
    top = _top_folder(path)
    for folder in (top, *top.parents):
        if any((folder / mark).exists() for mark in _MARKS):
            return str(folder)
    depth = discover.place_of(path).depth
    return str(Path(os.path.abspath(path)).parents[depth - 1]) if depth else path


def _imported_files(facts: FileFacts) -> Iterator[str]:
    """Give the files beside a file, or in its outermost package, that its imports name."""
    top = _top_folder(facts.path)
    for name in sorted(facts.imports):
        parts = name.split(".")
        known = not parts[0] or parts[0] in ("asyncio", "trio", "trioasync")
        for length in () if known else range(1, len(parts) + 1):
            place = top.joinpath(*parts[:length])
            for file in (place.with_suffix(".py"), place / "__init__.py"):
                if file.is_file():
                    yield str(file)
