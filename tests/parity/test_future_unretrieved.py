"""An exception that nobody looked at is reported when its Future or Task goes away."""

import contextlib
import functools
import gc

from tests.support.outcomes import outcome_of
from tests.support.parity import parity

REPORTED_KEYS = ["exception", "future", "message"]


def report_to(loop, log):
    """Have the loop's exception handler log message, exception and the keys of each report."""
    loop.set_exception_handler(
        lambda loop, context: log(context["message"], repr(context["exception"]), sorted(context))
    )


def pass_on(future, done):
    """Fail a future with the exception of another."""
    future.set_exception(done.exception())


async def lose(text="lost"):
    """Fail, for somebody who does not look."""
    raise ValueError(text)


@parity(events=[("Future exception was never retrieved", "ValueError('lost')", REPORTED_KEYS), "collected"])
async def test_a_future_whose_exception_nobody_looked_at_is_reported(aio, log):
    """The loop's exception handler gets message, exception and future."""
    loop = aio.get_running_loop()
    report_to(loop, log)
    loop.create_future().set_exception(ValueError("lost"))
    gc.collect()
    log("collected")


@parity(events=[("Task exception was never retrieved", "ValueError('lost')", REPORTED_KEYS), "collected"])
async def test_a_task_whose_exception_nobody_looked_at_is_reported(aio, log):
    """The same for a task, whose message says Task, as soon as the task is done and forgotten."""
    report_to(aio.get_running_loop(), log)
    aio.create_task(lose())
    await aio.sleep(0)
    await aio.sleep(0)
    gc.collect()
    log("collected")


@parity()
async def test_every_way_of_looking_retrieves_the_exception(aio):
    """result(), exception() and await each count as looking."""
    futures = [aio.get_running_loop().create_future() for _ in range(3)]
    for future in futures:
        future.set_exception(ValueError("seen"))
    outcome_of(futures[0].result)
    futures[1].exception()
    with contextlib.suppress(ValueError):
        await futures[2]


@parity(returns=False)
async def test_a_cancel_after_the_exception_counts_as_looking(aio):
    """cancel() on a failed future answers False and silences the report."""
    future = aio.get_running_loop().create_future()
    future.set_exception(ValueError("silenced"))
    return future.cancel()


@parity(logged=["ERROR Future exception was never retrieved"])
async def test_a_done_callback_alone_does_not_retrieve(aio):
    """A callback that does not ask for the exception does not silence it."""
    future = aio.get_running_loop().create_future()
    future.add_done_callback(lambda fut: None)
    future.set_exception(ValueError("lost"))
    await aio.sleep(0)


@parity()
async def test_a_cancelled_future_is_never_reported(aio):
    """Only exceptions are reported, not cancellations."""
    aio.get_running_loop().create_future().cancel()
    aio.create_task(aio.sleep(1)).cancel()
    await aio.sleep(0)


@parity(logged=["ERROR Promise exception was never retrieved"])
async def test_a_subclass_is_reported_by_its_name(aio):
    """The message begins with the name of the class."""

    class Promise(aio.Future):
        pass

    Promise(loop=aio.get_running_loop()).set_exception(ValueError("lost"))


@parity(logged=["ERROR Task exception was never retrieved"] * 3)
async def test_each_of_several_is_reported_once(aio):
    """Three forgotten failures are three records in the log."""
    for number in range(3):
        aio.create_task(lose(number))
    await aio.sleep(0)


@parity(logged=["ERROR Task exception was never retrieved"])
async def test_without_a_handler_the_report_is_an_error_in_the_log(aio):
    """The default handler writes one ERROR record of the logger `asyncio` with the task's repr and the exception."""
    aio.create_task(lose(), name="forgotten")
    await aio.sleep(0)


@parity(returns=[(["exception", "future", "message", "source_traceback"], True)], debug=True)
async def test_in_debug_mode_the_report_says_where_the_future_was_made(aio):
    """source_traceback is added when the loop is in debug mode, and ends where the future was made."""
    aio.get_running_loop().slow_callback_duration = 60  # to collect the garbage of a long test run takes its time
    loop, reports = aio.get_running_loop(), []
    loop.set_exception_handler(lambda loop, context: reports.append(context))
    aio.Future().set_exception(ValueError("lost"))
    gc.collect()
    name = test_in_debug_mode_the_report_says_where_the_future_was_made.__name__
    return [(sorted(context), context["source_traceback"][-1].name == name) for context in reports]


@parity(logged=["ERROR Future exception was never retrieved"])
def test_a_report_after_the_loop_is_closed_still_comes(aio):
    """A future that outlives its loop reports through it all the same."""
    loop = aio.new_event_loop()
    future = loop.create_future()
    future.set_exception(ValueError("lost"))
    loop.close()
    del future


@parity(events=["RuntimeError('refused')"])
async def test_a_failure_passed_on_to_a_future_is_reported_there_alone(aio, log):
    """An exception taken from a task and set on a future is the future's to report."""
    loop = aio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: log(repr(context["exception"])))

    async def refuse():
        raise RuntimeError("refused")

    task, future = aio.create_task(refuse()), loop.create_future()
    task.add_done_callback(functools.partial(pass_on, future))
    await aio.sleep(0)
    await aio.sleep(0)
    del task, future
    gc.collect()
