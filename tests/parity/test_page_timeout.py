"""timeout() and timeout_at(): expiry, rescheduling, nesting, and whose cancellation it is."""

from tests.support.parity import CANCELLED, TIMED_OUT, describe, parity, told


async def expire(aio, delay, sleeping=3600):
    """Sleep inside timeout(delay)."""
    async with aio.timeout(delay):
        await aio.sleep(sleeping)
    return "in time"


@parity(since=(3, 11), returns=["in time", TIMED_OUT], seconds=2)
async def test_expiry(aio):
    """At the timeout the body is cancelled and TimeoutError leaves the context manager."""
    return [await told(expire(aio, 5, sleeping=1)), await told(expire(aio, 1))]


@parity(since=(3, 11), returns=("in time", None, False), seconds=100)
async def test_none(aio):
    """With None there is no time limit."""
    async with aio.timeout(None) as limit:
        await aio.sleep(100)
    return "in time", limit.when(), limit.expired()


@parity(since=(3, 11), returns=[11.5, 11.5, False, True], seconds=11.5)
async def test_timeout_at(aio):
    """timeout_at() takes the time on the clock of the loop at which to stop waiting."""
    loop = aio.get_running_loop()
    await aio.sleep(10)
    limit = aio.timeout_at(loop.time() + 1.5)
    expired = [limit.expired()]
    try:
        async with limit:
            await aio.sleep(3600)
    except aio.TimeoutError:
        expired.append(limit.expired())
    return [limit.when(), loop.time(), *expired]


@parity(since=(3, 11), returns=("in time", 5.0, False), seconds=4)
async def test_reschedule(aio):
    """reschedule() sets another deadline while the body runs."""
    async with aio.timeout(1) as limit:
        limit.reschedule(aio.get_running_loop().time() + 5)
        await aio.sleep(4)
    return "in time", limit.when(), limit.expired()


@parity(since=(3, 11), returns=[TIMED_OUT, "in time"], seconds=3)
async def test_reschedule_from_and_to_none(aio):
    """A limit that was None gets a deadline, one that had one loses it."""

    async def to_a_deadline():
        async with aio.timeout(None) as limit:
            limit.reschedule(1)
            await aio.sleep(3600)

    async def to_none():
        async with aio.timeout(1) as limit:
            limit.reschedule(None)
            await aio.sleep(2)
        return "in time"

    return [await told(to_a_deadline()), await told(to_none())]


@parity(since=(3, 11), returns=[TIMED_OUT] * 3, seconds=0)
async def test_a_deadline_in_the_past(aio):
    """A deadline that is over cancels the body at its first await."""
    return [await told(expire(aio, delay)) for delay in (0, -1, -0.5)]


@parity(since=(3, 11), events=["ran"], seconds=0)
async def test_a_body_without_await(aio, log):
    """A body that does not suspend is not interrupted, whatever the deadline."""
    async with aio.timeout(0):
        log("ran")


@parity(since=(3, 11), returns=[TIMED_OUT, True, False], seconds=1)
async def test_the_inner_of_two(aio):
    """The inner of two limits expires alone: the outer body goes on."""
    async with aio.timeout(5) as outer:
        try:
            async with aio.timeout(1) as inner:
                await aio.sleep(3600)
        except aio.TimeoutError as error:
            outcome = describe(error)
    return [outcome, inner.expired(), outer.expired()]


@parity(since=(3, 11), returns=[TIMED_OUT, True, False], seconds=1)
async def test_the_outer_of_two(aio):
    """The outer of two limits expires through the inner one, which does not claim it."""

    async def nested():
        async with aio.timeout(1) as nested.outer, aio.timeout(5) as nested.inner:
            await aio.sleep(3600)

    outcome = await told(nested())
    return [outcome, nested.outer.expired(), nested.inner.expired()]


@parity(since=(3, 11), returns=[CANCELLED, True], seconds=1)
async def test_a_cancellation_by_others(aio):
    """A cancellation that the limit did not ask for leaves it as CancelledError."""
    task = aio.create_task(expire(aio, 5))
    await aio.sleep(1)
    task.cancel()
    return [await told(task), task.cancelled()]


@parity(since=(3, 11), returns=[CANCELLED, 1], seconds=1)
async def test_a_cancellation_at_the_same_time(aio):
    """Where the task is cancelled by others as well, CancelledError wins and stays counted."""
    task = aio.create_task(expire(aio, 1))
    aio.get_running_loop().call_at(1, task.cancel)
    return [await told(task), task.cancelling()]


@parity(since=(3, 11), returns=["builtins.ValueError('cleaning',)", 0], seconds=1)
async def test_another_exception_during_expiry(aio):
    """An exception of the clean-up leaves as it is; nothing stays counted."""

    async def cleaning():
        async with aio.timeout(1):
            try:
                await aio.sleep(3600)
            finally:
                raise ValueError("cleaning")

    return [await told(cleaning()), aio.current_task().cancelling()]


@parity(since=(3, 11), returns=[True, "after", 0], seconds=1)
async def test_a_swallowed_expiry(aio):
    """A body that swallows the CancelledError ends without TimeoutError; expired() tells."""
    async with aio.timeout(1) as limit:
        try:
            await aio.sleep(3600)
        except aio.CancelledError:
            pass
    return [limit.expired(), "after", aio.current_task().cancelling()]


@parity(since=(3, 11), returns=["CancelledError", None])
async def test_the_cause(aio):
    """The TimeoutError has the CancelledError as its cause."""
    try:
        await expire(aio, 1)
    except aio.TimeoutError as error:
        return [type(error.__cause__).__name__, error.__cause__.__cause__]


@parity(
    since=(3, 11),
    returns=[
        "<Timeout [created]>",
        "<Timeout [active] when=5.0>",
        "<Timeout [finished]>",
        "<Timeout [expiring]>",
        "<Timeout [expired]>",
    ],
)
async def test_repr(aio):
    """repr() names the state, and the deadline while it is in force."""
    limit = aio.timeout(5)
    texts = [repr(limit)]
    async with limit:
        texts.append(repr(limit))
    texts.append(repr(limit))
    try:
        async with aio.timeout(1) as limit:
            try:
                await aio.sleep(3600)
            finally:
                texts.append(repr(limit))
    except aio.TimeoutError:
        texts.append(repr(limit))
    return texts


@parity(since=(3, 11), raises=RuntimeError("Cannot change state of finished Timeout"))
async def test_reschedule_after_the_end(aio):
    """A limit that is over cannot be rescheduled."""
    async with aio.timeout(5) as limit:
        pass
    limit.reschedule(9)


@parity(since=(3, 11), raises=RuntimeError("Cannot change state of expiring Timeout"))
async def test_reschedule_while_expiring(aio):
    """A limit that is expiring cannot be rescheduled."""
    async with aio.timeout(1) as limit:
        try:
            await aio.sleep(3600)
        finally:
            limit.reschedule(9)


@parity(since=(3, 12), raises=RuntimeError("Timeout has not been entered"))
async def test_reschedule_before_entering(aio):
    """A limit cannot be rescheduled before it is entered."""
    aio.timeout(5).reschedule(9)


@parity(since=(3, 12), raises=RuntimeError("Timeout has already been entered"))
async def test_entered_twice(aio):
    """A limit is entered once."""
    limit = aio.timeout(5)
    async with limit, limit:
        pass


@parity(since=(3, 11), returns="Timeout should be used inside a task")
async def test_outside_a_task(aio):
    """A limit needs a task to cancel."""
    future = aio.get_running_loop().create_future()

    def callback():
        try:
            aio.timeout(1).__aenter__().send(None)
        except RuntimeError as error:
            future.set_result(str(error))

    aio.get_running_loop().call_soon(callback)
    return await future


@parity(since=(3, 11), raises=RuntimeError("no running event loop"))
def test_without_a_loop(aio):
    """timeout() needs a running loop."""
    aio.timeout(1)


@parity(since=(3, 11), returns=[TIMED_OUT, "ok"], seconds=1)
async def test_limits_are_independent_of_tasks(aio):
    """A limit cancels its own task, no other."""
    other = aio.create_task(aio.sleep(0.5, "ok"))
    return [await told(expire(aio, 1)), await other]
