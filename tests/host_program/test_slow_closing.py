"""The log names the Tasks that keep a loop from closing, and where each is; they are waited for all the same."""

import asyncio
import inspect
import logging
import re
import threading

import pytest
import trio

import trioasync
from tests.mixing.ways import now, real, run_asyncio_program, run_plain_trio, virtual
from tests.support.observation import time_limit


@pytest.fixture
def logged(caplog):
    """The lines that asyncio's logger has got, each with the time that it tells."""

    def lines():
        texts = [record.getMessage() for record in caplog.records if record.name == "asyncio"]
        assert all(record.levelno == logging.WARNING for record in caplog.records)
        return texts

    return lines


def times(lines):
    """Return how long the loop had waited at each of the lines, in seconds."""
    return [float(re.match(r"Closing the loop has waited (\S+) s for ", line)[1]) for line in lines]


async def stubborn(seconds, end=None):
    """Swallow the cancellation, and go on for so many seconds."""
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        await in_a_function(seconds)
    return "waited for"


async def in_a_function(seconds):
    await asyncio.sleep(seconds)


def line_of(function, text):
    """Return the place of a line of a function, as the log tells it."""
    lines, first = inspect.getsourcelines(function)
    (number,) = [first + index for index, line in enumerate(lines) if text in line]
    return f"{__file__}:{number} in {function.__name__}"


# -- where it happens


def close_open_loop(start):
    """Close a loop that was opened in a trio program, with what `start` has started on it."""

    async def main():
        async with trioasync.open_loop() as loop:
            start(loop)
            await asyncio.sleep(1)
        return trio.current_time()

    return run_plain_trio(main)


def close_run(start):
    """The same with a loop that trioasync.run has made."""

    async def main():
        start(asyncio.get_running_loop())
        await asyncio.sleep(1)

    clock = virtual()
    with time_limit(10):
        trioasync.run(main(), clock=clock)
    return clock.current_time()


def close_runner(start):
    """The same with a Runner."""

    async def main():
        start(asyncio.get_running_loop())
        await asyncio.sleep(1)

    clock = virtual()
    with time_limit(10), trioasync.Runner(clock=clock) as runner:
        runner.run(main())
    return clock.current_time()


every_way = pytest.mark.parametrize("close", [close_open_loop, close_run, close_runner])


@every_way
def test_a_task_is_named_after_five_seconds_and_waited_for(close, logged):
    """The line has the Task's name and the user's line it waits at, and is the first of some in doubled time."""
    tasks = []
    ended = close(lambda loop: tasks.append(loop.create_task(stubborn(12), name="the stubborn one")))
    assert tasks[0].result() == "waited for"
    assert ended == 13
    first, _ = logged()
    assert times(logged()) == [5, 10]
    assert "cancelled tasks: 'the stubborn one' at " in first
    assert line_of(in_a_function, "asyncio.sleep(seconds)") in first


@every_way
def test_nothing_is_said_of_a_quick_end(close, logged):
    """A clean-up of less than five seconds is nobody's business, and no timer outlives the closing."""
    assert close(lambda loop: loop.create_task(stubborn(4.9))) == 5.9
    assert logged() == []


@every_way
@pytest.mark.parametrize(
    ("seconds", "expected"), [(1, [1, 2, 4, 8]), (0.5, [0.5, 1, 2, 4, 8]), (20, []), (None, []), (float("inf"), [])]
)
def test_the_loop_says_after_how_long(close, seconds, expected, logged):
    """loop.slow_closing_duration is in seconds, as loop.slow_callback_duration; None means never."""

    def start(loop):
        assert loop.slow_closing_duration == 5
        loop.slow_closing_duration = seconds
        loop.create_task(stubborn(12))

    assert close(start) == 13
    assert times(logged()) == expected


@every_way
def test_it_is_said_six_times_at_most(close, logged):
    """After that the loop waits in silence: on a virtual clock that jumps, time would never stop otherwise."""
    close(lambda loop: loop.create_task(stubborn(100_000)))
    assert times(logged()) == [5, 10, 20, 40, 80, 160]


def test_a_task_that_never_ends_does_not_make_a_virtual_clock_run_away(logged):
    """A program that waits for nothing but a thread stands still in virtual time after the last line."""
    said_all, may_end, seen = threading.Event(), [], []

    class Count(logging.Handler):
        def emit(self, record):
            seen.append(record)
            if len(seen) == 6:
                said_all.set()

    async def never_ends():
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            may_end.append(asyncio.get_running_loop().create_future())
            await may_end[0]

    async def main():
        async with trioasync.open_loop() as loop:
            trioasync.create_task(never_ends())
            await asyncio.sleep(1)

            def end_it():
                said_all.wait(10)
                loop.call_soon_threadsafe(lambda: loop.call_later(1, may_end[0].set_result, None))

            thread = threading.Thread(target=end_it)
            thread.start()
        thread.join(10)
        return trio.current_time()

    handler = Count()
    logging.getLogger("asyncio").addHandler(handler)
    try:
        assert run_plain_trio(main) == 1 + 160 + 1
    finally:
        logging.getLogger("asyncio").removeHandler(handler)
    assert len(logged()) == 6


def test_only_those_that_are_left_are_named(logged):
    """Ordered by name, ten at most."""

    def start(loop):
        for number in range(1, 15):
            loop.create_task(stubborn(7 if number < 13 else 12), name=f"worker-{number}")

    close_run(start)
    first, second = logged()
    assert re.findall(r"'worker-(\d+)'", first) == [str(number) for number in range(1, 11)]
    assert first.endswith("; and 4 more")
    assert re.findall(r"'worker-(\d+)'", second) == ["13", "14"]


async def in_trio():
    with trio.CancelScope(shield=True):
        await trio.sleep(30)


async def in_nursery():
    async with trio.open_nursery() as nursery:
        nursery.cancel_scope.shield = True
        await trio.sleep(30)


async def in_future():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(30, future.set_result, None)
    await future


@pytest.mark.parametrize("function", [in_trio, in_nursery, in_future])
def test_the_place_is_the_users_wherever_the_task_waits(function, logged):
    """In trio, in trio's shield, in a nursery, in a future: the line in the user's function."""
    text = "await future" if function is in_future else "await trio.sleep(30)"

    async def swallows():
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            await function()

    close_open_loop(lambda loop: loop.create_task(swallows()))
    assert len(logged()) >= 1
    assert all(line_of(function, text) in line for line in logged())


@every_way
def test_an_async_generator_that_does_not_end_is_named(close, logged):
    """The phase that finishes async generators says so with the generator's line."""
    keep = []

    def start(loop):
        async def iterates():
            keep.append(numbers())
            await keep[0].__anext__()

        loop.create_task(iterates())

    assert close(start) == 13
    assert times(logged()) == [5, 10]
    assert all("tasks that finish async generators: " in line for line in logged())
    assert all(line_of(numbers, "asyncio.sleep(12)") in line for line in logged())


async def numbers():
    try:
        yield 1
    finally:
        await asyncio.sleep(12)


def test_a_task_inside_trio_that_a_stopped_loop_waits_for_is_named(logged):
    """run_until_complete cannot leave a Task in a trio call: it is cancelled, and named if that takes long."""
    clock = virtual()
    with time_limit(10):
        loop = trioasync.EventLoop(clock=clock)

        async def main():
            loop.create_task(in_trio(), name="inside trio")
            await asyncio.sleep(1)

        loop.run_until_complete(main())
        loop.close()
    assert clock.current_time() == 30
    assert times(logged()) == [5, 10, 20]
    assert all("tasks that were cancelled inside trio: 'inside trio' at " in line for line in logged())


def test_it_is_asyncios_logger_in_real_time_too(logged):
    """The same on trio's own clock."""

    async def main():
        asyncio.get_running_loop().slow_closing_duration = 0.01
        asyncio.create_task(stubborn(0.05))
        await asyncio.sleep(0.001)

    run_asyncio_program(main, real)
    assert len(logged()) >= 1


def test_the_time_is_the_loops(logged):
    """now() and the lines agree: a line comes when the time has passed, not before."""
    seen = []

    class Clock(logging.Handler):
        def emit(self, record):
            seen.append(now())

    handler = Clock()
    logging.getLogger("asyncio").addHandler(handler)
    try:
        close_open_loop(lambda loop: loop.create_task(stubborn(12)))
    finally:
        logging.getLogger("asyncio").removeHandler(handler)
    assert seen == [6, 11]
