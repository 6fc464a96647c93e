"""A loop in each thread, and many loops one after the other."""

import asyncio
import contextlib
import gc
import os
import threading

import pytest
import trio

import trioasync
from tests.support.observation import time_limit

LINE = b"a line\n"


async def use_everything():
    """Use a server, a client, trio, threads and a Task that is left behind."""
    loop = asyncio.get_running_loop()

    async def answer(reader, writer):
        writer.write(await reader.readline())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(LINE)
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
    await trio.sleep(0)
    await loop.run_in_executor(None, int)
    await asyncio.to_thread(int)
    loop.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)
    return line


def by_run():
    return trioasync.run(use_everything())


def by_runner():
    with trioasync.Runner() as runner:
        return runner.run(use_everything())


def by_a_loop_of_ones_own():
    with contextlib.closing(trioasync.new_event_loop()) as loop:
        line = loop.run_until_complete(use_everything())
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.run_until_complete(loop.shutdown_default_executor())
        return line


def by_open_loop():
    async def main():
        async with trioasync.open_loop():
            return await use_everything()

    return trio.run(main)


WAYS = [by_run, by_runner, by_a_loop_of_ones_own, by_open_loop]
ways = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


# Threads


@ways
def test_eight_threads_have_a_loop_each(way):
    """They run at the same time and know nothing of each other."""
    all_there, lines = threading.Barrier(8, timeout=20), []

    def work():
        all_there.wait()
        lines.extend(way() for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(8)]
    with time_limit(60):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert lines == [LINE] * 40


def test_the_loops_of_two_threads_talk_to_each_other():
    """run_coroutine_threadsafe goes both ways, and what it runs may await trio."""
    loops, both_run = {}, threading.Barrier(2, timeout=20)

    async def double(number):
        await trio.sleep(0.001)
        return 2 * number

    async def main(mine, other):
        loops[mine] = asyncio.get_running_loop()
        await asyncio.to_thread(both_run.wait)
        futures = [asyncio.run_coroutine_threadsafe(double(number), loops[other]) for number in range(20)]
        doubled = [await asyncio.wrap_future(future) for future in futures]
        await asyncio.to_thread(both_run.wait)
        return doubled

    results = []
    thread = threading.Thread(target=lambda: results.append(trioasync.run(main("b", "a"))))
    with time_limit(30):
        thread.start()
        results.append(trioasync.run(main("a", "b")))
        thread.join()
    assert results == [[2 * number for number in range(20)]] * 2


def test_a_loop_stays_with_its_thread_when_others_come_and_go():
    """A long-lived loop beside a hundred short ones in other threads."""

    async def main():
        loop = asyncio.get_running_loop()
        lines = await asyncio.gather(*(loop.run_in_executor(None, by_run) for _ in range(100)))
        return set(lines), asyncio.get_running_loop() is loop

    with time_limit(60):
        assert trioasync.run(main()) == ({LINE}, True)


# One after the other


def open_descriptors():
    """The number of open descriptors of this process."""
    count = 0
    for descriptor in range(1024):
        with contextlib.suppress(OSError):
            os.fstat(descriptor)
            count += 1
    return count


def counts():
    """What must not grow: open descriptors, threads, and objects that the garbage collector knows."""
    while gc.collect():
        pass
    return open_descriptors(), threading.active_count(), len(gc.get_objects())


LOOPS = int(os.environ.get("TRIOASYNC_TEST_LOOPS", "40"))
OBJECTS_OF_A_THREAD = 50  # no more than these belong to a thread of trio's that waits for work


@ways
def test_many_loops_leave_nothing_behind(way):
    """No descriptor, and not one object for each loop; of trio's idle threads there are as many as were ever needed."""
    with time_limit(100 + LOOPS):
        for _ in range(10):
            way()
        descriptors, threads, objects = counts()
        for _ in range(LOOPS):
            way()
        descriptors_now, threads_now, objects_now = counts()
    assert descriptors_now == descriptors
    assert threads_now - threads < 5
    assert objects_now - objects - OBJECTS_OF_A_THREAD * max(0, threads_now - threads) < LOOPS
