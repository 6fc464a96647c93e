"""Plain trio tasks await asyncio's things while a loop is open, and the host program's cancellation reaches Tasks."""

import asyncio
import gc

import pytest
import trio
import trio.testing

import trioasync
from tests.support.observation import time_limit

LIMIT = 10


def trio_program(body):
    """Make a plain trio function a test: it runs inside open_loop(), under virtual time, and gets the loop."""

    async def main():
        async with trioasync.open_loop() as loop:
            await body(loop)

    def test():
        with time_limit(LIMIT):
            trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))

    test.__name__, test.__doc__ = body.__name__, body.__doc__
    return test


@trio_program
async def test_a_future_is_awaited_in_the_task_that_opened_the_loop(loop):
    """A Future, asyncio.sleep and gather give their results to a plain trio task."""
    future = loop.create_future()
    loop.call_later(1, future.set_result, 7)
    assert await future == 7
    assert await asyncio.gather(asyncio.sleep(1, "slept"), trio.sleep(1)) == ["slept", None]


@trio_program
async def test_a_future_is_awaited_in_the_children_of_a_nursery(loop):
    """Tasks that are started while the loop is open are adopted: nursery children, and those of nursery.start()."""
    future, results = loop.create_future(), []

    async def child(task_status=trio.TASK_STATUS_IGNORED):
        task_status.started()
        results.append(await asyncio.shield(future))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(child)
        await nursery.start(child)
        loop.call_later(1, future.set_result, 7)
    assert results == [7, 7]


@trio_program
async def test_wait_for_works_around_both_worlds(loop):
    """asyncio.wait_for times out around trio.sleep and asyncio.sleep, and leaves no cancellation counted."""
    for blocked in (trio.sleep, asyncio.sleep):
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(blocked(100), 1)
    assert (loop.time(), asyncio.current_task().cancelling()) == (2, 0)


@trio_program
async def test_cancel_reaches_a_plain_trio_task_in_both_worlds(loop):
    """current_task().cancel(msg) raises CancelledError(msg) in a trio call and in an asyncio await."""
    for blocked in (trio.sleep, asyncio.sleep):
        loop.call_later(1, asyncio.current_task().cancel, "why")
        with pytest.raises(asyncio.CancelledError, match="why"):
            await blocked(100)
        asyncio.current_task().uncancel()
    assert asyncio.all_tasks() == set()


@trio_program
async def test_a_trio_scope_around_a_task_cancels_it(loop):
    """The scope catches what comes out, once the Task has ended."""
    task = asyncio.create_task(trio.sleep(100))
    with trio.move_on_after(1) as scope:
        await task
    assert (scope.cancelled_caught, task.cancelled(), loop.time()) == (True, True, 1)


@trio_program
async def test_a_scope_that_has_expired_ends_the_asyncio_await_inside_it(loop):
    """A plain trio task that enters move_on_after(0) is told at its first await there, and not after the block."""
    for deadline in (0, 1, 0):
        with trio.move_on_after(deadline) as scope:
            await asyncio.sleep(100)
        assert scope.cancelled_caught
        with trio.move_on_after(0):
            pass
        await asyncio.sleep(0.5)
    assert loop.time() == 2.5


def test_a_cancelled_host_program_cancels_each_task_once():
    """Tasks get CancelledError with trio's reason, may clean up, and have ended when the scope is left."""
    log = []

    async def worker(blocked):
        try:
            await blocked(100)
        except asyncio.CancelledError as error:
            await asyncio.sleep(1)
            await trio.sleep(1)
            log.append(str(error))
            raise

    async def main():
        with trio.move_on_after(1) as scope:
            async with trioasync.open_loop():
                asyncio.create_task(worker(asyncio.sleep))
                asyncio.create_task(worker(trio.sleep))
                await trio.sleep_forever()
        return scope.cancelled_caught, trio.current_time()

    with time_limit(LIMIT):
        assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) == (True, 3)
    assert len(log) == 2
    assert all("deadline" in reason for reason in log)


def test_opening_again_gives_the_same_loop():
    """There is one loop in a trio run, and it closes with the outermost block."""

    async def main():
        async with trioasync.open_loop() as outer:
            async with trioasync.open_loop() as inner:
                assert inner is outer
            assert not outer.is_closed()
            assert await asyncio.sleep(0, "open") == "open"
        return outer

    with time_limit(LIMIT):
        assert trio.run(main).is_closed()


@trio_program
async def test_asyncio_sleep_0_in_a_plain_trio_task_gives_the_loop_a_turn(loop):
    """Whatever is ready in the loop has its turn meanwhile: a Task that was created has begun."""
    begun = []

    async def child(number):
        begun.append(number)

    for number in range(50):
        trioasync.create_task(child(number))
        await asyncio.sleep(0)
        assert begun == list(range(number + 1))


@trio_program
async def test_asyncio_sleep_0_in_a_plain_trio_task_is_a_place_for_cancellations(loop):
    """A scope, a timeout and cancel() each end an endless loop of asyncio.sleep(0) in a plain trio task."""

    async def spin():
        while True:
            await asyncio.sleep(0)

    with trio.CancelScope() as scope:
        loop.call_soon(scope.cancel)
        await spin()
    assert scope.cancelled_caught
    with pytest.raises(asyncio.CancelledError, match="why"):
        loop.call_soon(asyncio.current_task().cancel, "why")
        await spin()
    assert asyncio.current_task().uncancel() == 0
    with pytest.raises(asyncio.TimeoutError):
        async with trioasync.timeout(0):
            await spin()


@pytest.mark.parametrize("in_child", [False, True], ids=["in_the_task_that_opened_the_loop", "in_a_child"])
@pytest.mark.parametrize("awaited", ["future", "sleep(0)"])
def test_without_adoption_a_trio_task_is_told_what_to_do(awaited, in_child):
    """With open_loop(adopt=False) an asyncio await in a plain trio task fails, and the error names the two ways out."""

    async def wait_in_asyncio(loop):
        with pytest.raises(RuntimeError, match=r"adopt=True.*create_task") as caught:
            await (loop.create_future() if awaited == "future" else asyncio.sleep(0))
        assert isinstance(caught.value.__cause__, TypeError)
        await trio.sleep(0)
        return True

    async def main():
        async with trioasync.open_loop(adopt=False) as loop:
            if not in_child:
                return await wait_in_asyncio(loop)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait_in_asyncio, loop)
            return True

    with time_limit(LIMIT):
        assert trio.run(main)


def test_a_wait_that_is_broken_off_while_the_loop_closes_leaves_no_log_record(caplog):
    """A trio child of a Task awaits a gather when the host program is cancelled: nobody calls its exception lost."""

    async def waits():
        await asyncio.gather(trio.sleep(100))

    async def has_a_child():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(waits)

    async def main():
        with trio.move_on_after(3):
            async with trioasync.open_loop() as loop:
                loop.create_task(has_a_child())
                await trio.sleep_forever()

    for _ in range(6):  # which of the two is cancelled first is trio's to choose
        with time_limit(LIMIT):
            trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    gc.collect()
    assert caplog.record_tuples == []
