"""`trioasync rules`: all codes."""

from __future__ import annotations

import argparse
import json

from trioasync._tools.migrate.catalogue import entries

__all__ = ["command"]


def command(arguments: list[str]) -> int:
    """Print all codes, one line each or as JSON."""
    parser = argparse.ArgumentParser(
        prog="trioasync rules",
        description="Lists what 'trioasync audit' and 'trioasync migrate' look for: code, class, rule, meaning.",
        epilog="'trioasync explain CODE' says more about one of them.",
    )
    parser.add_argument("--format", choices=["text", "json"], default="text")
    options = parser.parse_args(arguments)
    print(_as_json() if options.format == "json" else _as_text())
    return 0


def _as_text() -> str:
    return "\n".join(f"{each.code} {each.safety}  {each.name:<16} {each.summary}" for each in entries().values())


def _as_json() -> str:
    listed = [
        {
            **entry.as_mapping(),
            "stage": entry.stage,
            "description": entry.description,
        }
        for entry in entries().values()
    ]
    return json.dumps(listed, indent=2)
