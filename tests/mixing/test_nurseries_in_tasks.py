"""Nurseries and deadlines of trio's in asyncio Tasks."""

import asyncio
import math
import sys

import pytest
import trio

import trioasync
from tests.mixing.ways import asyncio_program, either_program, now

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup


# -- nurseries


@asyncio_program
async def test_an_error_in_the_body_of_a_nursery_cancels_the_children():
    """An error in the body of a Task's nursery cancels the children, and comes in a group."""
    log = []

    async def child():
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            log.append(now())
            raise

    with pytest.raises(ExceptionGroup) as caught:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
            await asyncio.sleep(1)
            raise KeyError("body")
    assert [repr(each) for each in caught.value.exceptions] == ["KeyError('body')"]
    assert log == [1]


@asyncio_program
async def test_an_error_before_started_comes_out_of_nursery_start():
    """nursery.start() in a Task raises what the child raised before it has reported, as it is."""

    async def child(task_status):
        await asyncio.sleep(1)
        raise KeyError("child")

    async with trio.open_nursery() as nursery:
        with pytest.raises(KeyError, match="child"):
            await nursery.start(child)
        assert now() == 1


@asyncio_program
async def test_a_nursery_outlives_the_task_that_was_started_last():
    """A Task may start children in another Task's nursery; they end with that nursery."""
    log = []

    async def owner(opened):
        async with trio.open_nursery() as nursery:
            opened.set_result(nursery)
            await asyncio.sleep(1)
        log.append(("nursery ended", now()))

    async def child():
        await trio.sleep(5)
        log.append(("child ended", now()))

    opened = asyncio.get_running_loop().create_future()
    task = trioasync.create_task(owner(opened))
    (await opened).start_soon(child)
    await task
    assert log == [("child ended", 5), ("nursery ended", 5)]


# -- deadlines


@either_program
@pytest.mark.parametrize("wait", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])
async def test_a_deadline_may_be_moved_while_the_task_waits(wait):
    """A scope's deadline that is moved during an await, back or forth, counts."""
    loop = asyncio.get_running_loop()
    for first, then in [(2, 4), (4, 2)]:
        start = now()
        with trio.CancelScope(deadline=start + first) as scope:
            loop.call_later(1, setattr, scope, "deadline", start + then)
            await wait(100)
        assert scope.cancelled_caught
        assert now() == start + then


@either_program
async def test_the_effective_deadline_is_that_of_the_scopes_around():
    """current_effective_deadline() is the nearest of the scopes around, in steps of both lanes."""
    assert trio.current_effective_deadline() == math.inf
    start = trio.current_time()
    with trio.move_on_at(start + 9):
        for wait in (asyncio.sleep, trio.sleep):
            with trio.move_on_at(start + 5):
                await wait(0.1)
                assert trio.current_effective_deadline() == start + 5
                with trio.CancelScope(shield=True):
                    await wait(0.1)
                    assert trio.current_effective_deadline() == math.inf
            assert trio.current_effective_deadline() == start + 9
        with trio.CancelScope() as scope:
            scope.cancel()
            assert trio.current_effective_deadline() == -math.inf
    assert trio.current_effective_deadline() == math.inf


@asyncio_program
async def test_a_new_task_does_not_inherit_the_scopes_of_its_creator():
    """A Task started inside a trio scope is not in that scope: it belongs to the loop."""

    async def child():
        return trio.current_effective_deadline()

    with trio.move_on_after(5):
        assert await trioasync.create_task(child()) == math.inf
