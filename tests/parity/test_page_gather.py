"""gather(): results, order and errors. Its cancellation is in test_page_gather_cancel.py."""

from tests.support.parity import describe, parity


@parity(returns=["c", "b", "a"], events=["a", "b", "c"], seconds=3)
async def test_results_are_in_the_order_of_the_arguments(aio, log):
    """The order of result values corresponds to the order of awaitables, not to that of their ends."""

    async def job(delay, name):
        await aio.sleep(delay)
        log(name)
        return name

    return await aio.gather(job(3, "c"), job(2, "b"), job(1, "a"))


@parity(events=["first", "second", "third", "gathered"])
async def test_coroutines_are_scheduled_as_tasks_in_order(aio, log):
    """Coroutines given to gather() start in the order of the arguments, once the caller suspends."""

    async def job(name):
        log(name)

    gathered = aio.gather(job("first"), job("second"), job("third"))
    assert log == []
    await gathered
    log("gathered")


@parity(returns=[1, "task", "future", "coroutine"])
async def test_any_awaitable_can_be_gathered(aio):
    """Tasks, futures, coroutines and other awaitables mix."""

    class Awaitable:
        def __await__(self):
            yield
            return 1

    future = aio.get_running_loop().create_future()
    future.set_result("future")
    return await aio.gather(Awaitable(), aio.create_task(aio.sleep(1, "task")), future, aio.sleep(0, "coroutine"))


@parity(returns=["same", "other", "same", "same"], events=["ran"])
async def test_a_duplicate_runs_once(aio, log):
    """An awaitable that is given several times runs once, and its result is in every one of its places."""

    async def job():
        log("ran")
        return "same"

    task = job()
    return await aio.gather(task, aio.sleep(1, "other"), task, task)


@parity(raises=ValueError("first"), events=["slow goes on"], seconds=3)
async def test_the_first_exception_propagates_and_others_go_on(aio, log):
    """The first raised exception goes to the awaiting task at once; the other awaitables continue to run."""

    async def failing(delay, text):
        await aio.sleep(delay)
        raise ValueError(text)

    async def slow():
        await aio.sleep(3)
        log("slow goes on")

    slow_task = aio.create_task(slow())
    try:
        await aio.gather(failing(2, "second"), slow_task, failing(1, "first"))
    finally:
        assert aio.get_running_loop().time() == 1
        await slow_task


@parity(raises=ValueError("first"), seconds=3)
async def test_a_later_exception_is_not_reported(aio):
    """An exception of another child, after the first one, is dropped without a log record."""

    async def failing(delay, text):
        await aio.sleep(delay)
        raise ValueError(text)

    try:
        await aio.gather(failing(1, "first"), failing(2, "second"))
    finally:
        await aio.sleep(2)


@parity(returns=["builtins.ValueError('a',)", "b", "asyncio.exceptions.CancelledError('',)"], seconds=2)
async def test_return_exceptions(aio):
    """With return_exceptions exceptions are treated as results, and all awaitables are waited for."""

    async def failing():
        raise ValueError("a")

    cancelled = aio.get_running_loop().create_future()
    cancelled.cancel()
    error, result, cancellation = await aio.gather(failing(), aio.sleep(2, "b"), cancelled, return_exceptions=True)
    return [describe(error), result, describe(cancellation)]


@parity(returns=(True, True, []))
async def test_no_arguments(aio):
    """gather() of nothing is a future that holds [] already."""
    gathered = aio.gather()
    return aio.isfuture(gathered), gathered.done(), await gathered


@parity(returns=[1, 2])
async def test_all_done_before(aio):
    """Futures that are done already give their results in the next turn."""
    futures = [aio.get_running_loop().create_future() for _ in range(2)]
    for value, future in enumerate(futures, 1):
        future.set_result(value)
    gathered = aio.gather(*futures)
    return await gathered


@parity(returns=([1, 2], [1, 2]))
async def test_awaiting_a_gather_twice(aio):
    """gather() returns a Future: it can be awaited again and gives the same list."""
    gathered = aio.gather(aio.sleep(0, 1), aio.sleep(1, 2))
    return await gathered, await gathered


@parity(returns=[["a", "b"], ["c"]])
async def test_gathers_nest(aio):
    """A gather() can be gathered."""
    return await aio.gather(aio.gather(aio.sleep(2, "a"), aio.sleep(1, "b")), aio.gather(aio.sleep(0, "c")))


@parity(returns=[None, 3, 3, None], seconds=4)
async def test_gather_before_and_after_done(aio):
    """A task that was gathered and is done can be gathered again."""
    task = aio.create_task(aio.sleep(2, 3))
    first = await aio.gather(aio.sleep(1), task)
    second = await aio.gather(task, aio.sleep(2))
    return first + second


@parity(raises=TypeError("An asyncio.Future, a coroutine or an awaitable is required"))
async def test_what_is_not_awaitable(aio):
    """Something that is no awaitable gets a TypeError at the call."""
    aio.gather(3)


@parity(
    raises=ValueError("The future belongs to a different loop than the one specified as the loop argument"),
)
async def test_futures_of_two_loops(aio):
    """Futures of different loops cannot be gathered."""
    other = aio.new_event_loop()
    try:
        aio.gather(aio.get_running_loop().create_future(), other.create_future())
    finally:
        other.close()


@parity(returns=[1, 2])
def test_futures_without_a_running_loop(aio):
    """Futures can be gathered before their loop runs."""
    loop = aio.new_event_loop()
    futures = [loop.create_future() for _ in range(2)]
    for value, future in enumerate(futures, 1):
        loop.call_later(value, future.set_result, value)
    try:
        return loop.run_until_complete(aio.gather(*futures))
    finally:
        loop.close()


@parity(returns=[1, 2])
def test_coroutines_without_a_running_loop(aio):
    """Coroutines without a running loop use the current event loop of the thread."""
    loop = aio.new_event_loop()
    aio.set_event_loop(loop)
    try:
        return loop.run_until_complete(aio.gather(aio.sleep(1, 1), aio.sleep(2, 2)))
    finally:
        aio.set_event_loop(None)
        loop.close()


@parity(raises=RuntimeError("There is no current event loop in thread 'MainThread'."))
def test_nothing_without_any_loop(aio):
    """gather() without arguments needs an event loop, too."""
    aio.set_event_loop(None)
    aio.gather()
