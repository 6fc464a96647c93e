"""`--undo`: what a run has written is remembered beside the project and put back byte for byte.

`.trioasync/undo.json` has for each file what it was, as the stretch that is different, and the hash of what it became.
In a file that has been changed since, imports are rewritten backwards, if both texts give the same when they are
rewritten forwards.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trioasync._tools.migrate.config import Options
from trioasync._tools.migrate.discover import place_of
from trioasync._tools.migrate.project import Project
from trioasync._tools.migrate.rewrite import rewrite
from trioasync._tools.migrate.source import Source, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Journal"]

_FOLDER = ".trioasync"
_MARKS = ("pyproject.toml", ".git", "setup.py", "setup.cfg")


class Journal:
    """What was written in a project.

    Args:
        folder: the project's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / _FOLDER / "undo.json"
        self._files: dict[str, list[dict[str, Any]]] = {}
        if self._file.exists():
            self._files = json.loads(self._file.read_text("utf-8"))["files"]

    @classmethod
    def of(cls, paths: Sequence[str]) -> Journal:
        """Give the journal of the project of paths: of the nearest folder above them that looks like one."""
        common = Path(os.path.commonpath([os.path.abspath(path) for path in paths]))
        start = common if common.is_dir() else common.parent
        for folder in (start, *start.parents):
            if any((folder / mark).exists() for mark in (_FOLDER, *_MARKS)):
                return cls(folder)
        return cls(start)

    def _key(self, path: str) -> str:
        return Path(os.path.relpath(os.path.realpath(path), os.path.realpath(self._folder))).as_posix()

    def remember(self, path: str, before: bytes, after: bytes) -> None:
        """Write down what a file was before `after` was put in its place."""
        start = _alike(before, after)
        rest, new = before[start:], after[start:]
        end = _alike(rest[::-1], new[::-1])
        old = rest[: len(rest) - end]
        entry = {
            "after": _hash(after),
            "start": start,
            "length": len(new) - end,
            "old": base64.b85encode(zlib.compress(old)).decode("ascii"),
        }
        self._files.setdefault(self._key(path), []).append(entry)

    def save(self) -> None:
        """Write the journal, or take it away if there is nothing in it."""
        self._files = {name: entries for name, entries in self._files.items() if entries}
        if not self._files:
            self._file.unlink(missing_ok=True)
            (self._file.parent / ".gitignore").unlink(missing_ok=True)
            if self._file.parent.exists() and not any(self._file.parent.iterdir()):
                self._file.parent.rmdir()
            return
        self._file.parent.mkdir(exist_ok=True)
        (self._file.parent / ".gitignore").write_text("*\n", "utf-8")
        temporary = self._file.with_suffix(".new")
        temporary.write_text(json.dumps({"schema": 1, "files": self._files}, indent=1, sort_keys=True), "utf-8")
        temporary.replace(self._file)

    def knows(self, path: str) -> bool:
        """Tell whether a file was written."""
        return bool(self._files.get(self._key(path)))

    def original(self, path: str, data: bytes) -> bytes | None:
        """Give what a file was before the runs that the journal knows of, or None if that cannot be said.

        What was written down is forgotten with it.
        """
        entries = self._files.get(self._key(path), [])
        restored = data
        while entries and entries[-1]["after"] == _hash(restored):
            entry = entries.pop()
            old = zlib.decompress(base64.b85decode(entry["old"]))
            restored = restored[: entry["start"]] + old + restored[entry["start"] + entry["length"] :]
        if restored != data:
            return restored
        backwards = _rewritten_backwards(path, data)
        if backwards is not None:
            entries.clear()
        return backwards


def _alike(one: bytes, other: bytes) -> int:
    """Give how many bytes are the same in the beginning."""
    length = min(len(one), len(other))
    if one[:length] == other[:length]:
        return length
    return next(index for index in range(length) if one[index] != other[index])


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_BACKWARDS = [
    (re.compile(rb"(?m)^([ \t]*(?:.*;[ \t]*)?import[ \t]+(?:.*,[ \t]*)?)trioasync as asyncio(?!\w)"), rb"\1asyncio"),
    (
        re.compile(rb"(?m)^([ \t]*(?:.*[;:][ \t]*)?import[ \t]+(?:.*,[ \t]*)?)trioasync((?:\.\w+)*) as "),
        rb"\1asyncio\2 as ",
    ),
    (re.compile(rb"(?m)^([ \t]*(?:.*[;:][ \t]*)?from[ \t]+)trioasync(?=[.\w]*[ \t]+import)"), rb"\1asyncio"),
]


def _rewritten_backwards(path: str, data: bytes) -> bytes | None:
    """Rewrite imports of trioasync to asyncio; None unless both give the same going forwards."""
    if b"trioasync" not in data:
        return None
    guess = data
    for pattern, replacement in _BACKWARDS:
        guess = pattern.sub(replacement, guess)
    if guess == data:
        return None
    try:
        Source.decode(guess)
    except SourceError:
        return None
    return guess if _forwards(path, guess) == _forwards(path, data) else None


def _forwards(path: str, data: bytes) -> bytes:
    outcome = rewrite(data, place_of(path), Options(stage=1), Project())
    return data if outcome.after is None else outcome.after
