"""wait(): its three modes, its timeout, and what it accepts."""

from tests.support.parity import CANCELLED, by_python, parity, told


def names(tasks):
    """Return the sorted names of `tasks`."""
    return sorted(task.get_name() for task in tasks)


def sleepers(aio, **delays):
    """Start one task for each name, which sleeps that many seconds and returns its name."""
    return [aio.create_task(aio.sleep(delay, name), name=name) for name, delay in delays.items()]


async def fail(aio, delay):
    """Raise ValueError after `delay` seconds."""
    await aio.sleep(delay)
    raise ValueError("failed")


@parity(returns=(["a", "b"], []), seconds=2)
async def test_all_completed_is_the_default(aio):
    """wait() blocks until all are done and returns two sets, done and pending."""
    done, pending = await aio.wait(sleepers(aio, a=1, b=2))
    assert type(done) is type(pending) is set
    return names(done), names(pending)


@parity(returns=(["a"], ["b"]), seconds=1)
async def test_first_completed(aio):
    """FIRST_COMPLETED returns when any future finishes."""
    done, pending = await aio.wait(sleepers(aio, a=1, b=2), return_when=aio.FIRST_COMPLETED)
    return names(done), names(pending)


@parity(returns=(["a", "c"], ["b"]), seconds=1)
async def test_first_completed_in_the_same_turn(aio):
    """Futures that finish in the same turn are all in done."""
    done, pending = await aio.wait(sleepers(aio, a=1, b=2, c=1), return_when=aio.FIRST_COMPLETED)
    return names(done), names(pending)


@parity(returns=(["a"], ["b"]), seconds=1)
async def test_first_completed_counts_cancellation(aio):
    """A future that is cancelled counts as finished."""
    tasks = sleepers(aio, a=5, b=6)
    aio.get_running_loop().call_later(1, tasks[0].cancel)
    done, pending = await aio.wait(tasks, return_when=aio.FIRST_COMPLETED)
    return names(done), names(pending)


@parity(returns=(["a", "failing"], ["b"]), seconds=2)
async def test_first_exception(aio):
    """FIRST_EXCEPTION returns when any future finishes by raising an exception."""
    failing = aio.create_task(fail(aio, 2), name="failing")
    done, pending = await aio.wait([*sleepers(aio, a=1, b=3), failing], return_when=aio.FIRST_EXCEPTION)
    assert str(failing.exception()) == "failed"
    return names(done), names(pending)


@parity(returns=(["a", "b"], []), seconds=2)
async def test_first_exception_without_exception(aio):
    """If no future raises an exception it is equivalent to ALL_COMPLETED."""
    done, pending = await aio.wait(sleepers(aio, a=1, b=2), return_when=aio.FIRST_EXCEPTION)
    return names(done), names(pending)


@parity(returns=(["a", "b"], []), seconds=2)
async def test_first_exception_does_not_count_cancellation(aio):
    """A cancelled future does not end FIRST_EXCEPTION."""
    tasks = sleepers(aio, a=5, b=2)
    aio.get_running_loop().call_later(1, tasks[0].cancel)
    done, pending = await aio.wait(tasks, return_when=aio.FIRST_EXCEPTION)
    return names(done), names(pending)


@parity(returns=(["cancelled", "failing", "fine"], []), seconds=3)
async def test_all_completed_takes_every_end(aio):
    """ALL_COMPLETED waits for failing and cancelled futures too, and raises nothing itself."""
    cancelled, fine = sleepers(aio, cancelled=9, fine=3)
    failing = aio.create_task(fail(aio, 1), name="failing")
    aio.get_running_loop().call_later(2, cancelled.cancel)
    done, pending = await aio.wait({cancelled, fine, failing})
    failing.exception()
    return names(done), names(pending)


@parity(returns=(["a"], ["b"], [False, "b"]), seconds=5)
async def test_timeout(aio):
    """At the timeout no TimeoutError is raised and nothing is cancelled: what is not done is in the second set."""
    done, pending = await aio.wait(sleepers(aio, a=1, b=5), timeout=2)
    (task,) = pending
    return names(done), names(pending), [task.cancelled(), await task]


@parity(returns=([], ["a"]), seconds=0)
async def test_zero_timeout(aio):
    """A timeout of zero looks at what is done, giving the loop one turn."""
    (task,) = sleepers(aio, a=1)
    done, pending = await aio.wait([task], timeout=0)
    task.cancel()
    return names(done), names(pending)


@parity(returns=(["a"], []), seconds=1)
async def test_negative_timeout(aio):
    """What is done already is returned at once, whatever the timeout."""
    (task,) = sleepers(aio, a=1)
    await task
    done, pending = await aio.wait([task], timeout=-1)
    return names(done), names(pending)


@parity(returns=[CANCELLED, False, "a"], seconds=3)
async def test_cancelling_the_wait_cancels_nothing_else(aio):
    """A cancelled wait() leaves the tasks it waited for alone."""
    (task,) = sleepers(aio, a=3)
    waiting = aio.create_task(aio.wait([task]))
    await aio.sleep(1)
    waiting.cancel()
    return [await told(waiting), task.cancelled(), await task]


@parity(returns=1)
async def test_duplicates_count_once(aio):
    """A task that is given twice is in the set once."""
    (task,) = sleepers(aio, a=1)
    done, pending = await aio.wait([task, task])
    return len(done) + len(pending)


@parity(
    returns=by_python({(3, 10): None, (3, 12): (True, ["a"])}),
    raises=by_python({(3, 10): TypeError("expect a list of futures, not generator"), (3, 12): None}),
)
async def test_a_generator_of_futures(aio):
    """Futures and tasks come in any iterable, since 3.12 a generator too."""
    future = aio.get_running_loop().create_future()
    future.set_result(None)
    (task,) = sleepers(aio, a=1)
    done, pending = await aio.wait(each for each in (future, task))
    return future in done, names(done - {future})


@parity(
    raises=by_python(
        {
            (3, 10): ValueError("Set of coroutines/Futures is empty."),
            (3, 11): ValueError("Set of Tasks/Futures is empty."),
        }
    )
)
async def test_empty(aio):
    """The iterable must not be empty."""
    await aio.wait([])


@parity(raises=ValueError("Invalid return_when value: SOMETIMES"))
async def test_unknown_return_when(aio):
    """return_when must be one of the three constants."""
    tasks = sleepers(aio, a=0)
    try:
        await aio.wait(tasks, return_when="SOMETIMES")
    finally:
        await tasks[0]


@parity(returns=["FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"])
async def test_the_constants(aio):
    """The constants are strings, their own names."""
    return [aio.FIRST_COMPLETED, aio.FIRST_EXCEPTION, aio.ALL_COMPLETED]


@parity(raises=TypeError("expect a list of futures, not Task"))
async def test_a_single_task(aio):
    """A task instead of a list of tasks is refused."""
    (task,) = sleepers(aio, a=0)
    try:
        await aio.wait(task)
    finally:
        await task


@parity(
    raises=TypeError("expect a list of futures, not coroutine"),
    warned=["RuntimeWarning: coroutine 'sleep' was never awaited"],
)
async def test_a_single_coroutine(aio):
    """A coroutine instead of a list of tasks is refused."""
    await aio.wait(aio.sleep(0))


@parity(
    raises=by_python(
        {
            (3, 10): TypeError("An asyncio.Future, a coroutine or an awaitable is required"),
            (3, 11): AttributeError("'int' object has no attribute 'add_done_callback'"),
        }
    )
)
async def test_what_is_not_awaitable(aio):
    """Something that is no future fails as on that Python."""
    await aio.wait([3])


@parity(raises=TypeError("'int' object is not iterable"))
async def test_what_is_not_iterable(aio):
    """Something that is not iterable gets Python's own TypeError."""
    await aio.wait(3)
