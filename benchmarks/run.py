"""Times the programs on every implementation, each run in a process of its own, and prints the tables.

    python benchmarks/run.py --rounds 5 --python python3.11 python3.13 --write

In each round the implementations of one program run one after the other, in an order that rotates from round to round:
what slows the machine down for a while slows all of them. With --write the results replace those of the same programs
in benchmarks/results.
"""

from __future__ import annotations

import argparse
import sys

from implementations import IMPLEMENTATIONS
from picture import picture
from processes import Names, ask, interpreter, new_session, positive, run_script
from programs import PROGRAMS
from report import Session, report
from results import rewrite_readme, save

CLOCKS = ("wall", "cpu")


def add_round(session: Session, python: str, program: str, order: list[str], seconds: float) -> None:
    """Measure `program` on each implementation, in this order; one that failed in an earlier round is left out."""
    row = session["rows"].setdefault(program, {})
    for implementation in order:
        cell = row.setdefault(implementation, {"wall": [], "cpu": [], "count": 1})
        if "note" in cell:
            continue
        options = ["--seconds", str(seconds), "--count", str(cell["count"])]
        answer = ask(python, "child.py", implementation, program, *options)
        if "note" in answer:
            row[implementation] = answer
            continue
        cell["count"] = answer["count"]
        for clock in CLOCKS:
            cell[clock].append(round(answer[clock], 4))


def run(arguments: argparse.Namespace) -> list[Session]:
    """Measure everything, round by round, and return one session per Python."""
    implementations = arguments.implementations
    sessions = [new_session(python, implementations) for python in arguments.python]
    for number in range(arguments.rounds):
        shift = number % len(implementations)
        order = implementations[shift:] + implementations[:shift]
        for program in arguments.programs:
            print(f"round {number + 1} of {arguments.rounds}: {program}", file=sys.stderr, flush=True)
            for python, session in zip(arguments.python, sessions, strict=True):
                add_round(session, python, program, order, arguments.seconds)
    return sessions


def print_profiles(arguments: argparse.Namespace) -> None:
    """Print where each program spends its time on each implementation."""
    options = ["--profile", "--seconds", str(arguments.seconds)]
    for python in arguments.python:
        for program in arguments.programs:
            for implementation in arguments.implementations:
                finished = run_script(python, "child.py", implementation, program, *options)
                print(finished.stdout or finished.stderr)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=positive, default=5, help="measurements per program (default: 5)")
    parser.add_argument("--seconds", type=float, default=0.2, help="least duration of a measurement (default: 0.2)")
    parser.add_argument("--programs", type=Names(PROGRAMS), default=list(PROGRAMS), metavar="A,B")
    parser.add_argument("--implementations", type=Names(IMPLEMENTATIONS), default=list(IMPLEMENTATIONS), metavar="A,B")
    parser.add_argument("--python", type=interpreter, nargs="+", default=[sys.executable], metavar="PATH")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results and the tables in the README")
    parser.add_argument("--profile", action="store_true", help="print profiles of the programs instead of timing them")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    if arguments.profile:
        print_profiles(arguments)
        return
    for session in run(arguments):
        print(report(session), end="\n\n")
        if arguments.write:
            save("speed", session, report, picture)
    if arguments.write:
        rewrite_readme()


if __name__ == "__main__":
    main()
