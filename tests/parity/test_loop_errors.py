"""Bad input: each mistake gets asyncio's own error, to the letter."""

import asyncio
import contextlib

import pytest

from tests.support.outcomes import outcome_of, outcome_of_await
from tests.support.parity import by_python, parity

CLOSED = ("RuntimeError", ("Event loop is closed",))


async def nothing():
    """Do nothing."""


def closed_loop(aio):
    """Make a loop and close it."""
    loop = aio.new_event_loop()
    loop.close()
    return loop


@pytest.mark.parametrize("method", ["call_soon", "call_soon_threadsafe"])
@parity(returns=CLOSED)
def test_a_closed_loop_takes_no_callbacks(aio, method):
    """call_soon and call_soon_threadsafe of a closed loop raise RuntimeError('Event loop is closed')."""
    return outcome_of(getattr(closed_loop(aio), method), print)


@pytest.mark.parametrize("method", ["call_later", "call_at"])
@parity(returns=CLOSED)
def test_a_closed_loop_takes_no_timers(aio, method):
    """call_later and call_at of a closed loop raise as well."""
    return outcome_of(getattr(closed_loop(aio), method), 1, print)


@parity(returns=[CLOSED, CLOSED, CLOSED], warned=["RuntimeWarning: coroutine 'nothing' was never awaited"])
def test_a_closed_loop_cannot_run(aio):
    """run_forever, run_until_complete and create_task of a closed loop raise; a coroutine given to them is lost."""
    loop = closed_loop(aio)
    coroutine = nothing()
    outcomes = [outcome_of(loop.run_forever), outcome_of(loop.run_until_complete, coroutine)]
    coroutine.close()
    return [*outcomes, outcome_of(loop.create_task, nothing())]


@parity(returns=[False, True])
def test_a_closed_loop_still_makes_futures_and_knows_the_time(aio):
    """create_future() and time() of a closed loop work."""
    loop = closed_loop(aio)
    return [loop.create_future().done(), isinstance(loop.time(), float)]


@parity(
    returns=("RuntimeError", ("asyncio.run() cannot be called from a running event loop",)),
    warned=["RuntimeWarning: coroutine 'nothing' was never awaited"],
)
async def test_run_inside_a_running_loop_is_an_error(aio):
    """run() inside a run raises RuntimeError, and leaves its coroutine alone."""
    return outcome_of(aio.run, nothing())


@parity(since=(3, 11), returns=("RuntimeError", ("Runner.run() cannot be called from a running event loop",)))
async def test_runner_run_inside_a_running_loop_is_an_error(aio):
    """Runner.run() inside a run raises RuntimeError."""
    coroutine = nothing()
    outcome = outcome_of(aio.Runner().run, coroutine)
    coroutine.close()
    return outcome


@pytest.mark.parametrize("thing", [42, None, nothing, "text"], ids=["int", "None", "function", "str"])
@parity(returns=by_python({(3, 10): "ValueError", (3, 14): "TypeError"}))
def test_run_takes_coroutines_only(aio, thing):
    """run(42) raises the error of that Python."""
    kind, args = outcome_of(aio.run, thing)
    assert args in [
        (f"a coroutine was expected, got {thing!r}",),
        ("An asyncio.Future, a coroutine or an awaitable is required",),
    ]
    return kind


@parity(
    returns=[
        ("TypeError", ("a coroutine was expected, got 42",)),
        ("TypeError", ("a coroutine was expected, got None",)),
    ]
)
async def test_create_task_takes_coroutines_only(aio):
    """create_task(42) raises TypeError with the object."""
    return [outcome_of(aio.create_task, 42), outcome_of(aio.get_running_loop().create_task, None)]


@parity(returns="RuntimeError no running event loop", warned=["RuntimeWarning: coroutine 'nothing' was never awaited"])
def test_create_task_needs_a_running_loop(aio):
    """create_task outside a run raises RuntimeError('no running event loop')."""
    kind, args = outcome_of(aio.create_task, nothing())
    return f"{kind} {args[0]}"


@parity(returns=[("RuntimeError", ("no running event loop",))] * 3)
def test_functions_that_need_the_running_loop_say_so(aio):
    """get_running_loop(), current_task() and all_tasks() outside a run raise."""
    return [outcome_of(aio.get_running_loop), outcome_of(aio.current_task), outcome_of(aio.all_tasks)]


@parity(returns=("TypeError", "An asyncio.Future, a coroutine or an awaitable is required"))
async def test_ensure_future_takes_awaitables_only(aio):
    """ensure_future(42) raises TypeError."""
    kind, args = outcome_of(aio.ensure_future, 42)
    return kind, args[0]


@parity(returns=("ValueError", ("The future belongs to a different loop than the one specified as the loop argument",)))
async def test_ensure_future_checks_the_loop(aio):
    """ensure_future(future, loop=) with a loop that is not the future's raises ValueError."""
    with contextlib.closing(aio.new_event_loop()) as other:
        return outcome_of(aio.ensure_future, aio.get_running_loop().create_future(), loop=other)


@parity(returns=("TypeError", ("task factory must be a callable or None",)))
async def test_a_task_factory_must_be_callable(aio):
    """set_task_factory(42) raises TypeError."""
    return outcome_of(aio.get_running_loop().set_task_factory, 42)


@parity(returns=[("TypeError", "object int can't be used in 'await' expression")])
async def test_awaiting_something_else_is_pythons_own_error(aio):
    """`await 42` in a task fails as anywhere."""

    async def child():
        await 42

    kind, args = await outcome_of_await(aio.create_task(child()))
    return [(kind, args[0].replace("'int' object can't be awaited", "object int can't be used in 'await' expression"))]


@parity(returns=[True, True, True])
def test_a_refused_main_leaves_nothing_behind(aio):
    """After a failed run() no loop is running, and the next run() works."""

    async def fine():
        return True

    kind, _ = outcome_of(aio.run, 42)
    kind_again, _ = outcome_of(asyncio.get_running_loop)
    return [kind in ("ValueError", "TypeError"), kind_again == "RuntimeError", aio.run(fine())]


@parity(returns=[("ValueError", "negative")])
async def test_negative_counts_are_refused(aio):
    """Semaphore(-1) raises ValueError."""
    kind, _ = outcome_of(aio.Semaphore, -1)
    return [(kind, "negative")]


@parity(returns=[("TypeError", ()), "TypeError"])
async def test_a_non_iterable_is_refused(aio):
    """wait(42) and as_completed(42) raise TypeErrors."""
    kind, _ = await outcome_of_await(aio.wait(42))
    as_completed_kind, _ = outcome_of(lambda: list(aio.as_completed(42)))
    return [(kind, ()), as_completed_kind]
