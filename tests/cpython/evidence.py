"""The record of a run, `evidence/cpython-3.X.json`, from which compat_matrix.md is made.

It says how many tests of CPython's were counted, how they went, and which did not pass and why. There is nothing in it
that differs between two runs with the same outcome.
"""

import importlib.metadata
import json
import platform
from pathlib import Path

from . import expectations
from .modes import OURS

SCHEMA = 1
FOLDER = Path(__file__).parent.parent.parent / "evidence"


def path(folder=FOLDER):
    return Path(folder) / f"cpython-{expectations.RUNNING}.json"


def empty():
    return {
        "schema": SCHEMA,
        "python": expectations.RUNNING,
        "versions": {},
        "files": {},
        "differences": [],
        "not applicable": [],
    }


def read(folder=FOLDER):
    """Return what is recorded, which may be nothing."""
    place = path(folder)
    return json.loads(place.read_text()) if place.exists() else empty()


def write(evidence, folder=FOLDER):
    path(folder).parent.mkdir(exist_ok=True)
    path(folder).write_text(json.dumps(evidence, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def take(evidence, judgements, stock):
    """Put judgements into the evidence, in the place of what it has of the same files and modes.

    Args:
        evidence: what is recorded; it is changed.
        judgements: what was judged.
        stock: by file, the results of stock asyncio; None leaves what is recorded of them.
    """
    evidence["versions"] |= versions(judgements)
    for judgement in judgements:
        file = evidence["files"].setdefault(judgement.file, {"modes": {}})
        results = stock[judgement.file]
        if results is not None:
            file["tests"] = len(results)
            file["stock"] = {
                "passed": sum(result.outcome == "passed" for result in results.values()),
                "skipped": sum(result.outcome == "skipped" for result in results.values()),
                "failed": sum(not result.is_good for result in results.values()),
            }
        file["modes"][judgement.mode] = {
            "counted": judgement.counted,
            **{name: judgement.counts[name] for name in expectations.COUNTS},
        }
    replace_differences(evidence, judgements)
    replace_set_aside(evidence, judgements)


def versions(judgements):
    names = ["trio"] + ["trio-asyncio"] * any(judgement.mode == "trio-asyncio" for judgement in judgements)
    found = {name: importlib.metadata.version(name) for name in names}
    return {"python": platform.python_version(), **found}


def replace_differences(evidence, judgements):
    judged = {(judgement.file, judgement.mode) for judgement in judgements}
    kept = [item for item in evidence["differences"] if (item["test"].partition(".")[0], item["mode"]) not in judged]
    new = [
        {
            "test": test,
            "mode": judgement.mode,
            "outcome": result.outcome if result is not None else "missing",
            "reason": entry.reason if entry is not None else None,
            "row": entry.row if entry is not None else None,
        }
        for judgement in judgements
        for test, result, entry in judgement.differences
    ]
    evidence["differences"] = sorted(kept + new, key=lambda item: (item["test"], item["mode"]))


def replace_set_aside(evidence, judgements):
    """Note how many tests each entry sets aside as not applicable, by file and mode."""
    judged = {(judgement.file, judgement.mode) for judgement in judgements}
    kept = [item for item in evidence["not applicable"] if (item["file"], item["mode"]) not in judged]
    new = [
        {
            "file": judgement.file,
            "mode": judgement.mode,
            "tests": count,
            "reason": entry.reason,
            "row": entry.row,
        }
        for judgement in judgements
        if judgement.mode in OURS
        for entry, count in judgement.set_aside.items()
    ]
    evidence["not applicable"] = sorted(kept + new, key=lambda item: (item["file"], item["mode"], item["reason"]))
