"""Done callbacks: when they run, in which order, in which context, and what happens when they fail."""

import contextvars
import functools

from tests.support.outcomes import outcome_of
from tests.support.parity import parity

var = contextvars.ContextVar("var", default="default")


@parity(events=["set", "before", ("a", True), ("b", True), ("c", True), "after"])
async def test_callbacks_run_in_order_in_the_next_turn(aio, log):
    """set_result schedules the callbacks, first added first, and calls none itself."""
    loop = aio.get_running_loop()
    future = loop.create_future()
    for name in "abc":
        future.add_done_callback(lambda fut, name=name: log(name, fut is future))
    loop.call_soon(log, "before")
    future.set_result(None)
    loop.call_soon(log, "after")
    log("set")
    await aio.sleep(0)


@parity(events=["added", "r"])
async def test_a_callback_added_to_a_done_future_runs_in_the_next_turn(aio, log):
    """add_done_callback never calls back at once."""
    loop = aio.get_running_loop()
    future = loop.create_future()
    future.set_result("r")
    future.add_done_callback(lambda fut: log(fut.result()))
    log("added")
    await aio.sleep(0)


@parity(events=["first callback", "first task", "second callback", "second task", "third callback"])
async def test_callbacks_and_waiting_tasks_share_one_order(aio, log):
    """A task that awaits a future takes its place among the done callbacks."""
    loop = aio.get_running_loop()
    future = loop.create_future()

    async def waiter(name):
        await future
        log(name)

    future.add_done_callback(lambda fut: log("first callback"))
    task = loop.create_task(waiter("first task"))
    await aio.sleep(0)
    future.add_done_callback(lambda fut: log("second callback"))
    other = loop.create_task(waiter("second task"))
    await aio.sleep(0)
    future.add_done_callback(lambda fut: log("third callback"))
    future.set_result(None)
    await aio.sleep(0)
    await task
    await other


@parity(returns=(["at adding"], "at the result"))
async def test_a_callback_runs_in_the_context_of_its_adding(aio):
    """Without context= a callback sees the variables as they were when it was added."""
    log = []
    future = aio.get_running_loop().create_future()
    var.set("at adding")
    future.add_done_callback(lambda fut: log.append(var.get()))
    var.set("at the result")
    future.set_result(None)
    await aio.sleep(0)
    return log, var.get()


@parity(returns=(["given", "set by the callback"], "set by the callback", "default"))
async def test_a_callback_runs_in_a_given_context(aio):
    """context= names the context; what the callback sets there stays there."""
    log = []
    future, context = aio.get_running_loop().create_future(), contextvars.copy_context()
    context.run(var.set, "given")

    def callback(fut):
        log.append(var.get())
        var.set("set by the callback")

    future.add_done_callback(callback, context=context)
    future.set_result(None)
    future.add_done_callback(lambda fut: log.append(var.get()), context=context)
    await aio.sleep(0)
    return log, context[var], var.get()


@parity(returns=["defaultx", "defaultxx", "defaultxxx"])
async def test_two_callbacks_share_one_reused_context(aio):
    """One Context may serve many callbacks and tasks, one after the other."""
    loop, context, log = aio.get_running_loop(), contextvars.copy_context(), []
    future = loop.create_future()

    def count(fut=None):
        var.set(var.get() + "x")
        log.append(var.get())

    future.add_done_callback(count, context=context)
    future.add_done_callback(count, context=context)
    loop.call_soon(count, context=context)
    future.set_result(None)
    await aio.sleep(0)
    return log


@parity(returns=([3, 0, 1], []))
async def test_removing_a_callback_removes_every_copy_of_it(aio):
    """remove_done_callback removes all equal callbacks and tells how many there were."""
    log = []
    future = aio.get_running_loop().create_future()
    for entry in (log.append, print, log.append, log.append):
        future.add_done_callback(entry)
    removed = [future.remove_done_callback(log.append), future.remove_done_callback(log.append)]
    removed.append(future.remove_done_callback(print))
    future.set_result(None)
    await aio.sleep(0)
    return removed, log


@parity(returns=(0, True))
async def test_a_scheduled_callback_cannot_be_removed(aio):
    """After set_result, remove_done_callback finds nothing and the callback still runs."""
    log = []
    future = aio.get_running_loop().create_future()
    future.add_done_callback(log.append)
    future.set_result(None)
    removed = future.remove_done_callback(log.append)
    await aio.sleep(0)
    return removed, log == [future]


@parity(returns=(1, 0))
async def test_removal_compares_by_equality(aio):
    """Two equal bound methods are the same callback; two partials are not."""

    class Owner:
        def method(self, future):
            raise AssertionError

    owner, future = Owner(), aio.get_running_loop().create_future()
    future.add_done_callback(owner.method)
    future.add_done_callback(functools.partial(print))
    return future.remove_done_callback(owner.method), future.remove_done_callback(functools.partial(print))


@parity(returns=("ZeroDivisionError", ("compared",)))
async def test_removal_survives_an_equality_that_raises(aio):
    """An error in a callback's __eq__ comes out of remove_done_callback."""

    class Awkward:
        def __eq__(self, other):
            raise ZeroDivisionError("compared")

        def __call__(self, future):
            raise AssertionError

    future = aio.get_running_loop().create_future()
    future.add_done_callback(Awkward())
    return outcome_of(future.remove_done_callback, Awkward())


@parity(
    events=[
        (
            ["exception", "handle", "message"],
            "ValueError('in the callback')",
            "Exception in callback test_a_failing_callback_",
        ),
        "the next",
    ]
)
async def test_a_failing_callback_is_reported_and_the_others_run(aio, log):
    """An exception in a done callback goes to the exception handler; the callbacks after it run in the same turn."""
    loop = aio.get_running_loop()
    loop.set_exception_handler(
        lambda loop, context: log(sorted(context), repr(context["exception"]), context["message"][:46])
    )
    future = loop.create_future()

    def failing(fut):
        raise ValueError("in the callback")

    future.add_done_callback(failing)
    future.add_done_callback(lambda fut: log("the next"))
    future.set_result(None)
    await aio.sleep(0)


@parity(events=["first", "a turn", "in between", "second"])
async def test_a_callback_may_add_another(aio, log):
    """A callback added by a callback runs one turn later."""
    loop = aio.get_running_loop()
    future = loop.create_future()

    def first(fut):
        log("first")
        loop.call_soon(log, "in between")
        fut.add_done_callback(lambda fut: log("second"))

    future.add_done_callback(first)
    future.set_result(None)
    await aio.sleep(0)
    log("a turn")
    await aio.sleep(0)


@parity(returns=["TypeError(\"'str' object is not callable\")"])
async def test_a_callback_that_is_no_callable_fails_when_it_is_called(aio):
    """add_done_callback takes anything; the call is what fails, and is reported."""
    loop, reports = aio.get_running_loop(), []
    loop.set_exception_handler(lambda loop, context: reports.append(repr(context["exception"])))
    future = loop.create_future()
    future.add_done_callback("text")
    future.set_result(None)
    await aio.sleep(0)
    return reports


@parity(returns=(None, [str, repr], None))
async def test_callbacks_are_listed_on_the_future(aio):
    """`_callbacks` holds callback and context, or None when there is nothing."""
    future = aio.get_running_loop().create_future()
    empty = future._callbacks
    future.add_done_callback(str)
    future.add_done_callback(repr)
    listed = [callback for callback, context in future._callbacks]
    future.cancel()
    return empty, listed, future._callbacks


@parity(events=[(True, ("CancelledError", ("m",)))])
async def test_a_callback_of_a_cancelled_future_sees_it_cancelled(aio, log):
    """cancel() schedules the callbacks like a result does."""
    future = aio.get_running_loop().create_future()
    future.add_done_callback(lambda fut: log(fut.cancelled(), outcome_of(fut.result)))
    future.cancel("m")
    await aio.sleep(0)
