"""The command line of `trioasync run`: options of ours, then the program as python takes it, and its arguments."""

from __future__ import annotations

import argparse
import signal
import threading
from dataclasses import dataclass

__all__ = ["Options", "Program", "read"]


@dataclass(frozen=True)
class Program:
    """What to run: the option that says of what kind it is ("-" for standard input, "" for a path), name, arguments."""

    kind: str
    name: str
    arguments: list[str]


@dataclass(frozen=True)
class Options:
    """How to run it."""

    autojump: bool
    # The number of a signal.
    task_tree_on: int | None
    # In seconds.
    timeout: float | None


def read(given: list[str]) -> tuple[Options, Program]:
    """Return what a command line says; print help or what is wrong with it, and exit, where it says nothing else."""
    parser = _parser()
    ours, rest = _split(given)
    options = parser.parse_args(ours)
    return Options(options.autojump, options.task_tree_on, options.timeout), _read_program(parser, rest)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trioasync run",
        usage="trioasync run [OPTIONS] (-m MODULE | -c CODE | SCRIPT | -) [ARGS ...]",
        description="Runs an unmodified asyncio program on trio: like 'python', but the loops are hosted by trio.",
        epilog="SCRIPT may be a directory or zip file with a __main__.py; - reads the program from standard input.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--autojump",
        action="store_true",
        help="virtual time: when all tasks wait, the loop's clock jumps to the next deadline",
    )
    parser.add_argument(
        "--task-tree-on",
        type=_signal_number,
        metavar="SIGNAL",
        help="print where every task waits, on standard error, whenever the process gets this signal (USR1, for one)",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        help="end a program that still runs after this time, with the task tree on standard error and exit status 124",
    )
    return parser


_WITH_VALUE = ("--task-tree-on", "--timeout")


def _split(given: list[str]) -> tuple[list[str], list[str]]:
    """Return our options, which come first, and the rest, which begins with what says what the program is."""
    end = 0
    while end < len(given) and _is_ours(given[end]):
        end += 2 if given[end] in _WITH_VALUE else 1
    return given[:end], given[end:]


def _is_ours(argument: str) -> bool:
    return argument.startswith("-") and argument not in ("-", "--") and not argument.startswith(("-m", "-c"))


def _read_program(parser: argparse.ArgumentParser, rest: list[str]) -> Program:
    match rest:
        case ["-m" | "-c" as option, name, *arguments]:
            return Program(option, name, arguments)
        case ["-m" | "-c" as option]:
            return parser.error(f"argument expected for the {option} option")
        case ["-", *arguments]:
            return Program("-", "<stdin>", arguments)
        case [joined, *arguments] if joined.startswith(("-m", "-c")):
            return Program(joined[:2], joined[2:], arguments)
        case ["--", name, *arguments] | [name, *arguments] if name != "--":
            return Program("", name, arguments)
        case _:
            return parser.error("no program: name a script, or give -m MODULE, -c CODE, or - for standard input")


# -- values


def _signal_number(text: str) -> int:
    """Return the number of a signal that is given as kill takes it: USR1, SIGUSR1 or 10."""
    name = text.upper()
    name = name if name.startswith("SIG") else f"SIG{name}"
    number = int(text) if text.isdecimal() else getattr(signal, name, None)
    if number not in signal.valid_signals() or name.startswith("SIG_"):
        raise argparse.ArgumentTypeError(f"there is no signal {text!r}")
    if number in (getattr(signal, "SIGKILL", None), getattr(signal, "SIGSTOP", None)):
        raise argparse.ArgumentTypeError(f"no program can catch {text!r}")
    return int(number)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(f"a number of seconds above 0 is expected, not {text!r}")
    return seconds
