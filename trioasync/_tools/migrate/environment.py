"""What belongs to asyncio in the files around the Python files: settings of test runners, requirements, notebooks."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from trioasync._tools.migrate.discover import find_files
from trioasync._tools.migrate.findings import Finding
from trioasync._tools.migrate.known_packages import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["find", "look"]

_SETTINGS = frozenset(["pyproject.toml", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg"])
_OTHER_CODE = (".ipynb", ".pyx", ".pxd")
_REQUIREMENTS = re.compile(r"(?:.*[-_])?requirements(?:[-_].*)?\.(?:txt|in)")

_SETTING = re.compile(r"[ \t]*(asyncio_\w+)[ \t]*=")
_SECTION = re.compile(r"[ \t]*\[+([^\[\]]+)\]+[ \t]*(?:#.*)?$")
_QUOTED = re.compile(r"""["']([A-Za-z0-9][\w.-]*)(?:\[[\w, -]*\])?[ \t]*(?:[<>=!~;@][^"']*)?["']""")
_FIRST = re.compile(r"[ \t]*([A-Za-z0-9][\w.-]*)(?:\[[\w, -]*\])?[ \t]*(?=[<>=!~;@#]|$)")
_ASYNCIO = re.compile(r"\basyncio\b")

# What is required under another name than it is imported.
_IMPORTED_AS = {"discord_py": "discord", "nats_py": "nats", "python_telegram_bot": "telegram"}


def find(paths: Sequence[str], exclude: Sequence[str] = ()) -> list[str]:
    """Give the files in some folders, and in those above them, that `look` can say something about.

    Nothing is looked for around files that are named themselves.
    """
    above: list[str] = []
    for path in filter(os.path.isdir, paths):
        folder = os.path.abspath(path)
        while folder.startswith(os.getcwd()):
            above += [os.path.join(folder, name) for name in _files_in(folder)]
            folder = os.path.dirname(folder)
    found = find_files([*paths, *map(os.path.relpath, above)], exclude, wanted=lambda name: bool(_kind(name)))
    return sorted({os.path.relpath(path) for path in found})


def _files_in(folder: str) -> list[str]:
    return [each.name for each in os.scandir(folder) if each.is_file()]


def _kind(path: str) -> str:
    name = os.path.basename(path)
    if name in _SETTINGS:
        return "settings"
    if _REQUIREMENTS.fullmatch(name):
        return "requirements"
    return "code" if name.endswith(_OTHER_CODE) else ""


def look(path: str, text: str) -> list[Finding]:
    """Find what belongs to asyncio in such a file."""
    kind = _kind(path)
    if kind == "code":
        return list(_other_code(path, text))
    found: list[Finding] = []
    for number, offset, line, place in _lines(text):
        if kind == "settings":
            found += _settings(path, number, offset, line)
        if kind == "requirements" or place:
            found += _requirements(path, number, offset, line, quoted=place == "list")
    return found


def _lines(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Give number, offset and text of each line, and how requirements stand there: "list", "keys" or not ("")."""
    section = listing = ""
    offset = 0
    for number, raw in enumerate(text.splitlines(keepends=True), 1):
        line = raw.rstrip("\r\n")
        header = _SECTION.match(line)
        if header:
            section, listing = header.group(1), ""
        elif re.match(r"[ \t]*(?:dependencies|requires|install_requires|deps)[ \t]*=", line):
            listing = "list" if "[" in line else "lines"
        in_groups = section == "dependency-groups" or section.endswith("optional-dependencies")
        in_keys = section.endswith("dependencies") and section.startswith("tool.poetry")
        yield number, offset, line, "list" if in_groups or listing == "list" else "keys" if in_keys or listing else ""
        if listing and (re.search(r"\][ \t]*(?:#.*)?$", line) if listing == "list" else not line.strip()):
            listing = ""
        offset += len(raw)


def _settings(path: str, number: int, offset: int, line: str) -> Iterator[Finding]:
    match = _SETTING.match(line)
    if match:
        message = f"{match.group(1)} is a setting of pytest-asyncio"
        advice = "on trioasync it stays, with two lines in conftest.py (docs/testing.md); pytest-trio has trio_mode"
        yield _finding("TAM410", path, number, offset, match.span(1), message, advice, match.group(1))


def _requirements(path: str, number: int, offset: int, line: str, *, quoted: bool) -> Iterator[Finding]:
    matches = _QUOTED.finditer(line) if quoted else filter(None, [_FIRST.match(line)])
    for match in matches:
        required = match.group(1)
        module = re.sub(r"[-_.]+", "_", required.lower())
        package = table().get(_IMPORTED_AS.get(module, module))
        if package is not None and package.runs_on == "asyncio":
            advice = f"for trio: {package.native}" if package.native else "it works on trioasync"
            message = f"{required} runs on asyncio"
            yield _finding("TAM411", path, number, offset, match.span(1), message, advice, package.name)


def _other_code(path: str, text: str) -> Iterator[Finding]:
    offset = 0
    for number, raw in enumerate(text.splitlines(keepends=True), 1):
        match = _ASYNCIO.search(raw)
        if match:
            kind = "a notebook" if path.endswith(".ipynb") else "Cython"
            yield _finding(
                "TAM420", path, number, offset, match.span(), f"asyncio in {kind}", "rewrite it by hand", "asyncio"
            )
        offset += len(raw)


def _finding(
    code: str, path: str, number: int, offset: int, span: tuple[int, int], message: str, advice: str, symbol: str
) -> Finding:
    start, end = span
    return Finding(
        code=code,
        name="environment",
        safety="C",
        message=message,
        start=offset + start,
        end=offset + end,
        line=number,
        column=start + 1,
        end_line=number,
        end_column=end + 1,
        symbol=symbol,
        path=path,
        help=advice,
    )
