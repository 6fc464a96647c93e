"""Task.cancel() on a task that waits in trio: once, with its message, when trio's rules allow it."""

import asyncio
import contextlib
import sys
import threading

import pytest
import trio
import trio.testing

import trioasync
from tests.mixing.ways import asyncio_program, either_program, now, quiet, real, timeouts_of_both

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup


async def lock():
    lock = trio.Lock()
    lock.acquire_nowait()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lock.acquire)


async def semaphore():
    await trio.Semaphore(0).acquire()


async def limiter():
    limiter = trio.CapacityLimiter(1)
    limiter.acquire_on_behalf_of_nowait("another")
    await limiter.acquire()


async def condition():
    condition = trio.Condition()
    async with condition:
        await condition.wait()


async def receive():
    _send, receive = trio.open_memory_channel(0)
    await receive.receive()


async def send():
    send, _receive = trio.open_memory_channel(0)
    await send.send(1)


async def stream():
    left, _right = trio.testing.memory_stream_pair()
    await left.receive_some(1)


async def end_of_nursery():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 100)


async def body_of_nursery():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 100)
        await trio.sleep(100)


async def nursery_start():
    async with trio.open_nursery() as nursery:
        await nursery.start(never_started)


async def never_started(task_status):
    await trio.sleep(100)


async def scope():
    with trio.move_on_after(50):
        await trio.sleep(100)


WAITS = {
    "sleep": lambda: trio.sleep(100),
    "sleep_forever": trio.sleep_forever,
    "Event": lambda: trio.Event().wait(),
    "ParkingLot": lambda: trio.lowlevel.ParkingLot().park(),
    "Lock": lock,
    "Semaphore": semaphore,
    "CapacityLimiter": limiter,
    "Condition": condition,
    "receive": receive,
    "send": send,
    "stream": stream,
    "end of a nursery": end_of_nursery,
    "body of a nursery": body_of_nursery,
    "nursery.start": nursery_start,
    "scope": scope,
}
every_wait = pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)


@asyncio_program
@every_wait
async def test_the_message_arrives_once_in_any_trio_wait(wait):
    """A Task that waits in trio gets CancelledError with the message, cleans up in both worlds, and ends cancelled."""
    seen = []

    async def worker():
        try:
            await wait()
        except asyncio.CancelledError as error:
            seen.append((type(error), error.args, now()))
            await asyncio.sleep(1)
            await trio.sleep(1)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep, 1)
            raise

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    assert task.cancel("message")
    await asyncio.wait([task])
    assert task.cancelled()
    assert seen == [(asyncio.CancelledError, ("message",), 1)]
    assert now() == 4
    assert task.cancelling() == 1


@either_program
@every_wait
@timeouts_of_both
async def test_asyncio_timeouts_end_any_trio_wait(wait, aio):
    """timeout() and wait_for() end a wait in trio with TimeoutError, and take their counts back."""
    for end in (1, 2):
        with pytest.raises(asyncio.TimeoutError):
            async with aio.timeout(1):
                await wait()
        assert now() == end
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(wait(), 1)
    assert now() == 3
    assert await quiet()


@either_program
@every_wait
@timeouts_of_both
async def test_a_task_group_ends_any_trio_wait_in_it(wait, aio):
    """A TaskGroup one of whose children fails ends its body and its other children in their trio waits."""

    async def fails():
        await trio.sleep(1)
        raise KeyError("child")

    with pytest.raises(ExceptionGroup) as caught:
        async with aio.TaskGroup() as group:
            group.create_task(fails())
            group.create_task(wait())
            await wait()
    assert [repr(each) for each in caught.value.exceptions] == ["KeyError('child')"]
    assert now() == 1
    assert await quiet()


@asyncio_program
async def test_two_cancels_at_once_are_one():
    """Two cancel() before the Task runs again raise one CancelledError, and its host serves the next Task well."""
    seen = []

    async def worker():
        try:
            await trio.sleep(100)
        except asyncio.CancelledError as error:
            seen.append(error.args)
            await trio.sleep(1)

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel("first")
    task.cancel("second")
    await task
    assert seen == [("first",)]
    assert task.cancelling() == 2
    await trioasync.create_task(trio.sleep(1))


# -- a cancellation in the moment in which the wait ends


@asyncio_program
async def test_an_item_is_not_lost_when_the_cancel_comes_at_its_arrival():
    """A Task that is cancelled as an item arrives for it takes it, or leaves it in the channel, and ends cancelled."""
    for order in (1, -1):
        send, receive = trio.open_memory_channel(1)
        got = []

        async def worker(receive=receive, got=got):
            got.append(await receive.receive())

        task = trioasync.create_task(worker())
        await asyncio.sleep(1)
        for act in [lambda send=send: send.send_nowait("item"), task.cancel][::order]:
            act()
        await asyncio.wait([task])
        assert task.cancelled()
        with contextlib.suppress(trio.WouldBlock):
            got.append(receive.receive_nowait())
        assert got == ["item"]


@asyncio_program
async def test_a_lock_of_trio_is_free_when_the_cancel_comes_at_its_hand_over():
    """A trio.Lock whose next owner is cancelled in the moment of the hand-over goes on to the one after it."""
    for order in (1, -1):
        lock = trio.Lock()

        async def hold(lock=lock):
            async with lock:
                await asyncio.sleep(1)

        first, second, third = [trioasync.create_task(hold()) for _ in range(3)]
        await asyncio.sleep(0.5)
        (owner, waiters) = (first, [second, third])
        for act in [owner.cancel, waiters[0].cancel][::order]:
            act()
        await asyncio.wait([first, second, third])
        assert not lock.locked()
        assert not waiters[1].cancelled()


# -- what postpones a cancellation


@asyncio_program
async def test_a_shield_around_a_nursery_postpones_the_cancellation():
    """In a nursery inside a shield, the Task and the nursery's children come to their end before the cancellation."""
    log = []

    async def worker():
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep, 5)
                await trio.sleep(3)
                log.append(now())
        log.append(now())
        await trio.sleep(1)
        log.append("not reached")

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert log == [3, 5]


@asyncio_program
async def test_a_shield_that_is_lowered_lets_the_cancellation_through():
    """When another task lowers the shield of a scope, the cancellation arrives in it."""
    shield = trio.CancelScope(shield=True)

    async def worker():
        with shield:
            await trio.sleep(100)

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.sleep(1)
    shield.shield = False
    await asyncio.wait([task])
    assert task.cancelled()
    assert now() == 2


@asyncio_program
@pytest.mark.parametrize("then", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])
async def test_a_call_that_cannot_be_aborted_postpones_the_cancellation(then):
    """A trap whose abort function refuses is waited for; the cancellation arrives at the next await of any kind."""
    log = []

    async def worker():
        loop, me = asyncio.get_running_loop(), trio.lowlevel.current_task()
        loop.call_later(3, trio.lowlevel.reschedule, me)
        await trio.lowlevel.wait_task_rescheduled(lambda raise_cancel: trio.lowlevel.Abort.FAILED)
        log.append(now())
        await then(100)

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel("message")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == [3]
    assert now() == 3


@asyncio_program(clock=real)
async def test_a_thread_is_waited_for_before_the_cancellation_arrives():
    """trio.to_thread.run_sync gives its result to a cancelled Task; the cancellation comes at the next await."""
    may_end, log = threading.Event(), []

    async def worker():
        log.append(await trio.to_thread.run_sync(may_end.wait))
        await asyncio.sleep(100)

    task = trioasync.create_task(worker())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.sleep(0.01)
    assert not task.done()
    may_end.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert log == [True]
