"""CPython's own tests of asyncio give on trioasync what they give on asyncio, but for what expected.toml explains."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from . import expectations, judging, suite
from .modes import OURS

FILES = suite.files()
if not FILES:
    pytest.skip("this interpreter came without CPython's tests (Debian: libpython3-testsuite)", allow_module_level=True)
BOTH = [(file, mode) for file in FILES for mode in OURS]

# What a run of all tests can afford: files, and classes where a file takes long, by mode. TRIOASYNC_LONG=1 takes all
# of all files, as `python -m tests.cpython` does.
QUICK_FILES = [
    "test_context",
    "test_eager_task_factory",
    "test_futures2",
    "test_locks",
    "test_pep492",
    "test_queues",
    "test_runners",
    "test_staggered",
    "test_threads",
    "test_timeouts",
]
QUICK = {(file, mode): [] for file in QUICK_FILES for mode in OURS} | {
    ("test_tasks", "own"): [
        "test_tasks.CTask_CFuture_Tests",
        "test_tasks.CoroutineGatherTests",
        "test_tasks.FutureGatherTests",
        "test_tasks.GenericTaskTests",
        "test_tasks.RunCoroutineThreadsafeTests",
        "test_tasks.SleepTests",
    ],
    ("test_base_events", "own"): [],
    ("test_futures", "own"): [],
    ("test_taskgroups", "own"): [],
    ("test_waitfor", "own"): [],
}
AT_ONCE = 3  # they wait more than they compute


def chosen():
    """Return what of CPython's suite to run: file and mode, and names of tests if not the whole file."""
    if os.environ.get("TRIOASYNC_LONG"):
        return dict.fromkeys(BOTH, ())
    return {key: names for key, names in QUICK.items() if key in BOTH}


@pytest.fixture(scope="module")
def judgements(request):
    """The judgements to come on what is selected, which is run meanwhile."""
    entries, names = expectations.load(), chosen()
    selected = {
        (item.callspec.params["file"], item.callspec.params["mode"])
        for item in request.session.items
        if item.fspath == request.node.fspath and hasattr(item, "callspec")
    }
    threads = ThreadPoolExecutor(AT_ONCE)
    yield {key: threads.submit(judging.run, *key, entries, names=names[key]) for key in names if key in selected}
    threads.shutdown(cancel_futures=True)


@pytest.mark.parametrize(("file", "mode"), chosen())
def test_cpythons_tests_pass(judgements, file, mode):
    """Each test that asyncio passes passes on ours, or expected.toml says why not."""
    judgement = judgements[file, mode].result()
    assert {test: result for test, result, entry in judgement.differences if entry is None} == {}
    assert judgement.problems == []
    assert judgement.counts["passed"] > 0 or judgement.counted == 0
