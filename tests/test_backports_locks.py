"""The Barrier of 3.11, on every Python."""

import asyncio

import pytest

from tests.backports import beside_asyncio, run
from trioasync._backports import locks
from trioasync.exceptions import BrokenBarrierError

make_barrier = beside_asyncio("Barrier", locks.Barrier, since=(3, 11))


async def tell(awaitable):
    try:
        return await awaitable
    except BrokenBarrierError as broken:
        return str(broken)


def test_tasks_pass_together_and_each_gets_a_number(make_barrier):
    """Nobody passes before the last has come; the last one passes first."""

    async def main():
        async def pass_after(seconds):
            await asyncio.sleep(seconds)
            number = await barrier.wait()
            passed.append((number, asyncio.get_running_loop().time()))

        barrier, passed = make_barrier(3), []
        await asyncio.gather(*map(pass_after, (1, 2, 3)))
        return passed

    assert run(main) == [(2, pytest.approx(3)), (0, pytest.approx(3)), (1, pytest.approx(3))]


def test_a_barrier_is_filled_again_when_the_last_one_has_gone(make_barrier):
    """Who comes while a round drains waits for the next round."""

    async def main():
        async def pass_twice():
            return [await barrier.wait(), await barrier.wait()]

        barrier = make_barrier(2)
        rounds = await asyncio.gather(pass_twice(), pass_twice())
        return [sorted(numbers) for numbers in zip(*rounds, strict=True)], barrier.n_waiting

    assert run(main) == ([[0, 1], [0, 1]], 0)


def test_a_barrier_is_a_context_manager(make_barrier):
    """`async with` waits and gives the number."""

    async def main():
        async with make_barrier(1) as number:
            return number

    assert run(main) == 0


def test_reset_turns_away_who_waits_and_lets_the_next_round_pass(make_barrier):
    """The waiting tasks get BrokenBarrierError; the barrier works on."""

    async def main():
        barrier = make_barrier(2)
        waiting = asyncio.create_task(tell(barrier.wait()))
        await asyncio.sleep(0)
        counted = barrier.n_waiting
        await barrier.reset()
        told = await waiting
        return counted, told, barrier.broken, sorted(await asyncio.gather(barrier.wait(), barrier.wait()))

    assert run(main) == (1, "Abort or reset of barrier", False, [0, 1])


def test_abort_breaks_the_barrier_until_it_is_reset(make_barrier):
    """Tasks that wait, and tasks that come, get BrokenBarrierError."""

    async def main():
        barrier = make_barrier(2)
        waiting = asyncio.create_task(tell(barrier.wait()))
        await asyncio.sleep(0)
        await barrier.abort()
        told = [await waiting, await tell(barrier.wait()), barrier.broken]
        await barrier.reset()
        return [*told, barrier.broken]

    assert run(main) == ["Abort or reset of barrier", "Barrier aborted", True, False]


def test_a_cancelled_task_leaves_the_barrier(make_barrier):
    """It counts no longer, so the barrier waits for another."""

    async def main():
        barrier = make_barrier(2)
        waiting = asyncio.create_task(barrier.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        return waiting.cancelled(), barrier.n_waiting, sorted(await asyncio.gather(barrier.wait(), barrier.wait()))

    assert run(main) == (True, 0, [0, 1])


def test_the_representation_tells_the_state(make_barrier):
    """It shows how many wait, or that the barrier is broken."""

    async def main():
        barrier = make_barrier(3)
        waiting = asyncio.create_task(tell(barrier.wait()))
        await asyncio.sleep(0)
        told = [repr(barrier)]
        await barrier.abort()
        await waiting
        return [each.partition(" [")[2] for each in (*told, repr(barrier))]

    assert run(main) == ["filling, waiters:1/3]>", "broken]>"]


def test_a_barrier_for_nobody_is_refused(make_barrier):
    """`parties` is one or more."""
    with pytest.raises(ValueError, match="parties must be"):
        make_barrier(0)
