"""What `trioasync doctor` has to know of the matrix: a small file in the package, made with the matrix."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from trioasync._tools.matrix import libraries, summary
from trioasync._tools.matrix.differences import holds_on
from trioasync._tools.matrix.known import DIFFERENCES
from trioasync._tools.matrix.rows import arrangement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioasync._tools.matrix.evidence import Evidence

__all__ = ["FILE", "read", "text"]

FILE = "facts.json"


def text(evidence: Sequence[Evidence]) -> str:
    """Return the file's text."""
    facts = {
        "pythons": {each.python: _of_python(each) for each in evidence},
        "libraries": {name: _of_library(names, name, evidence) for name, names in arrangement(evidence, "libraries")},
    }
    return json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def read() -> dict[str, Any]:
    """Return the facts in this installation."""
    facts: dict[str, Any] = json.loads(resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    return facts


def _of_python(evidence: Evidence) -> dict[str, Any]:
    return {
        "python": evidence.version("page", "python"),
        "trio": evidence.version("page", "trio"),
        "summary": summary.lines_of(evidence),
        "differences": [each.title for each in DIFFERENCES if holds_on(each, evidence).kind == "differs"],
    }


def _of_library(names: list[str], library: str, evidence: Sequence[Evidence]) -> dict[str, Any]:
    """Return for each Python the version that was tested, and how many of its tests have passed and failed."""
    found = {}
    for each in evidence:
        ran = each.tests("libraries")
        tests = [ran[name] for name in names if name in ran]
        seen = libraries.outcomes(tests)
        if libraries.verdict(tests) != "none":
            version = each.parts["libraries"]["libraries"][library]
            found[each.python] = [version, seen["passed"], seen["failed"]]
    return found
