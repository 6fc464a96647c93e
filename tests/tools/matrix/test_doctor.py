"""`trioasync doctor` tells what the matrix says of an interpreter and its packages."""

import json

import pytest
import trio

from trioasync import _trio
from trioasync._tools import doctor
from trioasync._tools.matrix import facts
from trioasync._tools.matrix.evidence import load


@pytest.fixture
def known(folder):
    return json.loads(facts.text(load(folder)))


def told(known, python="3.13.5", **packages):
    """Return the lines of a report, and whether one of them tells of something wrong."""
    given = {
        name.replace("_", "-"): each if isinstance(each, tuple) else (each, False) for name, each in packages.items()
    }
    findings = list(doctor.report(known, python=python, packages=given))
    return [finding.text.strip() for finding in findings], any(finding.wrong for finding in findings)


def test_a_python_of_the_matrix(known):
    """It is named with the version that the tests ran on, and what the matrix counts there."""
    lines, wrong = told(known)
    assert "Python 3.13.5: in the matrix, whose tests ran on 3.13.1" in lines
    assert f"trio {trio.__version__}: has what trioasync needs of it; the tests ran with 0.35.0" in lines
    assert any(line.startswith("statements of the page") and line.endswith("2 of 2") for line in lines)
    assert not wrong


def test_a_python_that_is_not_in_the_matrix(known):
    """The report says so, and ends there."""
    lines, wrong = told(known, "3.17.0")
    assert "Python 3.17.0: not in the matrix, which has 3.10, 3.13" in lines
    assert wrong
    assert len(lines) == 3


def test_a_trio_that_lacks_something(known, monkeypatch):
    """What trioasync's own check finds is told."""

    def check():
        raise RuntimeError("trio 9 is not supported")

    monkeypatch.setattr(_trio, "check", check)
    lines, wrong = told(known)
    assert "trio 9 is not supported" in lines
    assert wrong


@pytest.mark.parametrize(
    ("version", "ending"),
    [("3.13.2", "with this version"), ("3.9.9", "with 3.13.2; yours is older"), ("4", "with 3.13.2; yours is newer")],
)
def test_a_library_of_the_matrix(known, version, ending):
    """Its line says with which version it was tested, and how that lies to the one installed."""
    lines, wrong = told(known, aiohttp=version)
    assert f"aiohttp {version}  runs unmodified: 3 tests passed {ending}" in lines
    assert not wrong


def test_a_library_that_fails(folder, change):
    """It stands in the way."""
    change("3.13", lambda parts: next(iter(parts["libraries"]["tests"].values()))["cases"].update(trio="failed"))
    lines, wrong = told(json.loads(facts.text(load(folder))), aiohttp="3.13.2")
    assert "aiohttp 3.13.2  1 of 3 tests failed with this version" in lines
    assert wrong


def test_a_library_that_was_tested_on_another_python(folder, change):
    """The report names the Pythons on which it was."""
    change("3.13", lambda parts: parts["libraries"]["tests"].clear())
    lines, wrong = told(json.loads(facts.text(load(folder))), aiohttp="3.13.2")
    assert "aiohttp 3.13.2  not tested on Python 3.13, but on 3.10" in lines
    assert not wrong


def test_other_packages(known):
    """Of the others, those that say they are for asyncio are named, and so are loops of other packages."""
    lines, wrong = told(known, aiohue=("4.7", True), requests="2.32", uvloop="0.22", trio="0.35", sniffio=("1.3", True))
    assert "aiohue 4.7   not in the matrix" in lines
    assert any(line.startswith("uvloop 0.22  has a loop of its own") for line in lines)
    assert not any(line.startswith(("requests", "trio 0.35 ", "sniffio")) for line in lines)
    assert not wrong


def test_known_differences_are_those_of_this_python(known):
    """With the reason and what to do."""
    lines, _ = told(known)
    assert "Tasks are held strongly" in lines
    older, _ = told(known, "3.10.1")
    assert "Tasks are held strongly" not in older
    assert "Every phase of closing runs" in older
    assert any("What to do:" in line for line in older)


def test_the_command_looks_at_its_own_interpreter(python):
    """It works in an installation, whose facts are in the package, and its exit status is 0 where nothing is wrong."""
    ended = python("-m", "trioasync", "doctor")
    assert ended.err == ""
    assert ended.status == (1 if " tests failed with " in ended.out else 0)
    assert f"trio {trio.__version__}: has what trioasync needs of it" in ended.out
    assert "Known differences from asyncio on Python" in ended.out
