"""What a Future says about its state, and what it refuses."""

import asyncio
import contextlib
import gc

import pytest

from tests.support.outcomes import outcome_of
from tests.support.parity import by_python, parity

REFUSED = ("InvalidStateError", ("invalid state",))
STOP_ITERATION_WORDS = "StopIteration interacts badly with generators and cannot be raised into a Future"


@parity(
    returns=(
        False,
        False,
        ("InvalidStateError", ("Result is not set.",)),
        ("InvalidStateError", ("Exception is not set.",)),
    )
)
async def test_a_pending_future_refuses_to_give_a_result_or_an_exception(aio):
    """result() and exception() of a pending future raise InvalidStateError with asyncio's words."""
    future = aio.get_running_loop().create_future()
    return future.done(), future.cancelled(), outcome_of(future.result), outcome_of(future.exception)


@parity(returns=((REFUSED, REFUSED), "first", None, True, False))
async def test_a_result_is_set_once(aio):
    """A second set_result or set_exception raises InvalidStateError and leaves the first result."""
    future = aio.get_running_loop().create_future()
    assert future.set_result("first") is None
    refusals = outcome_of(future.set_result, "second"), outcome_of(future.set_exception, ValueError())
    return refusals, future.result(), future.exception(), future.done(), future.cancelled()


@parity(returns=(REFUSED, REFUSED))
async def test_a_cancelled_future_refuses_a_result(aio):
    """set_result on a cancelled future raises InvalidStateError."""
    future = aio.get_running_loop().create_future()
    future.cancel()
    return outcome_of(future.set_result, 1), outcome_of(future.set_exception, ValueError())


@parity(returns=([True, False, False, False], True, False, "ValueError('x')"))
async def test_cancel_tells_whether_it_did_something(aio):
    """cancel() is True for a pending future and False for one that is done in any way."""
    loop = aio.get_running_loop()
    pending, finished, failed = loop.create_future(), loop.create_future(), loop.create_future()
    finished.set_result(1)
    failed.set_exception(ValueError("x"))
    answers = [pending.cancel(), pending.cancel(), finished.cancel(), failed.cancel()]
    return answers, pending.cancelled(), finished.cancelled(), repr(failed.exception())


@parity(returns=[("CancelledError", ("first",))] * 3)
async def test_the_first_cancel_message_counts(aio):
    """The message of the cancel() that cancelled is the argument of every CancelledError of that future."""
    future = aio.get_running_loop().create_future()
    future.cancel("first")
    future.cancel("second")
    return [outcome_of(future.result), outcome_of(future.result), outcome_of(future.exception)]


@pytest.mark.parametrize("message", [None, "", 0, ("a", "tuple"), ["a list"]], ids=repr)
@parity(returns=True)
async def test_a_cancel_message_may_be_any_object(aio, message):
    """A message travels untouched; None means no argument at all."""
    future = aio.get_running_loop().create_future()
    future.cancel(msg=message)
    assert future._cancel_message is message
    return outcome_of(future.result) == ("CancelledError", () if message is None else (message,))


@parity(returns=True)
async def test_a_cancelled_future_raises_asyncios_cancelled_error(aio):
    """The exception class is the one that `asyncio.CancelledError` names, and nothing more special."""
    future = aio.get_running_loop().create_future()
    future.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await future
    return type(caught.value) is asyncio.CancelledError is aio.CancelledError


@parity(returns=(ValueError, ("ValueError", ())))
async def test_an_exception_class_is_instantiated(aio):
    """set_exception takes a class as well as an instance."""
    future = aio.get_running_loop().create_future()
    future.set_exception(ValueError)
    return type(future.exception()), outcome_of(future.result)


@pytest.mark.parametrize("value", [3, "text", int, None])
@parity(returns=(("TypeError", ("invalid exception object",)), False))
async def test_what_is_no_exception_is_refused(aio, value):
    """set_exception of something that is not an exception raises TypeError and leaves the future pending."""
    future = aio.get_running_loop().create_future()
    return outcome_of(future.set_exception, value), future.done()


@pytest.mark.parametrize("exception", [StopIteration, StopIteration(1)], ids=["class", "instance"])
@parity(
    returns=by_python(
        {(3, 10): ("TypeError", (STOP_ITERATION_WORDS,)), (3, 12, 2): ("RuntimeError", (STOP_ITERATION_WORDS,))}
    )
)
async def test_stop_iteration_is_refused(aio, exception):
    """A StopIteration never gets through a future: older Pythons refuse it, newer ones put it into a RuntimeError."""
    future = aio.get_running_loop().create_future()
    refusal = outcome_of(future.set_exception, exception)
    if not future.done():
        return refusal
    assert refusal is None
    stored = future.exception()
    assert isinstance(stored.__cause__, StopIteration)
    assert stored.__context__ is stored.__cause__
    return outcome_of(future.result)


@parity(returns=[1, 1, 1])
async def test_each_result_call_raises_the_same_exception_object(aio):
    """result() raises the stored object itself, and its traceback does not grow with each call."""
    future, stored = aio.get_running_loop().create_future(), ValueError("x")
    future.set_exception(stored)
    depths = []
    for _ in range(3):
        with pytest.raises(ValueError) as caught:
            future.result()
        assert caught.value is stored
        depth, traceback = 0, caught.value.__traceback__
        while traceback is not None:
            depth, traceback = depth + 1, traceback.tb_next
        depths.append(depth)
    return depths


@parity(returns=[True, True, True])
async def test_get_loop_names_the_loop(aio):
    """get_loop() gives the loop that made the future, inside and outside a task."""
    loop = aio.get_running_loop()
    return [future.get_loop() is loop for future in (loop.create_future(), aio.Future(), aio.Future(loop=loop))]


@parity(returns=("TypeError", ("Future() takes no positional arguments",)))
async def test_the_constructor_takes_the_loop_by_keyword_only(aio):
    """Future(loop) is a TypeError."""
    return outcome_of(aio.Future, aio.get_running_loop())


@parity(events=[1, "the next turn", 2])
async def test_a_future_awaits_without_yielding_when_done(aio, log):
    """Awaiting a done future goes on in the same turn; a pending one costs a turn."""
    loop = aio.get_running_loop()
    done, later = loop.create_future(), loop.create_future()
    done.set_result(1)
    loop.call_soon(log, "the next turn")
    loop.call_soon(later.set_result, 2)
    log(await done)
    log(await later)


@parity(events=[(0, "r", "r"), (1, "r", "r"), (2, "r", "r")])
async def test_a_future_can_be_awaited_by_many_tasks_and_many_times(aio, log):
    """Each waiter gets the one result, in the order in which they began to wait."""
    loop = aio.get_running_loop()
    future = loop.create_future()

    async def waiter(number):
        log(number, await future, await future)

    tasks = [loop.create_task(waiter(number)) for number in range(3)]
    loop.call_soon(future.set_result, "r")
    for task in tasks:
        await task


@parity(returns=[True, True, True, False, False, False])
async def test_isfuture_goes_by_the_protocol(aio):
    """isfuture looks for `_asyncio_future_blocking` on the class and a value that is not None."""

    class Foreign:
        _asyncio_future_blocking = False

    class Denying:
        _asyncio_future_blocking = None

    loop = aio.get_running_loop()
    task = loop.create_task(aio.sleep(0))
    answers = [aio.isfuture(thing) for thing in (loop.create_future(), task, Foreign(), Denying(), Foreign, 1)]
    await task
    return answers


@parity(returns=((int,), (int,)))
def test_future_and_task_are_generic_at_run_time(aio):
    """Future[int] and Task[int] can be written in annotations."""
    return aio.Future[int].__args__, aio.Task[int].__args__


@parity(returns=(42, True))
async def test_a_subclass_of_future_is_a_future(aio):
    """A subclass can override set_result and be awaited."""

    class Doubling(aio.Future):
        def set_result(self, result):
            super().set_result(2 * result)

    future = Doubling()
    aio.get_running_loop().call_soon(future.set_result, 21)
    return await future, isinstance(future, asyncio.Future)


@parity(returns=("ValueError", ("_log_traceback can only be set to False",)))
async def test_log_traceback_can_only_be_switched_off(aio):
    """`_log_traceback = True` raises ValueError."""
    future = aio.get_running_loop().create_future()
    future._log_traceback = False
    return outcome_of(setattr, future, "_log_traceback", True)


@parity(returns=(1, ["InvalidStateError('invalid state')"]))
async def test_a_result_set_twice_in_one_turn_reaches_the_exception_handler(aio):
    """The second of two set_result calls scheduled for one turn fails in its callback, and is reported."""
    loop, reports = aio.get_running_loop(), []
    loop.set_exception_handler(lambda loop, context: reports.append(repr(context["exception"])))
    future = loop.create_future()
    loop.call_soon(future.set_result, 1)
    loop.call_soon(future.set_result, 2)
    return await future, await aio.sleep(0, reports)


@parity(returns=(1, ("CancelledError", ("why",)), 1))
def test_a_future_made_for_a_loop_that_is_not_running(aio):
    """A future can be made, cancelled and asked about while its loop does not run."""
    with contextlib.closing(aio.new_event_loop()) as loop:
        future, cancelled = loop.create_future(), loop.create_future()
        future.set_result(1)
        cancelled.cancel("why")
        return future.result(), outcome_of(cancelled.result), loop.run_until_complete(future)


@parity()
async def test_a_forgotten_pending_future_leaves_no_trace(aio):
    """A future that nobody waits for is collected in silence."""
    aio.get_running_loop().create_future().add_done_callback(print)
    gc.collect()
