"""wait_for(): results, timeouts of every kind, and cancellation from either side."""

from tests.support.parity import CANCELLED, TIMED_OUT, by_python, describe, parity, told


@parity(returns=[3, 3], seconds=2)
async def test_the_result_in_time(aio):
    """A coroutine or future that completes in time gives its result."""
    return [await aio.wait_for(aio.sleep(1, 3), 5), await aio.wait_for(aio.create_task(aio.sleep(1, 3)), timeout=5.0)]


@parity(returns=["end"], seconds=100)
async def test_timeout_none(aio):
    """With None for the timeout wait_for() blocks until the future completes."""
    return [await aio.wait_for(aio.sleep(100, "end"), None)]


@parity(returns="builtins.ValueError('x',)")
async def test_an_exception_passes(aio):
    """An exception of the coroutine passes through."""

    async def failing():
        raise ValueError("x")

    return await told(aio.wait_for(failing(), 1))


@parity(events=["cancelled", TIMED_OUT], seconds=1)
async def test_a_timeout_cancels_the_task(aio, log):
    """If a timeout occurs the task is cancelled and TimeoutError is raised."""

    async def long():
        try:
            await aio.sleep(5)
        except aio.CancelledError:
            log("cancelled")
            raise

    log(await told(aio.wait_for(long(), 1)))


@parity(returns=[True, True], seconds=1)
async def test_a_timeout_cancels_a_future(aio):
    """A future that is waited for is cancelled, too."""
    future = aio.get_running_loop().create_future()
    return [await told(aio.wait_for(future, 1)) == TIMED_OUT, future.cancelled()]


@parity(returns=("CancelledError", None), seconds=1)
async def test_the_cause_of_the_timeout(aio):
    """The TimeoutError has the CancelledError of the task as its cause."""
    try:
        await aio.wait_for(aio.sleep(5), 1)
    except aio.TimeoutError as error:
        return type(error.__cause__).__name__, error.__cause__.__cause__


@parity(events=["cancelled", "cleaned up", TIMED_OUT], seconds=4)
async def test_waits_until_the_future_is_cancelled(aio, log):
    """The function waits until the future is actually cancelled, so the total wait may exceed the timeout."""

    async def slow_to_end():
        try:
            await aio.sleep(5)
        except aio.CancelledError:
            log("cancelled")
            await aio.sleep(3)
            log("cleaned up")
            raise

    log(await told(aio.wait_for(slow_to_end(), 1)))


@parity(returns="builtins.ValueError('cleaning',)", seconds=1)
async def test_an_exception_during_cancellation(aio):
    """If an exception happens during cancellation it is propagated."""

    async def failing_to_clean_up():
        try:
            await aio.sleep(5)
        finally:
            raise ValueError("cleaning")

    return await told(aio.wait_for(failing_to_clean_up(), 1))


@parity(returns="in spite of it", seconds=1)
async def test_a_result_during_cancellation(aio):
    """A task that swallows the cancellation and returns gives its result."""

    async def swallowing():
        try:
            await aio.sleep(5)
        except aio.CancelledError:
            return "in spite of it"

    return await told(aio.wait_for(swallowing(), 1))


@parity(events=[("inner", CANCELLED), ("outer", CANCELLED)], seconds=1)
async def test_cancelling_the_wait_cancels_the_future(aio, log):
    """If the wait is cancelled, what it waits for is cancelled as well."""

    async def inner():
        log("inner", await told(aio.sleep(5)))
        raise aio.CancelledError

    async def outer():
        await aio.wait_for(inner(), 3)

    task = aio.create_task(outer())
    await aio.sleep(1)
    task.cancel()
    log("outer", await told(task))


@parity(
    events=by_python(
        {
            (3, 10): [("inner", CANCELLED), ("outer", CANCELLED)],
            (3, 11): [("inner", CANCELLED), ("outer", "asyncio.exceptions.CancelledError('why',)")],
            (3, 12): [
                ("inner", "asyncio.exceptions.CancelledError('why',)"),
                ("outer", "asyncio.exceptions.CancelledError('why',)"),
            ],
        }
    )
)
async def test_the_message_of_the_cancelled_wait(aio, log):
    """The message of cancel(msg) comes through to where that Python's wait_for() brings it."""

    async def inner():
        try:
            await aio.sleep(5)
        except aio.CancelledError as error:
            log("inner", describe(error))
            raise

    task = aio.create_task(aio.wait_for(inner(), 3))
    await aio.sleep(1)
    task.cancel("why")
    log("outer", await told(task))


@parity(events=["goes on"], returns=TIMED_OUT, seconds=5)
async def test_shield_avoids_the_cancellation(aio, log):
    """To avoid the cancellation of the task at a timeout, wrap it in shield()."""

    async def going_on():
        await aio.sleep(5)
        log("goes on")

    task = aio.create_task(going_on())
    outcome = await told(aio.wait_for(aio.shield(task), 1))
    await task
    return outcome


@parity(returns=[TIMED_OUT] * 3, seconds=0)
async def test_zero_and_negative_timeouts(aio, log):
    """A timeout of zero or less is over at once: a coroutine does not even start."""

    async def child():
        log("started")

    return [await told(aio.wait_for(child(), timeout)) for timeout in (0, -1, -0.5)]


@parity(returns=["done", "builtins.ValueError('x',)"], seconds=0)
async def test_zero_timeout_of_a_done_future(aio):
    """A future that is done gives its outcome whatever the timeout."""
    done, failed = (aio.get_running_loop().create_future() for _ in range(2))
    done.set_result("done")
    failed.set_exception(ValueError("x"))
    return [await told(aio.wait_for(done, 0)), await told(aio.wait_for(failed, -1))]


@parity(returns=[TIMED_OUT, True], seconds=2)
async def test_zero_timeout_waits_for_the_cancelled_inner(aio):
    """With a timeout of zero too the task is waited for until its cancellation is over."""

    async def slow_to_end():
        try:
            await aio.sleep(5)
        finally:
            await aio.sleep(2)

    task = aio.create_task(slow_to_end())
    await aio.sleep(0)
    return [await told(aio.wait_for(task, 0)), task.cancelled()]


@parity(returns=by_python({(3, 10): "result", (3, 12): TIMED_OUT}), seconds=1)
async def test_the_race_of_result_and_timeout(aio):
    """A future that is resolved in the turn of the timeout, before it, gives its result up to 3.11; then time wins."""
    loop = aio.get_running_loop()
    future = loop.create_future()
    loop.call_at(1, future.set_result, "result")
    return await told(aio.wait_for(future, 1))


@parity(returns=by_python({(3, 10): "result", (3, 12): CANCELLED}), seconds=1)
async def test_the_race_of_result_and_cancellation(aio):
    """A wait that is cancelled right after its future was resolved gives the result up to 3.11, then no more."""
    future = aio.get_running_loop().create_future()
    task = aio.create_task(aio.wait_for(future, 5))
    await aio.sleep(1)
    future.set_result("result")
    task.cancel()
    return await told(task)


@parity(returns=(CANCELLED, True, True))
async def test_the_inner_future_is_cancelled_by_others(aio):
    """A future that somebody else cancels cancels the wait: that is no timeout."""
    future = aio.get_running_loop().create_future()
    task = aio.create_task(aio.wait_for(future, 5))
    await aio.sleep(1)
    future.cancel()
    return await told(task), task.cancelled(), future.cancelled()


@parity(returns=["inner", TIMED_OUT], seconds=2)
async def test_nested_waits(aio):
    """The inner of two waits times out by itself; so does the outer one."""

    async def inner():
        try:
            await aio.wait_for(aio.sleep(9), 1)
        except aio.TimeoutError:
            return "inner"

    return [await aio.wait_for(inner(), 2), await told(aio.wait_for(aio.wait_for(aio.sleep(9), 5), 1))]


@parity(returns=by_python({(3, 10): [True, "Task"], (3, 12): [True, "same task"]}), seconds=0)
async def test_which_task_runs_the_coroutine(aio):
    """Up to 3.11 a coroutine is scheduled as a Task; since then it runs in the task that waits."""

    async def child():
        return aio.current_task()

    task = await aio.wait_for(child(), 5)
    return [isinstance(task, aio.Task), "same task" if task is aio.current_task() else "Task"]


@parity(
    returns=by_python(
        {
            (3, 10): "builtins.TypeError('An asyncio.Future, a coroutine or an awaitable is required',)",
            (3, 12): "builtins.TypeError(\"object int can't be used in 'await' expression\",)",
            (3, 14): "builtins.TypeError(\"'int' object can't be awaited\",)",
        }
    )
)
async def test_what_is_not_awaitable(aio):
    """Something that is no awaitable gets the TypeError of that Python."""
    return await told(aio.wait_for(3, 1))
