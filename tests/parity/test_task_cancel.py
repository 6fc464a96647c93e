"""Task.cancel(): when the CancelledError arrives, what a task can do with it, and how requests are counted."""

import asyncio

import pytest

from tests.support.outcomes import outcome_of, outcome_of_await
from tests.support.parity import by_python, parity


@parity(returns=(True, True, False, True))
async def test_cancel_ends_a_sleeping_task(aio):
    """cancel() answers True while the task is not done and False afterwards."""
    task = aio.create_task(aio.sleep(100))
    await aio.sleep(1)
    accepted = task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return accepted, task.cancelled(), task.cancel(), task.done()


@parity(events=["cancel", "main goes on", "cancelled"])
async def test_the_cancelled_error_comes_in_a_later_turn(aio, log):
    """cancel() throws nothing itself: the future is cancelled, and the task is woken in the next turn."""

    async def child():
        try:
            await aio.sleep(100)
        finally:
            log("cancelled")

    task = aio.create_task(child())
    await aio.sleep(0)
    log("cancel")
    task.cancel()
    log("main goes on")
    await outcome_of_await(task)


@parity(events=["ended"], returns=True)
async def test_a_task_cancelled_before_its_first_step_never_runs_its_body(aio, log):
    """A task cancelled before its first step never runs its body."""

    async def child():
        log("never")

    task = aio.create_task(child())
    task.cancel()
    await outcome_of_await(task)
    log("ended")
    return task.cancelled()


@parity(returns=by_python({(3, 10): ("CancelledError", ()), (3, 11): ("CancelledError", ("early",))}))
async def test_a_cancel_before_the_first_step_keeps_its_message(aio):
    """The message of a cancel before the first step arrives in whoever awaits the task."""
    task = aio.create_task(aio.sleep(0))
    task.cancel("early")
    return await outcome_of_await(task)


@parity(returns=(5, False, 1), since=(3, 11))
async def test_a_task_may_swallow_its_cancellation(aio):
    """A task that catches CancelledError and returns is finished, not cancelled; the request stays counted."""

    async def child():
        try:
            await aio.sleep(100)
        except asyncio.CancelledError:
            return 5

    task = aio.create_task(child())
    await aio.sleep(0)
    task.cancel()
    return await task, task.cancelled(), task.cancelling()


@parity(events=["first", "second", 7], seconds=3)
async def test_each_cancel_arrives_once(aio, log):
    """A task that swallowed one cancellation can wait again, and be cancelled again."""

    async def child():
        for name in ("first", "second"):
            try:
                await aio.sleep(100)
            except asyncio.CancelledError:
                log(name)
        await aio.sleep(1)
        return 7

    task = aio.create_task(child())
    for _ in range(2):
        await aio.sleep(1)
        task.cancel()
    log(await task)


@parity(events=[("caught", ("one",)), "slept", "cleaned up", True], seconds=2)
async def test_clean_up_may_await(aio, log):
    """After the CancelledError, awaits work again: a cancellation arrives once and not at every await."""

    async def child():
        try:
            await aio.sleep(100)
        except asyncio.CancelledError as raised:
            log("caught", raised.args)
            await aio.sleep(1)
            log("slept")
            raise
        finally:
            await aio.sleep(0)
            log("cleaned up")

    task = aio.create_task(child())
    await aio.sleep(1)
    task.cancel("one")
    await outcome_of_await(task)
    log(task.cancelled())


@parity(events=[("first", ("one",)), ("second", ("two",))], seconds=2)
async def test_a_cancel_during_the_clean_up_of_another_arrives_too(aio, log):
    """A second cancel() interrupts the await of a clean-up."""

    async def child():
        try:
            await aio.sleep(100)
        except asyncio.CancelledError as raised:
            log("first", raised.args)
            try:
                await aio.sleep(100)
            except asyncio.CancelledError as again:
                log("second", again.args)
                raise

    task = aio.create_task(child())
    await aio.sleep(1)
    task.cancel("one")
    await aio.sleep(1)
    task.cancel("two")
    await outcome_of_await(task)


@parity(returns=[("one",), "no second one"])
async def test_two_cancels_before_the_wake_up_are_one(aio):
    """cancel() twice before the task runs again throws one CancelledError: the future keeps the first message."""
    seen = []

    async def child():
        try:
            await aio.sleep(100)
        except asyncio.CancelledError as raised:
            seen.append(raised.args)
        await aio.sleep(0)
        seen.append("no second one")

    task = aio.create_task(child())
    await aio.sleep(0)
    task.cancel("one")
    task.cancel("two")
    await outcome_of_await(task)
    return seen


@parity(returns=by_python({(3, 10): ("CancelledError", ()), (3, 11): ("CancelledError", ("later",))}))
async def test_of_two_cancels_of_a_task_that_is_about_to_run_the_last_message_counts(aio):
    """A task in the ready queue keeps the message of the latest cancel()."""
    task = aio.create_task(aio.sleep(1))
    task.cancel("earlier")
    task.cancel("later")
    return await outcome_of_await(task)


@parity(returns=(("CancelledError", ("self",)), True))
async def test_a_task_may_cancel_itself(aio):
    """A task that cancels itself meets the CancelledError at its next await that waits."""

    async def child():
        aio.current_task().cancel("self")
        return await outcome_of_await(aio.sleep(0))

    task = aio.create_task(child())
    return await task, not task.cancelled()


@parity(returns=(True, True))
async def test_a_task_that_cancels_itself_and_returns_is_cancelled(aio):
    """A cancel() that found no await any more makes the end of the task a cancellation."""

    async def child():
        aio.current_task().cancel("self")
        return 1

    task = aio.create_task(child())
    await aio.sleep(0)
    return task.done(), task.cancelled()


@parity(returns=(("ValueError", ("x",)), False))
async def test_an_exception_after_a_cancel_of_oneself_wins(aio):
    """A task that cancels itself and then fails has failed."""

    async def child():
        aio.current_task().cancel()
        raise ValueError("x")

    task = aio.create_task(child())
    return await outcome_of_await(task), task.cancelled()


@parity(returns=(("CancelledError", ()), True, [True]))
async def test_awaiting_a_done_future_is_no_place_for_a_cancellation(aio):
    """A pending cancellation waits for an await that really waits."""
    went_on = []

    async def child():
        done = aio.get_running_loop().create_future()
        done.set_result(1)
        aio.current_task().cancel()
        went_on.append(await done == 1)
        await aio.sleep(100)

    task = aio.create_task(child())
    return await outcome_of_await(task), task.cancelled(), went_on


@parity(returns=(("CancelledError", ()), "the result was there"))
async def test_a_result_and_a_cancel_in_one_turn_give_a_cancellation(aio):
    """A task whose future has its result, but which has not run yet, is still cancelled by cancel()."""
    loop = aio.get_running_loop()
    future = loop.create_future()

    async def child():
        await future

    task = aio.create_task(child())
    await aio.sleep(0)
    future.set_result("the result was there")
    task.cancel()
    return await outcome_of_await(task), future.result()


@parity(returns=(("CancelledError", ()), "ValueError('x')"))
async def test_an_exception_and_a_cancel_in_one_turn_give_a_cancellation(aio):
    """The CancelledError replaces an exception that the task has not met yet."""
    future = aio.get_running_loop().create_future()

    async def child():
        await future

    task = aio.create_task(child())
    await aio.sleep(0)
    future.set_exception(ValueError("x"))
    task.cancel()
    return await outcome_of_await(task), repr(future.exception())


@parity(returns=("CancelledError", ()))
async def test_cancelling_a_task_cancels_what_it_awaits(aio):
    """cancel() goes down the chain of awaited tasks to the future at its end."""
    future = aio.get_running_loop().create_future()

    async def inner():
        await future

    async def outer():
        await aio.create_task(inner())

    task = aio.create_task(outer())
    await aio.sleep(0)
    await aio.sleep(0)
    task.cancel()
    outcome = await outcome_of_await(task)
    assert future.cancelled()
    return outcome


@parity(events=["inner", "outer", "main"])
async def test_a_cancelled_chain_unwinds_from_the_inside(aio, log):
    """The innermost task ends first, then the one that awaits it."""

    async def inner():
        try:
            await aio.sleep(100)
        finally:
            log("inner")

    async def outer():
        try:
            await aio.create_task(inner())
        finally:
            log("outer")

    task = aio.create_task(outer())
    await aio.sleep(1)
    task.cancel()
    await outcome_of_await(task)
    log("main")


@parity(returns=("the inner one went on", False))
async def test_an_inner_task_that_swallows_the_cancel_keeps_the_outer_one_going(aio):
    """cancel() of a task is passed to the awaited task, and lost if that one swallows it."""

    async def inner():
        try:
            await aio.sleep(100)
        except asyncio.CancelledError:
            return "the inner one went on"

    async def outer():
        return await aio.create_task(inner())

    task = aio.create_task(outer())
    await aio.sleep(1)
    task.cancel()
    return await task, task.cancelled()


@parity(since=(3, 11), returns=[0, 1, 2, 1, 0, 0])
async def test_cancel_and_uncancel_count(aio):
    """cancelling() counts the requests; uncancel() takes one back and never goes below zero."""
    task = aio.create_task(aio.sleep(100))
    counts = [task.cancelling()]
    for change in (task.cancel, task.cancel, task.uncancel, task.uncancel, task.uncancel):
        change()
        counts.append(task.cancelling())
    task.cancel()
    await outcome_of_await(task)
    return counts


@parity(since=(3, 11), returns=by_python({(3, 10): ("CancelledError", ()), (3, 13): "went on"}))
async def test_uncancel_to_zero_takes_back_a_cancel_that_was_not_delivered(aio):
    """From 3.13 on, a cancel() taken back before the task ran again is not delivered."""

    async def child():
        aio.current_task().cancel()
        aio.current_task().uncancel()
        await aio.sleep(0)
        return "went on"

    return await outcome_of_await(aio.create_task(child()))


@parity(since=(3, 11), returns=(1, 1, 0))
async def test_a_swallowed_cancel_stays_counted_until_uncancel(aio):
    """Only uncancel() lowers the count, not the delivery."""

    async def child():
        task = aio.current_task()
        with pytest.raises(asyncio.CancelledError):
            await aio.sleep(100)
        counts = [task.cancelling()]
        await aio.sleep(1)
        counts.append(task.cancelling())
        return *counts, task.uncancel()

    task = aio.create_task(child())
    await aio.sleep(1)
    task.cancel()
    return await task


@parity(since=(3, 11), returns=(1, 1))
async def test_a_cancel_of_a_done_task_does_not_count(aio):
    """cancelling() of a task that is done does not grow."""
    task = aio.create_task(aio.sleep(100))
    task.cancel()
    await outcome_of_await(task)
    before = task.cancelling()
    task.cancel()
    return before, task.cancelling()


@parity(returns=True)
async def test_a_coroutine_that_raises_cancelled_error_itself_ends_cancelled(aio):
    """CancelledError out of the coroutine is a cancellation, whoever raised it."""

    async def child():
        raise asyncio.CancelledError("made by hand")

    task = aio.create_task(child())
    await outcome_of_await(task)
    return task.cancelled()


@parity(returns=("ValueError", ("raised instead",)))
async def test_another_exception_may_replace_the_cancellation(aio):
    """A clean-up that fails makes the task fail."""

    async def child():
        try:
            await aio.sleep(100)
        finally:
            raise ValueError("raised instead")

    task = aio.create_task(child())
    await aio.sleep(0)
    task.cancel()
    return await outcome_of_await(task)


@parity(returns=True)
async def test_another_exception_has_the_cancellation_as_context(aio):
    """The CancelledError is the context of the exception that replaced it."""

    async def child():
        try:
            await aio.sleep(100)
        finally:
            raise ValueError

    task = aio.create_task(child())
    await aio.sleep(0)
    task.cancel("context")
    await outcome_of_await(task)
    return repr(task.exception().__context__) == "CancelledError('context')"


@parity(returns=["child", "test_the_traceback"])
async def test_the_traceback_of_a_cancelled_task_shows_where_it_was_cancelled(aio):
    """The frames of the task's own coroutine are in the traceback, or in that of the context, of the CancelledError."""

    async def child():
        await aio.sleep(100)

    task = aio.create_task(child())
    await aio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError as raised:
        names = list(names_of_frames(raised))
    assert "sleep" in names
    return [name for name in ("child",) if name in names] + [name[:18] for name in names if "traceback_of" in name][:1]


def names_of_frames(exception):
    """Yield the function names of the frames in the traceback of an exception and of its contexts."""
    while exception is not None:
        traceback = exception.__traceback__
        while traceback is not None:
            yield traceback.tb_frame.f_code.co_name
            traceback = traceback.tb_next
        exception = exception.__context__


@parity(returns=(True, ["done callback"]))
async def test_a_done_callback_of_a_cancelled_task_runs(aio):
    """Callbacks run for a cancelled task as for any other."""
    seen = []
    task = aio.create_task(aio.sleep(100))
    task.add_done_callback(lambda done: seen.append("done callback"))
    task.cancel()
    await outcome_of_await(task)
    await aio.sleep(0)
    return task.cancelled(), seen


@parity(returns=[True, None, False])
async def test_the_private_names_that_libraries_read_are_there(aio):
    """`_must_cancel`, `_fut_waiter` and `_log_destroy_pending` can be read."""
    task = aio.create_task(aio.sleep(100))
    before = task._fut_waiter
    task.cancel()
    must_cancel = task._must_cancel
    await outcome_of_await(task)
    assert task._log_destroy_pending is True
    return [must_cancel, before, task._must_cancel]


@parity(returns=("CancelledError", ()), seconds=1)
async def test_a_task_waiting_on_a_bare_yield_is_cancelled_at_its_next_turn(aio):
    """sleep(0) is a place where a cancellation arrives."""

    async def child():
        while True:
            await aio.sleep(0)

    task = aio.create_task(child())
    aio.get_running_loop().call_later(1, task.cancel)
    await aio.sleep(0)
    loop = aio.get_running_loop()
    loop.call_soon(task.cancel)
    outcome = await outcome_of_await(task)
    await aio.sleep(1)
    return outcome


@parity(returns=[("InvalidStateError", ("invalid state",)), True])
async def test_a_cancelled_future_under_a_task_ends_the_task_cancelled(aio):
    """Cancelling the future that a task awaits cancels the task, without a request being counted."""
    future = aio.get_running_loop().create_future()

    async def child():
        await future

    task = aio.create_task(child())
    await aio.sleep(0)
    future.cancel("the future")
    await outcome_of_await(task)
    return [outcome_of(future.set_result, 1), task.cancelled()]
