"""The helper functions, copied into a project that uses them."""

from __future__ import annotations

import os
from pathlib import Path

from trioasync._tools.migrate.discover import place_of
from trioasync._tools.migrate.imports_edit import HELPERS
from trioasync._tools.migrate.write import WriteError

__all__ = ["put"]


def put(path: str) -> None:
    """Put the module of helpers beside a script, or into the outermost package that a file is in, unless it is there.

    Raises:
        WriteError: the system refuses.
    """
    folder = Path(os.path.abspath(path)).parent
    for _ in range(place_of(path).depth - 1):
        folder = folder.parent
    target = folder / f"{HELPERS}.py"
    if target.exists():
        return
    try:
        target.write_bytes((Path(__file__).parent / "helpers.py").read_bytes())
    except OSError as error:
        raise WriteError(f"{target}: {error.strerror or error}") from None
