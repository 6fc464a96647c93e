"""Measures servers at full load beside a task that ticks every 10 ms: requests per second, and how late the ticks are.

python benchmarks/load.py --python python3.11 python3.13 --write

On asyncio the task that ticks is a Task. On trioasync it is measured twice: as a Task, and as a trio task.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from statistics import median
from typing import Any

from implementations import IMPLEMENTATIONS
from load_child import SCENARIOS
from processes import Names, ask, interpreter, new_session, positive
from report import BASE, OURS, Session, table, with_spread
from results import rewrite_readme, save

START = 30.0  # seconds that a measuring process may take beside the load
WANTED = 0.9  # × the throughput of asyncio
FULL = 0.9  # of a processor; a server that uses less was kept waiting
IN_TRIO = f"{OURS}, trio task"
NUMBERS = ("rate", "cpu", "tick p50", "tick p99", "tick worst", "server cpu")


def columns(implementations: list[str]) -> dict[str, tuple[str, str]]:
    """Return what is measured, under its name: the implementation, and the kind of task that ticks."""
    found = {name: (name, "task") for name in implementations}
    return {**found, IN_TRIO: (OURS, "trio")} if OURS in implementations else found


def add_round(session: Session, python: str, scenario: str, order: list[str], seconds: float) -> None:
    """Measure one scenario in each column, in this order; one that failed in an earlier round is left out."""
    row = session["rows"].setdefault(scenario, {})
    for column in order:
        cell = row.setdefault(column, {number: [] for number in NUMBERS} | {"errors": 0})
        if "note" in cell:
            continue
        implementation, ticks = columns(session["implementations"])[column]
        options = ["--seconds", str(seconds), "--ticks", ticks]
        answer = ask(python, "load_child.py", implementation, scenario, *options, limit=seconds + START)
        if "note" in answer:
            row[column] = answer
            continue
        for number in NUMBERS:
            cell[number].append(round(answer[number], 3))
        cell["errors"] += len(answer["errors"])
        for error in answer["errors"][:3]:
            print(f"{scenario} on {column}: {error}", file=sys.stderr)


def run(arguments: argparse.Namespace) -> list[Session]:
    """Measure everything, round by round, and return one session per Python."""
    sessions = [
        {**new_session(python, arguments.implementations), "seconds": arguments.seconds} for python in arguments.python
    ]
    names = list(columns(arguments.implementations))
    for number in range(arguments.rounds):
        shift = number % len(names)
        for python, session in zip(arguments.python, sessions, strict=True):
            for scenario in arguments.scenarios:
                print(f"round {number + 1} of {arguments.rounds}: {scenario} on {python}", file=sys.stderr, flush=True)
                add_round(session, python, scenario, names[shift:] + names[:shift], arguments.seconds)
    return sessions


# -- the report


def ratio(session: Session, scenario: str, column: str, number: str) -> list[float]:
    """Return the ratio of a number to asyncio's in each round."""
    row = session["rows"][scenario]
    ours, base = (row.get(name, {}).get(number, []) for name in (column, BASE))
    return [mine / its for mine, its in zip(ours, base, strict=True)] if ours and base else []


def line(session: Session, scenario: str, title: str, cell: Callable[[str], str]) -> list[str]:
    """Return a line of a table, with the notes of the columns that have no numbers."""
    row = session["rows"][scenario]
    return [title, *(str(row[column].get("note", "")) or cell(column) for column in row)]


def scenario_table(session: Session, scenario: str) -> str:
    row: dict[str, Any] = session["rows"][scenario]

    def values(number: str, form: Callable[[float], str]) -> Callable[[str], str]:
        def cell(column: str) -> str:
            found = row[column][number]
            return f"{form(median(found))} ({form(min(found))}–{form(max(found))})" if found else "–"

        return cell

    def whole(value: float) -> str:
        return f"{value:,.0f}"

    def tenths(value: float) -> str:
        return f"{value:.1f}"

    lines = [
        line(session, scenario, "requests per second", values("rate", whole)),
        line(session, scenario, f"× {BASE}'s", lambda column: with_spread(ratio(session, scenario, column, "rate"))),
        line(session, scenario, "processor time per request, µs", values("cpu", tenths)),
        line(session, scenario, "tick, median delay, ms", values("tick p50", tenths)),
        line(session, scenario, "tick, 99 % of delays below, ms", values("tick p99", tenths)),
        line(session, scenario, "tick, worst delay, ms", values("tick worst", tenths)),
        line(session, scenario, "errors", lambda column: str(row[column]["errors"])),
    ]
    return table([SCENARIOS[scenario].title, *row], lines)


def verdict(session: Session) -> str:
    """Return the sentences that judge trioasync."""
    lines = [sentence for scenario in session["rows"] for sentence in judged(session, scenario)]
    return "\n".join(f"* {each}" for each in lines) or f"{OURS} was not measured."


def judged(session: Session, scenario: str) -> list[str]:
    title, row = SCENARIOS[scenario].title, session["rows"][scenario]
    throughput = ratio(session, scenario, IN_TRIO, "rate")
    if not throughput:
        return []
    met = "as wanted" if median(throughput) >= WANTED else f"below the wanted {WANTED}"
    said = [f"{title}: {median(throughput):.2f} × {BASE}'s throughput, {met}."]
    for number in ("tick p50", "tick p99", "tick worst"):
        ours, base = median(row[IN_TRIO][number]), median(row[BASE][number])
        if ours > base:
            said.append(f"{title}: {number}: {ours:.1f} ms in a trio task, {base:.1f} ms in a Task of {BASE}'s.")
    idle = [column for column in row if min(row[column].get("server cpu", [1])) < FULL]
    if idle:
        said.append(f"{title}: the server was not at full load in every round ({', '.join(idle)}).")
    return said


def report(session: Session) -> str:
    """Return everything there is to say about the load measured in one session, in Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in session["versions"].items() if version)
    circumstances = f"{session['date']}, {session['machine']}; {versions or 'standard library only'}"
    parts = [
        f"### Load, Python {session['python']}",
        f"{circumstances}; {session['seconds']:g} seconds each.",
        *(scenario_table(session, scenario) for scenario in session["rows"]),
        verdict(session),
    ]
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=positive, default=3, help="measurements per scenario (default: 3)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long one lasts (default: 30)")
    parser.add_argument("--scenarios", type=Names(SCENARIOS), default=list(SCENARIOS), metavar="A,B")
    parser.add_argument("--implementations", type=Names(IMPLEMENTATIONS), default=[BASE, OURS], metavar="A,B")
    parser.add_argument("--python", type=interpreter, nargs="+", default=[sys.executable], metavar="PATH")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results and the tables in the README")
    arguments = parser.parse_args()
    for session in run(arguments):
        print(report(session), end="\n\n")
        if arguments.write:
            save("load", session, report)
    if arguments.write:
        rewrite_readme()


if __name__ == "__main__":
    main()
