"""`trioasync migrate imports` and `trioasync migrate native`: the arguments, and what is done with each file."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from trioasync._tools.migrate import config, discover, engine, output, vendor, write
from trioasync._tools.migrate.cli_common import CHANGES, FAILED, OK, add_common, codes, complain
from trioasync._tools.migrate.undo import Journal

if TYPE_CHECKING:
    from trioasync._tools.migrate.config import Options
    from trioasync._tools.migrate.results import Outcome

__all__ = ["command"]

_STAGES = {"imports": 1, "native": 2}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trioasync migrate",
        description="Rewrites asyncio code in steps that each leave it running. Writes nothing unless told to.",
    )
    stages = parser.add_subparsers(dest="stage", metavar="STAGE", required=True)
    imports = stages.add_parser(
        "imports",
        help="import asyncio -> import trioasync as asyncio; nothing else changes",
        description="Stage 1: only import statements change, to trioasync in the place of asyncio.",
    )
    native = stages.add_parser(
        "native",
        help="asyncio's functions -> trio's own, where that is safe",
        description="Stage 2: asyncio -> trio. Every rewrite stands alone: mixed code runs on trioasync.",
    )
    for stage in (imports, native):
        _add_shared(stage)
    imports.add_argument("--undo", action="store_true", help="put back what '--write' wrote, byte for byte")
    _add_native(native)
    return parser


def _add_shared(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--diff", action="store_true", help="print a patch and change nothing (default)")
    mode.add_argument(
        "--check", action="store_true", help="print nothing but the counts; status 1 if there is something to do"
    )
    mode.add_argument("--write", action="store_true", help="change the files")
    parser.add_argument("--force", action="store_true", help="write although git shows changes that are not committed")
    parser.add_argument(
        "--stdin-filename",
        metavar="PATH",
        help="read the source from standard input, as if it were this file; --write prints the result",
    )
    parser.add_argument("--ignore", type=codes, metavar="CODES", help="leave these codes alone: TAM21,TAM230")
    parser.add_argument("-q", "--quiet", action="store_true", help="do not list what is left as it is")


def _add_native(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--safety",
        choices=["A", "B"],
        help="A: nothing changes that can be seen (default); B: also what is safe under conditions that are checked",
    )
    parser.add_argument("--select", type=codes, metavar="CODES", help="make these fixes only")
    parser.add_argument(
        "--timeout-style",
        choices=["preserve", "native"],
        help="preserve: callers see TimeoutError as before (default); native: trio.fail_after, where a handler is near",
    )
    parser.add_argument(
        "--helpers",
        choices=["vendor", "import", "none"],
        help="copy helper functions into the project (default), import them from trioasync, or do without",
    )
    parser.add_argument("--python", type=_version, metavar="X.Y", help="the oldest Python that the code must run on")
    parser.add_argument(
        "--todo", action="store_true", default=None, help="put TODO comments where a person must decide"
    )


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    if not (major.isdigit() and minor.isdigit()):
        raise argparse.ArgumentTypeError(f"expected a version like 3.11, not {text!r}")
    return int(major), int(minor)


def command(given: list[str]) -> int:
    """Run `trioasync migrate` with these arguments and give the exit status."""
    arguments = _parser().parse_args(given)
    names = ("safety", "select", "ignore", "timeout_style", "helpers", "todo", "python", "jobs")
    overrides = {name: getattr(arguments, name, None) for name in names}
    overrides["stage"] = _STAGES[arguments.stage]
    paths = [arguments.stdin_filename] if arguments.stdin_filename else arguments.paths
    if not paths:
        return complain("migrate", "no files are named; '.' is this folder")
    try:
        options = config.load(paths, overrides)
    except config.ConfigError as error:
        return complain("migrate", str(error))
    options = replace(options, exclude=(*options.exclude, *(arguments.exclude or ())))
    if arguments.stdin_filename:
        return _from_stdin(arguments, options)
    try:
        files = discover.find_files(paths, options.exclude)
    except FileNotFoundError as error:
        return complain("migrate", f"there is no {error}")
    if getattr(arguments, "undo", False):
        return _undo(paths, files)
    if arguments.write and not arguments.force:
        changed = write.dirty(paths, files)
        if changed:
            some = ", ".join(changed[:3]) + (", ..." if len(changed) > 3 else "")
            return complain(
                "migrate", f"the work tree has changes that are not committed ({some}); --force writes all the same"
            )
    return _Run(arguments, options, paths, files).status()


def _from_stdin(arguments: argparse.Namespace, options: Options) -> int:
    """Rewrite standard input; the result, or the patch, is all that standard output gets."""
    data = sys.stdin.buffer.read()
    outcome = engine.rewritten_text(data, arguments.stdin_filename, options)
    counts = output.Counts()
    counts.add(outcome)
    if arguments.write:
        sys.stdout.buffer.write(data if outcome.after is None else outcome.after)
        sys.stdout.flush()
    elif outcome.after is not None and not arguments.check:
        _print_patch(output.patch(outcome))
    _report(arguments, [outcome], counts)
    return FAILED if outcome.error else OK if arguments.write or outcome.after is None else CHANGES


def _print_patch(text: str) -> None:
    """Print as bytes: newlines must stay what they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def _report(arguments: argparse.Namespace, outcomes: list[Outcome], counts: output.Counts) -> None:
    if not arguments.quiet:
        for line in output.left_lines(outcomes):
            print(line, file=sys.stderr)
    print(counts.summary(written=arguments.write), file=sys.stderr)


class _Run:
    """One run over files: each is shown or written as soon as it is ready, and only what is left is kept."""

    def __init__(self, arguments: argparse.Namespace, options: Options, paths: list[str], files: list[str]) -> None:
        self._arguments = arguments
        self._options = options
        self._files = files
        self._journal = Journal.of(paths) if arguments.write and options.stage == 1 else None
        self._counts = output.Counts()
        self._patches: dict[str, str] = {}
        self._kept: list[Outcome] = []
        self._progress = output.Progress(len(files))

    def status(self) -> int:
        """Do it, and give the exit status."""
        try:
            for outcome in engine.rewritten(self._files, self._options, self._options.jobs, self._progress):
                self._take(outcome)
        finally:
            if self._journal is not None:
                self._journal.save()
        self._progress.clear()
        for path in sorted(self._patches):
            _print_patch(self._patches[path])
        _report(self._arguments, self._kept, self._counts)
        if self._counts.failed:
            return FAILED
        return CHANGES if self._counts.changed and not self._arguments.write else OK

    def _take(self, outcome: Outcome) -> None:
        if outcome.after is not None and self._arguments.write:
            outcome = self._written(outcome)
        elif outcome.after is not None and not self._arguments.check:
            self._patches[outcome.path] = output.patch(outcome)
        self._counts.add(outcome)
        if outcome.error or outcome.findings:
            self._kept.append(replace(outcome, before=b"", after=None, facts=None))

    def _written(self, outcome: Outcome) -> Outcome:
        """Write a file, the copy of the helpers that it needs first."""
        assert outcome.after is not None
        try:
            if outcome.helpers and self._options.helpers == "vendor":
                vendor.put(outcome.path)
            write.replace_file(outcome.path, outcome.before, outcome.after)
        except write.WriteError as error:
            return replace(outcome, after=None, error=str(error), error_code="TAM003")
        if self._journal is not None:
            self._journal.remember(outcome.path, outcome.before, outcome.after)
        return outcome


def _undo(paths: list[str], files: list[str]) -> int:
    """Put files back as they were before stage 1."""
    journal = Journal.of(paths)
    done, failed = 0, 0
    for path in files:
        with open(path, "rb") as file:
            data = file.read()
        if b"trioasync" not in data:
            continue
        known = journal.knows(path)
        before = journal.original(path, data)
        if before is None and not known:
            continue
        if before is None:
            failed += 1
            print(
                f"{path}: TAM003 has changed since, and its imports cannot be taken back for certain", file=sys.stderr
            )
            continue
        try:
            write.replace_file(path, data, before)
        except write.WriteError as error:
            failed += 1
            print(f"{path}: TAM003 {error}", file=sys.stderr)
            continue
        done += 1
    journal.save()
    files_done = "1 file" if done == 1 else f"{done} files"
    print(f"{files_done} put back, {len(files)} scanned, {failed} failed", file=sys.stderr)
    return FAILED if failed else OK
