"""A Task that is not ended by the first cancellation of its program gets the second one too, from wherever it comes."""

import asyncio

import pytest
import trio

import trioasync
from tests.mixing.ways import real, run_plain_trio, virtual

LANES = {"asyncio": lambda: asyncio.sleep(1000), "trio": lambda: trio.sleep(1000)}
either_lane = pytest.mark.parametrize("wait", LANES.values(), ids=LANES)


async def swallow(wait, log, times=2):
    """Swallow cancellations, and log each with its time."""
    for _ in range(times):
        try:
            await wait()
        except asyncio.CancelledError as error:
            log.append((round(trio.current_time()), *error.args))


async def around(body, *scopes):
    """Run `body` inside of scopes, the first of which is the outermost."""
    if not scopes:
        return await body()
    with scopes[0]:
        return await around(body, *scopes[1:])


def program(log, wait, scopes, plan, times=2):
    """Return a trio program with a Task that swallows; `plan(scopes)` is run beside it and cancels them."""

    async def opens():
        async with trioasync.open_loop():
            trioasync.create_task(swallow(wait, log, times))
            await trio.sleep_forever()

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(plan, *scopes)
            await around(opens, *scopes)

    return main


@either_lane
@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("second", [0, 1, 2])
def test_another_scope_around_the_loop(wait, first, second):
    """A second scope that is cancelled, further out or further in, cancels again with its reason; the same does not."""
    log = []

    async def plan(*scopes):
        await trio.sleep(1)
        scopes[first].cancel(reason="the first")
        await trio.sleep(1)
        scopes[second].cancel(reason="the second")
        await trio.sleep(1)
        if first == second:
            assert len(log) == 1
            scopes[first - 1].cancel(reason="the third")

    run_plain_trio(program(log, wait, [trio.CancelScope() for _ in range(3)], plan))
    assert [time for time, _ in log] == ([1, 3] if first == second else [1, 2])
    assert "the first" in log[0][1]
    if second < first:  # to a scope inside of one that is cancelled, trio gives the reason of that
        assert "the second" in log[1][1]


@either_lane
def test_the_deadline_of_another_scope(wait):
    """A deadline that passes while the loop closes counts as well."""
    log, scopes = [], [trio.CancelScope(deadline=2), trio.CancelScope(deadline=1)]
    run_plain_trio(program(log, wait, scopes, lambda *scopes: trio.sleep(0)))
    assert log == [(1, "cancelled due to deadline"), (2, "cancelled due to deadline")]


def test_two_scopes_at_once_are_one_cancellation():
    """Scopes that are cancelled at the same moment cancel a Task once."""
    log = []

    async def plan(*scopes):
        await trio.sleep(1)
        for scope in scopes:
            scope.cancel(reason="together")
        await trio.sleep(1)
        assert len(log) == 1
        raise KeyError("ends the nursery around them")

    with pytest.RaisesGroup(KeyError):
        run_plain_trio(program(log, LANES["asyncio"], [trio.CancelScope() for _ in range(3)], plan))
    assert [time for time, _ in log] == [1, 2]


def test_a_scope_behind_a_shield_does_not_count():
    """A scope that is cancelled outside of a shield around the loop is none of its business."""
    log, inner = [], trio.CancelScope()

    async def plan(outer, shield, inner):
        await trio.sleep(1)
        inner.cancel(reason="inside")
        await trio.sleep(1)
        outer.cancel(reason="outside")
        await trio.sleep(1)
        assert len(log) == 1
        shield.cancel(reason="the shield itself")

    run_plain_trio(program(log, LANES["trio"], [trio.CancelScope(), trio.CancelScope(shield=True), inner], plan))
    assert [time for time, _ in log] == [1, 3]
    assert "the shield itself" in log[1][1]


@either_lane
def test_the_block_had_ended_by_itself(wait):
    """The Tasks were cancelled because the body has ended; a scope that is cancelled then cancels them again."""
    log = []

    async def main():
        with trio.move_on_after(3) as host:
            async with trioasync.open_loop():
                trioasync.create_task(swallow(wait, log))
                await trio.sleep(1)
            await trio.sleep_forever()
        assert host.cancelled_caught

    run_plain_trio(main)
    assert log == [(1,), (3, "cancelled due to deadline")]


def test_a_crash_beside_the_loop_after_a_timeout():
    """A timeout ends the loop first; then a sibling crashes, and its error is the reason of the second cancellation."""
    log = []

    async def crashes():
        await trio.sleep(2)
        raise KeyError("sibling")

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(crashes)
            with trio.move_on_after(1):
                async with trioasync.open_loop():
                    trioasync.create_task(swallow(LANES["asyncio"], log))
                    await trio.sleep_forever()

    with pytest.RaisesGroup(KeyError):
        run_plain_trio(main)
    assert [time for time, _ in log] == [1, 2]
    assert "KeyError('sibling')" in log[1][1]


@pytest.mark.parametrize("clock", [virtual, real])
@either_lane
def test_a_scope_that_asyncio_code_cancels(wait, clock):
    """A callback and a Task of the loop that closes cancel the scopes around it, in virtual and in real time."""
    log = []

    async def main():
        with trio.CancelScope() as further, trio.CancelScope() as outer, trio.CancelScope() as inner:
            async with trioasync.open_loop() as loop:

                async def cancels():
                    await swallow(lambda: asyncio.sleep(1000), [])
                    further.cancel(reason="a Task")

                trioasync.create_task(swallow(wait, log, times=3))
                trioasync.create_task(cancels())
                loop.call_later(0.01, outer.cancel)
                inner.cancel()
                await trio.sleep_forever()

    run_plain_trio(main, clock)
    assert len(log) == 3
    assert "a Task" in log[2][1]


def test_tasks_that_finish_async_generators():
    """The second cancellation reaches an async generator that does not end its clean-up."""
    log = []

    async def numbers():
        try:
            yield 1
        finally:
            await swallow(LANES["asyncio"], log, times=1)

    async def iterates(keep):
        keep.append(numbers())
        await keep[0].__anext__()

    async def main():
        with trio.move_on_after(2):
            async with trioasync.open_loop():
                keep = []
                await trioasync.create_task(iterates(keep))
                await trio.sleep(1)

    run_plain_trio(main)
    assert log[-1] == (2, "cancelled due to deadline")


def test_a_late_task_is_told_the_latest_reason():
    """A Task that is started after the second cancellation is cancelled with the words of that."""
    log = []

    async def starts_another():
        for _ in range(2):
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                pass
        trioasync.create_task(swallow(LANES["asyncio"], log, times=1))
        await asyncio.sleep(1)

    async def main():
        with trio.CancelScope() as outer, trio.move_on_after(1):
            async with trioasync.open_loop() as loop:
                trioasync.create_task(starts_another())
                loop.call_later(2, lambda: outer.cancel(reason="the latest"))
                await trio.sleep_forever()

    run_plain_trio(main)
    assert [time for time, _ in log] == [3]
    assert "the latest" in log[0][1]
