"""cancel(), cancelling() and uncancel() on plain trio tasks, wherever they wait."""

import asyncio
import sys

import pytest
import trio

import trioasync
from tests.mixing.ways import now, quiet, real, trio_program

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup


async def in_nursery_child():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)


WAITS = {
    "asyncio": lambda: asyncio.sleep(100),
    "gather": lambda: asyncio.gather(asyncio.sleep(100)),
    "trio": lambda: trio.sleep(100),
    "nursery": lambda: in_nursery_child(),
}
every_wait = pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)


@trio_program
@every_wait
async def test_cancel_reaches_a_plain_trio_task_wherever_it_waits(wait):
    """cancel(msg) raises CancelledError(msg) once, counted by cancelling(); uncancel() takes it back."""
    seen = []

    async def child(task_status):
        task = asyncio.current_task()
        task_status.started(task)
        try:
            await wait()
        except asyncio.CancelledError as error:
            seen.append((type(error), now(), task.cancelling()))
            assert task.uncancel() == 0
        seen.append(await quiet())

    async with trio.open_nursery() as nursery:
        task = await nursery.start(child)
        await asyncio.sleep(1)
        assert task.cancel("message")
    assert seen == [(asyncio.CancelledError, 1, 1), True]


@trio_program
@pytest.mark.parametrize("wait", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])
async def test_a_cancel_of_the_running_task_arrives_at_its_next_await(wait):
    """current_task().cancel(msg) raises at the next await of either world, with the message."""
    task = asyncio.current_task()
    task.cancel("message")
    with pytest.raises(asyncio.CancelledError) as caught:
        await wait(1)
    assert caught.value.args == ("message",)
    task.uncancel()
    assert await quiet()


@trio_program
async def test_a_trio_shield_postpones_the_cancel_of_a_plain_trio_task():
    """A shield that was opened in a timeout holds against it; the TimeoutError comes when the shield is left."""
    with pytest.raises(asyncio.TimeoutError):
        async with trioasync.timeout(1):
            with trio.CancelScope(shield=True):
                await trio.sleep(3)
            assert now() == 3
            await trio.sleep(100)
    assert now() == 3
    assert await quiet()


@trio_program
async def test_a_plain_trio_task_that_has_ended_is_done():
    """cancel() on the Task of a trio task that has ended does nothing; it can be awaited for the outcome."""
    tasks = {}

    async def child(name, error):
        tasks[name] = asyncio.current_task()
        await trio.sleep(1 if error is None else 2)
        if error is not None:
            raise error
        return name

    with pytest.raises(BaseExceptionGroup):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child, "returns", None)
            nursery.start_soon(child, "fails", KeyError("why"))
    assert all(task.done() for task in tasks.values())
    assert not any(task.cancel() for task in tasks.values())
    assert await tasks["returns"] == "returns"
    with pytest.raises(KeyError, match="why"):
        await tasks["fails"]


@trio_program
async def test_a_cancelled_child_ends_its_nursery_as_cancelled():
    """A CancelledError that leaves a child of a nursery ends the nursery, and comes out of it with no group."""

    async def child():
        asyncio.current_task().cancel("message")
        await trio.sleep(100)

    with pytest.raises(asyncio.CancelledError) as caught:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
            nursery.start_soon(trio.sleep, 100)
    assert caught.value.args == ("message",)
    assert await quiet()


@trio_program
async def test_the_loop_never_cancels_a_plain_trio_task():
    """A child of a nursery inside open_loop is left alone while the loop's Tasks are cancelled."""
    ended = []

    async def child():
        await asyncio.sleep(5)
        ended.append(now())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(child)
        await trio.sleep(1)
        for task in asyncio.all_tasks():
            task.cancel()
    assert ended == [5]


@trio_program(clock=real)
async def test_a_scope_ends_a_plain_trio_task_that_only_yields():
    """A scope, a timeout and cancel() end a plain trio task that does nothing but asyncio.sleep(0)."""

    async def only_yields():
        while True:
            await asyncio.sleep(0)

    with trio.move_on_after(0.01) as scope:
        await only_yields()
    assert scope.cancelled_caught
    with pytest.raises(asyncio.TimeoutError):
        async with trioasync.timeout(0.01):
            await only_yields()
    with trio.move_on_after(0.01) as scope:
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    assert scope.cancelled_caught
