"""Runs CPython's own tests of asyncio on trioasync: `python -m tests.cpython --help`."""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from . import evidence, expectations, judging, suite
from .modes import MODES, OURS


def arguments():
    parser = argparse.ArgumentParser(
        prog="python -m tests.cpython",
        description="Run CPython's test.test_asyncio, as it came with this interpreter, on trioasync.",
        epilog="The exit status is 0 if each difference from stock asyncio is explained in expected.toml.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="for example test_tasks; without any, all of them")
    parser.add_argument(
        "--mode", action="append", choices=MODES[1:], help="what to run on; by default registered and own, one by one"
    )
    parser.add_argument("--write", action="store_true", help="record the outcome in the folder evidence")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="ask stock asyncio only about tests that do not pass; --write leaves its recorded baseline as it is",
    )
    parser.add_argument("--seconds", type=float, default=suite.SECONDS_PER_TEST, help="the time limit of one test")
    parser.add_argument("--jobs", type=int, default=1, help="how many files to run at a time")
    parser.add_argument("--verbose", action="store_true", help="show the traceback of each unexplained difference")
    return parser.parse_args()


def run(file, modes, entries, options):
    """Run one file on stock asyncio and in the modes, and return its baseline, the judgements and how long it took."""
    started = time.monotonic()
    stock = None if options.quick else suite.run_file("stock", file, seconds=options.seconds)
    judgements = [judging.run(file, mode, entries, stock=stock, seconds=options.seconds) for mode in modes]
    return stock, judgements, time.monotonic() - started


def show(judgement, *, verbose):
    counts = ", ".join(f"{judgement.counts[name]} {name}" for name in expectations.COUNTS if judgement.counts[name])
    print(f"{judgement.file} ({judgement.mode}): {counts}")
    for test, result, entry in judgement.differences:
        if entry is None:
            print(f"    {test}: {'missing' if result is None else result.outcome}: {last_line(result)}")
            if verbose and result is not None:
                print(result.text)
    for problem in judgement.problems:
        print(f"    {problem}")
    sys.stdout.flush()


def last_line(result):
    lines = result.text.strip().splitlines() if result is not None else []
    return lines[-1] if lines else ""


def summarise(judgements):
    for mode in MODES:
        total = Counter()
        for judgement in judgements:
            if judgement.mode == mode:
                total += judgement.counts
        counted = sum(total[name] for name in expectations.COUNTED)
        if counted:
            print(
                f"{mode}: {total['passed']} of {counted} pass ({100 * total['passed'] / counted:.2f} %); {dict(total)}"
            )


def main():
    options = arguments()
    available = suite.files()
    if not available:
        sys.exit("this interpreter came without its tests (Debian: libpython3-testsuite)")
    unknown = sorted(set(options.files) - set(available))
    if unknown:
        sys.exit(f"this interpreter has no {', '.join(unknown)}")
    files, modes, entries = options.files or available, options.mode or OURS, expectations.load()
    stock, judgements = {}, []
    with ThreadPoolExecutor(options.jobs) as threads:
        for file, (baseline, judged, seconds) in zip(
            files, threads.map(lambda file: run(file, modes, entries, options), files), strict=True
        ):
            stock[file] = baseline
            judgements += judged
            for judgement in judged:
                show(judgement, verbose=options.verbose)
            print(f"    {seconds:.0f} s")
            if options.write:
                recorded = evidence.read()
                evidence.take(recorded, judged, stock)
                evidence.write(recorded)
    summarise(judgements)
    sys.exit(any(judgement.mode in OURS and not judgement.is_good for judgement in judgements))


if __name__ == "__main__":
    main()
