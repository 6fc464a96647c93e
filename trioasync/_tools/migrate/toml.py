"""Tables of a TOML file: by `tomllib` from Python 3.11 on, before that by a reader of simple values."""

from __future__ import annotations

import ast
import re
import sys
from typing import Any

__all__ = ["read"]

_HEADER = re.compile(r"\[([^\[\]]+)\]\s*(?:#.*)?$")
_KEY = re.compile(r"""([\w-]+|"[^"]*"|'[^']*')\s*=\s*(.*)$""", re.DOTALL)


def read(text: str, tables: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Give some tables of a TOML file, by their dotted names; empty where there is none.

    Raises:
        ValueError: the text is not TOML, or (Python 3.10) has a value in these tables that is no string, number,
            truth value or list of these.
    """
    if sys.version_info >= (3, 11):
        import tomllib

        found = {}
        document = tomllib.loads(text)
        for name in tables:
            table: Any = document
            for part in name.split("."):
                table = table.get(part, {})
            found[name] = table
        return found
    return _read_simple(text, tables)


def _read_simple(text: str, tables: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {name: {} for name in tables}
    here: dict[str, Any] | None = found.get("")
    lines = iter(text.splitlines())
    for line in lines:
        header = _HEADER.match(line.strip())
        if header or line.lstrip().startswith("[["):
            here = found.get(header.group(1).replace(" ", "")) if header else None
            continue
        match = _KEY.match(line.strip())
        if here is None or match is None:
            continue
        value = match.group(2)
        while value.startswith("[") and not _is_whole(value):
            value += "\n" + next(lines, "]")
        if value.startswith("{"):
            continue  # no setting of ours is a table
        here[match.group(1).strip("\"'")] = _value(value)
    return found


def _is_whole(value: str) -> bool:
    try:
        ast.parse(value, mode="eval")
    except SyntaxError:
        return False
    return True


def _value(text: str) -> Any:
    """Read a value: but for `true` and `false`, what is simple in TOML is written alike in Python."""
    word = text.split("#")[0].strip()
    if word in ("true", "false"):
        return word == "true"
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        raise ValueError(f"cannot read the value {text.strip()!r}") from None
