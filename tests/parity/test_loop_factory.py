"""create_task, create_future and task factories of a loop; readers; and asynchronous generators."""

import asyncio
import contextlib
import gc
import os
import socket

from tests.support.outcomes import outcome_of
from tests.support.parity import parity


async def value(result):
    """Return what was given."""
    return result


@parity(events=[("factory", True), ("result", 3)])
async def test_a_task_factory_makes_the_tasks(aio, log):
    """The factory gets loop and coroutine, and what it returns is the task."""
    loop = aio.get_running_loop()

    def factory(its_loop, coroutine, **options):
        log("factory", its_loop is loop)
        return aio.Task(coroutine, loop=its_loop, **options)

    loop.set_task_factory(factory)
    log("result", await aio.create_task(value(3)))
    loop.set_task_factory(None)


@parity(returns=["named by the loop", True])
async def test_the_name_reaches_a_task_of_a_factory(aio):
    """A factory that knows nothing of names gets its task named afterwards, or passes the name on."""
    loop = aio.get_running_loop()

    def factory(loop, coroutine, **options):
        return asyncio.Task(coroutine, loop=loop, **options)

    loop.set_task_factory(factory)
    task = loop.create_task(value(3), name="named by the loop")
    await task
    loop.set_task_factory(None)
    return [task.get_name(), loop.get_task_factory() is None]


@parity(events=["factory", "factory", "factory"], returns=[1, 2, 3])
async def test_the_factory_serves_everything_that_makes_tasks(aio, log):
    """gather(), wait_for() and ensure_future() make their tasks by the factory."""
    loop = aio.get_running_loop()

    def factory(loop, coroutine, **options):
        log("factory")
        return aio.Task(coroutine, loop=loop, **options)

    loop.set_task_factory(factory)
    results = [*await aio.gather(value(1), value(2)), await aio.ensure_future(value(3))]
    loop.set_task_factory(None)
    return results


@parity(returns=("not a task", True))
async def test_a_factory_may_return_any_future(aio):
    """What the factory returns is what create_task returns."""
    loop = aio.get_running_loop()
    future = loop.create_future()
    future.set_result("not a task")
    future.set_name = lambda name: None

    def factory(loop, coroutine, **options):
        coroutine.close()
        return future

    loop.set_task_factory(factory)
    made = loop.create_task(value(1))
    loop.set_task_factory(None)
    return await made, made is future


@parity(returns=[True, True])
async def test_create_future_makes_asyncios_futures(aio):
    """create_future() gives a Future of the loop."""
    loop = aio.get_running_loop()
    future = loop.create_future()
    return [isinstance(future, asyncio.Future), future.get_loop() is loop]


@parity(returns=[True, True, "data"])
async def test_the_running_loop_is_known_in_reader_callbacks(aio):
    """get_running_loop() works in an add_reader callback, and in a writer's."""
    loop, seen = aio.get_running_loop(), []
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        right.setblocking(False)
        read = loop.create_future()

        def writable():
            seen.append(aio.get_running_loop() is loop)
            loop.remove_writer(right)
            right.send(b"data")

        def readable():
            seen.append(asyncio.get_running_loop() is loop)
            loop.remove_reader(left)
            read.set_result(left.recv(10).decode())

        loop.add_reader(left, readable)
        loop.add_writer(right, writable)
        data = await read
        return [*seen, data]


@parity(returns=[None, True, False])
async def test_current_task_is_none_in_a_reader_callback(aio):
    """A reader callback belongs to no task; remove_reader tells whether there was one."""
    loop = aio.get_running_loop()
    reading, writing = os.pipe()
    try:
        future = loop.create_future()
        loop.add_reader(reading, lambda: future.done() or future.set_result(aio.current_task()))
        os.write(writing, b"x")
        return [await future, loop.remove_reader(reading), loop.remove_reader(reading)]
    finally:
        os.close(reading)
        os.close(writing)


@parity(events=["finished"], returns=[1])
async def test_shutdown_asyncgens_finishes_what_is_half_way(aio, log):
    """shutdown_asyncgens() closes generators that were begun and not finished."""

    async def numbers():
        try:
            yield 1
            yield 2
        finally:
            await aio.sleep(0)
            log("finished")

    generator = numbers()
    first = await generator.__anext__()
    await aio.get_running_loop().shutdown_asyncgens()
    return [first]


@parity(returns=None)
async def test_shutdown_asyncgens_without_generators_is_nothing(aio):
    """shutdown_asyncgens() returns at once when there is nothing to close."""
    return await aio.get_running_loop().shutdown_asyncgens()


@parity(events=[("reading", 1), ("reading", 2), "closed in a task of the loop"])
def test_a_generator_that_is_dropped_while_the_loop_runs_is_closed(aio, log):
    """A generator collected in a run is closed by a task, with the loop running."""

    async def numbers():
        try:
            for number in range(1, 10):
                yield number
        finally:
            await aio.sleep(0)
            assert aio.current_task() is not None
            log("closed in a task of the loop")

    async def main():
        async for number in numbers():
            log("reading", number)
            if number == 2:
                break
        gc.collect()
        for _ in range(3):
            await aio.sleep(0)

    with contextlib.closing(aio.new_event_loop()) as loop:
        loop.run_until_complete(main())


@parity(returns=["name", "name", ("TypeError", True)])
async def test_create_task_passes_its_options_on(aio):
    """name= reaches the task; an option that nobody knows is a TypeError."""
    loop = aio.get_running_loop()
    tasks = [loop.create_task(value(1), name="name"), aio.create_task(value(2), name="name")]
    for task in tasks:
        await task
    coroutine = value(3)
    kind, args = outcome_of(loop.create_task, coroutine, no_such_option=1)
    coroutine.close()
    return [*[task.get_name() for task in tasks], (kind, "no_such_option" in args[0])]
