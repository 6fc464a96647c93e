"""`trioasync audit`: what a code base uses of asyncio, what of it trioasync supports, and who makes it native."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from trioasync._tools.migrate import (
    config,
    engine,
    environment,
    report_html,
    report_json,
    report_md,
    report_sarif,
    report_text,
)
from trioasync._tools.migrate.cli_common import CHANGES, FAILED, OK, add_common, codes, complain
from trioasync._tools.migrate.discover import find_files
from trioasync._tools.migrate.output import Progress
from trioasync._tools.migrate.survey import document_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from trioasync._tools.migrate.report import Document

__all__ = ["command"]

_WRITERS: dict[str, Callable[[Document], str]] = {
    "text": report_text.write,
    "json": report_json.write,
    "sarif": report_sarif.write,
    "md": report_md.write,
    "html": report_html.write,
}
_HARDER = {"A": "ABC", "B": "BC", "C": "C", "never": ""}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trioasync audit",
        description="Says what a code base uses of asyncio, and what makes it native to trio. Changes nothing.",
        epilog="Class A is rewritten by 'trioasync migrate native', B by 'trioasync migrate native --safety B', "
        "C by a person. 'trioasync explain CODE' explains a finding.",
    )
    add_common(parser)
    parser.add_argument("--select", type=codes, metavar="CODES", help="report these codes only: TAM21,TAM230")
    parser.add_argument("--ignore", type=codes, metavar="CODES", help="do not report these codes")
    parser.add_argument("--format", choices=list(_WRITERS), default="text", help="of the report (default: text)")
    parser.add_argument("-o", "--output", metavar="FILE", help="where the report goes, instead of standard output")
    parser.add_argument(
        "--schema", action="store_true", help="print the JSON schema of --format json, and do nothing else"
    )
    parser.add_argument(
        "--fail-on",
        choices=list(_HARDER),
        default="never",
        metavar="CLASS",
        help="exit with status 1 if there is a finding of this class or a harder one: A, B, C, never (default: never)",
    )
    return parser


def command(arguments: list[str]) -> int:
    """Write the report that `arguments` ask for.

    Returns:
        0; 1 with findings that `--fail-on` names; 2 if that cannot be asked; 3 if a file could not be read.
    """
    given = _parser().parse_args(arguments)
    if given.schema:
        print(json.dumps(report_json.schema(), indent=2))
        return OK
    if not given.paths:
        return complain("audit", "no files are named; '.' is this folder")
    try:
        document, failing = _document(given), _HARDER[given.fail_on]
        _put(_WRITERS[given.format](document), given.output)
    except config.ConfigError as error:
        return complain("audit", str(error))
    except OSError as error:
        return complain("audit", f"{error.filename or error.args[0]}: {error.strerror or 'there is no such file'}")
    if given.format != "text" or given.output:
        print(report_text.summary(document), file=sys.stderr)
    return _status(document, failing)


def _document(given: argparse.Namespace) -> Document:
    asked = {"stage": 2, "safety": "B", "select": given.select, "ignore": given.ignore, "jobs": given.jobs}
    options = config.load(given.paths, asked)
    exclude = (*options.exclude, *(given.exclude or ()))
    paths = find_files(given.paths, exclude)
    progress = Progress(len(paths))
    analysis = engine.analyse(paths, options, options.jobs, progress)
    progress.clear()
    surroundings = environment.find(given.paths, exclude)
    return document_of(analysis.files, surroundings, wants=options.wants)


def _put(text: str, output: str | None) -> None:
    if output:
        with open(output, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    else:
        sys.stdout.write(text)


def _status(document: Document, failing: str) -> int:
    classes = document["summary"]["by_class"]
    if any(classes[kind] for kind in failing):
        return CHANGES
    return FAILED if document["errors"] else OK
