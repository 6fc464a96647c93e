"""The plugin that writes the evidence down: what ran, what came of it, and nothing of the day or the machine."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import evidence
from tests.support.evidence import Recorder

ROOT = Path(__file__).parents[3]
PAGE = "tests/parity/test_page_wait.py::test_first_completed"
SCOPE = "tests/mixing/test_scopes.py::test_a_scope_ends_any_asyncio_wait"
OTHER = "tests/test_layers.py::test_the_namespace_has_no_logic"


def item(nodeid, **of_function):
    def function():
        """It
        holds."""

    vars(function).update(of_function)
    name = nodeid.partition("[")[0].rpartition("::")[2]
    return SimpleNamespace(nodeid=nodeid, function=function, originalname=name)


def report(nodeid, outcome="passed", when="call", **properties):
    return SimpleNamespace(nodeid=nodeid, outcome=outcome, when=when, user_properties=list(properties.items()))


@pytest.fixture
def recorded(tmp_path):
    """A function that lets the plugin see tests and reports, and returns the parts that it wrote."""

    def recorded(items, reports):
        recorder = Recorder(tmp_path / "3.99.json")
        deselected = []
        hook = SimpleNamespace(pytest_deselected=lambda items: deselected.extend(items))
        recorder.pytest_collection_modifyitems(SimpleNamespace(hook=hook), items)
        for each in reports:
            recorder.pytest_runtest_logreport(each)
        recorder.pytest_sessionfinish()
        return json.loads((tmp_path / "3.99.json").read_text())["parts"], [each.nodeid for each in deselected]

    return recorded


def test_what_backs_no_row_is_not_run(recorded):
    """The rest of the tests is deselected."""
    items = [item(PAGE), item(OTHER)]
    parts, deselected = recorded(items, [report(PAGE)])
    assert [each.nodeid for each in items] == [PAGE]
    assert deselected == [OTHER]
    assert list(parts) == ["page"]


def test_a_test_is_written_with_its_sentence_and_its_sides(recorded):
    """The sentence is the docstring, in one line."""
    parts, _ = recorded([item(PAGE, sides=["asyncio", "trioasync"])], [report(PAGE)])
    assert parts["page"]["tests"] == {
        PAGE: {"says": "It holds.", "sides": ["asyncio", "trioasync"], "cases": {"": "passed"}}
    }
    assert set(parts["page"]["versions"]) == {"python", "trio"}


@pytest.mark.parametrize("when", ["setup", "call", "teardown"])
def test_a_failure_of_any_phase_counts(recorded, when):
    """A test passes if nothing of it failed."""
    phases = [report(PAGE, "failed" if phase == when else "passed", phase) for phase in ("setup", "call", "teardown")]
    parts, _ = recorded([item(PAGE)], phases)
    assert parts["page"]["tests"][PAGE]["cases"] == {"": "failed"}


def test_cases_are_told_apart(recorded):
    """Each case of a test has its outcome, a skipped one too."""
    cases = [f"{SCOPE}[sleep-task]", f"{SCOPE}[sleep-plain]"]
    parts, _ = recorded([*map(item, cases)], [report(cases[0]), report(cases[1], "skipped")])
    assert parts["mixing"]["tests"][SCOPE]["cases"] == {"sleep-task": "passed", "sleep-plain": "skipped"}


def test_a_part_that_was_not_run_stays(recorded):
    """So that libraries can be tested by themselves; the part that was run is new as a whole."""
    other = PAGE.replace("completed", "exception")
    recorded([item(PAGE), item(SCOPE)], [report(PAGE), report(SCOPE, "failed")])
    parts, _ = recorded([item(other)], [report(other)])
    assert list(parts["page"]["tests"]) == [other]
    assert parts["mixing"]["tests"][SCOPE]["cases"] == {"": "failed"}


def test_the_file_is_the_same_after_every_run(tmp_path):
    """Sorted, whatever the order of the run; each test has a line."""
    tests = {name: {"says": "x", "cases": {"": "passed"}} for name in (SCOPE, PAGE)}
    evidence.write(tmp_path / "a.json", {"differences": dict(tests)})
    evidence.write(tmp_path / "b.json", {"differences": dict(reversed(tests.items()))})
    text = (tmp_path / "a.json").read_text()
    assert text == (tmp_path / "b.json").read_text()
    assert [line for line in text.splitlines() if '"says"' in line and PAGE in line]


def test_a_run_of_pytest_writes_its_evidence(tmp_path):
    """The option runs what is asked for, with the properties that the tests tell of themselves."""
    file = tmp_path / "evidence" / "here.json"
    options = ["-p", "tests.support.evidence", "--evidence", file, "-q", "-k", "TaskGroup or timeout_at"]
    command = [sys.executable, "-m", "pytest", *options, "tests/tools/matrix/test_names.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (test,) = json.loads(file.read_text())["parts"]["names"]["tests"].values()
    assert test["cases"] == {"TaskGroup": "passed", "timeout_at": "passed"}
    assert test["properties"]["TaskGroup"]["status"] in ("identical", "differs", "backported")
    assert str(ROOT) not in file.read_text()
