"""gather() and cancellation, in both directions."""

from tests.support.parity import CANCELLED, by_python, describe, parity, told

WHY = "asyncio.exceptions.CancelledError('why',)"


def job(aio, log, name, delay):
    """Return a coroutine that sleeps, and logs its end and whether it was cancelled."""

    async def sleeping():
        try:
            await aio.sleep(delay)
        except aio.CancelledError as error:
            log(name, describe(error))
            raise
        log(name)
        return name

    return sleeping()


@parity(events=["done", ("a", CANCELLED), ("b", CANCELLED), CANCELLED], seconds=1)
async def test_cancelling_the_awaiting_task_cancels_the_children(aio, log):
    """If the task that awaits gather() is cancelled, all awaitables that have not completed yet are cancelled."""

    async def gathering():
        await aio.gather(job(aio, log, "done", 0), job(aio, log, "a", 5), job(aio, log, "b", 6))

    task = aio.create_task(gathering())
    await aio.sleep(1)
    task.cancel()
    log(await told(task))


@parity(returns=(True, False, CANCELLED, False, True), events=[("a", CANCELLED)])
async def test_cancelling_the_gather_itself(aio, log):
    """gather().cancel() cancels the children; when they are done CancelledError is the exception of the gather."""
    gathered = aio.gather(job(aio, log, "a", 5))
    await aio.sleep(1)
    return gathered.cancel(), gathered.done(), await told(gathered), gathered.cancelled(), gathered.done()


@parity(events=by_python({(3, 10): [("a", WHY), CANCELLED], (3, 11): [("a", WHY), WHY]}))
async def test_the_message_reaches_the_children(aio, log):
    """gather().cancel(msg) cancels every child with the message; since 3.11 it comes back to who awaits the gather."""
    gathered = aio.gather(job(aio, log, "a", 5))
    await aio.sleep(1)
    gathered.cancel("why")
    log(await told(gathered))


@parity(returns=CANCELLED, events=[("a", CANCELLED)])
async def test_a_cancelled_gather_propagates_in_spite_of_return_exceptions(aio, log):
    """If the gather itself is cancelled, the cancellation is propagated regardless of return_exceptions."""
    gathered = aio.gather(job(aio, log, "a", 5), return_exceptions=True)
    await aio.sleep(1)
    gathered.cancel()
    return await told(gathered)


@parity(returns=(CANCELLED, False), events=["b"], seconds=2)
async def test_a_cancelled_child_is_as_an_exception(aio, log):
    """A cancelled child is treated as if it raised CancelledError: gather() and the others are not cancelled."""
    child, other = aio.create_task(aio.sleep(5)), aio.create_task(job(aio, log, "b", 2))
    gathered = aio.gather(child, other)
    await aio.sleep(1)
    child.cancel()
    outcome = await told(gathered)
    await other
    return outcome, gathered.cancelled()


@parity(returns=by_python({(3, 10): CANCELLED, (3, 11): WHY}), seconds=1)
async def test_the_message_of_a_cancelled_child(aio):
    """Since 3.11 the message of a child's cancellation comes out of the gather."""
    child = aio.create_task(aio.sleep(5))
    gathered = aio.gather(child, aio.sleep(1))
    await aio.sleep(1)
    child.cancel("why")
    return await told(gathered)


@parity(returns=["asyncio.exceptions.CancelledError('',)", "b"], seconds=5)
async def test_a_cancelled_child_as_a_result(aio):
    """With return_exceptions the CancelledError of a child is one of the results; the message is lost on the way."""
    child = aio.create_task(aio.sleep(9))
    gathered = aio.gather(child, aio.sleep(5, "b"), return_exceptions=True)
    await aio.sleep(1)
    child.cancel("why")
    error, result = await gathered
    return [describe(error), result]


@parity(returns=("builtins.ValueError()", False), events=["other"], seconds=5)
async def test_cancelling_a_done_gather_does_nothing(aio, log):
    """gather().cancel() after it propagated an exception returns False and cancels no other awaitable."""

    async def failing():
        raise ValueError

    other = aio.create_task(job(aio, log, "other", 5))
    gathered = aio.gather(failing(), other)
    outcome = await told(gathered)
    cancelled = gathered.cancel()
    await other
    return outcome, cancelled


@parity(returns=("builtins.ValueError('instead',)", False))
async def test_a_child_that_raises_when_cancelled(aio):
    """A child may answer the cancellation with an exception of its own, which then leaves the gather."""

    async def stubborn():
        try:
            await aio.sleep(5)
        except aio.CancelledError:
            raise ValueError("instead") from None

    gathered = aio.gather(stubborn())
    await aio.sleep(1)
    gathered.cancel()
    return await told(gathered), gathered.cancelled()


@parity(returns=CANCELLED, events=["swallowed", ("other", CANCELLED)])
async def test_a_child_that_swallows_the_cancellation(aio, log):
    """A cancelled gather raises CancelledError even where a child swallowed it."""

    async def swallowing():
        try:
            await aio.sleep(5)
        except aio.CancelledError:
            log("swallowed")

    gathered = aio.gather(swallowing(), job(aio, log, "other", 5), return_exceptions=True)
    await aio.sleep(1)
    gathered.cancel()
    return await told(gathered)


@parity(returns=(CANCELLED, True, False))
async def test_cancelling_a_gather_cancels_given_futures(aio):
    """The futures given to a cancelled gather are cancelled; one that was done stays as it was."""
    pending, done = (aio.get_running_loop().create_future() for _ in range(2))
    done.set_result(None)
    gathered = aio.gather(pending, done)
    gathered.cancel()
    return await told(gathered), pending.cancelled(), done.cancelled()


@parity(returns=(False, True))
async def test_cancelling_an_empty_gather(aio):
    """cancel() on gather() of nothing says False: it is done."""
    gathered = aio.gather()
    return gathered.cancel(), gathered.done()


@parity(logged=["ERROR _GatheringFuture exception was never retrieved"])
async def test_a_gather_that_nobody_awaits(aio):
    """The exception of a gather that nobody looks at is logged."""

    async def failing():
        raise ValueError("lost")

    aio.gather(failing())
    await aio.sleep(1)


@parity(logged=["ERROR _GatheringFuture exception was never retrieved"])
async def test_a_cancelled_child_of_a_gather_that_nobody_awaits(aio):
    """So is the cancellation of a child, which is an exception to the gather."""
    child = aio.create_task(aio.sleep(5))
    gathered = aio.gather(child)
    await aio.sleep(1)
    child.cancel()
    await aio.sleep(1)
    del gathered


@parity(returns=CANCELLED)
async def test_cancelling_before_the_children_started(aio, log):
    """Children of a gather that is cancelled at once never start."""

    async def child():
        log("started")

    gathered = aio.gather(child(), child())
    gathered.cancel()
    return await told(gathered)
