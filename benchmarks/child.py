"""Measures one program on one implementation in this process and prints the outcome as one line of JSON.

It is started by run.py, once per measurement, so that no measurement sees the garbage, caches or threads of another.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import sys
import time
from types import ModuleType

from implementations import IMPLEMENTATIONS, Unavailable, start, versions
from programs import PROGRAMS, Program

MARGIN = 1.2  # aim this much above the wanted duration, so that the next round rarely has to grow its count again
LARGEST_GROWTH = 20


class Stopwatch:
    """Times the body of its `with` statement, in seconds of wall and of processor time; profiles it too when asked."""

    def __init__(self, profile: cProfile.Profile | None = None) -> None:
        self.wall = self.cpu = 0.0
        self._profile = profile

    def __enter__(self) -> None:
        self._cpu_start = time.process_time()
        self._wall_start = time.perf_counter()
        if self._profile is not None:
            self._profile.enable()

    def __exit__(self, *details: object) -> None:
        if self._profile is not None:
            self._profile.disable()
        self.wall = time.perf_counter() - self._wall_start
        self.cpu = time.process_time() - self._cpu_start


def next_count(count: int, wall: float, seconds: float) -> int:
    """Return the count that should last `seconds`, when `count` lasted `wall` seconds."""
    wanted = int(count * MARGIN * seconds / max(wall, 1e-9)) + 1
    return max(count + 1, min(wanted, count * LARGEST_GROWTH))


async def measure(program: Program, aio: ModuleType, seconds: float, count: int) -> tuple[int, Stopwatch]:
    """Run `program` with growing counts until one run lasts `seconds`; return that count and its stopwatch."""
    await program.body(aio, max(1, count // 10), Stopwatch())
    while True:
        gc.collect()
        stopwatch = Stopwatch()
        await program.body(aio, count, stopwatch)
        if stopwatch.wall >= seconds:
            return count, stopwatch
        count = next_count(count, stopwatch.wall, seconds)


def outcome(implementation: str, program: Program, seconds: float, count: int) -> dict[str, object]:
    """Return the µs per operation and the count, or a note that says why there is no measurement."""
    measured: list[tuple[int, Stopwatch]] = []

    async def main(aio: ModuleType) -> None:
        if program.needs is None or hasattr(aio, program.needs):
            measured.append(await measure(program, aio, seconds, count))

    try:
        start(implementation, main)
    except Unavailable as reason:
        return {"note": str(reason)}
    except Exception as failure:
        return {"note": f"fails: {type(failure).__name__}: {failure}"}
    if not measured:
        return {"note": f"no {program.needs} on this Python"}
    final_count, stopwatch = measured[0]
    microseconds = 1e6 / (final_count * program.operations)
    return {"count": final_count, "wall": stopwatch.wall * microseconds, "cpu": stopwatch.cpu * microseconds}


def print_profile(implementation: str, program: Program, seconds: float, rows: int = 25) -> None:
    """Run `program` under cProfile and print what one operation spends where, most expensive function first."""
    profile = cProfile.Profile()
    counts: list[int] = []

    async def main(aio: ModuleType) -> None:
        count, _ = await measure(program, aio, seconds, 1)
        await program.body(aio, count, Stopwatch(profile))
        counts.append(count)

    start(implementation, main)
    operations = counts[0] * program.operations
    statistics = pstats.Stats(profile).stats.items()
    print(f"{program.title} on {implementation}, per operation (cProfile slows Python code down more than C code)")
    print(f"{'calls':>8} {'own µs':>8} {'all µs':>8}  function")
    for (path, line, name), (_, calls, own, total, _) in sorted(statistics, key=lambda item: -item[1][2])[:rows]:
        place = name if path == "~" else f"{name} ({'/'.join(path.split('/')[-2:])}:{line})"
        print(f"{calls / operations:8.2f} {own / operations * 1e6:8.3f} {total / operations * 1e6:8.3f}  {place}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("implementation", nargs="?", choices=list(IMPLEMENTATIONS))
    parser.add_argument("program", nargs="?", choices=list(PROGRAMS), metavar="program")
    parser.add_argument("--seconds", type=float, default=0.2, help="least duration of the measurement")
    parser.add_argument("--count", type=int, default=1, help="units of work to begin with")
    parser.add_argument("--profile", action="store_true", help="print a profile instead of a measurement")
    arguments = parser.parse_args()
    if arguments.program is None:
        print(json.dumps({"python": sys.version.split()[0], "versions": versions()}))
    elif arguments.profile:
        print_profile(arguments.implementation, PROGRAMS[arguments.program], arguments.seconds)
    else:
        program = PROGRAMS[arguments.program]
        print(json.dumps(outcome(arguments.implementation, program, arguments.seconds, arguments.count)))


if __name__ == "__main__":
    main()
