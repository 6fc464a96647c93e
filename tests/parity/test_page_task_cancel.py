"""Task.cancel(), cancelling() and uncancel(). More of it, lane by lane, is in test_task_*.py."""

from tests.support.parity import CANCELLED, by_python, describe, parity, told

WHY = "asyncio.exceptions.CancelledError('why',)"


@parity(events=["requested", "thrown", "cancelled"])
async def test_thrown_in_the_next_turn(aio, log):
    """cancel() arranges for a CancelledError to be thrown into the coroutine on the next cycle of the event loop."""

    async def child():
        try:
            await aio.sleep(3600)
        except aio.CancelledError:
            log("thrown")
            raise

    task = aio.create_task(child())
    await aio.sleep(0)
    task.cancel()
    log("requested")
    await aio.sleep(0)
    await told(task)
    log("cancelled")


@parity(returns=[True, False, True, False])
async def test_what_cancel_returns(aio):
    """cancel() is True while the task is not done, and False afterwards, when it does nothing."""
    pending, done = aio.create_task(aio.sleep(9)), aio.create_task(aio.sleep(0))
    await done
    answers = [pending.cancel(), done.cancel()]
    await told(pending)
    return [*answers, pending.cancelled(), pending.cancel()]


@parity(returns=[CANCELLED, True])
async def test_before_the_first_step(aio, log):
    """A task cancelled before its first step never runs its body."""

    async def child():
        log("ran")

    task = aio.create_task(child())
    task.cancel()
    return [await told(task), task.cancelled()]


@parity(events=["cleaning", "cleaned"], returns=(CANCELLED, True), seconds=2)
async def test_clean_up_can_await(aio, log):
    """The coroutine has a chance to clean up, and may await in doing so."""

    async def child():
        try:
            await aio.sleep(3600)
        finally:
            log("cleaning")
            await aio.sleep(1)
            log("cleaned")

    task = aio.create_task(child())
    await aio.sleep(1)
    task.cancel()
    return await told(task), task.cancelled()


@parity(returns=["denied", False])
async def test_suppressed(aio):
    """A coroutine may deny the request by suppressing the exception: then the task is not cancelled."""

    async def child():
        try:
            await aio.sleep(3600)
        except aio.CancelledError:
            return "denied"

    task = aio.create_task(child())
    await aio.sleep(1)
    task.cancel()
    return [await task, task.cancelled()]


@parity(events=["denied", "denied", "went on"], returns=None, seconds=4)
async def test_suppressed_twice(aio, log):
    """Each request throws one CancelledError; after it the coroutine can go on awaiting."""

    async def child():
        for _ in range(2):
            try:
                await aio.sleep(3600)
            except aio.CancelledError:
                log("denied")
        await aio.sleep(2)
        log("went on")

    task = aio.create_task(child())
    for _ in range(2):
        await aio.sleep(1)
        task.cancel()
    await task


@parity(returns=[True, CANCELLED, True])
async def test_the_awaited_future_is_cancelled(aio):
    """If the coroutine awaits a Future, that Future is cancelled."""
    future = aio.get_running_loop().create_future()

    async def child():
        await future

    task = aio.create_task(child())
    await aio.sleep(0)
    task.cancel()
    cancelled_at_once = future.cancelled()
    return [cancelled_at_once, await told(task), task.cancelled()]


@parity(events=[("inner", CANCELLED), ("outer", CANCELLED)], returns=[True, True])
async def test_an_awaited_task_is_cancelled(aio, log):
    """If it awaits a Task, the request goes to that one, from the innermost to the outermost."""

    async def child(name, awaitable):
        try:
            await awaitable
        except aio.CancelledError as error:
            log(name, describe(error))
            raise

    inner = aio.create_task(child("inner", aio.sleep(9)))
    outer = aio.create_task(child("outer", inner))
    await aio.sleep(1)
    outer.cancel()
    await told(outer)
    return [inner.cancelled(), outer.cancelled()]


@parity(events=by_python({(3, 10): [WHY, CANCELLED], (3, 11): [WHY, WHY]}))
async def test_the_message(aio, log):
    """cancel(msg) throws CancelledError(msg); since 3.11 it comes out of the task as well."""

    async def child():
        try:
            await aio.sleep(3600)
        except aio.CancelledError as error:
            log(describe(error))
            raise

    task = aio.create_task(child())
    await aio.sleep(1)
    task.cancel("why")
    log(await told(task))


@parity(returns="builtins.ValueError('instead',)")
async def test_an_exception_instead(aio):
    """A coroutine that answers with another exception fails with that one."""

    async def child():
        try:
            await aio.sleep(3600)
        finally:
            raise ValueError("instead")

    task = aio.create_task(child())
    await aio.sleep(1)
    task.cancel()
    return await told(task)


@parity(returns=[CANCELLED, True])
async def test_a_coroutine_that_raises_cancelled_error_itself(aio):
    """A coroutine that raises CancelledError without being asked ends cancelled."""

    async def child():
        raise aio.CancelledError

    task = aio.create_task(child())
    return [await told(task), task.cancelled()]


@parity(returns=CANCELLED, events=["still running"])
async def test_a_task_that_cancels_itself(aio, log):
    """A task that cancels itself gets the CancelledError at its next await that suspends."""

    async def child():
        aio.current_task().cancel()
        log("still running")
        await aio.sleep(0)
        log("never")

    return await told(aio.create_task(child()))


@parity(returns=[CANCELLED, True])
async def test_a_request_that_finds_no_await(aio):
    """A task that cancels itself and then returns without a suspension ends cancelled: its result is lost."""

    async def child():
        aio.current_task().cancel()
        return "result"

    task = aio.create_task(child())
    return [await told(task), task.cancelled()]


@parity(since=(3, 11), returns=[0, 1, 2, 1, 0, 0])
async def test_cancelling_and_uncancel(aio):
    """cancelling() counts the requests, uncancel() takes one back and never goes below zero."""
    task = aio.create_task(aio.sleep(9))
    await aio.sleep(0)
    counts = [task.cancelling()]
    for _ in range(2):
        task.cancel()
        counts.append(task.cancelling())
    counts += [task.uncancel() for _ in range(3)]
    await told(task)
    return counts


@parity(since=(3, 11), events=["timed out", 0, "unaffected"], seconds=2)
async def test_structured_code_uncancels(aio, log):
    """A block that caught the cancellation it asked for itself takes it back: what comes after is unaffected."""

    async def child():
        try:
            async with aio.timeout(1):
                await aio.sleep(3600)
        except aio.TimeoutError:
            log("timed out")
        log(aio.current_task().cancelling())
        async with aio.TaskGroup() as group:
            group.create_task(aio.sleep(1))
        log("unaffected")

    await aio.create_task(child())


@parity(since=(3, 11), returns=by_python({(3, 10): [CANCELLED, 0], (3, 13): ["result", 0]}))
async def test_uncancel_before_the_delivery(aio):
    """Since 3.13 uncancel() to zero takes back a request that was not delivered yet; before, it only counts."""

    async def child():
        aio.current_task().cancel()
        aio.current_task().uncancel()
        await aio.sleep(0)
        return "result"

    task = aio.create_task(child())
    return [await told(task), task.cancelling()]
