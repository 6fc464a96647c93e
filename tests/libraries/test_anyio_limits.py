"""Limits of three libraries inside one another: the one that is over first ends what is in it, and nothing else."""

import asyncio
import contextlib
import random
import sys

import pytest
import trio
import trio.testing

import trioasync
from tests.libraries.ways import needs, tasks_shown_after

anyio = needs("anyio")

PROGRAMS = 60


def asyncio_limit(seconds):
    @contextlib.asynccontextmanager
    async def limit():
        with contextlib.suppress(asyncio.TimeoutError):
            async with trioasync.timeout(seconds):
                yield

    return limit()


@contextlib.asynccontextmanager
async def anyio_limit(seconds):
    with anyio.move_on_after(seconds):
        yield


@contextlib.asynccontextmanager
async def trio_limit(seconds):
    with trio.move_on_after(seconds):
        yield


@contextlib.asynccontextmanager
async def limited_group(seconds):
    """A task group of anyio's that is cancelled by one of its children."""

    async def cancel_later():
        await anyio.sleep(seconds)
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(cancel_later)
        yield
        group.cancel_scope.cancel()


LIMITS = [asyncio_limit, anyio_limit, trio_limit, limited_group]
if sys.version_info < (3, 11):
    # anyio knows that asyncio does not count cancellations there, and takes none back: our timeout, which counts on
    # every Python, then holds a cancellation that anyio has absorbed for somebody's that is still under way.
    LIMITS.remove(asyncio_limit)
WAITS = [
    lambda seconds: asyncio.sleep(seconds),
    lambda seconds: anyio.sleep(seconds),
    lambda seconds: trio.sleep(seconds),
]


class Block:
    """A limit around waits and further blocks; its limit and waits have no moment in common."""

    def __init__(self, chance, depth):
        self.limit, self.seconds = chance.choice(LIMITS), chance.uniform(0.1, 6)
        self.steps = [
            Block(chance, depth - 1)
            if depth and chance.random() < 0.5
            else (chance.choice(WAITS), chance.uniform(0.1, 3))
            for _ in range(chance.randint(1, 4))
        ]

    def foretell(self, time, deadlines, told):
        """Return when the block ends, and the deadline that has ended it and must end blocks around it."""
        mine = time + self.seconds
        deadlines = [*deadlines, mine]
        over = None
        for step in self.steps:
            if isinstance(step, Block):
                time, over = step.foretell(time, deadlines, told)
            else:
                over = min(deadlines) if min(deadlines) < time + step[1] else None
                time = over or time + step[1]
                told.append((round(time, 6), over is None))
            if over is not None:
                break
        return time, (None if over == mine else over)

    async def happen(self, told):
        loop = asyncio.get_running_loop()
        async with self.limit(self.seconds):
            for step in self.steps:
                if isinstance(step, Block):
                    await step.happen(told)
                    continue
                done = False
                try:
                    await step[0](step[1])
                    done = True
                finally:
                    told.append((round(loop.time() - self.start, 6), done))


def run_as_task(main, clock):
    return trioasync.run(main(), clock=clock)


def run_in_trio(main, clock):
    async def program():
        async with trioasync.open_loop():
            return await main()

    return trio.run(program, clock=clock)


@pytest.mark.parametrize("seed", range(PROGRAMS))
@pytest.mark.parametrize("run", [run_as_task, run_in_trio])
def test_the_limit_that_is_over_first_ends_what_is_in_it(run, seed):
    """In random programs, in virtual time: each wait ends when arithmetic says that it does."""
    if run is run_as_task and sys.version_info < (3, 11):
        pytest.skip(
            "on Python 3.10 anyio takes no cancellation of a task back, and more than one may be under way here"
        )
    program = Block(random.Random(seed), 4)
    foretold, told = [], []
    program.foretell(0, [], foretold)

    async def main():
        Block.start = asyncio.get_running_loop().time()
        await program.happen(told)
        for wait in WAITS:
            await wait(10)
        return asyncio.current_task().cancelling() if asyncio_limit in LIMITS else 0

    with tasks_shown_after(10):
        assert run(main, trio.testing.MockClock(autojump_threshold=0)) == 0
    assert told == foretold


@pytest.mark.skipif(
    sys.version_info >= (3, 11), reason="anyio takes its cancellations back where tasks have uncancel()"
)
def test_before_python_3_11_a_timeout_takes_what_anyio_has_absorbed_for_a_cancellation_by_others():
    """anyio believes that no Task there has uncancel(); what it leaves behind is counted, but not by `wait_for`."""

    async def cancel(group):
        group.cancel_scope.cancel()

    async def cancels_itself():
        async with anyio.create_task_group() as group:
            group.start_soon(cancel, group)
            await anyio.sleep(10)

    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(waits(), 0.01)
        with pytest.raises(asyncio.CancelledError):
            async with trioasync.timeout(0.01):
                await waits()
        return asyncio.current_task().cancelling() > 0

    async def waits():
        await cancels_itself()
        await asyncio.sleep(10)

    with tasks_shown_after(10):
        assert trioasync.run(main())
