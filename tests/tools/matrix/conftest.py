"""A small evidence: two Pythons, a few tests of each part."""

import json

import pytest

WAIT = "tests/parity/test_page_wait.py::test_first"
GROUP = "tests/parity/test_page_task_group.py::test_ends"
METHOD = "tests/network/test_pipes.py::test_a_pipe"
SCOPE = "tests/mixing/test_scopes.py::test_ends"
LIBRARY = "tests/libraries/test_aiohttp.py::test_answers"
NAMES = "tests/tools/matrix/test_names.py::test_what_became_of_a_name"
PROOF = "tests/test_signals.py::test_every_phase_of_closing_runs"


def outcome(says, *cases, outcome="passed", **more):
    return {"says": says, "cases": dict.fromkeys(cases or [""], outcome), **more}


def part(python, tests, **more):
    return {"versions": {"python": f"{python}.1", "trio": "0.35.0"}, "tests": tests, **more}


def parts(python):
    """What was found on one Python; the older one lacks TaskGroup."""
    new = python == "3.10"
    statuses = {
        "sleep": {"status": "identical"},
        "Task": {"status": "differs", "why": "it is a trio task"},
        "TaskGroup": {"status": "backported", "why": "asyncio has it since 3.11"} if new else {"status": "identical"},
    }
    grid = {"title": "Scopes around waits.", "waits": ["sleep", "event"], "situations": [[SCOPE, "A scope ends it."]]}
    page = {
        WAIT: outcome("The first | wins.", sides=["asyncio", "trioasync"]),
        GROUP: outcome("A group ends.", sides=["trioasync"] if new else ["asyncio", "trioasync"]),
    }
    return {
        "page": part(python, page, rows=[["Waiting", [WAIT]], ["Task groups", [GROUP]]]),
        "names": part(python, {NAMES: outcome("A name.", *statuses, properties=statuses)}),
        "methods": part(
            python,
            {METHOD: outcome("A pipe is read.", "run", "nap")},
            rows=[["connect_read_pipe", [METHOD]]],
        ),
        "mixing": part(
            python,
            {SCOPE: outcome("A scope ends it.", "sleep-task", "sleep-plain", "event-task")},
            rows=[["Scopes around waits.", [SCOPE]]],
            grids=[grid],
        ),
        "libraries": part(
            python,
            {LIBRARY: outcome("It answers.", "asyncio", "trioasync", "trio")},
            rows=[["aiohttp", [LIBRARY]]],
            libraries={"aiohttp": "3.13.2"},
        ),
        "differences": part(python, {PROOF: outcome("Every phase runs.")}),
    }


def counts(passed, deliberate=0):
    return {"counted": passed + deliberate, "passed": passed, "deliberate": deliberate, "failed": 0, "skipped": 1}


SUITE = {
    "schema": 1,
    "python": "3.13",
    "files": {
        "test_tasks": {"tests": 900, "modes": {"own": counts(798, 2), "registered": counts(700)}},
        "test_locks": {"tests": 50, "modes": {"own": counts(50), "trio-asyncio": counts(49)}},
    },
    "differences": [
        {"test": f"test_tasks.T.test_{number}", "mode": "own", "outcome": "failed", "row": "Tasks are held strongly"}
        for number in range(2)
    ],
    "not applicable": [
        {"file": "test_events", "mode": mode, "reason": "About proactors.", "row": "Other loops", "tests": 40}
        for mode in ("own", "registered")
    ],
}


@pytest.fixture
def folder(tmp_path):
    """The evidence of two Pythons, in a checkout that has its tests."""
    for name in (WAIT, GROUP, METHOD, SCOPE, LIBRARY, NAMES, PROOF):
        file, _, test = name.partition("::")
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(f"def {test}(): ...\n")
    for python in ("3.10", "3.13"):
        write(tmp_path / "evidence" / f"{python}.json", {"parts": parts(python)})
    write(tmp_path / "evidence" / "cpython-3.13.json", SUITE)
    return tmp_path / "evidence"


@pytest.fixture
def change(folder):
    """A function that changes the parts of one Python."""

    def change(python, edit):
        file = folder / f"{python}.json"
        known = json.loads(file.read_text())
        edit(known["parts"])
        write(file, known)

    return change


def write(file, value):
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(value))
