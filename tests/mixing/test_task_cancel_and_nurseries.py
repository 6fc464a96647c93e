"""Task.cancel() and asyncio's timeouts in a task that has nurseries: what the children see, and how the Task ends."""

import asyncio

import pytest
import trio

import trioasync
from tests.mixing.ways import asyncio_program, either_program, now, quiet


@either_program
async def test_a_timeout_inside_a_nursery_leaves_the_children_alone():
    """A timeout in the body of a nursery cancels the body's await, not the children of the nursery."""
    log = []

    async def child(wait):
        await wait(5)
        log.append(now())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(child, asyncio.sleep)
        nursery.start_soon(child, trio.sleep)
        with pytest.raises(asyncio.TimeoutError):
            async with trioasync.timeout(1):
                await trio.sleep(100)
        await trio.sleep(1)
    assert log == [5, 5]
    assert await quiet()


@either_program
async def test_a_child_at_a_checkpoint_does_not_see_the_cancellation_of_its_parent():
    """A child of a nursery that goes through checkpoints all the time is not disturbed by a timeout in the body."""
    send, receive = trio.open_memory_channel(10)
    stop = []

    async def child():
        while not stop:
            await send.send(1)
            await receive.receive()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(child)
        for _ in range(20):
            await trio.sleep(0)
            with pytest.raises(asyncio.TimeoutError):
                async with trioasync.timeout(0):
                    await trio.Event().wait()
        stop.append(True)


@asyncio_program
@pytest.mark.parametrize("wait", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])
async def test_a_cancelled_task_with_nested_nurseries_ends_cancelled(wait):
    """Task.cancel() ends all children of nested nurseries; the Task is cancelled with the message, with no group."""
    ended = []

    async def child(name):
        try:
            await wait(100)
        finally:
            ended.append(name)

    async def worker():
        async with trio.open_nursery() as outer:
            outer.start_soon(child, "outer")
            async with trio.open_nursery() as inner:
                inner.start_soon(child, "inner")
                await wait(100)

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel("message")
    await asyncio.wait([task])
    assert task.cancelled()
    assert sorted(ended) == ["inner", "outer"]
    assert now() == 1


@asyncio_program
async def test_asyncio_code_around_a_nursery_sees_one_cancelled_error():
    """Out of a nursery whose Task is cancelled comes CancelledError with the message, with no group around it."""
    seen = []

    async def worker():
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep, 100)
                await trio.sleep(100)
        except asyncio.CancelledError as error:
            seen.append(error.args)
            raise

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel("message")
    await asyncio.wait([task])
    assert seen == [("message",)]


@asyncio_program
async def test_an_error_of_a_child_goes_before_the_cancellation():
    """If a child fails while its cancelled parent waits for it, the error comes out, and then the cancellation."""
    log = []

    async def child(task_status=trio.TASK_STATUS_IGNORED):
        try:
            await trio.sleep(100)
        finally:
            raise KeyError

    async def worker():
        async with trio.open_nursery() as nursery:
            try:
                await nursery.start(child)
            except KeyError:
                log.append("start")
            await trio.sleep(100)

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert log == ["start"]
