"""What ends a trio program ends the Tasks of its loop: each is told once, with trio's words, and nothing hangs."""

import asyncio
import sys
import threading

import pytest
import trio

import trioasync
from tests.mixing.ways import now, real, run_plain_trio


async def in_nursery():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)


async def in_lock(lock):
    async with lock:
        await asyncio.sleep(1000)


WAITS = {
    "future": lambda: asyncio.get_running_loop().create_future(),
    "Task": lambda: trioasync.create_task(asyncio.sleep(1000)),
    "gather": lambda: asyncio.gather(asyncio.sleep(1000), trio.sleep(1000)),
    "timeout": lambda: asyncio.wait_for(trio.sleep(1000), 1000),
    "Queue": lambda: asyncio.Queue().get(),
    "Lock": lambda: in_lock(asyncio.Lock()),
    "trio.sleep": lambda: trio.sleep(1000),
    "trio.Event": lambda: trio.Event().wait(),
    "trio.Lock": lambda: in_lock(trio.Lock()),
    "nursery": lambda: in_nursery(),
}
every_wait = pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)


async def worker(wait, log):
    """Wait; then clean up with awaits of both worlds, and log what came."""
    try:
        await wait()
    except asyncio.CancelledError as error:
        log.append((type(error), *error.args))
        for _ in range(3):
            await asyncio.sleep(0.1)
            await trio.sleep(0.1)
            await asyncio.sleep(0)
            await trio.lowlevel.checkpoint()
        log.append("cleaned up")
        raise


def told(log):
    """Return the one message that a worker was told."""
    (kind, *message), end = log
    assert (kind, end) == (asyncio.CancelledError, "cleaned up")
    if sys.version_info < (3, 11) and not message:
        pytest.skip("a Task that is awaited passes the message of a cancellation on since 3.11")
    return " ".join(message)


@every_wait
def test_each_task_is_told_once_with_the_reason(wait):
    """Wherever a Task waits, it sees one CancelledError with trio's text, and its clean-up is left alone."""
    log = []

    async def main():
        with trio.CancelScope() as host:
            async with trioasync.open_loop() as loop:
                trioasync.create_task(worker(wait, log))
                loop.call_later(1, lambda: host.cancel(reason="the reason"))
                await trio.sleep_forever()
        assert host.cancelled_caught

    run_plain_trio(main)
    assert "the reason" in told(log)


@every_wait
def test_a_loop_that_is_opened_in_a_cancelled_scope(wait):
    """It is opened, its body is cancelled at the first await, and it closes."""
    log = []

    async def main():
        with trio.CancelScope() as host:
            host.cancel(reason="from the beginning")
            async with trioasync.open_loop() as loop:
                loop.call_soon(lambda: trioasync.create_task(worker(wait, log)))
                for _ in range(9):
                    await trio.lowlevel.cancel_shielded_checkpoint()
                await trio.lowlevel.checkpoint()
        assert host.cancelled_caught
        assert loop.is_closed()

    run_plain_trio(main)
    assert "from the beginning" in told(log)


@pytest.mark.parametrize("ending", ["nursery", "swallowed", "returned"])
def test_the_reason_is_told_however_the_body_ends(ending):
    """The body is in a nursery of its own, it swallows the cancellation, or it returns when it was cancelled."""
    log = []

    async def main():
        with trio.move_on_after(1) as host:
            async with trioasync.open_loop():
                trioasync.create_task(worker(WAITS["future"], log))
                if ending == "nursery":
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(trio.sleep_forever)
                        nursery.start_soon(asyncio.sleep, 1000)
                elif ending == "swallowed":
                    try:
                        await trio.sleep_forever()
                    except trio.Cancelled:
                        pass
                else:
                    with trio.CancelScope(shield=True):
                        await trio.sleep(2)
        assert host.cancel_called
        await trio.sleep(1)

    run_plain_trio(main)
    assert told(log) == "cancelled due to deadline"


def test_a_body_that_is_shielded_keeps_the_loop_open():
    """The Tasks live on until the body has ended."""
    log = []

    async def main():
        with trio.move_on_after(1):
            async with trioasync.open_loop():
                trioasync.create_task(worker(WAITS["future"], log))
                with trio.CancelScope(shield=True):
                    assert await trioasync.create_task(asyncio.sleep(5, "served")) == "served"
                assert log == []

    run_plain_trio(main)
    assert told(log) == "cancelled due to deadline"


def test_late_tasks_are_told_the_reason_too():
    """A Task that another one starts in its clean-up is cancelled with the same words."""
    log = []

    async def starts_another():
        try:
            await asyncio.sleep(1000)
        finally:
            trioasync.create_task(worker(WAITS["future"], log))
            await asyncio.sleep(1)

    async def main():
        with trio.move_on_after(1):
            async with trioasync.open_loop():
                trioasync.create_task(starts_another())
                await trio.sleep_forever()

    run_plain_trio(main)
    assert told(log) == "cancelled due to deadline"


def test_the_hosts_own_exception_goes_on():
    """What comes out of the block is the very exception that has ended it."""
    seen = []

    async def main():
        with trio.move_on_after(1):
            try:
                async with trioasync.open_loop():
                    trioasync.create_task(worker(WAITS["future"], []))
                    try:
                        await trio.sleep_forever()
                    except trio.Cancelled as inside:
                        seen.append(inside)
                        raise
            except trio.Cancelled as outside:
                seen.append(outside)
                raise
        error = KeyError("the same")
        with pytest.raises(KeyError) as caught:
            async with trioasync.open_loop():
                raise error
        assert caught.value is error

    run_plain_trio(main)
    assert seen[0] is seen[1]


def test_an_exit_in_asyncio_code_keeps_the_error_of_the_body():
    """SystemExit in a callback ends the body; what the body then raises is the context of the SystemExit."""

    async def main():
        async with trioasync.open_loop() as loop:
            loop.call_later(1, sys.exit, 3)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                try:
                    await trio.sleep_forever()
                finally:
                    raise ValueError("in the clean-up")

    with pytest.raises(SystemExit) as caught:
        run_plain_trio(main)
    assert caught.value.code == 3
    assert [error.args for error in caught.value.__context__.exceptions if type(error) is ValueError] == [
        ("in the clean-up",)
    ]


def test_a_cancellation_from_another_thread():
    """A thread that cancels the scope around the loop, with the loop in a trio run in a second thread."""
    log = []

    async def main():
        with trio.CancelScope() as host:
            async with trioasync.open_loop():
                trioasync.create_task(worker(WAITS["nursery"], log))
                token = trio.lowlevel.current_trio_token()
                cancels = threading.Thread(
                    target=trio.from_thread.run_sync, args=[host.cancel], kwargs={"trio_token": token}
                )
                await asyncio.sleep(0)
                cancels.start()
                await trio.sleep_forever()
        cancels.join(10)

    runs = threading.Thread(target=trio.run, args=[main])
    runs.start()
    runs.join(10)
    assert not runs.is_alive()
    assert "explicit" in told(log)


def test_stop_does_not_stop_a_loop_that_closes():
    """loop.stop() in a Task's clean-up is no error, and the loop waits for the Tasks all the same."""
    log = []

    async def stops():
        try:
            await asyncio.sleep(1000)
        finally:
            for _ in range(3):
                asyncio.get_running_loop().stop()
                await asyncio.sleep(1)
            log.append(now())

    async def main():
        async with trioasync.open_loop():
            trioasync.create_task(stops())
            await trio.sleep(1)
        assert trio.current_time() == 4

    run_plain_trio(main)
    assert log == [4]


# -- plain trio tasks that outlive the loop


async def outlive(wait, log):
    """Run a plain trio task that begins to wait while a loop is open, beside it; the loop closes at 1."""

    async def outside():
        await trio.sleep(0.5)
        try:
            log.append(await wait())
        except (trio.Cancelled, Exception) as error:
            log.append(error)
            raise

    async with trio.open_nursery() as nursery:
        async with trioasync.open_loop():
            nursery.start_soon(outside)
            await trio.sleep(1)
        log.append("closed")
        await trio.sleep(1)
        nursery.cancel_scope.cancel()


def test_a_plain_trio_task_that_waits_for_a_loop_that_closes_is_told():
    """A future of a closed loop is never done: who awaits it in a task outside of the block gets an error."""
    log = []
    with pytest.RaisesGroup(pytest.RaisesExc(RuntimeError, match="start it in a nursery inside")):
        run_plain_trio(lambda: outlive(lambda: asyncio.get_running_loop().create_future(), log))
    assert "closed" in log


def test_a_plain_trio_task_that_awaits_a_task_when_the_loop_closes():
    """The Task is cancelled in the closing, which the task outside sees, as any awaiter does."""
    log = []

    async def main():
        async def wait():
            try:
                await trioasync.create_task(asyncio.sleep(1000))
            except asyncio.CancelledError:
                return "cancelled"

        await outlive(wait, log)

    run_plain_trio(main)
    assert log == ["cancelled", "closed"]


def test_a_plain_trio_task_that_yields_while_the_loop_closes_goes_on():
    """asyncio.sleep(0) outside of the block ends when the loop has no more turns."""
    log = []

    async def yields(loop):
        while not loop.is_closed():
            await asyncio.sleep(0)
        log.append("went on")

    async def main():
        async with trio.open_nursery() as nursery, trioasync.open_loop() as loop:
            nursery.start_soon(yields, loop)
            await trio.sleep(0.01)

    run_plain_trio(main, real)
    assert log == ["went on"]


def test_a_system_task_that_waits_for_a_loop_ends_with_the_run():
    """Trio cancels it at the end of the run, when nobody turns the loop any more."""
    log = []

    async def system_task(future):
        try:
            await future
        except trio.Cancelled:
            log.append("cancelled")
            raise

    async def main():
        async with trioasync.open_loop() as loop:
            trio.lowlevel.spawn_system_task(system_task, loop.create_future())
            await trio.sleep(1)
        await trio.sleep(1)
        log.append("end")

    run_plain_trio(main)
    assert log == ["end", "cancelled"]


def test_a_system_task_under_run_ends_with_the_run():
    """The same where trioasync.run has started the trio run."""
    log = []

    async def system_task(future):
        try:
            await future
        except trio.Cancelled:
            log.append("cancelled")
            raise

    async def main():
        trio.lowlevel.spawn_system_task(system_task, asyncio.get_running_loop().create_future())
        await asyncio.sleep(0.01)

    trioasync.run(main(), clock=real())
    assert log == ["cancelled"]
