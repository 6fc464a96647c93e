"""A pytest plugin that writes down what the tests behind compat_matrix.md have shown on this Python.

    python -m pytest -p tests.support.evidence --evidence evidence/3.13.json tests

With the option nothing else is run: `tests/support/matrix_rows.py` says which tests are behind which part of it.
A part of which tests were run takes the place of the same part in the file, the others stay: so the libraries' tests
can be run by themselves, where the libraries are installed. The file says nothing of the day or the machine.
"""

import inspect
import json
import platform
from pathlib import Path

import pytest
import trio

from tests.support import matrix_rows

# From the best to the worst: what a test's phases come to.
OUTCOMES = ("passed", "skipped", "failed")
# How deep the file goes by lines: parts, part, tests, test.
LINES_TO = 4


def pytest_addoption(parser):
    parser.addoption("--evidence", type=Path, metavar="FILE", help="run what backs compat_matrix.md and write it down")


def pytest_configure(config):
    if config.getoption("evidence") is not None:
        config.pluginmanager.register(Recorder(config.getoption("evidence")), "evidence-recorder")


class Recorder:
    """Keeps the tests that a part of the matrix rests on, and what became of them."""

    def __init__(self, file):
        self._file = file
        self._backed = {}  # the parts of a test, by its node id
        self._tests = {}  # by part, then by the name that the cases of a test share
        self._outcomes = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config, items):
        parts_of = matrix_rows.finder()
        self._backed = {item.nodeid: parts for item in items if (parts := parts_of(item))}
        for item in items:
            for part in self._backed.get(item.nodeid, ()):
                self._tests.setdefault(part, {}).setdefault(shared_name(item), told_of(item))
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in self._backed])
        items[:] = [item for item in items if item.nodeid in self._backed]

    def pytest_runtest_logreport(self, report):
        seen = self._outcomes.get(report.nodeid, "passed")
        self._outcomes[report.nodeid] = max(seen, report.outcome, key=OUTCOMES.index)
        properties = dict(report.user_properties)
        if properties and report.when == "call":
            self._note(report.nodeid, "properties", properties)

    def pytest_sessionfinish(self):
        for nodeid, outcome in self._outcomes.items():
            self._note(nodeid, "cases", outcome)
        if self._outcomes:
            write(self._file, self._tests)

    def _note(self, nodeid, kind, value):
        name, case = split(nodeid)
        for part in self._backed[nodeid]:
            self._tests[part][name].setdefault(kind, {})[case] = value


def shared_name(item):
    """Return what a test is called without its parameters."""
    return split(item.nodeid)[0]


def split(nodeid):
    """Return the name that the cases of a test share, and that of the case, "" where there is one alone."""
    name, _, case = nodeid.partition("[")
    return name, case.removesuffix("]")


def told_of(item):
    """Return what is known of a test before it has run: its sentence, and the sides that it compares."""
    sentence = inspect.getdoc(item.function) or item.originalname.removeprefix("test_").replace("_", " ").capitalize()
    told = {"says": " ".join(sentence.split())}
    sides = getattr(item.function, "sides", None)
    return told if sides is None else {**told, "sides": list(sides)}


def write(file, tests):
    """Put the parts that were run into the file."""
    known = json.loads(file.read_text()) if file.exists() else {"parts": {}}
    for part, of_part in tests.items():
        ran = {name: test for name, test in of_part.items() if test.get("cases")}
        versions = {"python": platform.python_version(), "trio": trio.__version__}
        known["parts"][part] = {"versions": versions, "tests": ran, **matrix_rows.about(part, ran)}
    known |= {"schema": 1, "python": ".".join(platform.python_version_tuple()[:2]), "system": platform.system()}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(laid_out(known) + "\n", encoding="utf-8")


def laid_out(value, depth=0):
    """Return the JSON of a value, sorted, with a line for each test."""
    if not isinstance(value, dict) or depth == LINES_TO or not value:
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    lines = [f"{' ' * (depth + 1)}{json.dumps(key)}: {laid_out(value[key], depth + 1)}" for key in sorted(value)]
    return "\n".join(["{", ",\n".join(lines), f"{' ' * depth}}}"])
