"""The report as JSON: the document that all other reports are made from, as `report.schema.json` describes it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trioasync._tools.migrate.report import Document

__all__ = ["schema", "write"]


def write(document: Document) -> str:
    """Give the document as text, one line for each member of its longer lists."""
    members = ",\n".join(f"  {json.dumps(key)}: {_member(value)}" for key, value in document.items())
    return "{\n" + members + "\n}\n"


def _member(value: object) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"    {json.dumps(each)}" for each in value) + "\n  ]"
    return json.dumps(value)


def schema() -> dict[str, Any]:
    """Return the JSON schema of the document."""
    text = files(__package__).joinpath("report.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
