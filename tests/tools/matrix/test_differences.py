"""The known differences: each is shown by a test, has a reason and says what to do."""

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trio
import trio.testing

import trioasync
from trioasync._tools.matrix.known import DIFFERENCES

ROOT = Path(__file__).parents[3]


def virtually(main):
    """Run `await main()` on virtual time."""
    return trioasync.run(main(), clock=trio.testing.MockClock(autojump_threshold=0))


async def lone_task_after_a_collection(aio):
    """Return whether a Task that waits for a future, to which nobody refers, is there after a garbage collection."""

    class Mark:
        pass

    marks = []

    async def waiter():
        mark = Mark()
        marks.append(weakref.ref(mark))
        await aio.get_running_loop().create_future()

    aio.create_task(waiter())
    await aio.sleep(0)
    gc.collect()
    return marks[0]() is not None


@pytest.mark.filterwarnings("ignore")
def test_a_task_that_nobody_refers_to_goes_on(caplog):
    """A Task is there as long as it has not ended; asyncio lets it go where nobody refers to it."""
    assert asyncio.run(lone_task_after_a_collection(asyncio)) is False
    assert virtually(lambda: lone_task_after_a_collection(trioasync)) is True


def test_a_step_of_a_task_is_no_handle():
    """A Task's step stands in the ready queue as a tuple, where asyncio has a Handle; callbacks have one in both."""

    async def kinds(aio):
        loop = aio.get_running_loop()
        task = aio.create_task(aio.sleep(0))
        loop.call_soon(gc.isenabled)
        kinds = [type(each).__name__ for each in list(loop._ready)[-2:]]
        await task
        return kinds

    assert asyncio.run(kinds(asyncio)) == ["Handle", "Handle"]
    assert virtually(lambda: kinds(trioasync)) == ["tuple", "Handle"]


def test_a_thread_of_the_default_executor_is_trios():
    """A function in the default executor, or in to_thread, may call back into trio."""

    def in_a_thread():
        return trio.from_thread.run_sync(trio.lowlevel.in_trio_task)

    async def main():
        loop = trioasync.get_running_loop()
        return [await trioasync.to_thread(in_a_thread), await loop.run_in_executor(None, in_a_thread)]

    assert trioasync.run(main()) == [True, True]


def test_a_pool_of_the_program_has_its_own_threads():
    """A default executor that the program sets runs functions in its own threads, which are none of trio's."""

    async def main():
        loop = trioasync.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1, thread_name_prefix="mine"))
        return await loop.run_in_executor(None, lambda: threading.current_thread().name)

    assert trioasync.run(main()).startswith("mine")


def test_a_call_in_the_executor_that_is_cancelled_at_once_is_not_made():
    """A cancellation in the step of the call comes before its thread has begun."""
    calls = []

    async def main():
        loop = trioasync.get_running_loop()
        loop.run_in_executor(None, calls.append, "cancelled").cancel()
        await loop.run_in_executor(None, calls.append, "made")

    for _ in range(20):
        trioasync.run(main())
    assert calls == ["made"] * 20


def test_a_task_of_asyncios_own_class_cannot_await_trio():
    """Trio refuses a Task that was made from asyncio.Task by hand, and nobody else is harmed."""

    async def main():
        stranger = asyncio.Task(trio.sleep(1))
        with pytest.raises(RuntimeError, match="must be called from async context"):
            await stranger
        await trio.sleep(1)
        return "slept"

    assert virtually(main) == "slept"


# The table


def test_each_difference_has_a_title_of_its_own():
    """A title is what a row of the matrix is found by."""
    titles = [difference.title for difference in DIFFERENCES]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.title)
def test_a_difference_is_told_whole(difference):
    """Reason and workaround are sentences."""
    for text in (difference.reason, difference.workaround):
        assert len(text.split()) > 3
        assert text.endswith(".")


@pytest.mark.parametrize("proof", sorted({proof for difference in DIFFERENCES for proof in difference.proofs}))
def test_the_proof_of_a_difference_exists(proof):
    """What is said to show a difference is a test."""
    file, _, name = proof.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text()
