"""Plain trio tasks keep running beside asyncio tasks that never wait, and the other way round.

A burst of the pump ends with its turn when a trio task is ready or a deadline of trio's has passed. Trio shuffles the
tasks of each of its own turns, so that two turns of the loop may lie between two steps of one trio task. For I/O of
trio's the pump looks before each burst, which has at most TURNS turns.
"""

import os
import time

import pytest
import trio
import trio.testing

import trioasync
from trioasync._host.pump import BURST_SECONDS, TURNS

LIMIT = 20  # seconds of real time after which a program counts as hanging


def run(main, **options):
    """Run a trio program that is given up after LIMIT seconds."""

    async def limited():
        with trio.fail_after(LIMIT):
            return await main()

    return trio.run(limited, **options)


async def ping_pong(turns, stop):
    """Give way for ever, and count the turns; the loop never has nothing to do."""
    while not stop:
        turns.append(None)
        await trioasync.sleep(0)


def test_a_trio_deadline_is_noticed_within_three_turns():
    """While an asyncio ping-pong never waits, few turns begin between a deadline of trio's and the step it causes."""

    async def main():
        times, stop, late = [], [], []

        async def keep_time():
            while not stop:
                times.append(trio.current_time())
                await trioasync.sleep(0)

        async with trioasync.open_loop() as loop:
            loop.create_task(keep_time())
            for _ in range(20):
                deadline = trio.current_time() + 0.003
                await trio.sleep_until(deadline)
                late.append(len([each for each in times if each > deadline]))
                times.clear()
            stop.append(True)
        return late

    assert max(run(main)) <= 3


def test_trio_io_is_noticed_after_the_burst():
    """While an asyncio ping-pong never waits, few turns pass between the arrival of data and the step of its reader."""

    async def main():
        turns, stop, sent = [], [], []
        left, right = trio.socket.socketpair()

        async def send_now_and_then():
            while not stop:
                turns.append(None)
                if len(turns) % 200 == 0:
                    sent.append(len(turns))
                    os.write(left.fileno(), b"x")
                await trioasync.sleep(0)

        with left, right:
            async with trioasync.open_loop() as loop:
                loop.create_task(send_now_and_then())
                late = []
                for number in range(20):
                    await right.recv(1)
                    late.append(len(turns) - sent[number])
                stop.append(True)
        return late

    assert max(run(main)) <= TURNS + 3


def test_an_endless_ping_pong_does_not_starve_a_trio_task():
    """A trio task that never waits makes a step at least once in two turns of the loop."""

    async def main():
        turns, stop, counts = [], [], []
        async with trioasync.open_loop() as loop:
            loop.create_task(ping_pong(turns, stop))
            for _ in range(200):
                before = len(turns)
                await trio.lowlevel.checkpoint()
                counts.append(len(turns) - before)
            stop.append(True)
        return counts

    counts = run(main)
    assert max(counts) <= 2
    assert sum(counts) > 0


@pytest.mark.parametrize("tasks", [2, 50])
def test_many_ping_pongs_do_not_starve_a_trio_task(tasks):
    """With many tasks in the ping-pong a turn has many steps, and the bound in turns holds."""

    async def main():
        turns, stop, counts = [], [], []
        async with trioasync.open_loop() as loop:
            for _ in range(tasks):
                loop.create_task(ping_pong(turns, stop))
            for _ in range(100):
                before = len(turns)
                await trio.lowlevel.checkpoint()
                counts.append(len(turns) - before)
            stop.append(True)
        return counts

    assert max(run(main)) <= 2 * tasks


def test_a_chain_of_call_soon_does_not_starve_a_trio_task():
    """Callbacks that schedule themselves are bounded like tasks."""

    async def main():
        turns, stop, counts = [], [], []

        def again(loop):
            turns.append(None)
            if not stop:
                loop.call_soon(again, loop)

        async with trioasync.open_loop() as loop:
            loop.call_soon(again, loop)
            for _ in range(200):
                before = len(turns)
                await trio.lowlevel.checkpoint()
                counts.append(len(turns) - before)
            stop.append(True)
        return counts

    assert max(run(main)) <= 2


def test_a_trio_timer_fires_beside_an_endless_ping_pong():
    """A sleeping trio task wakes on time while asyncio tasks never wait."""

    async def main():
        turns, stop = [], []
        async with trioasync.open_loop() as loop:
            loop.create_task(ping_pong(turns, stop))
            start = time.monotonic()
            for _ in range(5):
                await trio.sleep(0.01)
            stop.append(True)
            return time.monotonic() - start

    assert 0.05 <= run(main) < 5


def test_long_turns_are_bounded_in_time():
    """Callbacks that take a while let trio in by time, before the bound in turns is reached."""

    async def main():
        turns, stop, counts = [], [], []

        def again(loop):
            turns.append(None)
            time.sleep(BURST_SECONDS)
            if not stop:
                loop.call_soon(again, loop)

        async with trioasync.open_loop() as loop:
            loop.call_soon(again, loop)
            for _ in range(10):
                before = len(turns)
                await trio.sleep(0)
                counts.append(len(turns) - before)
            stop.append(True)
        return counts

    assert max(run(main)) <= 3


def test_trio_io_beside_an_endless_ping_pong():
    """A trio task that reads from a pair of sockets makes progress while asyncio tasks never wait."""

    async def main():
        turns, stop = [], []
        left, right = trio.socket.socketpair()
        with left, right:
            async with trioasync.open_loop() as loop:
                loop.create_task(ping_pong(turns, stop))
                for number in range(20):
                    await left.send(bytes([number]))
                    assert await right.recv(1) == bytes([number])
                stop.append(True)
        return True

    assert run(main)


def test_a_busy_trio_task_does_not_starve_asyncio_tasks():
    """An endless series of trio checkpoints lets asyncio tasks make their steps."""

    async def main():
        steps = []

        async def work():
            for number in range(50):
                steps.append(number)
                await trioasync.sleep(0)

        async with trioasync.open_loop() as loop:
            task = loop.create_task(work())
            checkpoints = 0
            while not task.done():
                await trio.lowlevel.checkpoint()
                checkpoints += 1
                assert checkpoints < 10_000
        return steps

    assert run(main) == list(range(50))


def test_the_ping_pong_of_trio_calls_in_asyncio_tasks_is_fair():
    """Tasks that make trio checkpoints and tasks that sleep(0) all go on."""

    async def main():
        steps = {"trio": 0, "asyncio": 0}

        async def by_trio():
            for _ in range(200):
                steps["trio"] += 1
                await trio.lowlevel.checkpoint()

        async def by_asyncio():
            for _ in range(200):
                steps["asyncio"] += 1
                await trioasync.sleep(0)

        async with trioasync.open_loop() as loop:
            tasks = [loop.create_task(by_trio()), loop.create_task(by_asyncio())]
            while not all(task.done() for task in tasks):
                await trio.sleep(0.001)
        return steps

    assert run(main) == {"trio": 200, "asyncio": 200}


def test_virtual_time_goes_on_beside_a_trio_task():
    """With an autojumping clock timers of both worlds fire in the order of their deadlines."""

    async def main():
        log = []
        async with trioasync.open_loop() as loop:
            loop.call_later(2, log.append, "asyncio 2")
            loop.call_later(4, log.append, "asyncio 4")
            await trio.sleep(1)
            log.append("trio 1")
            await trio.sleep(2)
            log.append("trio 3")
            await trio.sleep(2)
        return log

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) == [
        "trio 1",
        "asyncio 2",
        "trio 3",
        "asyncio 4",
    ]
