"""Futures of other kinds: concurrent.futures, wrap_future, and classes that only follow asyncio's protocol."""

import asyncio
import concurrent.futures
import contextlib
import threading

from tests.support.outcomes import outcome_of, outcome_of_await
from tests.support.parity import by_python, parity


class Foreign:
    """A future of another library: asyncio's awaiting protocol, callbacks through the loop, and nothing else."""

    def __init__(self, loop):
        self.loop, self.callbacks, self.outcome, self.cancel_calls = loop, [], None, []
        self._asyncio_future_blocking = False

    _asyncio_future_blocking = False

    def get_loop(self):
        return self.loop

    def add_done_callback(self, callback, *, context=None):
        self.callbacks.append((callback, context))

    def cancel(self, *args, **kwargs):
        self.cancel_calls.append((args, kwargs))
        self.resolve(asyncio.CancelledError("from the foreign future"))
        return True

    def resolve(self, outcome):
        self.outcome = outcome
        for callback, context in self.callbacks:
            self.loop.call_soon(callback, self, context=context)

    def result(self):
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome

    def __await__(self):
        if self.outcome is None:
            self._asyncio_future_blocking = True
            yield self
        return self.result()


@parity(returns="r")
async def test_a_task_awaits_a_foreign_future(aio):
    """A task waits on any object that follows the `_asyncio_future_blocking` protocol."""
    loop = aio.get_running_loop()
    foreign = Foreign(loop)
    loop.call_later(1, foreign.resolve, "r")

    async def waiter():
        return await foreign

    return await aio.create_task(waiter())


@parity(returns=("ValueError", ("x",)))
async def test_a_foreign_future_can_fail(aio):
    """The exception of a foreign future is raised in the task that awaits it."""
    loop = aio.get_running_loop()
    foreign = Foreign(loop)
    loop.call_soon(foreign.resolve, ValueError("x"))
    return await outcome_of_await(foreign)


@parity(returns=(False, True, 1))
async def test_the_blocking_flag_is_taken_back(aio):
    """The task clears `_asyncio_future_blocking` when it begins to wait, and adds one callback."""
    loop = aio.get_running_loop()
    foreign = Foreign(loop)

    async def waiter():
        await foreign

    task = aio.create_task(waiter())
    await aio.sleep(0)
    seen = foreign._asyncio_future_blocking, task._fut_waiter is foreign, len(foreign.callbacks)
    foreign.resolve("r")
    await task
    return seen


@parity(
    returns=by_python(
        {
            (3, 10): (True, ("CancelledError", ()), True),
            (3, 11): (True, ("CancelledError", ("from the foreign future",)), True),
        }
    )
)
async def test_cancel_reaches_a_foreign_future(aio):
    """Task.cancel() calls cancel() of the foreign future, once, and what that raises is what the task sees."""
    foreign = Foreign(aio.get_running_loop())

    async def waiter():
        await foreign

    task = aio.create_task(waiter())
    await aio.sleep(0)
    accepted = task.cancel()
    outcome = await outcome_of_await(task)
    return accepted, outcome, len(foreign.cancel_calls) == 1 and task.cancelled()


@parity(returns=True)
async def test_a_foreign_future_is_a_future_to_ensure_future(aio):
    """ensure_future hands an object of the protocol back as it is."""
    foreign = Foreign(aio.get_running_loop())
    return aio.ensure_future(foreign) is foreign


@parity(returns=["r", "s"])
async def test_gather_and_wait_for_take_foreign_futures(aio):
    """gather() waits on a foreign future that also knows exception() and cancelled()."""
    loop = aio.get_running_loop()

    class Complete(Foreign):
        def exception(self):
            return None

        def cancelled(self):
            return False

        def done(self):
            return self.outcome is not None

    first, second = Complete(loop), Complete(loop)
    loop.call_soon(second.resolve, "s")
    loop.call_later(1, first.resolve, "r")
    return await aio.gather(first, second)


@parity(returns=42)
async def test_wrap_future_gives_the_result_of_a_concurrent_future(aio):
    """wrap_future makes a future of the loop that follows the concurrent one."""
    source = concurrent.futures.Future()
    wrapped = aio.wrap_future(source)
    assert (wrapped.get_loop(), wrapped.done()) == (aio.get_running_loop(), False)
    source.set_result(42)
    return await wrapped


@parity(returns=("ZeroDivisionError", ("x",)))
async def test_wrap_future_passes_an_exception_on(aio):
    """The exception object itself arrives."""
    source = concurrent.futures.Future()
    source.set_exception(ZeroDivisionError("x"))
    return await outcome_of_await(aio.wrap_future(source))


@parity(returns=("CancelledError", ()))
async def test_cancelling_the_concurrent_future_cancels_the_wrapping_one(aio):
    """A cancelled source arrives as asyncio's CancelledError."""
    source = concurrent.futures.Future()
    wrapped = aio.wrap_future(source)
    source.cancel()
    return await outcome_of_await(wrapped)


@parity(returns=(True, True))
async def test_cancelling_the_wrapping_future_cancels_the_concurrent_one(aio):
    """cancel() travels from the loop's future to the concurrent one, a turn later."""
    source = concurrent.futures.Future()
    wrapped = aio.wrap_future(source)
    wrapped.cancel()
    await aio.sleep(0)
    return wrapped.cancelled(), source.cancelled()


@parity(returns=(True, False, True))
async def test_a_running_concurrent_future_outlives_the_cancelled_wrapping_one(aio):
    """A concurrent future that runs cannot be cancelled; its late result disturbs nobody."""
    source = concurrent.futures.Future()
    source.set_running_or_notify_cancel()
    wrapped = aio.wrap_future(source)
    wrapped.cancel()
    await aio.sleep(0)
    cancelled = wrapped.cancelled(), source.cancelled()
    source.set_result(1)
    await aio.sleep(0)
    return *cancelled, wrapped.cancelled()


@parity(
    returns=[
        ("CancelledError", ("in the concurrent one",)),
        ("InvalidStateError", ("in the concurrent one",)),
        ("TimeoutError", ("in the concurrent one",)),
    ]
)
async def test_exceptions_of_concurrent_futures_become_asyncios(aio):
    """CancelledError, InvalidStateError and TimeoutError of concurrent.futures arrive as those of asyncio."""
    outcomes = []
    for name in ("CancelledError", "InvalidStateError", "TimeoutError"):
        source = concurrent.futures.Future()
        source.set_exception(getattr(concurrent.futures, name)("in the concurrent one"))
        try:
            await aio.wrap_future(source)
        except getattr(asyncio, name) as raised:
            outcomes.append((type(raised).__name__, raised.args))
    return outcomes


@parity(returns=[("AssertionError", ("concurrent.futures.Future is expected, got 1",)), True])
async def test_wrap_future_takes_futures_only(aio):
    """A future of asyncio comes back as it is; anything but a concurrent future is refused."""
    future = aio.get_running_loop().create_future()
    return [outcome_of(aio.wrap_future, 1), aio.wrap_future(future) is future]


@parity(returns="from a thread", clock="real")
async def test_a_concurrent_future_is_resolved_in_a_thread(aio):
    """A result set in another thread wakes the idle loop."""
    source = concurrent.futures.Future()
    thread = threading.Thread(target=source.set_result, args=("from a thread",))
    wrapped = aio.wrap_future(source)
    aio.get_running_loop().call_soon(thread.start)
    result = await wrapped
    thread.join()
    return result


@parity(events=by_python({(3, 10): ["callback", ("result", 1)], (3, 14): [("result", 1), "callback"]}))
async def test_a_result_of_the_source_reaches_the_wrapping_future_as_that_python_hands_it_over(aio, log):
    """A result set in the loop's own thread is handed over in a later turn up to 3.13, and at once from 3.14 on."""
    loop = aio.get_running_loop()
    source = concurrent.futures.Future()
    wrapped = aio.wrap_future(source)
    source.set_result(1)
    loop.call_soon(log, "callback")
    log("result", await wrapped)
    await aio.sleep(0)


@parity(returns="late")
def test_a_wrapped_future_is_awaited_in_a_later_run(aio):
    """The source may finish while the loop does not run; the next run takes notice."""
    with contextlib.closing(aio.new_event_loop()) as loop:
        source = concurrent.futures.Future()
        wrapped = aio.wrap_future(source, loop=loop)
        source.set_result("late")
        return loop.run_until_complete(wrapped)


@parity(events=[])
def test_a_source_that_finishes_after_the_loop_is_closed_is_let_go(aio, log):
    """A concurrent future that finishes later than the loop meets no error."""
    loop = aio.new_event_loop()
    source = concurrent.futures.Future()
    wrapped = aio.wrap_future(source, loop=loop)
    loop.call_soon(wrapped.cancel)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert wrapped.cancelled()
    outcome = outcome_of(source.set_result, 1) if not source.cancelled() else None
    if outcome is not None:
        log(outcome)


@parity(returns=("in the thread", "done in the loop"), clock="real")
async def test_run_coroutine_threadsafe_gives_a_concurrent_future(aio):
    """A thread waits on the concurrent future of a coroutine that runs in the loop."""
    loop, answers = aio.get_running_loop(), []

    async def work():
        await aio.sleep(0)
        return "done in the loop"

    def in_a_thread():
        future = aio.run_coroutine_threadsafe(work(), loop)
        assert isinstance(future, concurrent.futures.Future)
        answers.append(future.result(5))
        return "in the thread"

    return await loop.run_in_executor(None, in_a_thread), answers[0]
