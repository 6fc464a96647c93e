"""shield(): protection in one direction, cancellation in the other, and what becomes of orphans."""

import gc

from tests.support.parity import CANCELLED, TIMED_OUT, parity, told


@parity(returns=3, seconds=1)
async def test_a_shielded_coroutine_runs_as_a_task(aio):
    """A coroutine given to shield() is scheduled as a Task; without a cancellation it is as if awaited directly."""
    return await aio.shield(aio.sleep(1, 3))


@parity(returns="builtins.ValueError('inner',)")
async def test_an_exception_comes_through(aio):
    """The exception of the inner task leaves shield()."""

    async def failing():
        raise ValueError("inner")

    return await told(aio.shield(failing()))


@parity(events=["caller", "inner went on", 3], returns=CANCELLED, seconds=2)
async def test_cancelling_the_caller_spares_the_inner_task(aio, log):
    """The caller is cancelled, its await raises CancelledError; for the inner task the cancellation did not happen."""

    async def something():
        await aio.sleep(2)
        log("inner went on")
        return 3

    async def caller():
        try:
            await aio.shield(task)
        except aio.CancelledError:
            log("caller")
            raise

    task = aio.create_task(something())
    calling = aio.create_task(caller())
    await aio.sleep(1)
    calling.cancel()
    outcome = await told(calling)
    log(await task)
    return outcome


@parity(returns=[CANCELLED, True, True], seconds=1)
async def test_cancelling_the_inner_task_cancels_the_shield(aio):
    """If the inner task is cancelled by other means, that cancels shield() too."""
    task = aio.create_task(aio.sleep(5))
    outer = aio.shield(task)
    await aio.sleep(1)
    task.cancel()
    return [await told(outer), outer.cancelled(), task.cancelled()]


@parity(returns=[True, True, False, "inner"])
async def test_cancelling_the_outer_future(aio):
    """shield() returns a Future: cancelling it leaves the inner one alone."""
    inner = aio.get_running_loop().create_future()
    outer = aio.shield(inner)
    answers = [outer.cancel(), outer.cancelled(), inner.cancelled()]
    inner.set_result("inner")
    await aio.sleep(0)
    return [*answers, await inner]


@parity(returns=[True, 3])
async def test_a_done_future_is_returned_itself(aio):
    """shield() of a future that is done gives that future."""
    done = aio.get_running_loop().create_future()
    done.set_result(3)
    return [aio.shield(done) is done, await aio.shield(done)]


@parity(returns=[1, 1, CANCELLED], seconds=2)
async def test_several_shields_around_one_task(aio):
    """Each shield of one task is cancelled by itself."""
    task = aio.create_task(aio.sleep(2, 1))
    shields = [aio.shield(task) for _ in range(3)]
    await aio.sleep(1)
    shields[2].cancel()
    return [await told(each) for each in shields]


@parity(
    returns=CANCELLED,
    logged=["ERROR Task exception was never retrieved"],
    seconds=2,
)
async def test_the_exception_of_an_orphan_is_logged(aio):
    """An exception of the inner task after its caller was cancelled is reported to the log."""

    async def failing():
        await aio.sleep(2)
        raise ValueError("orphan")

    async def caller():
        await aio.shield(failing())

    calling = aio.create_task(caller())
    await aio.sleep(1)
    calling.cancel()
    outcome = await told(calling)
    await aio.sleep(1)
    return outcome


@parity(returns=[CANCELLED, CANCELLED], seconds=2)
async def test_the_cancellation_of_an_orphan_is_not_logged(aio):
    """An inner task that is cancelled after its caller leaves no log record."""
    task = aio.create_task(aio.sleep(5))
    outer = aio.shield(task)
    await aio.sleep(1)
    outer.cancel()
    task.cancel()
    await aio.sleep(1)
    return [await told(outer), await told(task)]


@parity(returns="asyncio.exceptions.CancelledError('why',)")
async def test_the_message_reaches_the_caller(aio):
    """cancel(msg) of the caller arrives at its await of shield()."""
    inner = aio.get_running_loop().create_future()

    async def caller():
        return await told(aio.shield(inner))

    calling = aio.create_task(caller())
    await aio.sleep(1)
    calling.cancel("why")
    return await calling


@parity(returns=TIMED_OUT, events=["finished"], seconds=3)
async def test_shield_spares_a_task_from_wait_for(aio, log):
    """wait_for(shield(task), ...) raises TimeoutError without cancelling the task."""

    async def long():
        await aio.sleep(3)
        log("finished")

    task = aio.create_task(long())
    outcome = await told(aio.wait_for(aio.shield(task), 1))
    await task
    return outcome


@parity(raises=TypeError("An asyncio.Future, a coroutine or an awaitable is required"))
async def test_what_is_not_awaitable(aio):
    """Something that is no awaitable gets a TypeError at the call."""
    aio.shield(3)


@parity(returns="kept", events=["collected"], seconds=2)
async def test_a_reference_keeps_the_task(aio, log):
    """A shielded task of which a reference is kept survives a garbage collection while its caller is cancelled."""

    async def something():
        await aio.sleep(2)
        return "kept"

    async def caller():
        await aio.shield(task)

    task = aio.create_task(something())
    calling = aio.create_task(caller())
    await aio.sleep(1)
    calling.cancel()
    await told(calling)
    gc.collect()
    log("collected")
    return await task


@parity(returns=3)
def test_shield_without_a_running_loop(aio):
    """A future can be shielded before its loop runs."""
    loop = aio.new_event_loop()
    inner = loop.create_future()
    loop.call_later(1, inner.set_result, 3)
    try:
        return loop.run_until_complete(aio.shield(inner))
    finally:
        loop.close()


@parity(returns=[True, True])
async def test_shield_is_transparent_to_await_order(aio):
    """The outer future is resolved one turn after the inner one."""
    inner = aio.get_running_loop().create_future()
    outer = aio.shield(inner)
    inner.set_result(None)
    before = not outer.done()
    await aio.sleep(0)
    return [before, outer.done()]
