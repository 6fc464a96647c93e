"""The hunt as a command: see the package's docstring."""

import argparse
import platform
import random
import sys
import time

import trio

from tests.fuzz.hunting import hunt, numbers


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Compare random programs of asyncio.")
    parser.add_argument("--programs", type=int, default=10_000, help="how many (default 10000)")
    parser.add_argument("--seed", type=int, help="which ones (default: chosen by chance)")
    parser.add_argument("--skip", type=int, default=0, help="how many of the seed's programs to pass over first")
    parser.add_argument("--only", type=int, action="append", help="the number of one program; may be repeated")
    parser.add_argument("--stop-after", type=int, default=5, help="differences after which to stop (default 5)")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    chosen = options.only or numbers(seed, options.programs)[options.skip :]
    started, differing, done = time.monotonic(), 0, 0
    for report in hunt(chosen):
        done += 1
        if report is not None:
            print(report, flush=True)
            differing += 1
            if differing == options.stop_after:
                break
    seconds = time.monotonic() - started
    print(
        f"Python {platform.python_version()}, trio {trio.__version__}, seed {seed}, first {chosen[0]}: "
        f"{done} programs in {seconds:.0f} s, {differing} differ"
    )
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
