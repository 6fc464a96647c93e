"""Virtual time: trio.testing's clock and its wait_all_tasks_blocked take asyncio's timers and Tasks into account."""

import asyncio

import trio
import trio.testing

import trioasync
from tests.mixing.ways import LIMIT, asyncio_program, either_program, now, run_plain_trio, trio_program
from tests.support.observation import time_limit


@either_program
async def test_autojump_drives_the_timers_of_asyncio():
    """With an autojump clock an hour of call_later, sleep and timeout is over at once, in the right order."""
    log, loop = [], asyncio.get_running_loop()
    loop.call_later(3600, log.append, "callback")
    loop.call_at(loop.time() + 1800, log.append, "earlier callback")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 2700)
        await asyncio.sleep(2700)
    log.append("slept")
    await asyncio.sleep(1000)
    assert log == ["earlier callback", "slept", "callback"]
    assert now() == 3700


@either_program
async def test_the_loop_and_trio_agree_on_the_time():
    """loop.time() is trio.current_time() on a virtual clock, and asyncio.sleep and trio.sleep end together."""
    loop, start = asyncio.get_running_loop(), trio.current_time()
    for wait in (asyncio.sleep, trio.sleep):
        await wait(1.5)
        assert loop.time() == trio.current_time()
    assert trio.current_time() == start + 3


def test_a_clock_without_autojump_is_moved_by_hand():
    """On a MockClock that is jumped by hand asyncio's timers fire when their time has come, not earlier."""
    clock = trio.testing.MockClock()
    log = []

    async def main():
        async with trioasync.open_loop() as loop:
            loop.call_later(5, log.append, "timer")
            task = trioasync.create_task(asyncio.sleep(7))
            for seconds in (4, 2, 2):
                await trio.testing.wait_all_tasks_blocked()
                log.append((seconds, task.done()))
                clock.jump(seconds)
            await trio.testing.wait_all_tasks_blocked()
            log.append(task.done())

    with time_limit(LIMIT):
        trio.run(main, clock=clock)
    assert log == [(4, False), (2, False), "timer", (2, False), True]


def test_a_clock_with_a_rate():
    """On a MockClock with a rate asyncio's timers run at that rate."""

    async def main():
        async with trioasync.open_loop():
            start = trio.current_time()
            await asyncio.sleep(100)
            return trio.current_time() - start

    with time_limit(LIMIT):
        assert 100 <= trio.run(main, clock=trio.testing.MockClock(rate=10_000)) < 1000


@trio_program
async def test_wait_all_tasks_blocked_waits_for_asyncio():
    """wait_all_tasks_blocked returns when Tasks, callbacks and plain trio tasks have come to wait."""
    log = []

    async def many_steps(name):
        for _ in range(200):
            await asyncio.sleep(0)
        log.append(name)
        await asyncio.sleep(100)

    def chain(count):
        if count:
            asyncio.get_running_loop().call_soon(chain, count - 1)
        else:
            log.append("callbacks")

    async with trio.open_nursery() as nursery:
        task = trioasync.create_task(many_steps("task"))
        nursery.start_soon(many_steps, "plain")
        chain(200)
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(log) == ["callbacks", "plain", "task"]
        task.cancel()
        nursery.cancel_scope.cancel()


@asyncio_program
async def test_wait_all_tasks_blocked_in_a_task():
    """A Task may call wait_all_tasks_blocked, to see what others do until they wait."""
    log = []

    async def other():
        for number in range(3):
            await asyncio.sleep(0)
            await trio.sleep(0)
            log.append(number)
        await asyncio.sleep(100)

    task = trioasync.create_task(other())
    await trio.testing.wait_all_tasks_blocked()
    assert log == [0, 1, 2]
    assert now() == 0
    task.cancel()


@either_program
async def test_checkpoints_are_checkpoints():
    """assert_checkpoints holds for trio's functions in Tasks and in plain trio tasks."""
    with trio.testing.assert_checkpoints():
        await trio.sleep(0)
    with trio.testing.assert_no_checkpoints():
        trio.current_time()


@trio_program
async def test_a_sequencer_orders_tasks_of_both_worlds():
    """trio.testing.Sequencer puts the steps of Tasks and plain trio tasks into one order."""
    sequencer, log = trio.testing.Sequencer(), []

    async def worker(name, places):
        for place in places:
            async with sequencer(place):
                log.append((name, place))
            await asyncio.sleep(0)

    task = trioasync.create_task(worker("task", [1, 3]))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker, "plain", [0, 2, 4])
    await task
    assert log == [("plain", 0), ("task", 1), ("plain", 2), ("task", 3), ("plain", 4)]


def test_autojump_waits_for_a_loop_that_is_busy():
    """The clock does not jump while Tasks have steps to make."""

    async def main():
        async with trioasync.open_loop() as loop:
            passed = []
            loop.call_later(1, passed.append, True)
            for _ in range(500):
                await trioasync.create_task(asyncio.sleep(0))
            return trio.current_time(), passed

    assert run_plain_trio(main) == (0, [])
