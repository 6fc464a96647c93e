"""Measures what a waiting task costs in bytes, and that a million short tasks leave nothing behind.

python benchmarks/memory.py --python python3.11 python3.13 --write
"""

from __future__ import annotations

import argparse
import sys
from statistics import median
from typing import Any

from implementations import IMPLEMENTATIONS
from processes import Names, ask, interpreter, new_session, positive
from report import BASE, OURS, Session, table
from results import rewrite_readme, save

PROCESS_LIMIT = 300.0  # seconds
LARGEST_RATIO = 2.5  # × the bytes of an asyncio task
LARGEST_GROWTH = 1024.0  # KiB; what the allocator may keep over a million tasks
ROWS = {
    "waiting": ("bytes", "bytes per waiting task, of 100,000"),
    "short": ("growth", "KiB of growth over 1,000,000 short tasks, in batches of 1,000"),
}


def measure(session: Session, python: str, rounds: int) -> None:
    """Fill the rows of `session`, each number from a process of its own."""
    for question, (unit, title) in ROWS.items():
        row: dict[str, Any] = session["rows"].setdefault(question, {})
        for _ in range(rounds):
            for implementation in session["implementations"]:
                print(f"{implementation}: {title}", file=sys.stderr, flush=True)
                answer = ask(python, "memory_child.py", implementation, question, limit=PROCESS_LIMIT)
                if "note" in answer:
                    row[implementation] = answer
                else:
                    row.setdefault(implementation, {unit: []}).setdefault(unit, []).append(round(answer[unit], 1))


def middle(session: Session, question: str, implementation: str) -> float | None:
    """Return the median of what was measured, or None where nothing was."""
    values = session["rows"][question].get(implementation, {}).get(ROWS[question][0])
    return median(values) if values else None


def cell(session: Session, question: str, implementation: str) -> str:
    value = middle(session, question, implementation)
    return str(session["rows"][question].get(implementation, {}).get("note", "–")) if value is None else f"{value:,.0f}"


def verdict(session: Session) -> str:
    """Return the sentences that judge trioasync."""
    ours, base = middle(session, "waiting", OURS), middle(session, "waiting", BASE)
    growth = middle(session, "short", OURS)
    lines = []
    if ours is not None and base is not None:
        within = "within" if ours / base <= LARGEST_RATIO else "above"
        lines.append(f"* A waiting task takes {ours / base:.2f} × {BASE}'s, {within} the wanted {LARGEST_RATIO}.")
    if growth is not None:
        lines.append(
            f"* A million short tasks {'make' if growth > LARGEST_GROWTH else 'do not make'} the process grow."
        )
    return "\n".join(lines) or f"{OURS} was not measured."


def report(session: Session) -> str:
    """Return everything there is to say about the memory measured in one session, in Markdown."""
    names = session["implementations"]
    lines = [[title, *(cell(session, question, name) for name in names)] for question, (_, title) in ROWS.items()]
    return "\n\n".join([f"### Memory, Python {session['python']}", table(["", *names], lines), verdict(session)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=positive, default=3, help="processes per number (default: 3)")
    parser.add_argument("--implementations", type=Names(IMPLEMENTATIONS), default=[BASE, OURS], metavar="A,B")
    parser.add_argument("--python", type=interpreter, nargs="+", default=[sys.executable], metavar="PATH")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results and the tables in the README")
    arguments = parser.parse_args()
    for python in arguments.python:
        session = new_session(python, arguments.implementations)
        measure(session, python, arguments.rounds)
        print(report(session), end="\n\n")
        if arguments.write:
            save("memory", session, report)
    if arguments.write:
        rewrite_readme()


if __name__ == "__main__":
    main()
