"""Random programs out of both worlds leave nothing behind, and those of asyncio alone do what they do on asyncio.

hypothesis makes the programs, and shrinks one that fails to the smallest that fails still; the failure shows it.
TRIOASYNC_PROGRAMS sets how many programs each test makes (10,000 take a minute or two), and TRIOASYNC_SEED the seed,
which the summary of the test run tells. A run with neither makes a few hundred, the same each time; with a number alone
the seed is a new one.
"""

import asyncio
import functools
import gc
import sys
import warnings

import pytest
import trio
import trio.testing
from trio._core import _run

import trioasync
from tests.mixing.hunting import TrioLog, hunt, unraisable_errors
from tests.mixing.operations import OPERATIONS
from tests.mixing.programs import asyncio_programs, programs
from tests.mixing.ways import names_in_the_tree
from tests.mixing.world import MAIN_LIMIT, TROUBLE, Limit, World, counted
from tests.support.observation import TookTooLong, logged_records, time_limit
from tests.support.sides import STOCK, TRIO

LATEST = 1000  # seconds of virtual time: what swallows each cancellation once ends long before
IDLE = "trioasync idle host"
TO_BE_LOGGED = ("BoomError", "Closing the loop has waited")


# -- programs out of both worlds


async def as_a_task(body, world):
    """Run a program in a Task."""
    main = world.spawn(body, None)
    await asyncio.wait([main], timeout=MAIN_LIMIT)
    await world.settle()
    await idle_hosts_are_clean()


async def in_this_task(body, world):
    """Run a program in the trio task that is running, as the opener of a loop or as a child of a nursery."""
    task = asyncio.current_task()
    settling = trioasync.create_task(world.settle_after(MAIN_LIMIT + 1))
    try:
        with trio.move_on_after(MAIN_LIMIT) as scope:
            await world.strand(body, limits=[Limit(scope.deadline, scope)])
    except TROUBLE:
        pass  # judged by the strand
    settling.cancel()
    while counted(task):
        task.uncancel()
    await world.settle()
    await trio.lowlevel.checkpoint()
    await idle_hosts_are_clean()


async def idle_hosts_are_clean():
    """Let new Tasks use the hosts of those that have ended, in both lanes."""

    async def probe():
        await trio.lowlevel.checkpoint()
        await asyncio.sleep(0)
        await trio.sleep(0.1)
        await asyncio.sleep(0.1)

    await asyncio.gather(*(probe() for _ in range(10)))


def run_as_main_task(body, world, clock):
    async def main():
        before = names_in_the_tree()
        await as_a_task(body, world())
        assert [name for name in names_in_the_tree() if name != IDLE] == before

    trioasync.run(main(), clock=clock)


def run_in_opener(body, world, clock, run=in_this_task):
    async def main():
        before = names_in_the_tree()
        async with trioasync.open_loop():
            await run(body, world())
        assert names_in_the_tree() == before

    trio.run(main, clock=clock)


def run_beside_opener(body, world, clock):
    async def in_a_child(body, world):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(in_this_task, body, world)

    run_in_opener(body, world, clock, in_a_child)


def run_in_cancelled_host(body, world, clock):
    async def main():
        before = names_in_the_tree()
        with trio.move_on_after(3) as host:
            async with trioasync.open_loop():
                here = world()
                here.cancels = 1  # the loop's own, of each Task
                here.spawn(body, None)
                await trio.sleep_forever()
        assert host.cancelled_caught
        here.check_free()
        assert all(task.done() for task in here.tasks)
        assert names_in_the_tree() == before

    trio.run(main, clock=clock)


def problems_of(way, body, chance, limit):
    """Run a program, and return what was wrong with it."""
    worlds, problems, logged, unraisable = [], [], [], []

    def new_world():
        worlds.append(World(trioasync, OPERATIONS))
        return worlds[0]

    clock = trio.testing.MockClock(autojump_threshold=0)
    _run._r.seed(chance)  # trio's own coin, by which it decides in which order it runs what is ready
    with logged_records(logged), TrioLog(logged), unraisable_errors(unraisable), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            with time_limit(limit):
                way(body, new_world, clock)
        except TookTooLong:
            problems.append("it hangs")
            vars(_run.GLOBAL_RUN_CONTEXT).clear()  # trio does not know that this run is over
        except BaseException as error:
            problems.append(f"it ends with {error!r}")
        while gc.collect():  # what is garbage now and not ended is told in the log
            pass
    if clock.current_time() > LATEST:
        problems.append(f"it ends at {clock.current_time()}")
    for world in worlds:
        problems += world.problems
    problems += [f"unraisable: {error}" for error in unraisable]
    return problems + [f"logged: {text}" for text in logged if not any(each in text for each in TO_BE_LOGGED)]


@pytest.mark.parametrize("way", [run_as_main_task, run_in_opener, run_beside_opener])
def test_random_programs_leave_nothing_behind(way):
    """A program ends, no cancellation and no scope is lost, no lock stays held, and nothing is left in trio's tree."""
    hunt(programs(), functools.partial(problems_of, way))


def test_random_programs_end_with_their_host():
    """When the host program is cancelled, the same is true of the programs in its loop.

    The loop cancels each Task once and waits for it, so clean-up that waits for others could wait for ever.
    """
    hunt(programs(clean_up=False), functools.partial(problems_of, run_in_cancelled_host))


# -- programs of asyncio alone


def trace_of(body, side, limit):
    """Run a program of asyncio's alone on one side, and return its events."""
    _, namespace = side.virtual()
    worlds, logged = [], []

    async def main():
        worlds.append(World(side.module, OPERATIONS, trace=True))
        await asyncio.wait([worlds[0].spawn(body, None)], timeout=MAIN_LIMIT)
        await worlds[0].settle()

    with logged_records(logged), time_limit(limit):
        namespace.run(main())
    return worlds[0].trace + worlds[0].problems


def differences(body, chance, limit):
    """Run a program on both sides, and return where the events differ first."""
    _run._r.seed(chance)
    stock, ours = trace_of(body, STOCK, limit), trace_of(body, TRIO, limit)
    if stock == ours:
        return []
    at = next((at for at, pair in enumerate(zip(stock, ours, strict=False)) if pair[0] != pair[1]), -1)
    return [f"event {at}", f"asyncio: {stock[at:][:3]}", f"trioasync: {ours[at:][:3]}"]


def test_programs_of_asyncio_alone_do_what_they_do_on_asyncio():
    """A program without trio has the same events at the same times on asyncio and on trioasync."""
    since = sys.version_info.__ge__
    hunt(asyncio_programs(timeouts=since((3, 11)), eager_tasks=since((3, 12)), task_groups=since((3, 13))), differences)
