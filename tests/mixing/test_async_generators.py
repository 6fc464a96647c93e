"""Async generators and context managers of both worlds, in both kinds of task."""

import asyncio
import contextlib
import gc
import sys

import pytest
import trio
import trio.testing

import trioasync
from tests.mixing.ways import asyncio_program, either_program, now, run_asyncio_program, run_plain_trio


async def numbers(log, count=3):
    """Yield numbers, with awaits of both worlds between them and in the clean-up."""
    try:
        for number in range(count):
            await asyncio.sleep(1)
            await trio.sleep(1)
            yield number
    finally:
        log.append("begin")
        await asyncio.sleep(0)
        log.append("end")


@either_program
async def test_an_async_generator_awaits_both_worlds():
    """An async generator whose body awaits asyncio and trio is iterated in any task."""
    log = []
    assert [number async for number in numbers(log)] == [0, 1, 2]
    assert now() == 6
    assert log == ["begin", "end"]


@either_program
async def test_an_async_generator_is_closed_where_it_is_left():
    """contextlib.aclosing() runs the clean-up of an async generator at once, with its awaits."""
    log = []
    async with contextlib.aclosing(numbers(log)) as generator:
        async for _ in generator:
            break
    assert log == ["begin", "end"]


@either_program
async def test_a_scope_around_an_async_generator():
    """A trio scope around the iteration ends it in an await of the generator, which cleans up."""
    log, seen = [], []
    with trio.move_on_after(3) as scope:
        async with contextlib.aclosing(numbers(log)) as generator:
            while True:
                seen.append(await generator.__anext__())
    assert scope.cancelled_caught
    assert seen == [0]
    assert log == ["begin", "end"]
    assert now() == 3


@either_program
async def test_context_managers_of_both_worlds_nest():
    """async with statements of asyncio's and trio's things nest in any order in one function."""

    @contextlib.asynccontextmanager
    async def both():
        async with trio.open_nursery() as nursery, trioasync.TaskGroup() as group:
            yield nursery, group

    log = []

    async def child(name, wait):
        await wait(1)
        log.append(name)

    async with trioasync.timeout(10), trio.Lock(), both() as (nursery, group), asyncio.Lock(), trio.Semaphore(1):
        nursery.start_soon(child, "trio child", asyncio.sleep)
        group.create_task(child("task", trio.sleep))
        await trio.sleep(0)
        await asyncio.sleep(0)
    assert sorted(log) == ["task", "trio child"]
    assert now() == 1


@either_program
async def test_a_generator_with_a_nursery_becomes_a_channel():
    """trio.as_safe_channel runs an async generator that awaits both worlds, and ends it where it is left."""
    log = []

    @trio.as_safe_channel
    async def numbers_from_children():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(asyncio.sleep, 100)
            try:
                for number in range(3):
                    await asyncio.sleep(1)
                    await trio.sleep(1)
                    yield number
            finally:
                log.append(now())

    async with numbers_from_children() as channel:
        async for number in channel:
            if number == 1:
                break
    assert log == [now()] == [4]


# -- who finishes a generator that is dropped


def test_a_generator_dropped_in_a_task_is_finished_by_the_loop():
    """A generator first iterated in a Task and dropped is closed by the loop, asynchronously."""
    log = []

    async def main():
        generator = numbers(log)
        await generator.__anext__()
        del generator
        gc.collect()
        for _ in range(3):
            await asyncio.sleep(0)
        return list(log)

    assert run_asyncio_program(main) == ["begin", "end"]


@pytest.mark.parametrize("first", [asyncio.sleep, trio.sleep], ids=["after asyncio", "after trio"])
def test_a_generator_alive_at_the_end_is_finished_by_the_loop(first):
    """A generator first iterated in a Task, in either lane, is finished when the loop closes, with its awaits."""
    log, generators = [], []

    async def main():
        await first(1)
        generators.append(numbers(log))
        await generators[0].__anext__()

    run_asyncio_program(main)
    assert log == ["begin", "end"]


async def trio_numbers(log):
    """Yield, and log a clean-up in which trio cancels each await."""
    try:
        yield 1
    finally:
        log.append("begin")
        with pytest.raises(trio.Cancelled):
            await trio.sleep(0)
        log.append("end")


def test_a_generator_of_a_plain_trio_task_is_finished_by_trio():
    """A generator first iterated in a plain trio task outlives the loop, and trio finishes it at the end of its run."""
    log, generators = [], []

    async def main():
        async with trioasync.open_loop():
            generators.append(trio_numbers(log))
            await generators[0].__anext__()
            await asyncio.sleep(1)
        assert log == []

    run_plain_trio(main)
    assert log == ["begin", "end"]


def test_a_generator_dropped_in_a_plain_trio_task_is_finished_by_trio():
    """Trio finishes a dropped generator in its way beside an open loop: it warns, and awaits in it are cancelled."""
    log = []

    async def main():
        async with trioasync.open_loop():
            generator = trio_numbers(log)
            await generator.__anext__()
            with pytest.warns(ResourceWarning, match="garbage collected"):
                del generator
            await trio.testing.wait_all_tasks_blocked()
            assert log == ["begin", "end"]

    run_plain_trio(main)


def test_a_loop_finishes_its_generators_before_trio_does():
    """Of two generators, one begun in a Task and one in trio, the Task's is finished with the loop."""
    log, generators = [], []

    async def generator(name):
        try:
            yield 1
        finally:
            log.append(name)

    async def in_task():
        generators.append(generator("task"))
        await generators[-1].__anext__()

    async def main():
        generators.append(generator("trio"))
        await generators[-1].__anext__()
        async with trioasync.open_loop():
            await trioasync.create_task(in_task())
        log.append("loop closed")

    run_plain_trio(main)
    assert log == ["task", "loop closed", "trio"]


@asyncio_program
async def test_the_hooks_of_a_step_are_those_of_its_world():
    """Hooks are asyncio's in a Task's steps and trio's in the steps of a plain trio child of it."""
    hooks = []

    async def child():
        hooks.append(sys.get_asyncgen_hooks())
        await asyncio.sleep(0)
        hooks.append(sys.get_asyncgen_hooks())

    mine = sys.get_asyncgen_hooks()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(child)
        assert sys.get_asyncgen_hooks() == mine
        await trio.sleep(1)
        assert sys.get_asyncgen_hooks() == mine
    await asyncio.sleep(0)
    assert sys.get_asyncgen_hooks() == mine
    assert hooks[0] == hooks[1] != mine
