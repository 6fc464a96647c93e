"""The runner of CPython's tests and its table of expected differences do what docs/proof.md says."""

import json

import pytest

from . import evidence, expectations, judging, suite
from .expectations import Entry
from .modes import OURS
from .suite import Result

PACKAGE = "tests.cpython"
SAMPLE = "sample.Sample."

PASSED = Result("passed", True, "")
UNTOUCHED = Result("passed", False, "")
FAILED = Result("failed", True, "AssertionError")
SKIPPED = Result("skipped", False, "no network")


def entry(*tests, kind="difference", modes=("own",), pythons=("3.13",), reason="It is so.", row="Tasks"):
    return Entry(kind, tests, modes, pythons, reason, row)


def judge(results, entries=(), stock=None):
    return judging.judge("test_x", "own", results, stock or {}, list(entries), python="3.13")


# -- running


@pytest.fixture(scope="module")
def sample():
    return suite.run_file("own", "sample", package=PACKAGE, seconds=4)


def test_a_hang_and_a_crash_cost_one_test_each(sample):
    """The tests after one that hangs or ends the process are run all the same, in a new process."""
    outcomes = {name.removeprefix(SAMPLE)[5]: result.outcome for name, result in sample.items() if SAMPLE in name}
    assert outcomes == {
        "a": "passed",
        "b": "crash",
        "c": "passed",
        "d": "hang",
        "e": "skipped",
        "f": "failed",
        "g": "error",
        "h": "failed",
        "i": "passed",
    }


def test_a_class_that_cannot_be_set_up_is_an_error(sample):
    """It stands for its tests, under the name that unittest gives it."""
    assert sample["setUpClass (sample.CannotBeSetUp)"].outcome == "error"
    assert "no server" in sample["setUpClass (sample.CannotBeSetUp)"].text


def test_what_a_test_touches_is_noted(sample):
    """A test that runs a loop touches it, one that only looks at a function does not."""
    assert sample[SAMPLE + "test_a_passes_on_a_loop"].touched
    assert not sample[SAMPLE + "test_c_passes_without_a_loop"].touched


def test_a_failure_is_repeated_alone():
    """What fails only because of the tests before it passes in a process of its own; the rest fails again."""
    names = [SAMPLE + "test_h_fails_after_others_only", SAMPLE + "test_g_raises"]
    results = suite.run_again("own", "sample", names, package=PACKAGE, seconds=4)
    assert [results[name].outcome for name in names] == ["passed", "error"]


def test_the_baseline_runs_on_asyncio_itself():
    """In the mode stock nothing of ours is there, and nothing is noted."""
    names = [SAMPLE + "test_i_sees_which_task_is_made", SAMPLE + "test_a_passes_on_a_loop"]
    results = suite.run_file("stock", "sample", package=PACKAGE, seconds=4, names=names)
    assert results[names[0]].outcome == "failed"
    assert "'_asyncio' != 'trioasync.tasks'" in results[names[0]].text
    assert results[names[1]] == UNTOUCHED


# -- judging


def test_a_test_that_passes_and_touches_is_counted():
    """One that passes without touching anything of ours is not."""
    judgement = judge({"test_x.A.test_1": PASSED, "test_x.A.test_2": UNTOUCHED})
    assert judgement.counts == {"passed": 1, "untouched": 1}
    assert judgement.counted == 1
    assert judgement.is_good


def test_a_failure_without_an_entry_fails_the_run():
    """It is named among the differences, without an explanation."""
    judgement = judge({"test_x.A.test_1": FAILED})
    assert judgement.differences == [("test_x.A.test_1", FAILED, None)]
    assert not judgement.is_good


def test_a_failure_with_an_entry_is_deliberate_and_counted():
    """It counts against us all the same."""
    known = entry("test_x.A.test_1")
    judgement = judge({"test_x.A.test_1": FAILED, "test_x.A.test_2": PASSED}, [known])
    assert judgement.counts == {"deliberate": 1, "passed": 1}
    assert judgement.counted == 2
    assert judgement.is_good


def test_a_test_that_asyncio_passes_and_we_skip_is_a_failure():
    """Not running a test is no way to pass it."""
    judgement = judge({"test_x.A.test_1": SKIPPED}, stock={"test_x.A.test_1": PASSED})
    assert judgement.counts == {"failed": 1}


def test_a_test_that_asyncio_has_and_we_have_not_is_a_failure():
    """The modes must have the same tests."""
    judgement = judge({}, stock={"test_x.A.test_1": PASSED})
    assert judgement.differences == [("test_x.A.test_1", None, None)]
    assert not judgement.is_good


def test_what_asyncio_skips_or_fails_is_not_counted():
    """What the machine or the interpreter cannot do says nothing about us."""
    results = {"test_x.A.test_1": SKIPPED, "test_x.A.test_2": FAILED}
    judgement = judge(results, stock=results)
    assert judgement.counts == {"skipped": 1, "baseline": 1}
    assert judgement.counted == 0


def test_an_entry_whose_test_passes_fails_the_run():
    """A difference that is no more must leave the table."""
    judgement = judge({"test_x.A.test_1": PASSED, "test_x.A.test_2": FAILED}, [entry("test_x.A.*")])
    assert judgement.problems == ["test_x.A.test_1 passes in the mode own, but expected.toml says: It is so."]
    assert not judgement.is_good


def test_an_entry_that_matches_nothing_fails_the_run():
    """Each of its patterns must match a test."""
    judgement = judge({"test_x.A.test_1": FAILED}, [entry("test_x.A.test_1", "test_x.B.*")])
    assert judgement.problems == ["test_x.B.* in expected.toml matches no test in the mode own"]


def test_an_entry_for_other_files_modes_and_pythons_is_left_alone():
    """It is judged where it applies."""
    others = [entry("test_y.*"), entry("test_x.*", modes=("registered",)), entry("test_x.*", pythons=("3.10",))]
    assert judge({"test_x.A.test_1": PASSED}, others).is_good


def test_a_class_about_other_things_is_set_aside_whatever_comes_of_it():
    """What its tests prove is not about ours."""
    aside = entry("test_x.A.*", kind="not applicable")
    judgement = judge({"test_x.A.test_1": UNTOUCHED, "test_x.A.test_2": FAILED, "test_x.A.test_3": PASSED}, [aside])
    assert judgement.counts == {"not applicable": 3}
    assert judgement.set_aside == {aside: 3}
    assert judgement.is_good


def test_a_single_test_that_is_set_aside_must_not_pass_on_ours():
    """If it passes and touches ours, it would have to be counted."""
    aside = entry("test_x.A.test_1", kind="not applicable")
    assert judge({"test_x.A.test_1": UNTOUCHED}, [aside]).is_good
    assert not judge({"test_x.A.test_1": PASSED}, [aside]).is_good


# -- the table


def written(tmp_path, text):
    path = tmp_path / "expected.toml"
    path.write_text(text)
    return path


GOOD = '[[expected]]\nkind = "difference"\ntests = ["test_x.*"]\nreason = "It is so."\nrow = "Tasks"\n'


def test_an_entry_is_read_as_it_is_written(tmp_path):
    """Without modes and Pythons it is about all of them."""
    [known] = expectations.load(written(tmp_path, GOOD))
    assert known == entry("test_x.*", modes=("registered", "own"), pythons=tuple(expectations.PYTHONS))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (GOOD.replace('reason = "It is so."', ""), "no reason"),
        (GOOD.replace("It is so.", " "), "no reason"),
        (GOOD.replace("It is so.", "because"), "not a sentence"),
        (GOOD.replace('row = "Tasks"', ""), "no row"),
        (GOOD.replace('["test_x.*"]', "[]"), "names no tests"),
        (GOOD.replace("difference", "flaky"), "kind is not one of"),
        (GOOD + 'modes = ["stock"]', "modes are not among"),
        (GOOD + 'pythons = ["3.9"]', "pythons are not among"),
        (GOOD + "pythons = []", "pythons are not among"),
        (GOOD + 'python = "3.10"', "nobody knows what python is"),
    ],
)
def test_an_entry_that_is_not_whole_is_refused(tmp_path, wrong, told):
    """The refusal says which, and what it lacks."""
    with pytest.raises(ValueError, match=rf"entry 1, .*{told}"):
        expectations.load(written(tmp_path, wrong))


def test_the_table_is_whole():
    """Each entry of expected.toml has a reason, a row and tests."""
    assert len(expectations.load()) > 0


# -- the evidence


def test_the_evidence_of_a_file_replaces_what_was_recorded_of_it(tmp_path):
    """What is recorded of other files and modes stays; the same outcome gives the same bytes."""
    stock = {"test_x": {"test_x.A.test_1": PASSED, "test_x.A.test_2": PASSED}}
    recorded = evidence.read(tmp_path)
    evidence.take(
        recorded, [judge({"test_x.A.test_1": FAILED, "test_x.A.test_2": PASSED}, stock=stock["test_x"])], stock
    )
    evidence.write(recorded, tmp_path)
    assert evidence.read(tmp_path)["differences"] == [
        {"test": "test_x.A.test_1", "mode": "own", "outcome": "failed", "reason": None, "row": None}
    ]
    again = evidence.read(tmp_path)
    for _ in range(2):
        known = entry("test_x.A.test_1", kind="not applicable")
        results = {"test_x.A.test_1": FAILED, "test_x.A.test_2": PASSED}
        evidence.take(again, [judge(results, [known], stock["test_x"])], stock)
    assert again["differences"] == []
    assert again["not applicable"] == [
        {"file": "test_x", "mode": "own", "tests": 1, "reason": "It is so.", "row": "Tasks"}
    ]
    assert again["files"]["test_x"]["modes"]["own"]["counted"] == 1
    assert again["files"]["test_x"]["stock"] == {"passed": 2, "skipped": 0, "failed": 0}


@pytest.mark.parametrize("path", sorted(evidence.FOLDER.glob("cpython-*.json")), ids=lambda path: path.stem)
def test_what_is_recorded_is_what_the_table_says(path):
    """In the evidence each difference of ours has the reason that expected.toml has for it now."""
    recorded = json.loads(path.read_text())
    entries = expectations.load()
    told = {}
    for item in recorded["differences"]:
        if item["mode"] in OURS:
            known = expectations.entry_for(item["test"], item["mode"], entries, recorded["python"])
            told[item["test"], item["mode"]] = (item["reason"], known and known.reason)
    assert {test: reasons for test, reasons in told.items() if None in reasons or reasons[0] != reasons[1]} == {}
