"""Exceptions across the border of the two worlds: the same objects, and tracebacks of the user's frames."""

import asyncio
import sys
import traceback
from pathlib import Path

import pytest
import trio

import trioasync
from tests.mixing.ways import asyncio_program, either_program

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

PACKAGE = str(Path(trioasync.__file__).parent)


async def outer(wait):
    await inner(wait)


async def inner(wait):
    await wait(1)
    raise KeyError("the user's")


async def in_task_group(coro):
    async with trioasync.TaskGroup() as group:
        group.create_task(coro)


async def in_nursery(coro):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: coro)


async def in_started_child(coro):
    async def child(task_status):
        await coro

    async with trio.open_nursery() as nursery:
        await nursery.start(child)


async def directly(coro):
    await coro


BORDERS = {
    "await": directly,
    "Task": trioasync.create_task,
    "gather": asyncio.gather,
    "wait_for": lambda coro: asyncio.wait_for(coro, 10),
    "shield": asyncio.shield,
    "TaskGroup": in_task_group,
    "nursery": in_nursery,
    "nursery in a Task": lambda coro: trioasync.create_task(in_nursery(coro)),
    "nursery.start": in_started_child,
}
every_border = pytest.mark.parametrize("cross", BORDERS.values(), ids=BORDERS)
either_wait = pytest.mark.parametrize("wait", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])


def the_only_one(error):
    """Return the exception that is alone in groups."""
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    return error


@either_program
@every_border
@either_wait
async def test_an_error_is_the_same_object_on_the_other_side(cross, wait):
    """What is raised in one task comes out in the other as the very object, or alone in a group of that world."""
    error = KeyError("the very one")

    async def fails():
        await wait(1)
        raise error

    with pytest.raises((KeyError, BaseExceptionGroup)) as caught:
        await cross(fails())
    assert the_only_one(caught.value) is error


@either_program
@every_border
@either_wait
async def test_a_traceback_ends_in_the_frames_of_the_user(cross, wait):
    """The user's frames stand one after the other in a traceback, and at most two of ours before them."""
    with pytest.raises((KeyError, BaseExceptionGroup)) as caught:
        await cross(outer(wait))
    frames = traceback.extract_tb(the_only_one(caught.value).__traceback__)
    assert [frame.name for frame in frames][-2:] == ["outer", "inner"]
    assert len([frame for frame in frames if frame.filename.startswith(PACKAGE)]) <= 2


@asyncio_program
async def test_the_traceback_of_a_cancellation_ends_where_the_task_waited():
    """The CancelledError of a Task that is cancelled in a trio call has the user's frames, and trio's below them."""
    seen = []

    async def waits():
        await trio.sleep(100)

    async def sees():
        try:
            await waits()
        except asyncio.CancelledError as error:
            seen.extend(frame.name for frame in traceback.extract_tb(error.__traceback__))
            raise

    task = trioasync.create_task(sees())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    assert seen[:3] == ["sees", "waits", "sleep"]


@either_program
@either_wait
async def test_a_timeout_tells_where_the_time_was_spent(wait):
    """The cause of a TimeoutError has a traceback that goes down to the await that took too long."""

    async def takes_long():
        await wait(100)

    with pytest.raises(asyncio.TimeoutError) as caught:
        async with trioasync.timeout(1):
            await takes_long()
    cause = caught.value.__cause__
    assert isinstance(cause, asyncio.CancelledError)
    names = [frame.name for frame in traceback.extract_tb(cause.__traceback__)]
    assert names[names.index("takes_long") + 1] == "sleep"
