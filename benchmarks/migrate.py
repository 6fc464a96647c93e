"""How fast the migration tool reads: seconds for 100,000 lines of code that uses asyncio, on one core.

    python benchmarks/migrate.py [--lines N] [--native]

The code is the standard library's own: every file of it that uses asyncio, and its tests of asyncio where they are
installed, again and again until there are enough lines. Nothing is written but a folder of copies, which is removed.
"""

import argparse
import ast
import gc
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from trioasync._tools.migrate import discover, engine
from trioasync._tools.migrate.config import Options
from trioasync._tools.migrate.rules import all_rules

try:
    import resource
except ImportError:  # not on Windows
    resource = None


def sources():
    """Give the texts of the standard library that use asyncio, those of the package and of its tests first."""
    library = Path(sysconfig.get_path("stdlib"))
    for folder in (library / "asyncio", library / "test" / "test_asyncio", library):
        for path in sorted(folder.glob("*.py")):
            data = path.read_bytes()
            if b"import asyncio" in data or b"from asyncio" in data:
                yield data


def copies(folder, lines):
    """Fill a folder with at least so many lines; give the paths, the number of lines, and the longest file's bytes."""
    texts = list(sources())
    paths, count, number = [], 0, 0
    while count < lines:
        data = texts[number % len(texts)]
        path = folder / f"part{number}.py"
        path.write_bytes(data)
        paths.append(str(path))
        count += data.count(b"\n")
        number += 1
    return paths, count, max(map(len, texts))


def timed(work):
    """Give the seconds of processor time that something takes, the best of three, and what it gives."""
    best = float("inf")
    for _ in range(3):
        gc.collect()
        start = time.process_time()
        result = work()
        best = min(best, time.process_time() - start)
    return best, result


def parse_all(paths):
    """Do what no tool can do without."""
    gc.disable()
    for path in paths:
        ast.parse(Path(path).read_bytes())
    gc.enable()


def main():
    """Measure, and print one line for each stage."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--lines", type=int, default=100_000, help="how many lines to read (default: 100000)")
    parser.add_argument("--native", action="store_true", help="measure the rewrite to trio, too")
    arguments = parser.parse_args()
    all_rules()
    with tempfile.TemporaryDirectory() as name:
        paths, lines, longest = copies(Path(name), arguments.lines)
        assert discover.find_files([name]) == sorted(paths)
        version = sys.version.split()[0]
        print(f"Python {version}, {len(paths)} files, {lines} lines, the longest file {longest // 1024} KiB")
        stages = {
            "ast.parse alone": lambda: parse_all(paths),
            "audit": lambda: engine.analyse(paths, Options(safety="B")),
            "migrate imports": lambda: sum(o.after is not None for o in engine.rewritten(paths, Options(stage=1))),
        }
        if arguments.native:
            stages["migrate native"] = lambda: sum(
                o.after is not None for o in engine.rewritten(paths, Options(safety="B"))
            )
        for stage, work in stages.items():
            seconds, _ = timed(work)
            print(f"{stage:<16} {seconds:6.2f} s   {seconds * 100_000 / lines:6.2f} s per 100,000 lines")
    if resource is not None:
        print(f"memory at its highest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main()
