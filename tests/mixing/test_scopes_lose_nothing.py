"""Trio's cancel scopes around asyncio's locks, queues and Tasks: nothing is lost, no lock stays held."""

import asyncio
import sys

import pytest
import trio

import trioasync
from tests.mixing.ways import asyncio_program, either_program, now, quiet

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup


@either_program
async def test_an_item_is_not_lost_when_the_scope_expires_at_its_arrival():
    """A Queue.get() whose scope expires in the moment in which an item arrives takes it, or leaves it in the queue."""
    for order in range(2):
        queue, got = trioasync.Queue(), []
        calls = [lambda scope, queue=queue: queue.put_nowait("item"), lambda scope: scope.cancel()]
        with trio.CancelScope() as scope:
            for call in calls if order else reversed(calls):
                asyncio.get_running_loop().call_later(1, call, scope)
            got.append(await queue.get())
        got += [queue.get_nowait() for _ in range(queue.qsize())]
        assert got == ["item"]


@either_program
async def test_a_lock_is_free_after_a_scope_expires_at_its_hand_over():
    """A Lock whose waiter is cancelled by a scope in the moment of the hand-over is taken by the next waiter."""
    for order in range(2):
        lock = trioasync.Lock()
        await lock.acquire()
        others = [trioasync.create_task(hold(lock)) for _ in range(2)]
        calls = [lambda scope, lock=lock: lock.release(), lambda scope: scope.cancel()]
        with trio.CancelScope() as scope:
            for call in calls if order else reversed(calls):
                asyncio.get_running_loop().call_later(1, call, scope)
            await hold(lock)
        await asyncio.gather(*others)
        assert not lock.locked()


async def hold(lock):
    async with lock:
        await asyncio.sleep(1)


@either_program
async def test_a_condition_gives_its_lock_back_in_an_expired_scope():
    """Condition.wait() takes its lock again before the cancellation of a scope goes on, and it is free in the end."""
    condition, log = trioasync.Condition(), []

    async def holder():
        async with condition:
            log.append("taken")
            await asyncio.sleep(2)

    with trio.move_on_after(1) as scope:
        async with condition:
            trioasync.create_task(holder())
            try:
                await condition.wait()
            finally:
                log.append(("again", now(), condition.locked()))
    assert scope.cancelled_caught
    assert log == ["taken", ("again", 2, True)]
    assert not condition.locked()


@either_program
async def test_a_semaphore_keeps_its_count_when_a_scope_expires():
    """A Semaphore that a scope cancels at the hand-over has all its permits in the end."""
    semaphore = trioasync.Semaphore(1)
    await semaphore.acquire()
    asyncio.get_running_loop().call_later(1, semaphore.release)
    with trio.move_on_after(1):
        async with semaphore:
            await asyncio.sleep(1)
    await asyncio.sleep(0)
    assert not semaphore.locked()
    assert await trioasync.wait_for(semaphore.acquire(), 1)


@either_program
async def test_a_scope_cancels_the_task_that_is_awaited_and_waits_for_it():
    """A scope around `await task` cancels that Task as asyncio would, and ends after the Task has cleaned up."""

    async def work():
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(2)

    task = trioasync.create_task(work())
    with trio.move_on_after(1) as scope:
        await task
    assert scope.cancelled_caught
    assert task.cancelled()
    assert now() == 3


@either_program
async def test_a_scope_leaves_a_shielded_task_alone():
    """A scope around `await shield(task)` ends the await, and the Task goes on."""
    task = trioasync.create_task(asyncio.sleep(3, "done"))
    with trio.move_on_after(1) as scope:
        await asyncio.shield(task)
    assert scope.cancelled_caught
    assert now() == 1
    assert await task == "done"


@either_program
async def test_a_task_group_child_that_fails_in_an_expiring_scope():
    """An error of a TaskGroup's child that is cancelled by a scope comes out, and no count is left over."""

    async def fails():
        try:
            await asyncio.sleep(100)
        finally:
            raise KeyError

    with trio.move_on_after(1) as scope, pytest.raises(ExceptionGroup) as caught:
        async with trioasync.TaskGroup() as group:
            group.create_task(fails())
    assert [type(each) for each in caught.value.exceptions] == [KeyError]
    assert not scope.cancelled_caught
    assert await quiet()


# -- a scope and Task.cancel


@asyncio_program
async def test_a_cancel_during_the_clean_up_for_a_scope_goes_through_the_scope():
    """Task.cancel() that comes while a Task cleans up for a scope ends the Task, not only the scope."""

    async def worker():
        with trio.move_on_after(1):
            try:
                await asyncio.sleep(100)
            finally:
                await asyncio.sleep(100)
        pytest.fail("the scope does not absorb a Task.cancel")

    task = trioasync.create_task(worker())
    await asyncio.sleep(2)
    task.cancel("message")
    await asyncio.wait([task])
    assert task.cancelled()
    assert now() == 2
