"""The console script: finds the command and hands it the rest of the command line."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING, NamedTuple

from trioasync._tools import run
from trioasync._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["main"]


class Command(NamedTuple):
    """One command: what `trioasync --help` says of it, and what takes its own arguments and gives the exit status."""

    summary: str
    start: Callable[[list[str]], int]


def _lazily(module: str) -> Callable[[list[str]], int]:
    """Return the `command` of a module that is not imported before it is asked for: the others need not pay for it."""

    def start(arguments: list[str]) -> int:
        status: int = importlib.import_module(module).command(arguments)
        return status

    return start


COMMANDS = {
    "run": Command("run an unmodified asyncio program on trio", run.command),
    "audit": Command("say what a code base uses of asyncio", _lazily("trioasync._tools.migrate.audit")),
    "explain": Command("explain a finding of audit and migrate", _lazily("trioasync._tools.migrate.explain")),
    "rules": Command("list what audit and migrate look for", _lazily("trioasync._tools.migrate.rules_list")),
    "doctor": Command("tell what is known of this Python and its packages", _lazily("trioasync._tools.doctor")),
    "matrix": Command("make compat_matrix.md, in a checkout", _lazily("trioasync._tools.matrix.command")),
    "migrate": Command("rewrite asyncio code to trioasync, then to trio", _lazily("trioasync._tools.migrate.cli")),
}


def _parser() -> argparse.ArgumentParser:
    commands = "\n".join(f"  {name:<10} {command.summary}" for name, command in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="trioasync",
        description="asyncio, hosted on trio.",
        epilog=f"commands:\n{commands}\n\n'trioasync COMMAND --help' describes a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="trioasync [-h] [--version] COMMAND ...",
    )
    parser.add_argument("--version", action="version", version=f"trioasync {__version__}")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (by default the process's own) name and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    if not given:
        parser.print_help()
        return 0
    name, *rest = given
    if name in COMMANDS:
        return COMMANDS[name].start(rest)
    if name.startswith("-"):
        parser.parse_args([name])
    return parser.error(f"unknown command {name!r} (choose from {', '.join(COMMANDS)})")
