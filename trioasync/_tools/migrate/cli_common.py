"""What the commands have in common: arguments, exit statuses, and how they say that nothing could be done."""

from __future__ import annotations

import argparse
import os
import sys

__all__ = ["CHANGES", "FAILED", "OK", "USAGE", "add_common", "codes", "complain", "positive"]

# Exit statuses: nothing to do or all done; something would change; asked wrongly, or a dirty work tree; a file failed.
OK, CHANGES, USAGE, FAILED = range(4)


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes: paths, --exclude, -j."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders")
    parser.add_argument(
        "--exclude", action="append", metavar="GLOB", help="leave these files or folders out (may be repeated)"
    )
    parser.add_argument(
        "-j", "--jobs", type=positive, metavar="N", help="how many processes share the work (default: 1; 0: all CPUs)"
    )


def positive(text: str) -> int:
    """Read a number of processes; 0 stands for as many as there are CPUs."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number or os.cpu_count() or 1


def codes(text: str) -> tuple[str, ...]:
    """Read a list of codes or their beginnings: "TAM21,TAM230"."""
    found = tuple(part.strip().upper() for part in text.split(",") if part.strip())
    wrong = [code for code in found if not code.startswith("TAM"[: len(code)])]
    if not found or wrong:
        raise argparse.ArgumentTypeError(f"expected codes like TAM200, not {text!r}")
    return found


def complain(command: str, message: str) -> int:
    """Say on standard error what is wrong, and give the exit status for it."""
    print(f"trioasync {command}: {message}", file=sys.stderr)
    return USAGE
