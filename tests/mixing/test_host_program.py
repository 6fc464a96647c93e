"""The trio program around an open loop: whatever ends it ends the loop in its phases, and nothing hangs."""

import asyncio

import pytest
import trio

import trioasync
from tests.mixing.ways import now, run_plain_trio

WAITS = {"asyncio": lambda: asyncio.sleep(100), "trio": lambda: trio.sleep(100)}
either_wait = pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)


async def worker(wait, log):
    """Wait, and log what ends it and when the clean-up is over."""
    try:
        await wait()
    except asyncio.CancelledError as error:
        log.append((type(error), error.args))
        await asyncio.sleep(1)
        await trio.sleep(1)
        log.append(trio.current_time())
        raise


@either_wait
def test_the_scope_around_the_loop_is_cancelled(wait):
    """Every Task gets one CancelledError with trio's reason and may clean up in both worlds; then the scope catches."""
    log = []

    async def main():
        with trio.CancelScope() as host:
            async with trioasync.open_loop() as loop:
                trioasync.create_task(worker(wait, log))
                loop.call_later(1, lambda: host.cancel(reason="the reason"))
                await trio.sleep_forever()
        assert host.cancelled_caught
        assert loop.is_closed()

    run_plain_trio(main)
    (kind, (message,)), end = log
    assert kind is asyncio.CancelledError
    assert "the reason" in message
    assert end == 3


@either_wait
def test_a_sibling_of_the_loop_crashes(wait):
    """When a sibling of the task that opened the loop crashes, Tasks end cancelled, and the error goes on."""
    log = []

    async def crashes():
        await trio.sleep(1)
        raise KeyError("sibling")

    async def opens():
        async with trioasync.open_loop():
            trioasync.create_task(worker(wait, log))
            await trio.sleep_forever()

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(crashes)
            nursery.start_soon(opens)

    with pytest.RaisesGroup(pytest.RaisesExc(KeyError, match="sibling")):
        run_plain_trio(main)
    assert [log[0][0], log[1]] == [asyncio.CancelledError, 3]


@either_wait
def test_the_body_of_open_loop_raises(wait):
    """An error in the body of open_loop closes the loop in its phases, and comes out as it is."""
    log = []

    async def main():
        async with trioasync.open_loop():
            trioasync.create_task(worker(wait, log))
            await trio.sleep(1)
            raise KeyError("body")

    with pytest.raises(KeyError, match="body"):
        run_plain_trio(main)
    assert log == [(asyncio.CancelledError, ()), 3]


@either_wait
def test_the_body_of_open_loop_ends(wait):
    """At the end of the body Tasks are cancelled and waited for, as asyncio.run does."""
    log = []

    async def main():
        async with trioasync.open_loop():
            trioasync.create_task(worker(wait, log))
            await asyncio.sleep(1)
        return trio.current_time()

    assert run_plain_trio(main) == 3
    assert log == [(asyncio.CancelledError, ()), 3]


def test_the_body_waits_in_asyncio_when_the_host_is_cancelled():
    """A body that waits for a future or for a Task is cancelled with the scope around the loop."""
    log = []

    async def main():
        for start in (lambda: asyncio.get_running_loop().create_future(), lambda: asyncio.create_task(trio.sleep(100))):
            with trio.move_on_after(1) as host:
                async with trioasync.open_loop():
                    try:
                        await start()
                    except trioasync.ScopeCancelled:
                        log.append(now())
                        raise
            assert host.cancelled_caught

    run_plain_trio(main)
    assert log == [1, 2]


@pytest.mark.parametrize("in_trio", [False, True], ids=["asyncio", "trio"])
@pytest.mark.parametrize(
    ("error", "told"), [(KeyboardInterrupt, ("cancelled due to KeyboardInterrupt",)), (SystemExit, ())]
)
def test_an_exit_out_of_a_task_ends_the_program(error, told, in_trio):
    """KeyboardInterrupt and SystemExit out of a Task end the body, the other Tasks, and come out of the program."""
    log = []

    async def exits():
        await (trio.sleep if in_trio else asyncio.sleep)(1)
        raise error

    async def main():
        async with trioasync.open_loop():
            trioasync.create_task(worker(lambda: asyncio.sleep(100), log))
            task = trioasync.create_task(exits())
            task.add_done_callback(lambda task: task.exception())
            await trio.sleep_forever()

    with pytest.raises(error):
        run_plain_trio(main)
    assert log == [(asyncio.CancelledError, told), 3]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_exit_out_of_a_callback_ends_the_program(error):
    """KeyboardInterrupt and SystemExit out of a callback end the body, and come out of the program."""

    def exits():
        raise error

    async def main():
        async with trioasync.open_loop() as loop:
            loop.call_later(1, exits)
            await trio.sleep_forever()

    with pytest.raises(error):
        run_plain_trio(main)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_exit_out_of_a_plain_trio_task_is_its_nurserys(error):
    """KeyboardInterrupt and SystemExit out of a child of a nursery come in the nursery's group, as in trio."""

    async def exits():
        await asyncio.sleep(1)
        raise error

    async def main():
        async with trioasync.open_loop(), trio.open_nursery() as nursery:
            nursery.start_soon(exits)
            nursery.start_soon(asyncio.sleep, 100)

    with pytest.RaisesGroup(error):
        run_plain_trio(main)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_exit_out_of_a_trio_child_of_a_task(error):
    """KeyboardInterrupt and SystemExit out of a trio child of a Task come out of the Task in its nursery's group."""

    async def exits():
        await trio.sleep(1)
        raise error

    async def in_task():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(exits)
            nursery.start_soon(trio.sleep, 100)

    async def main():
        async with trioasync.open_loop():
            with pytest.RaisesGroup(error):
                await trioasync.create_task(in_task())

    run_plain_trio(main)
