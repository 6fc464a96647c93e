"""Asyncio in plain trio tasks while a loop is open: everything awaits, with no adapter around it."""

import asyncio
import signal
import sys

import pytest
import trio

import trioasync
from tests.mixing.ways import real, run_plain_trio, timeouts_of_both, trio_program


async def in_opener(body):
    await body()


async def in_nursery_child(body):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(body)


async def in_started_child(body):
    async def child(task_status):
        await asyncio.sleep(0)
        task_status.started()
        await body()

    async with trio.open_nursery() as nursery:
        await nursery.start(child)


async def in_system_task(body):
    ended, failures = trio.Event(), []

    async def task():
        try:
            await body()
        except BaseException as error:
            failures.append(error)
        ended.set()

    trio.lowlevel.spawn_system_task(task)
    await ended.wait()
    if failures:
        raise failures[0]


async def in_thread(body):
    await trio.to_thread.run_sync(trio.from_thread.run, body)


async def in_signal_receiver(body):
    with trio.open_signal_receiver(signal.SIGUSR1) as signals:
        signal.raise_signal(signal.SIGUSR1)
        async for _ in signals:
            await body()
            return


PLACES = [in_opener, in_nursery_child, in_started_child, in_system_task, in_thread, in_signal_receiver]
everywhere = pytest.mark.parametrize("place", PLACES)


@trio_program(clock=real)
@everywhere
async def test_asyncio_is_awaited_in_every_plain_trio_task(place):
    """Futures, Tasks, gather, wait_for, timeout, TaskGroup, queues and locks work wherever a trio task comes from."""
    done = []

    async def body():
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.set_result, "future")
        done.append(await future)
        done.append(await trioasync.create_task(asyncio.sleep(0, "task")))
        done.append(await asyncio.gather(asyncio.sleep(0, 1), trio_value(2)))
        done.append(await asyncio.wait_for(asyncio.sleep(0, "in time"), 5))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.sleep(10), 0.001)
        with pytest.raises(asyncio.TimeoutError):
            async with trioasync.timeout(0.001):
                await trio.sleep(10)
        async with trioasync.TaskGroup() as group:
            group.create_task(trio.sleep(0))
        queue = asyncio.Queue(1)
        sender = trioasync.create_task(queue.put("queue"))
        done.append(await queue.get())
        await sender
        async with asyncio.Lock():
            await asyncio.sleep(0)

    await place(body)
    assert done == ["future", "task", [1, 2], "in time", "queue"]


async def trio_value(value):
    await trio.sleep(0)
    return value


@trio_program(clock=real)
@everywhere
async def test_every_plain_trio_task_is_a_task_to_asyncio(place):
    """current_task() gives a Task that has the trio task's name and is not among all_tasks()."""

    async def body():
        for wait in (asyncio.sleep, trio.sleep):
            task = asyncio.current_task()
            await wait(0)
            assert asyncio.current_task() is task
        assert isinstance(task, asyncio.Task)
        assert task.get_name() == trio.lowlevel.current_task().name
        assert task not in asyncio.all_tasks()
        assert not task.done()

    await place(body)


@trio_program(clock=real)
@everywhere
async def test_cancel_reaches_every_plain_trio_task(place):
    """cancel(), cancelling() and uncancel() work in either kind of wait, wherever a trio task comes from."""
    seen = []

    async def body():
        task = asyncio.current_task()
        for wait in (asyncio.sleep, trio.sleep):
            asyncio.get_running_loop().call_soon(task.cancel, "message")
            with pytest.raises(asyncio.CancelledError, match="message"):
                await wait(10)
            seen.append((task.cancelling(), task.uncancel()))

    await place(body)
    assert seen == [(1, 0), (1, 0)]


@trio_program(clock=real)
@everywhere
@timeouts_of_both
async def test_stock_tasks_timeouts_and_task_groups_in_every_plain_trio_task(place, aio):
    """A Task of asyncio's own class, and timeout and TaskGroup of either module, work wherever a trio task is."""
    done = []

    async def body():
        done.append(await asyncio.Task(asyncio.sleep(0, "stock task"), loop=asyncio.get_running_loop()))
        with pytest.raises(asyncio.TimeoutError):
            async with aio.timeout(0.001):
                await asyncio.sleep(10)
        async with aio.TaskGroup() as group:
            task = group.create_task(asyncio.sleep(0, "in the group"))
        done.append(task.result())

    await place(body)
    assert done == ["stock task", "in the group"]


@trio_program(clock=real)
@everywhere
async def test_streams_of_asyncio_in_every_plain_trio_task(place):
    """open_connection() and start_server() serve plain trio tasks, wherever they come from."""
    answers = []

    async def handle(reader, writer):
        writer.write((await reader.readline()).upper())
        await trio.sleep(0)
        writer.close()

    async def body():
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello\n")
            answers.append(await reader.readline())
            writer.close()
            await writer.wait_closed()

    await place(body)
    assert answers == [b"HELLO\n"]


@trio_program(clock=real)
async def test_threads_and_processes_of_asyncio_in_a_plain_trio_task():
    """to_thread(), run_in_executor() and create_subprocess_exec() may be awaited in a plain trio task."""
    assert await asyncio.to_thread(len, "abc") == 3
    assert await asyncio.get_running_loop().run_in_executor(None, len, "abc") == 3
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(6 * 7)", stdout=asyncio.subprocess.PIPE)
    assert await process.communicate() == (b"42\n", None)
    assert process.returncode == 0


# -- where Tasks may be created


@trio_program(clock=real)
async def test_tasks_are_created_in_callbacks_of_both_worlds():
    """call_soon(), a signal handler of the loop and a trio token's run_sync_soon() may create Tasks."""
    loop, created = asyncio.get_running_loop(), []

    def create(name):
        created.append(loop.create_task(trio_value(name)))

    loop.call_soon(create, "call_soon")
    loop.call_later(0.001, create, "call_later")
    trio.lowlevel.current_trio_token().run_sync_soon(create, "trio token")
    loop.add_signal_handler(signal.SIGUSR1, create, "signal")
    signal.raise_signal(signal.SIGUSR1)
    with trio.fail_after(5):
        while len(created) < 4:
            await trio.sleep(0.001)
    loop.remove_signal_handler(signal.SIGUSR1)
    assert sorted(await asyncio.gather(*created)) == ["call_later", "call_soon", "signal", "trio token"]


@trio_program(clock=real)
async def test_tasks_are_created_from_a_trio_thread():
    """from_thread.run_sync may create Tasks, and run_coroutine_threadsafe works beside it."""
    loop = asyncio.get_running_loop()

    def work():
        task = trio.from_thread.run_sync(trioasync.create_task, asyncio.sleep(0, "created"))
        return trio.from_thread.run(wait_for_task, task), asyncio.run_coroutine_threadsafe(trio_value(1), loop).result()

    assert await trio.to_thread.run_sync(work) == ("created", 1)


async def wait_for_task(task):
    return await task


# -- without adoption


def test_without_adoption_tasks_work():
    """With open_loop(adopt=False), Tasks run, and a plain trio task may wait for them by trio's means."""

    async def main():
        async with trioasync.open_loop(adopt=False):
            done = trio.Event()

            async def work():
                await asyncio.sleep(1)
                await trio.sleep(1)
                done.set()

            trioasync.create_task(work())
            await done.wait()
            return trio.current_time()

    assert run_plain_trio(main) == 2


def test_a_task_that_outlives_the_loop_goes_on_in_trio():
    """A trio task that was started while the loop was open goes on after the loop has closed."""
    log = []

    async def child(closed):
        await asyncio.sleep(1)
        await closed.wait()
        await trio.sleep(1)
        with trio.move_on_after(1) as scope:
            await trio.sleep_forever()
        log.append(scope.cancelled_caught)

    async def main():
        closed = trio.Event()
        async with trio.open_nursery() as nursery:
            async with trioasync.open_loop():
                nursery.start_soon(child, closed)
                await trio.sleep(2)
            closed.set()

    run_plain_trio(main)
    assert log == [True]
