"""One loop in a trio program, from opening to closed: the same for all, gone without a trace."""

import asyncio
import contextlib
import threading

import pytest
import trio

import trioasync
from tests.mixing.ways import names_in_the_tree, now, real, run_plain_trio, trio_program


@trio_program
async def test_a_second_open_loop_gives_the_same_loop():
    """open_loop inside open_loop, in the same task, a child or a Task, gives the same loop and leaves it open."""
    loop = asyncio.get_running_loop()

    async def opens_again():
        async with trioasync.open_loop() as again:
            assert again is loop
            await asyncio.sleep(1)
        assert not loop.is_closed()
        await asyncio.sleep(1)

    await opens_again()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(opens_again)
    await trioasync.create_task(opens_again())
    assert now() == 6


def test_nothing_is_left_in_the_task_tree():
    """After the loop has closed, trio's task tree is what it was before."""

    async def spawns():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 100)
            await asyncio.sleep(100)

    async def main():
        before = names_in_the_tree()
        for _ in range(2):
            async with trioasync.open_loop():
                tasks = [trioasync.create_task(spawns()) for _ in range(3)]
                await asyncio.sleep(1)
                assert len(names_in_the_tree()) >= len(before) + 6
            assert all(task.cancelled() for task in tasks)
            assert names_in_the_tree() == before
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()

    run_plain_trio(main)


def test_a_second_cancellation_reaches_a_task_that_swallowed_the_first():
    """A Task that swallows the cancellation at the end is waited for; a second cancel() reaches it."""
    log = []

    async def stubborn():
        for name in ("first", "second"):
            try:
                await trio.sleep(100)
            except asyncio.CancelledError as error:
                log.append((name, error.args, trio.current_time()))

    async def main():
        async with trioasync.open_loop() as loop:
            task = trioasync.create_task(stubborn())
            loop.call_later(3, task.cancel, "again")
            await asyncio.sleep(1)

    run_plain_trio(main)
    assert log == [("first", (), 1), ("second", ("again",), 3)]


def test_closing_goes_through_its_phases():
    """Tasks end before the async generators are finished, those before the executor, and that before the loop."""
    log = []

    async def numbers():
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            log.append("generator")

    async def iterates():
        generators.append(numbers())
        await generators[0].__anext__()
        try:
            await asyncio.sleep(100)
        finally:
            log.append("task")

    def work():
        may_end.wait()
        log.append("thread")

    generators, may_end = [], threading.Event()

    async def main():
        async with trioasync.open_loop() as loop:
            trioasync.create_task(iterates())
            await asyncio.sleep(0.01)
            loop.run_in_executor(None, work)
            loop.call_later(0.02, may_end.set)
        log.append(loop.is_closed())

    run_plain_trio(main, real)
    assert log == ["task", "generator", "thread", True]


def test_trio_runs_in_a_thread():
    """open_loop works in a trio program that runs in a thread other than the main one."""
    results = []

    async def main():
        async with trioasync.open_loop():
            task = trioasync.create_task(asyncio.sleep(0.01, "in a thread"))
            results.append(await task)
            results.append(await asyncio.to_thread(threading.get_ident) != threading.get_ident())

    thread = threading.Thread(target=trio.run, args=[main])
    thread.start()
    thread.join(10)
    assert results == ["in a thread", True]


def test_two_programs_in_two_threads_do_not_meet():
    """Each thread's trio program has a loop of its own."""
    loops = []

    async def main():
        async with trioasync.open_loop() as loop:
            await asyncio.sleep(0.01)
            loops.append(loop)
            assert asyncio.get_running_loop() is loop

    threads = [threading.Thread(target=trio.run, args=[main]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(set(loops)) == 2


def test_outside_of_a_program_the_error_says_what_to_do():
    """open_loop without a trio program, and trioasync.run inside of one, say what to use."""

    async def opens():
        async with trioasync.open_loop():
            pass

    with pytest.raises(RuntimeError, match=r"trioasync\.run"):
        opens().send(None)

    async def main():
        with contextlib.closing(trioasync.EventLoop()) as loop, pytest.raises(RuntimeError, match="open_loop"):
            loop.run_forever()

    run_plain_trio(main)
