"""The check of trio's private names, and the errors for mistakes that asyncio does not know."""

import asyncio
import threading

import pytest
import trio

import trioasync
from trioasync import _trio

THIS_THREAD_RUNS_NONE = (
    "open_loop() opens a loop in a trio program, and this thread runs none. "
    "Start one with trio.run(), or run asyncio code with trioasync.run()."
)


def test_a_trio_that_lacks_a_name_is_refused_by_that_name(monkeypatch):
    """A loop is not made on a trio that has changed: the error names what is missing and what to install."""
    monkeypatch.delattr(trio.lowlevel.Task, "_attempt_delivery_of_any_pending_cancel")
    with pytest.raises(RuntimeError) as refused:
        trioasync.new_event_loop()
    assert str(refused.value) == (
        f"trio {trio.__version__} is not supported by this trioasync: it lacks "
        "Task._attempt_delivery_of_any_pending_cancel. "
        f"Install trio {_trio.OLDEST_TRIO} or newer (or a newer trioasync)."
    )


def test_open_loop_outside_of_trio_says_how_to_begin():
    """Awaited by hand, in a thread without trio, open_loop() names trio.run() and trioasync.run()."""
    refused = []

    def work():
        opening = trioasync.open_loop().__aenter__()
        try:
            opening.send(None)
        except RuntimeError as error:
            refused.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert refused == [THIS_THREAD_RUNS_NONE]


def test_open_loop_from_another_thread_than_the_programs_is_refused():
    """A worker thread of a program with an open loop has no loop of its own to open."""

    def work():
        with pytest.raises(RuntimeError, match="this thread runs none"):
            trioasync.open_loop().__aenter__().send(None)

    async def main():
        async with trioasync.open_loop():
            await trio.to_thread.run_sync(work)

    trio.run(main)


def test_a_loop_cannot_be_run_inside_trio():
    """run_until_complete() in a trio program names open_loop()."""

    async def main():
        loop = trioasync.new_event_loop()
        try:
            with pytest.raises(RuntimeError) as refused:
                loop.run_forever()
        finally:
            loop.close()
        return str(refused.value)

    assert trio.run(main) == (
        "This thread is inside trio.run() already, and a loop cannot start another trio run there. "
        "Use `async with trioasync.open_loop():` to run asyncio code in a trio program."
    )


def test_open_loop_inside_another_asyncio_loop_is_refused():
    """Trio as a guest of stock asyncio has a running loop already."""

    async def guest():
        with pytest.raises(RuntimeError, match="Cannot run the event loop while another loop is running"):
            async with trioasync.open_loop():
                pass

    async def host():
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        trio.lowlevel.start_guest_run(
            guest,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=done.set_result,
        )
        (await done).unwrap()

    asyncio.run(host())
