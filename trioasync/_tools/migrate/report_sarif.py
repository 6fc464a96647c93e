"""The report as SARIF 2.1.0, which code hosts and editors read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trioasync._tools.migrate.report import Document

__all__ = ["write"]

_LEVELS = {"A": "note", "B": "warning", "C": "error"}
_ROOT = "%SRCROOT%"


def write(document: Document) -> str:
    """Give the report as a SARIF log with one run."""
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [_run(document)],
    }
    return json.dumps(log, indent=2) + "\n"


def _run(document: Document) -> Document:
    indexes = {rule["code"]: index for index, rule in enumerate(document["rules"])}
    return {
        "tool": {
            "driver": {
                "name": "trioasync audit",
                "version": document["tool"]["version"],
                "rules": [_rule(rule) for rule in document["rules"]],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The directory in which the audit was run."}}},
        "invocations": [
            {
                "executionSuccessful": not document["errors"],
                "toolExecutionNotifications": [_notification(error) for error in document["errors"]],
            }
        ],
        "results": [_result(finding, indexes[finding["code"]]) for finding in document["findings"]],
    }


def _rule(rule: Mapping[str, Any]) -> Document:
    help_text = " ".join(rule["traps"]) or f"trioasync explain {rule['code']} says more."
    examples = [f"```python\n{rule[part].rstrip()}\n```" for part in ("before", "after") if rule[part]]
    markdown = "\n\n".join([*examples, *(f"* {trap}" for trap in rule["traps"])])
    return {
        "id": rule["code"],
        "name": rule["name"],
        "shortDescription": {"text": rule["summary"]},
        "help": {"text": help_text, "markdown": markdown} if markdown else {"text": help_text},
        "defaultConfiguration": {"level": _LEVELS[rule["safety"]]},
        "properties": {"class": rule["safety"]},
    }


def _notification(error: Mapping[str, str]) -> Document:
    place = {"physicalLocation": {"artifactLocation": _artifact(error["path"])}}
    return {"level": "error", "message": {"text": error["message"]}, "locations": [place]}


def _result(finding: Mapping[str, Any], index: int) -> Document:
    result = {
        "ruleId": finding["code"],
        "ruleIndex": index,
        "level": _LEVELS[finding["safety"]],
        "message": {"text": finding["message"] + (f". {finding['help']}" if finding["help"] else "")},
        "locations": [_location(finding)],
        "partialFingerprints": {"trioasync/v1": finding["fingerprint"]},
        "properties": {"class": finding["safety"], "symbol": finding["symbol"]},
    }
    if finding["fix"]:
        result["fixes"] = [_fix(finding)]
    return result


def _location(finding: Mapping[str, Any]) -> Document:
    region = _region(finding["start"], finding["end"])
    if finding["text"]:
        region["snippet"] = {"text": finding["text"]}
    place: Document = {"physicalLocation": {"artifactLocation": _artifact(finding["path"]), "region": region}}
    if finding["function"]:
        place["logicalLocations"] = [{"fullyQualifiedName": finding["function"], "kind": "function"}]
    return place


def _fix(finding: Mapping[str, Any]) -> Document:
    replacements = [
        {"deletedRegion": _region(edit["start"], edit["end"]), "insertedContent": {"text": edit["text"]}}
        for edit in finding["fix"]["edits"]
    ]
    return {
        "description": {"text": finding["message"]},
        "artifactChanges": [{"artifactLocation": _artifact(finding["path"]), "replacements": replacements}],
    }


def _artifact(path: str) -> Document:
    return {"uri": quote(path), "uriBaseId": _ROOT}


def _region(start: Mapping[str, int], end: Mapping[str, int]) -> Document:
    return {"startLine": start["line"], "startColumn": start["col"], "endLine": end["line"], "endColumn": end["col"]}
