"""`trioasync matrix` makes compat_matrix.md out of the evidence, and nothing else."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.matrix.conftest import LIBRARY, METHOD, NAMES, PROOF, SCOPE, WAIT
from trioasync._tools.matrix import command, facts, markdown
from trioasync._tools.matrix.evidence import load

ROOT = Path(__file__).parents[3]


def lines(folder):
    return markdown.text(load(folder)).splitlines()


def row(folder, label):
    """Return the cells behind the label of a row."""
    (found,) = [line for line in lines(folder) if line.startswith(f"| {label} |")]
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", found)[2:-1]]


# The sections


def test_the_sections_are_in_the_order_of_the_reader(folder):
    """First how it is read and the summary, last the differences."""
    titles = [line.removeprefix("## ") for line in lines(folder) if line.startswith("## ")]
    assert titles == [
        "How to read it",
        "Summary",
        "Coroutines and Tasks",
        "Names",
        "Loop methods",
        "Mixing",
        "CPython's own test suite",
        "Libraries",
        "Known differences",
    ]


def test_a_statement_is_compared_or_new(folder):
    """A statement that ran on both sides is equal; where asyncio lacks what it is about, it is new."""
    test = "[test_ends](tests/parity/test_page_task_group.py)"
    assert row(folder, "A group ends.") == ["+", "=", test]


def test_a_bar_in_a_sentence_does_not_end_its_cell(folder):
    """What Markdown takes for the end of a cell is escaped."""
    assert row(folder, r"The first \| wins.")[:2] == ["=", "="]


def test_a_test_that_failed_is_shown(folder, change):
    """One failed case is enough, whatever the others say, and the summary has it."""
    change("3.13", lambda parts: parts["page"]["tests"][WAIT]["cases"].update(a="failed", b="passed"))
    assert row(folder, r"The first \| wins.")[:2] == ["=", "✗"]
    assert row(folder, "statements of [the page](#page)") == ["= 2 of 2", "✗ 1 of 2"]


def test_a_test_that_was_skipped_or_did_not_run_proves_nothing(folder, change):
    """Its cell is empty, and the summary does not count it."""
    change("3.10", lambda parts: parts["page"]["tests"].pop(WAIT))
    change("3.13", lambda parts: parts["page"]["tests"][WAIT].update(cases={"": "skipped"}))
    change("3.10", lambda parts: parts["page"]["tests"].update({WAIT: {"says": "x", "cases": {"": "skipped"}}}))
    assert row(folder, r"The first \| wins.")[:2] == ["", ""]
    assert row(folder, "statements of [the page](#page)") == ["= 1 of 1", "= 1 of 1"]


def test_names_have_a_status_and_a_reason(folder):
    """The reason is told once, with the Pythons where it does not hold for all."""
    assert row(folder, "`sleep`") == ["=", "=", ""]
    assert row(folder, "`Task`") == ["≠", "≠", "it is a trio task"]
    assert row(folder, "`TaskGroup`") == ["+", "=", "asyncio has it since 3.11"]


def test_a_name_that_is_not_as_told_fails(folder, change):
    """The status of a name counts only if the look at both modules agreed with it."""
    change("3.13", lambda parts: parts["names"]["tests"][NAMES]["cases"].update(Task="failed"))
    assert row(folder, "`Task`")[:2] == ["≠", "✗"]


def test_a_method_is_told_with_its_ways(folder):
    """In the order in which they are explained."""
    test = "[test_a_pipe](tests/network/test_pipes.py)"
    assert row(folder, "`loop.connect_read_pipe`") == ["=", "=", "run nap", test]


def test_a_method_that_this_python_lacks(folder, change):
    """Where trioasync brings it, it is new; where it does not, it is not there."""
    change("3.10", lambda parts: parts["methods"].update(new=["connect_read_pipe"]))
    assert row(folder, "`loop.connect_read_pipe`")[:2] == ["+", "="]
    change("3.10", lambda parts: parts["methods"].update(rows=[["close", [METHOD]]]))
    assert row(folder, "`loop.connect_read_pipe`")[:2] == ["–", "="]


def test_waits_and_situations_make_a_table(folder, change):
    """A cell stands for all Pythons, or names those for which it does."""
    assert row(folder, "sleep") == ["✓"]
    change("3.10", lambda parts: parts["mixing"]["tests"][SCOPE]["cases"].pop("event-task"))
    assert row(folder, "event") == ["✓ 3.13"]
    change("3.13", lambda parts: parts["mixing"]["tests"][SCOPE]["cases"].update({"event-plain": "failed"}))
    assert row(folder, "event") == ["✗ 3.13"]


def test_cpythons_suite_is_counted_by_module_and_mode(folder):
    """What passed, of what counts; a module that a mode did not run is left empty."""
    assert row(folder, "`test_tasks`") == ["≠ 798 / 800", "= 700 / 700", "", "900 tests"]
    assert row(folder, "`test_locks`") == ["= 50 / 50", "", "= 49 / 49", "50 tests"]
    assert row(folder, "**all**") == ["≠ 848 / 850", "= 700 / 700", "= 49 / 49", ""]
    assert row(folder, "About proactors.") == ["40"]
    assert row(folder, "[CPython's tests](#cpython), trioasync's own") == ["", "≠ 99.7 % of 850"]


def test_a_library_has_its_version_and_its_tests(folder, change):
    """A failed case is counted out; a library that is not installed leaves its cell empty."""
    assert row(folder, "**aiohttp**")[:2] == ["= 3.13.2 (3)", "= 3.13.2 (3)"]
    change("3.10", lambda parts: parts["libraries"]["tests"].clear())
    change("3.13", lambda parts: parts["libraries"]["tests"][LIBRARY]["cases"].update(trio="failed"))
    assert row(folder, "**aiohttp**")[:2] == ["", "✗ 3.13.2 (2 of 3)"]


def test_what_fails_on_asyncio_as_well_is_not_held_against_the_library(folder, change):
    """It is not counted; where asyncio passes it, it is a failure."""
    cases = {"a-asyncio": "failed", "a-trioasync": "failed", "b-asyncio": "passed", "b-trioasync": "passed"}
    change("3.10", lambda parts: parts["libraries"]["tests"][LIBRARY].update(cases=cases))
    change("3.13", lambda parts: parts["libraries"]["tests"][LIBRARY].update(cases={**cases, "b-trioasync": "failed"}))
    assert row(folder, "**aiohttp**")[:2] == ["= 3.13.2 (2)", "✗ 3.13.2 (1 of 2)"]


def test_a_difference_is_shown_by_its_proofs_and_by_cpythons_suite(folder, change):
    """Where nothing has shown it on a Python its cell is empty; where its proof fails it is not a difference."""
    assert row(folder, "**Every phase of closing runs**")[:2] == ["≠", "≠"]
    assert row(folder, "**Tasks are held strongly**")[:2] == ["", "≠ 2"]
    change("3.13", lambda parts: parts["differences"]["tests"][PROOF]["cases"].update({"": "failed"}))
    assert row(folder, "**Every phase of closing runs**")[:2] == ["≠", "✗"]


def test_what_only_an_older_python_has_keeps_its_row(folder, change):
    """The newest Python arranges the rows; the others add theirs."""
    change("3.13", lambda parts: parts["page"].update(tests={WAIT: parts["page"]["tests"][WAIT]}, rows=[["W", [WAIT]]]))
    assert row(folder, "A group ends.")[:2] == ["+", ""]


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_it_is_the_same_whenever_it_is_made(folder, change, seed):
    """Nothing but the evidence goes into it, whatever the order in which an interpreter happens to keep a set."""
    names = {name: {"status": "identical"} for name in ("Timeout", "timeout", "TIMEOUT", "timeOut")}
    change("3.13", lambda parts: parts["names"]["tests"][NAMES]["properties"].update(names))
    change("3.13", lambda parts: parts["names"]["tests"][NAMES]["cases"].update(dict.fromkeys(names, "passed")))
    command.command(["--evidence", str(folder)])
    check = [sys.executable, "-m", "trioasync", "matrix", "--check", "--evidence", str(folder)]
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    assert subprocess.run(check, env=environment, check=False, timeout=60).returncode == 0


# The command


def test_it_writes_and_then_finds_it_fresh(folder, capsys):
    """`--check` after a run is silent, with status 0."""
    assert command.command(["--evidence", str(folder)]) == 0
    assert (folder.parent / "compat_matrix.md").read_text() == markdown.text(load(folder))
    assert command.command(["--evidence", str(folder), "--check"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["compat_matrix.md", f"trioasync/_tools/matrix/{facts.FILE}"])
def test_a_stale_file_fails_the_check_and_is_left_alone(folder, capsys, name):
    """Status 1, and a line that says what to do."""
    command.command(["--evidence", str(folder)])
    file = folder.parent / name
    file.write_text("by hand\n")
    assert command.command(["--evidence", str(folder), "--check"]) == 1
    assert capsys.readouterr().err == f"{name} is stale: run 'trioasync matrix'\n"
    assert file.read_text() == "by hand\n"


def test_new_evidence_makes_the_matrix_stale(folder, change, capsys):
    """A test that fails now is a change of the matrix."""
    command.command(["--evidence", str(folder)])
    change("3.13", lambda parts: parts["page"]["tests"][WAIT]["cases"].update({"": "failed"}))
    assert command.command(["--evidence", str(folder), "--check"]) == 1
    assert "compat_matrix.md is stale" in capsys.readouterr().err


def test_evidence_of_a_test_that_is_gone_fails_the_check(folder, capsys):
    """A row whose test was renamed or taken away rests on nothing any more."""
    command.command(["--evidence", str(folder)])
    (folder.parent / WAIT.partition("::")[0]).write_text("def test_first_of_all(): ...\n")
    assert command.command(["--evidence", str(folder), "--check"]) == 1
    assert capsys.readouterr().err == f"the evidence names {WAIT}, which is gone: record it again\n"


def test_a_difference_that_nobody_knows_fails_the_check(folder, capsys):
    """A row of CPython's suite has to be in the table, where its reason and what to do stand."""
    suite = json.loads((folder / "cpython-3.13.json").read_text())
    suite["differences"][0]["row"] = "Everything is late"
    (folder / "cpython-3.13.json").write_text(json.dumps(suite))
    command.command(["--evidence", str(folder)])
    assert command.command(["--evidence", str(folder), "--check"]) == 1
    assert capsys.readouterr().err == "CPython's suite differs by 'Everything is late', which known.py does not have\n"


def test_a_missing_file_is_stale(folder, capsys):
    """Both files have to be there."""
    assert command.command(["--evidence", str(folder), "--check"]) == 1
    assert capsys.readouterr().err.count("is stale") == 2


def test_without_evidence_it_says_where_it_looked(tmp_path, capsys):
    """Status 2, and nothing is written."""
    assert command.command(["--evidence", str(tmp_path / "none")]) == 2
    assert "run it in a checkout" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
