"""Which files a run looks at, and what their modules are called."""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["Place", "find_files", "place_of"]

SUFFIXES = (".py", ".pyi", ".pyw")

_NAMES = """
    .direnv .eggs .git .hg .mypy_cache .nox .pytest_cache .ruff_cache .svn .tox .trioasync .venv __pycache__
    __pypackages__ node_modules site-packages venv
"""
_EXCLUDED = frozenset(_NAMES.split())
# Left out unless they are packages.
_EXCLUDED_FOLDERS = frozenset(["build", "dist", "env", "_build"])


class Place(NamedTuple):
    """Where a file is in its project.

    Args:
        path: as it was given.
        module: dotted name, from the outermost folder without `__init__.py`.
        is_package: it is an `__init__.py`.
        depth: how many packages it is in.
    """

    path: str
    module: str
    is_package: bool
    depth: int


def find_files(
    paths: Iterable[str | Path], exclude: Sequence[str] = (), wanted: Callable[[str], bool] | None = None
) -> list[str]:
    """Give the Python files in folders, and the files that are named themselves, each once and in order.

    Args:
        paths: files and folders.
        exclude: patterns of paths, file names or folder names that are left out.
        wanted: which file names to take instead of Python's; it is asked about the files that are named, too.

    Raises:
        FileNotFoundError: a path does not exist.
    """
    found: dict[str, None] = {}
    for path in paths:
        given = os.fspath(path)
        if not os.path.exists(given):
            raise FileNotFoundError(given)
        in_folder = os.path.isdir(given)
        for name in _in_folder(given, exclude) if in_folder else [given]:
            is_wanted = wanted(os.path.basename(name)) if wanted else not in_folder or name.endswith(SUFFIXES)
            if is_wanted and not _is_excluded(name, exclude):
                found[os.path.normpath(name)] = None
    return sorted(found)


def _in_folder(folder: str, exclude: Sequence[str]) -> Iterator[str]:
    for here, folders, files in os.walk(folder):
        folders[:] = [
            name
            for name in sorted(folders)
            if not _is_left_out(here, name) and not _is_excluded(os.path.join(here, name), exclude)
        ]
        for name in files:
            yield os.path.join(here, name)


def _is_left_out(here: str, name: str) -> bool:
    if name in _EXCLUDED or name.endswith(".egg-info"):
        return True
    inside = os.path.join(here, name)
    if name in _EXCLUDED_FOLDERS and not os.path.exists(os.path.join(inside, "__init__.py")):
        return True
    return os.path.exists(os.path.join(inside, "pyvenv.cfg"))


def _is_excluded(path: str, exclude: Sequence[str]) -> bool:
    if not exclude:
        return False
    path = Path(path).as_posix().removeprefix("./")
    parts = path.split("/")
    for pattern in exclude:
        pattern = pattern.removeprefix("./").rstrip("/")
        if (
            fnmatch.fnmatch(path, pattern)
            or fnmatch.fnmatch(path, f"*/{pattern}")
            or fnmatch.fnmatch(path, f"{pattern}/*")
        ):
            return True
        if any(fnmatch.fnmatch(part, pattern) for part in parts):
            return True
    return False


def place_of(path: str) -> Place:
    """Find out what a file's module is called: `__init__.py` files above it make packages."""
    file = Path(path)
    is_package = file.stem == "__init__"
    names = [] if is_package else [file.stem]
    folder = Path(os.path.abspath(file)).parent
    depth = 0
    while (folder / "__init__.py").exists() or (is_package and depth == 0):
        names.insert(0, folder.name)
        depth += 1
        if folder.parent == folder:
            break
        folder = folder.parent
    return Place(path, ".".join(names), is_package, depth)
