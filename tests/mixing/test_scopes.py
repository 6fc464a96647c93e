"""Trio's cancel scopes around every wait of asyncio's, in Tasks and in plain trio tasks."""

import asyncio
import sys

import pytest
import trio

import trioasync
from tests.mixing.ways import either_program, now, quiet, timeouts_of_both
from trioasync import ScopeCancelled


async def future():
    await asyncio.get_running_loop().create_future()


async def in_timeout(aio):
    async with aio.timeout(50):
        await asyncio.sleep(100)


async def in_task_group(aio):
    async with aio.TaskGroup() as group:
        group.create_task(asyncio.sleep(100))
        group.create_task(trio.sleep(100))


async def in_body_of_task_group(aio):
    async with aio.TaskGroup() as group:
        group.create_task(asyncio.sleep(100))
        await asyncio.sleep(100)


async def in_nursery():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(asyncio.sleep, 100)
        await asyncio.sleep(100)


async def in_lock():
    lock = trioasync.Lock()
    async with lock:
        await lock.acquire()


async def in_queue(aio):
    await aio.Queue().get()


async def in_full_queue(aio):
    queue = aio.Queue(1)
    await queue.put(1)
    await queue.put(2)


async def in_condition():
    condition = trioasync.Condition()
    async with condition:
        await condition.wait()


async def in_semaphore():
    await trioasync.Semaphore(0).acquire()


async def in_barrier():
    await trioasync.Barrier(2).wait()


async def in_first_of_as_completed():
    for each in trioasync.as_completed([asyncio.sleep(100)]):
        await each


async def in_async_for():
    async def numbers():
        yield 1
        await asyncio.sleep(100)

    async for _ in numbers():
        pass


WAITS = {
    "sleep": lambda: asyncio.sleep(100),
    "future": future,
    "event": lambda: trioasync.Event().wait(),
    "gather": lambda: asyncio.gather(asyncio.sleep(100), asyncio.sleep(200)),
    "gather with exceptions": lambda: asyncio.gather(asyncio.sleep(100), return_exceptions=True),
    "wait": lambda: asyncio.wait([trioasync.create_task(asyncio.sleep(60))]),
    "wait_for": lambda: trioasync.wait_for(asyncio.sleep(100), 50),
    "wait_for without limit": lambda: trioasync.wait_for(asyncio.sleep(100), None),
    "shield": lambda: asyncio.shield(asyncio.sleep(60)),
    "timeout": lambda: in_timeout(trioasync),
    "TaskGroup": lambda: in_task_group(trioasync),
    "body of TaskGroup": lambda: in_body_of_task_group(trioasync),
    "nursery": in_nursery,
    "task": lambda: trioasync.create_task(asyncio.sleep(100)),
    "Lock": in_lock,
    "Queue.get": lambda: in_queue(trioasync),
    "Queue.put": lambda: in_full_queue(trioasync),
    "Condition": in_condition,
    "Semaphore": in_semaphore,
    "Barrier": in_barrier,
    "as_completed": in_first_of_as_completed,
    "async for": in_async_for,
    "stock Queue.get": lambda: in_queue(asyncio),
    "stock Queue.put": lambda: in_full_queue(asyncio),
}
if sys.version_info >= (3, 11):
    WAITS |= {
        "stock timeout": lambda: in_timeout(asyncio),
        "stock TaskGroup": lambda: in_task_group(asyncio),
        "body of stock TaskGroup": lambda: in_body_of_task_group(asyncio),
    }
every_wait = pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
# TaskGroup of Python 3.11 and 3.12 takes nothing but CancelledError itself for a cancellation of its body: what a scope
# throws into it comes out in a group, which the scope catches all the same.
ENDING_BARE = {name: WAITS[name] for name in WAITS if name != "body of stock TaskGroup" or sys.version_info >= (3, 13)}


@either_program
@every_wait
async def test_a_scope_ends_any_asyncio_wait(wait):
    """A scope around any wait of asyncio's expires, catches its own cancellation, and so does the next scope."""
    for end in (1, 2):
        with trio.move_on_after(1) as scope:
            await wait()
        assert scope.cancelled_caught
        assert now() == end
    assert await quiet()


@either_program
@every_wait
async def test_nested_scopes_around_any_asyncio_wait(wait):
    """Of two nested scopes around a wait the inner one catches what is its own, and the outer one as well."""
    with trio.move_on_after(2) as outer:
        with trio.move_on_after(1) as inner:
            await wait()
        assert inner.cancelled_caught
        with trio.move_on_after(5) as inner:
            await wait()
        pytest.fail("the outer scope did not end the wait")
    assert outer.cancelled_caught
    assert not inner.cancelled_caught
    assert now() == 2
    assert await quiet()


@either_program
@pytest.mark.parametrize("wait", ENDING_BARE.values(), ids=ENDING_BARE)
async def test_clean_up_in_an_expired_scope_may_await_asyncio(wait):
    """Asyncio code that a scope cancels sees one CancelledError, and its clean-up may await asyncio."""
    seen = []
    with trio.move_on_after(1) as scope:
        try:
            await wait()
        except asyncio.CancelledError as error:
            await asyncio.sleep(1)
            await asyncio.gather(asyncio.sleep(1))
            seen.append(isinstance(error, ScopeCancelled))
            raise
    assert seen == [True]
    assert scope.cancelled_caught
    assert now() == 3
    assert await quiet()


@either_program
@every_wait
@timeouts_of_both
async def test_an_asyncio_timeout_and_a_scope_around_any_wait(wait, aio):
    """timeout() in a scope and a scope in timeout() each end what is theirs."""
    with trio.move_on_after(3) as scope:
        with pytest.raises(asyncio.TimeoutError):
            async with aio.timeout(1):
                await wait()
        await wait()
    assert scope.cancelled_caught
    with pytest.raises(asyncio.TimeoutError):
        async with aio.timeout(3):
            with trio.move_on_after(1) as scope:
                await wait()
            assert scope.cancelled_caught
            await wait()
    assert now() == 6
    assert await quiet()


@either_program
async def test_a_scope_inside_one_that_has_expired():
    """In a scope that is cancelled, asyncio awaits in a further scope go on after the delivery, trio awaits do not."""
    with trio.move_on_after(1) as outer:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(100)
        with trio.move_on_after(1) as inner:
            await asyncio.sleep(0.5)
            await trio.sleep(0)
            pytest.fail("trio's rule is that each checkpoint is cancelled")
        pytest.fail("the cancellation is the outer scope's")
    assert outer.cancelled_caught
    assert not inner.cancelled_caught
    assert now() == 1.5
    assert await quiet()
