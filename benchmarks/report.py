"""Turns what run.py measured on one Python into tables and sentences; measures and writes nothing.

A session is the JSON that run.py writes. `session["rows"][program][implementation]` holds either the µs per operation
of each round, as `wall` and `cpu`, or a `note` that says why there are none. Ratios are taken round by round, because
the runs of one round are neighbours in time, and the median of those is reported.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import geometric_mean, median
from typing import Any

from programs import GROWTH, SPEED, Program

Session = dict[str, Any]

BASE = "asyncio"
OURS = "trioasync"
OTHER_HOST = "trio-asyncio"
LIMIT = 1.3  # × asyncio; a row above it wants an explanation


def ratios(session: Session, program: str, implementation: str, clock: str = "wall", base: str = BASE) -> list[float]:
    """Return the ratio to `base` in each round; an empty list where one of the two has no measurement."""
    row = session["rows"].get(program, {})
    dividends, divisors = (row.get(name, {}).get(clock, []) for name in (implementation, base))
    if not dividends or not divisors:
        return []
    return [dividend / divisor for dividend, divisor in zip(dividends, divisors, strict=True)]


def mean_ratio(session: Session, implementation: str, clock: str = "wall", base: str = BASE) -> tuple[float, int]:
    """Return the geometric mean of the median ratios over the speed programs, and how many programs that were."""
    per_program = [ratios(session, program.name, implementation, clock, base) for program in SPEED]
    medians = [median(rounds) for rounds in per_program if rounds]
    return (geometric_mean(medians) if medians else math.nan), len(medians)


def above_limit(session: Session, clock: str) -> list[str]:
    """Return the titles of the programs whose median ratio exceeds the limit, each with that ratio."""
    found = []
    for program in SPEED + GROWTH:
        rounds = ratios(session, program.name, OURS, clock)
        if rounds and median(rounds) > LIMIT:
            found.append(f"{program.title} ({median(rounds):.2f})")
    return found


def failures(session: Session) -> list[str]:
    """Return the titles of the programs that trioasync has no time for, each with the reason."""
    cells = [(program, session["rows"][program.name].get(OURS, {})) for program in measured(session, SPEED + GROWTH)]
    return [f"{program.title} ({cell['note']})" for program, cell in cells if "note" in cell]


def with_spread(values: Sequence[float]) -> str:
    """Return the median with the least and the greatest value, or a dash where nothing was measured."""
    if not values:
        return "–"
    if len(values) == 1:
        return f"{values[0]:.2f}"
    return f"{median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose columns after the first are aligned to the right."""
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *lines])


def measured(session: Session, programs: Iterable[Program]) -> list[Program]:
    return [program for program in programs if program.name in session["rows"]]


def others(session: Session) -> list[str]:
    return [implementation for implementation in session["implementations"] if implementation != BASE]


def ratio_cell(session: Session, program: Program, implementation: str) -> str:
    cell = session["rows"][program.name].get(implementation, {})
    if "note" in cell:
        return str(cell["note"])
    rounds = ratios(session, program.name, implementation)
    if rounds or not cell:
        return with_spread(rounds)
    return f"{median(cell['wall']):.2f} µs"


def base_cell(session: Session, program: Program) -> str:
    cell = session["rows"][program.name].get(BASE, {})
    return str(cell["note"]) if "note" in cell else with_spread(cell.get("wall", ()))


def cpu_cell(session: Session, program: Program, implementation: str) -> str:
    rounds = ratios(session, program.name, implementation, "cpu")
    return f"{median(rounds):.2f}" if rounds else "–"


def speed_table(session: Session) -> str:
    """Return the table of the speed programs: µs on asyncio, then the ratio of each other implementation."""
    compared = others(session)
    header = ["program", f"{BASE}, µs", *compared, *(f"{implementation}, CPU" for implementation in compared)]
    lines = [
        [
            program.title,
            base_cell(session, program),
            *(ratio_cell(session, program, implementation) for implementation in compared),
            *(cpu_cell(session, program, implementation) for implementation in compared),
        ]
        for program in measured(session, SPEED)
    ]
    means = [mean_ratio(session, implementation, clock) for clock in ("wall", "cpu") for implementation in compared]
    mean_cells = ["–" if math.isnan(mean) else f"**{mean:.2f}**" for mean, _ in means]
    return table(header, [*lines, ["**geometric mean**", "", *mean_cells]])


def growth_table(session: Session) -> str:
    """Return the table of µs per task at growing numbers of concurrent tasks, with the ratio in brackets."""

    def cell(program: Program, implementation: str) -> str:
        measurement = session["rows"][program.name].get(implementation, {})
        if "wall" not in measurement:
            return str(measurement.get("note", "–"))
        rounds = ratios(session, program.name, implementation)
        ratio = f" ({median(rounds):.2f})" if rounds and implementation != BASE else ""
        return f"{median(measurement['wall']):.2f}{ratio}"

    columns = session["implementations"]
    lines = [
        [program.title, *(cell(program, implementation) for implementation in columns)]
        for program in measured(session, GROWTH)
    ]
    return table(["µs per task", *columns], lines)


def verdict(session: Session) -> str:
    """Return the sentences that judge trioasync: its mean, rows above the limit, failures, and against trio-asyncio."""
    mean, programs = mean_ratio(session, OURS)
    if not programs:
        return f"{OURS} was not measured."
    lines = [f"* Geometric mean: {mean:.2f} × {BASE} (programs: {programs})."]
    for clock, words in (("wall", "wall time"), ("cpu", "processor time")):
        lines.append(f"* Above {LIMIT} × {BASE} by {words}: {', '.join(above_limit(session, clock)) or 'none'}.")
    if failures(session):
        lines.append(f"* Without a time: {', '.join(failures(session))}.")
    distance, shared = mean_ratio(session, OTHER_HOST, base=OURS)
    if shared:
        lines.append(f"* {distance:.1f} × faster than {OTHER_HOST} (geometric mean, programs: {shared}).")
    return "\n".join(lines)


def report(session: Session) -> str:
    """Return everything there is to say about one session, in Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in session["versions"].items() if version)
    parts = [
        f"### Python {session['python']}",
        f"{session['date']}, {session['machine']}; {versions or 'standard library only'}.",
    ]
    if measured(session, SPEED):
        parts.append(speed_table(session))
    if measured(session, GROWTH):
        parts += ["Cost of creating, waking and joining one of N concurrent tasks:", growth_table(session)]
    return "\n\n".join([*parts, verdict(session)])
