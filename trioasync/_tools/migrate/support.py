"""What becomes of each public name of asyncio 3.10 to 3.15: supported by trioasync, native idiom of trio, by whom.

The table is `support.json`. Its keys are `asyncio.NAME`, `asyncio.CLASS.ATTRIBUTE` and `loop.METHOD`. In each entry:

* `support`: full, partial or no: whether the name works when it comes from trioasync;
* `class`: who makes it native. A: the tool, always; B: the tool, where its conditions hold; C: a person. A pair is
  the best and the worst case;
* `native`: what takes its place, where something does;
* `since`, `until`, `platform`: where asyncio has it, if not everywhere.
"""

from __future__ import annotations

import functools
import importlib
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from trioasync._tools.migrate.names import SUBMODULES

__all__ = ["Support", "is_there", "lookup", "table"]


@dataclass(frozen=True)
class Support:
    """The entry of one name."""

    name: str
    support: str
    safety: str
    native: str = ""
    note: str = ""
    support_note: str = ""
    since: str = ""
    until: str = ""
    platform: str = ""

    @property
    def best(self) -> str:
        """The class in the best case."""
        return self.safety[0]

    @property
    def worst(self) -> str:
        """The class in the worst case."""
        return self.safety[-1]


@functools.cache
def table() -> dict[str, Support]:
    """Return the entries of all names, by name."""
    text = files(__package__).joinpath("support.json").read_text("utf-8")
    return {name: _entry(name, entry) for name, entry in json.loads(text)["names"].items()}


def _entry(name: str, entry: dict[str, Any]) -> Support:
    return Support(name, safety=entry.pop("class"), **entry)


def lookup(symbol: str) -> Support | None:
    """Return the entry of a name: of `trioasync.sleep` and `asyncio.tasks.sleep` that of `asyncio.sleep`."""
    package, _, path = symbol.partition(".")
    if package == "loop":
        return table().get(symbol)
    parts = path.split(".")
    candidates = [path, ".".join(parts[1:])] if len(parts) > 1 else [path]
    return next((table()[f"asyncio.{name}"] for name in candidates if f"asyncio.{name}" in table()), None)


def is_there(symbol: str) -> bool:
    """Tell whether trioasync has a name that the table has not: asyncio itself, its modules, what is public in them."""
    _, *path = symbol.split(".")
    if any(part.startswith("_") for part in path):
        return False
    module, names = ("trioasync." + path[0], path[1:]) if path and path[0] in SUBMODULES else ("trioasync", path)
    try:
        found: Any = importlib.import_module(module)
    except ImportError:  # it is for Windows
        return False
    for name in names:
        found = getattr(found, name, None)
    return found is not None
