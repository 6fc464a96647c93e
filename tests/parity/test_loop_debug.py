"""Debug mode: slow callbacks, checks of arguments, and where it is switched on."""

import logging
import re
import sys
import time

import pytest

from tests.support.outcomes import outcome_of
from tests.support.parity import parity, stable


def slow():
    """Block the loop for longer than it likes, in seconds."""
    time.sleep(0.06)


class Warnings(logging.Handler):
    """Keep the WARNING texts of the logger "asyncio", without times, and say nothing else."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.texts = []

    def emit(self, record):
        self.texts.append(re.sub(r"took [\d.]+ seconds", "took … seconds", stable(record.getMessage())))

    def __enter__(self):
        logger = logging.getLogger("asyncio")
        self.others = logger.handlers[:]
        logger.handlers[:] = [self]
        return self.texts

    def __exit__(self, *exc_info):
        logging.getLogger("asyncio").handlers[:] = self.others


@parity(
    clock="real",
    debug=True,
    returns=["Executing <Handle slow() at test_loop_debug.py:… created at test_loop_debug.py:…> took … seconds"],
)
async def test_a_slow_callback_is_logged(aio):
    """A callback that takes longer than slow_callback_duration seconds is a WARNING with its handle and time."""
    loop = aio.get_running_loop()
    loop.slow_callback_duration = 0.05
    with Warnings() as texts:
        loop.call_soon(slow)
        await aio.sleep(0)
        await aio.sleep(0)
    return [text for text in texts if "slow()" in text]  # a busy machine may be slow elsewhere


@parity(
    clock="real",
    debug=True,
    returns=["Executing <Task finished name='t' coro=<child() done, defined at test_loop_debug.py:…> result=None …"],
)
async def test_a_slow_step_of_a_task_is_logged_with_the_task(aio):
    """A slow step is logged with the repr of its task instead of the handle."""
    loop = aio.get_running_loop()
    loop.slow_callback_duration = 0.05

    async def child():
        slow()

    child.__qualname__ = "child"
    with Warnings() as texts:
        task = loop.create_task(child(), name="t")
        await aio.sleep(0)
        await aio.sleep(0)
    await task
    return [re.sub("created at .*", "…", text) for text in texts if "name='t'" in text]


@parity(clock="real", returns=[])
async def test_without_debug_mode_nobody_watches_the_time(aio):
    """A slow callback is not logged outside debug mode."""
    loop = aio.get_running_loop()
    loop.slow_callback_duration = 0.01
    with Warnings() as texts:
        loop.call_soon(slow)
        await aio.sleep(0)
        await aio.sleep(0)
    return [text for text in texts if "slow()" in text]  # a busy machine may be slow elsewhere


@parity(returns=[0.1, False, True, False])
def test_debug_mode_is_switched_by_set_debug(aio):
    """set_debug() switches, get_debug() tells; a callback is slow from 0.1 seconds on."""
    loop = aio.new_event_loop()
    seen = [loop.slow_callback_duration, loop.get_debug()]
    for enabled in (True, False):
        loop.set_debug(enabled)
        seen.append(loop.get_debug())
    loop.close()
    return seen


@pytest.mark.parametrize("debug", [True, False])
@parity(returns=True)
def test_run_switches_debug_mode(aio, debug):
    """run(main, debug=) sets the mode of its loop."""

    async def main():
        return aio.get_running_loop().get_debug()

    return aio.run(main(), debug=debug) is debug


METHODS = ("call_soon", "call_at", "call_soon_threadsafe")


@parity(
    debug=True,
    returns=[("TypeError", f"coroutines cannot be used with {name}()") for name in METHODS],
)
async def test_debug_mode_refuses_coroutine_functions_as_callbacks(aio):
    """A coroutine function as callback is a TypeError that names the method."""
    loop = aio.get_running_loop()

    async def coroutine_function():
        pass

    outcomes = [
        outcome_of(loop.call_soon, coroutine_function),
        outcome_of(loop.call_later, 1, coroutine_function),
        outcome_of(loop.call_soon_threadsafe, coroutine_function),
    ]
    return [(kind, args[0]) for kind, args in outcomes]


@parity(
    debug=True,
    returns=[("TypeError", f"a callable object was expected by {name}(), got 42") for name in METHODS],
)
async def test_debug_mode_refuses_what_cannot_be_called(aio):
    """A callback that is not callable is a TypeError that names method and object."""
    loop = aio.get_running_loop()
    outcomes = [
        outcome_of(loop.call_soon, 42),
        outcome_of(loop.call_later, 1, 42),
        outcome_of(loop.call_soon_threadsafe, 42),
    ]
    return [(kind, args[0]) for kind, args in outcomes]


@parity(returns=[0, 10, 0])
async def test_debug_mode_tracks_the_origin_of_coroutines(aio):
    """In debug mode coroutines remember where they were made, from the turn after set_debug() on."""
    loop = aio.get_running_loop()
    depths = [sys.get_coroutine_origin_tracking_depth()]
    for enabled in (True, False):
        loop.set_debug(enabled)
        await aio.sleep(0)
        await aio.sleep(0)
        depths.append(sys.get_coroutine_origin_tracking_depth())
    return depths


@parity(returns=[10, 0])
def test_the_tracking_of_origins_ends_with_the_run(aio):
    """Outside a run in debug mode the interpreter is as it was."""

    async def main():
        return sys.get_coroutine_origin_tracking_depth()

    return [aio.run(main(), debug=True), sys.get_coroutine_origin_tracking_depth()]


@parity(debug=True, returns=[True, False])
async def test_debug_mode_that_a_callback_switches_off_is_off_for_the_next(aio):
    """What callbacks report names the place where they were made as long as debug mode is on, within a turn too."""
    loop = aio.get_running_loop()

    def report():
        loop.call_exception_handler({"message": "reported"})

    with Warnings() as texts:
        loop.call_soon(report)
        loop.call_soon(loop.set_debug, False)
        loop.call_soon(report)
        await aio.sleep(0)
    return ["handle_traceback" in text for text in texts]
