"""The ways in which a test's program is run: in virtual time, with a hard limit in real time.

`@asyncio_program` runs an async test body as the main Task of `trioasync.run`, `@trio_program` as the main function of
a trio program that has opened a loop, `@either_program` does one after the other. `clock=real` runs in real time.
"""

import asyncio
import functools
import inspect
import sys

import pytest
import trio
import trio.testing

import trioasync
from tests.support.observation import time_limit

LIMIT = 10  # seconds of real time after which a program counts as hanging

# `timeout` and `TaskGroup` of trioasync, and asyncio's own where it has them.
timeouts_of_both = pytest.mark.parametrize(
    "aio", [trioasync, asyncio] if sys.version_info >= (3, 11) else [trioasync], ids=lambda module: module.__name__
)


def virtual():
    """Return a clock that jumps to the next deadline or timer when nothing else can happen."""
    return trio.testing.MockClock(autojump_threshold=0)


def real():
    """Return no clock of our own: the run is in real time."""
    return


def run_asyncio_program(body, clock=virtual):
    """Run an async function as the main Task, and return its result."""
    with time_limit(LIMIT):
        return trioasync.run(body(), clock=clock())


def run_trio_program(body, clock=virtual):
    """Run an async function in a trio program that has opened a loop, and return its result."""

    async def main():
        async with trioasync.open_loop():
            return await body()

    return run_plain_trio(main, clock)


def run_plain_trio(main, clock=virtual):
    """Run a trio program, and return its result."""
    with time_limit(LIMIT):
        return trio.run(main, clock=clock())


def _as_test(run, body, clock):
    @functools.wraps(body)
    def test(**fixtures):
        run(functools.partial(body, **fixtures), clock)

    return test


def asyncio_program(body=None, *, clock=virtual):
    """Make an async test body a test that runs as the main Task."""
    if body is None:
        return functools.partial(asyncio_program, clock=clock)
    return _as_test(run_asyncio_program, body, clock)


def trio_program(body=None, *, clock=virtual):
    """Make an async test body a test that runs in a plain trio task beside an open loop."""
    if body is None:
        return functools.partial(trio_program, clock=clock)
    return _as_test(run_trio_program, body, clock)


def either_program(body=None, *, clock=virtual):
    """Make an async test body a test that runs once as a Task, and once in a plain trio task."""
    if body is None:
        return functools.partial(either_program, clock=clock)

    @functools.wraps(body)
    def test(run_program, **fixtures):
        run_program(functools.partial(body, **fixtures), clock)

    asked = inspect.signature(body).parameters.values()
    mine = inspect.Parameter("run_program", inspect.Parameter.KEYWORD_ONLY)
    test.__signature__ = inspect.Signature([*asked, mine])
    ways = [run_asyncio_program, run_trio_program]
    return pytest.mark.parametrize("run_program", ways, ids=["task", "plain"])(test)


def now():
    """Return the time of the loop in seconds."""
    return round(asyncio.get_running_loop().time(), 3)


async def quiet(seconds=10):
    """Return whether the running task is left alone by cancellations from now on, in both worlds."""
    task = asyncio.current_task()
    await asyncio.sleep(seconds)
    await trio.sleep(seconds)
    cancelling = getattr(task, "cancelling", lambda: 0)()
    return cancelling == 0 and trio.current_effective_deadline() == float("inf")


def names_in_the_tree():
    """Return the names of all trio tasks of this run."""
    found, look_at = [], [trio.lowlevel.current_root_task()]
    while look_at:
        task = look_at.pop()
        found.append(task.name)
        look_at += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return sorted(found)
