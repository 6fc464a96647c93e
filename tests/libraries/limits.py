"""Giving a library's call up: by asyncio's limits, by the way's own, by both at once, at any moment.

A library that pools connections must come out of it with every connection usable or thrown away, and with none lost:
so a test gives a call up, looks whether the library still works, and goes on.

    async for _ in every_limit(way, lambda: client.blpop("nothing")):
        assert await client.echo("x") == "x"
"""

import asyncio
import functools
import random
import sys

import trioasync

# Seconds; what is given up waits for ever. Before Python 3.11 libraries cannot tell a cancellation of their own from
# one that comes while they connect, on any loop, and lose it: there a call is given up when it has surely connected.
SHORT = 0.02 if sys.version_info >= (3, 11) else 0.3
LONG = 25  # seconds; ends nothing before the test's own limit does


async def asyncio_cut_off(way, seconds, function):
    """Call an async function, and return whether asyncio's timeout has given it up after so many seconds."""
    timeout = trioasync.timeout if way.hosted else getattr(asyncio, "timeout", None)
    if way.name == "trioasync" and sys.version_info < (3, 11):
        timeout = None  # in a Task ours does not suit what anyio does there: see test_anyio_limits.py
    try:
        if timeout is None:  # asyncio before 3.11
            await asyncio.wait_for(function(), seconds)
        else:
            async with timeout(seconds):
                await function()
    except asyncio.TimeoutError:
        return True
    return False


async def cancelled_off(way, seconds, function):
    """Call an async function in a Task, and return whether Task.cancel() has ended it after so many seconds."""
    task = asyncio.ensure_future(function())
    await way.pause(seconds)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return True
    return False


async def every_limit(way, function, short=SHORT):
    """Give up `function()`, which goes on for ever, once by each mixture of limits; yield after each.

    It is given up after `short` seconds.
    """
    by_asyncio, by_way = functools.partial(asyncio_cut_off, way), way.cut_off
    for outer, inner in [(by_way, by_asyncio), (by_asyncio, by_way)]:
        assert (ended := await _ended(outer, LONG, inner, short, function)) == ["inner"], ended
        yield
        assert (ended := await _ended(outer, short, inner, LONG, function)) == ["outer"], ended
        yield
    assert await cancelled_off(way, short, function), "Task.cancel() did not end it"
    yield


async def both_at_once(way, function):
    """Give up `function()`, which waits for ever, by two limits of the same length, in either order; yield after each.

    It may see two cancellations, the second one while it cleans up after the first.
    """
    by_asyncio, by_way = functools.partial(asyncio_cut_off, way), way.cut_off
    for outer, inner in [(by_way, by_asyncio), (by_asyncio, by_way)]:
        assert await _ended(outer, SHORT, inner, SHORT, function) != [], "no limit ended it"
        yield


async def _ended(outer, outer_seconds, inner, inner_seconds, function):
    ended = []

    async def limited():
        if await inner(inner_seconds, function):
            ended.append("inner")

    if await outer(outer_seconds, limited):
        ended.append("outer")
    return ended


async def interrupted(way, function, *, times=60, longest=0.004, seed=1):
    """Call `function(number)` again and again, each given up within `longest` seconds; yield after each.

    So it is interrupted on any part of its way through the library, and sometimes not at all.
    """
    chance = random.Random(seed)
    limits = [way.cut_off, functools.partial(asyncio_cut_off, way), functools.partial(cancelled_off, way)]
    for number in range(times):
        await chance.choice(limits)(chance.uniform(0, longest), functools.partial(function, number))
        yield number
