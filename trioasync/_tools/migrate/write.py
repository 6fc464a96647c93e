"""Files on the disk: replaced whole or not at all, and never in a work tree that cannot be put back."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["WriteError", "dirty", "replace_file"]


class WriteError(Exception):
    """A file could not be written."""


def replace_file(path: str, before: bytes, after: bytes) -> None:
    """Put new bytes in the place of a file's old ones; its mode stays, and a link stays a link.

    Raises:
        WriteError: somebody else has changed the file meanwhile, or the system refuses.
    """
    target = os.path.realpath(path)
    try:
        if Path(target).read_bytes() != before:
            raise WriteError(f"{path} has changed meanwhile")
        mode = stat.S_IMODE(os.stat(target).st_mode)
        handle, temporary = tempfile.mkstemp(prefix=".trioasync-", dir=os.path.dirname(target))
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(after)
            os.chmod(temporary, mode)
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise WriteError(f"{path}: {error.strerror or error}") from None


def dirty(paths: Sequence[str], files: Sequence[str]) -> list[str]:
    """Give what git would not be able to put back: changes in the work trees, and new files among those to be written.

    Args:
        paths: as the command line has them; their work trees are asked.
        files: the files that a run may write.
    """
    found: dict[str, None] = {}
    ours = {os.path.realpath(file) for file in files}
    for folder in sorted({path if os.path.isdir(path) else os.path.dirname(path) or "." for path in paths}):
        top = _git(folder, "rev-parse", "--show-toplevel")
        status = _git(folder, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
        for entry in (status or "").split("\0"):
            state, name = entry[:2], entry[3:]
            if name and (state != "??" or os.path.realpath(os.path.join((top or "").strip(), name)) in ours):
                found[name] = None
    return list(found)


def _git(folder: str, *arguments: str) -> str | None:
    """Give what git prints, or None where there is no git or no work tree."""
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, check=False)
    except OSError:
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None
