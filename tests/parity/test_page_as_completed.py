"""as_completed(): plain and asynchronous iteration."""

import sys

from tests.support.parity import CANCELLED, TIMED_OUT, by_python, describe, parity, told


@parity(returns=["a", "b", "c"], seconds=3)
async def test_earliest_first(aio):
    """Each coroutine returned gives the earliest next result of the remaining awaitables."""
    coros = aio.as_completed([aio.sleep(3, "c"), aio.sleep(1, "a"), aio.sleep(2, "b")])
    return [await coro for coro in coros]


@parity(events=["started", "started"], returns=2)
async def test_awaitables_run_concurrently(aio, log):
    """The awaitables are started together, whether anybody awaits the first coroutine or not."""

    async def job():
        log("started")

    iterator = aio.as_completed([job(), job()])
    coros = list(iterator)
    await aio.sleep(0)
    for coro in coros:
        await coro
    return len(coros)


@parity(returns=["a", "builtins.ValueError('b',)", CANCELLED, "d"], seconds=4)
async def test_exceptions_come_in_their_turn(aio):
    """An exception or a cancellation is raised by the coroutine in whose place it comes; the others go on."""

    async def failing():
        await aio.sleep(2)
        raise ValueError("b")

    cancelled = aio.create_task(aio.sleep(9))
    aio.get_running_loop().call_later(3, cancelled.cancel)
    return [await told(coro) for coro in aio.as_completed([aio.sleep(4, "d"), cancelled, aio.sleep(1, "a"), failing()])]


@parity(returns=["a", TIMED_OUT, TIMED_OUT], seconds=2)
async def test_timeout(aio):
    """TimeoutError is raised for each of those that are not done when the timeout occurs."""
    tasks = [aio.create_task(aio.sleep(delay, name)) for delay, name in [(1, "a"), (5, "b"), (6, "c")]]
    outcomes = [await told(coro) for coro in aio.as_completed(tasks, timeout=2)]
    for task in tasks:
        task.cancel()
    return outcomes


@parity(returns=(TIMED_OUT, "a"), seconds=5)
async def test_a_timeout_cancels_nothing(aio):
    """What is not done at the timeout goes on."""
    task = aio.create_task(aio.sleep(5, "a"))
    (coro,) = aio.as_completed([task], timeout=1)
    return await told(coro), await task


@parity(returns=[TIMED_OUT], seconds=0)
async def test_zero_timeout(aio):
    """A timeout of zero is over before anything is done."""
    task = aio.create_task(aio.sleep(1))
    outcomes = [await told(coro) for coro in aio.as_completed([task], timeout=0)]
    task.cancel()
    return outcomes


@parity(returns=["same"])
async def test_duplicates_come_once(aio):
    """An awaitable that is given twice comes once."""
    task = aio.create_task(aio.sleep(1, "same"))
    return [await coro for coro in aio.as_completed([task, task])]


@parity(returns=[])
async def test_nothing(aio):
    """An empty iterable gives an iterator that is exhausted."""
    return list(aio.as_completed([]))


@parity(returns=["future", "a"], seconds=1)
async def test_futures_that_are_done(aio):
    """A future that was done before comes first."""
    future = aio.get_running_loop().create_future()
    future.set_result("future")
    return [await coro for coro in aio.as_completed([aio.sleep(1, "a"), future])]


@parity(
    raises=by_python(
        {
            (3, 10): TypeError("expect an iterable of futures, not Task"),
            (3, 13): TypeError("expects an iterable of awaitables, not Task"),
        }
    )
)
async def test_a_single_task(aio):
    """A task instead of an iterable of tasks is refused."""
    task = aio.create_task(aio.sleep(0))
    try:
        list(aio.as_completed(task))
    finally:
        await task


@parity(raises=TypeError("An asyncio.Future, a coroutine or an awaitable is required"))
async def test_what_is_not_awaitable(aio):
    """Something that is no awaitable gets a TypeError."""
    list(aio.as_completed([3]))


@parity(raises=TypeError("'int' object is not iterable"))
async def test_what_is_not_iterable(aio):
    """Something that is not iterable gets Python's own TypeError."""
    list(aio.as_completed(3))


@parity(
    returns=by_python({(3, 10): [1, 2], (3, 14): None}),
    raises=by_python({(3, 10): None, (3, 14): RuntimeError("no running event loop")}),
)
def test_without_a_running_loop(aio):
    """Up to 3.13 as_completed() can be called before the loop runs, where a current loop is set."""
    loop = aio.new_event_loop()
    aio.set_event_loop(loop)
    futures = [loop.create_future() for _ in range(2)]
    for value, future in enumerate(futures, 1):
        loop.call_later(value, future.set_result, value)
    try:
        return [loop.run_until_complete(coro) for coro in aio.as_completed(futures)]
    finally:
        aio.set_event_loop(None)
        loop.close()


@parity(since=(3, 13), returns=["a", "b", "c"], seconds=3)
async def test_async_iteration(aio):
    """`async for` gives what is done, earliest first."""
    return [await done async for done in aio.as_completed([aio.sleep(3, "c"), aio.sleep(1, "a"), aio.sleep(2, "b")])]


@parity(since=(3, 13), returns=[True, True, "a", "b"], seconds=2)
async def test_async_iteration_gives_the_tasks_themselves(aio):
    """`async for` gives the very tasks and futures that were passed in, done."""
    slow, quick = aio.create_task(aio.sleep(2, "b")), aio.create_task(aio.sleep(1, "a"))
    seen = [task async for task in aio.as_completed([slow, quick])]
    return [seen[0] is quick, seen[1] is slow, *(task.result() for task in seen)]


@parity(since=(3, 13), returns=["Task", True], seconds=1)
async def test_async_iteration_over_coroutines(aio):
    """For a coroutine, `async for` gives the implicitly created task."""
    (task,) = [task async for task in aio.as_completed([aio.sleep(1)])]
    return [type(task).__name__, task.done()]


@parity(since=(3, 13), events=["a"], returns=TIMED_OUT, seconds=2)
async def test_async_iteration_timeout(aio, log):
    """`async for` raises TimeoutError in the step in which the timeout occurs."""
    tasks = [aio.create_task(aio.sleep(delay, name)) for delay, name in [(1, "a"), (5, "b")]]
    try:
        async for task in aio.as_completed(tasks, timeout=2):
            log(task.result())
    except aio.TimeoutError as error:
        tasks[1].cancel()
        return describe(error)


@parity(since=(3, 13), returns=["a", "builtins.ValueError('b',)"], seconds=2)
async def test_async_iteration_does_not_raise_for_a_task(aio):
    """A task that failed is given like the others; its exception is raised by awaiting it."""

    async def failing():
        await aio.sleep(2)
        raise ValueError("b")

    return [await told(task) async for task in aio.as_completed([aio.sleep(1, "a"), failing()])]


@parity(since=(3, 13), returns=[["a", "b"], "c"], seconds=3)
async def test_mixing_both_iterations(aio):
    """One object can be iterated in both ways."""
    completed = aio.as_completed([aio.sleep(1, "a"), aio.sleep(2, "b"), aio.sleep(3, "c")])
    first = [await next(completed), (await completed.__anext__()).result()]
    return [first, await next(completed)]


@parity(since=(3, 13), returns=[], seconds=0)
async def test_async_iteration_over_nothing(aio):
    """`async for` over an empty iterable ends at once."""
    return [task async for task in aio.as_completed([])]


@parity(returns="the call" if sys.version_info >= (3, 13) else "the first step")
async def test_a_single_task_is_refused(aio):
    """Since 3.13 the mistake is found by the call, before by the first step of the iteration."""
    task, place = aio.create_task(aio.sleep(0)), "the call"
    try:
        completions = aio.as_completed(task)
        place = "the first step"
        next(iter(completions))
    except TypeError:
        return place
    finally:
        await task
