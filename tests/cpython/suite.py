"""Runs CPython's test files, each in processes of its own, so that a hang or a crash costs one test."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .child import read

ROOT = Path(__file__).parent.parent.parent
PACKAGE = "test.test_asyncio"
SECONDS_PER_TEST = 60
SECONDS_PER_PROCESS = 900


@dataclass(frozen=True)
class Result:
    """What came of one test: passed, skipped, failed, error, hang, crash."""

    outcome: str
    touched: bool
    text: str

    @property
    def is_good(self):
        return self.outcome in ("passed", "skipped")


def files():
    """Return the names of the interpreter's test files; none if it came without its tests."""
    try:
        package = importlib.util.find_spec(PACKAGE)
    except ModuleNotFoundError:
        package = None
    if package is None or package.submodule_search_locations is None:
        return []
    return sorted(path.stem for place in package.submodule_search_locations for path in Path(place).glob("test_*.py"))


def run_file(mode, file, *, package=PACKAGE, seconds=SECONDS_PER_TEST, names=()):
    """Return the results of the tests in a file, by name; with names, of those only."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        record = Path(place, "record")
        while not _is_finished(record):
            known = len(read(record))
            problem = _run_process(place, [mode, package, file, str(record), str(seconds), *names])
            _blame(record, known, problem, file)
        lines = read(record)
    return {
        line["test"]: Result(line["outcome"], bool(line["touched"]), line["text"])
        for line in lines
        if line["test"] and line["outcome"] != "started"
    }


def run_again(mode, file, names, *, package=PACKAGE, seconds=SECONDS_PER_TEST):
    """Return the results of some tests, each alone in a new process, as CPython's own runner repeats failures."""
    results = {}
    for name in names:
        results |= run_file(mode, file, package=package, seconds=seconds, names=[name])
    return {name: result for name, result in results.items() if name in names}


def _is_finished(record):
    lines = read(record)
    return bool(lines) and lines[-1]["outcome"] == "finished"


def _run_process(place, arguments):
    """Run the child until it ends, and return what it has to say if it ended before its time."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": place}
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.cpython.child", *arguments],
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            status = child.wait(SECONDS_PER_PROCESS)
        except subprocess.TimeoutExpired:
            status = "time limit"
        finally:
            _end_session(child)
        said.seek(0)
        return f"{said.read()[-6000:]}\nexit status: {status}"


def _end_session(child):
    """End the child and the processes that it has left behind."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def _blame(record, known, problem, file):
    """Note in the record which test has ended the process, so that the next process goes on after it."""
    lines = read(record)
    if lines and lines[-1]["outcome"] == "finished":
        return
    with open(record, "a") as log:
        if lines and lines[-1]["outcome"] == "started":
            outcome = "hang" if "Timeout (" in problem or problem.endswith("time limit") else "crash"
            entry = {"test": lines[-1]["test"], "outcome": outcome, "touched": [outcome], "text": problem}
            log.write(json.dumps(entry) + "\n")
        elif len(lines) == known:  # not one test further
            entry = {"test": file, "outcome": "crash", "touched": ["crash"], "text": problem}
            log.write(json.dumps(entry) + "\n" + json.dumps({"test": "", "outcome": "finished"}) + "\n")
