"""create_task(), sleep() and ensure_future()."""

import contextvars
import gc

from tests.support.parity import by_python, parity

variable = contextvars.ContextVar("variable", default="default")


@parity(returns=[True, True, "Task"])
async def test_create_task_returns_the_task(aio):
    """create_task() wraps the coroutine into a Task and returns the Task object."""
    task = aio.create_task(aio.sleep(0))
    answers = [isinstance(task, aio.Task), isinstance(task, aio.Future), type(task).__name__]
    await task
    return answers


@parity(events=["a", "b", "c"])
async def test_tasks_start_in_the_order_of_creation(aio, log):
    """Tasks get their first step in the order in which they were created."""

    async def child(name):
        log(name)

    for task in [aio.create_task(child(name)) for name in "abc"]:
        await task


@parity(returns=["named", "7", "Task"])
async def test_name(aio):
    """name= is set as the name of the task, as text; without it the task gets a default name."""
    tasks = [aio.create_task(aio.sleep(0), name="named"), aio.create_task(aio.sleep(0), name=7)]
    tasks.append(aio.create_task(aio.sleep(0)))
    await aio.wait(tasks)
    first, second, third = (task.get_name() for task in tasks)
    return [first, second, third.partition("-")[0]]


@parity(since=(3, 11), returns=["given", "default", "given"])
async def test_context(aio):
    """context= is the context that the coroutine runs in; without it the current one is copied."""

    async def child():
        return variable.get()

    context = contextvars.copy_context()
    context.run(variable.set, "given")
    given = await aio.create_task(child(), context=context)
    copied = await aio.create_task(child())
    return [given, copied, context[variable]]


@parity(returns=["set before", "set before", "set in main"])
async def test_the_context_is_copied_at_creation(aio):
    """A Task copies the current context when it is created; later changes on either side stay there."""

    async def child():
        before = variable.get()
        variable.set("set in child")
        await aio.sleep(0)
        return before

    variable.set("set before")
    task = aio.create_task(child())
    other = aio.create_task(child())
    variable.set("set in main")
    return [await task, await other, variable.get()]


@parity(
    raises=RuntimeError("no running event loop"),
    warned=["RuntimeWarning: coroutine 'sleep' was never awaited"],
)
def test_create_task_without_a_running_loop(aio):
    """RuntimeError is raised if there is no running loop in the current thread."""
    aio.create_task(aio.sleep(0))


@parity(raises=TypeError("a coroutine was expected, got 3"))
async def test_create_task_of_something_else(aio):
    """Something that is no coroutine is refused."""
    aio.create_task(3)


@parity(raises=TypeError("a coroutine was expected, got <built-in function print>"))
async def test_create_task_of_a_function(aio):
    """A function is refused as well."""
    aio.create_task(print)


@parity(returns=100, events=["collected"])
async def test_tasks_in_a_collection_survive(aio, log):
    """Tasks that a collection refers to survive a garbage collection, all of them."""
    ended = []

    async def background(number):
        await aio.sleep(number)
        ended.append(number)

    tasks = {aio.create_task(background(number)) for number in range(100)}
    await aio.sleep(0)
    gc.collect()
    log("collected")
    await aio.wait(tasks)
    return len(ended)


@parity(returns=["result", None], seconds=2.5)
async def test_sleep(aio):
    """sleep() blocks for `delay` seconds and returns the result, if there is one, to the caller."""
    return [await aio.sleep(1, "result"), await aio.sleep(1.5)]


@parity(events=["main", "other", "main again", "other again"])
async def test_sleep_zero_lets_others_run(aio, log):
    """sleep(0) suspends the task for one turn, in which the other tasks run."""

    async def other():
        log("other")
        await aio.sleep(0)
        log("other again")

    task = aio.create_task(other())
    log("main")
    await aio.sleep(0)
    log("main again")
    await task


@parity(returns=["negative", "zero"], events=["other"] * 2, seconds=0)
async def test_sleep_of_no_time(aio, log):
    """sleep() always suspends the current task, with a delay of zero or less as well."""
    results = []
    for delay, result in [(-1, "negative"), (0, "zero")]:
        aio.get_running_loop().call_soon(log, "other")
        results.append(await aio.sleep(delay, result))
    return results


@parity(events=["c", "b", "a"], seconds=3)
async def test_sleepers_wake_by_deadline(aio, log):
    """Sleeping tasks wake in the order of their deadlines."""

    async def sleeper(name, delay):
        await aio.sleep(delay)
        log(name)

    await aio.gather(sleeper("a", 3), sleeper("b", 2), sleeper("c", 1))


@parity(events=["a", "b", "c"], seconds=1)
async def test_a_callback_chain_during_sleep(aio, log):
    """While a task sleeps the loop runs callbacks and timers."""
    loop = aio.get_running_loop()
    loop.call_soon(log, "a")
    loop.call_later(0.25, log, "b")
    loop.call_later(0.5, log, "c")
    await aio.sleep(1)


@parity(raises=TypeError("sleep() got an unexpected keyword argument 'loop'"))
async def test_sleep_has_no_loop_parameter(aio):
    """The loop parameter is gone."""
    await aio.sleep(1, loop=None)


@parity(raises=TypeError("'<=' not supported between instances of 'str' and 'int'"))
async def test_sleep_for_no_number(aio):
    """Something that is no number fails as its comparison does."""
    await aio.sleep("1")


@parity(
    raises=by_python(
        {
            (3, 10): None,
            (3, 13): ValueError("Invalid delay: NaN (not a number)"),
        }
    ),
    returns=by_python({(3, 10): "nan", (3, 13): None}),
)
async def test_sleep_for_nan(aio):
    """Since 3.13 a delay that is not a number is refused."""
    sleeping = aio.ensure_future(aio.sleep(float("nan")))
    await aio.sleep(0)
    sleeping.cancel()
    await aio.wait([sleeping])
    return "nan" if sleeping.cancelled() else sleeping.result()


@parity(returns=[True, True, True])
async def test_ensure_future(aio):
    """ensure_future() returns a future or task as it is, and makes a task of a coroutine."""
    future = aio.get_running_loop().create_future()
    task = aio.create_task(aio.sleep(0))
    made = aio.ensure_future(aio.sleep(0))
    await aio.wait([task, made])
    return [aio.ensure_future(future) is future, aio.ensure_future(task) is task, isinstance(made, aio.Task)]


@parity(returns=["awaited", True])
async def test_ensure_future_of_an_awaitable(aio):
    """Another awaitable object is wrapped into a Task as well."""

    class Awaitable:
        def __await__(self):
            yield
            return "awaited"

    task = aio.ensure_future(Awaitable())
    return [await task, isinstance(task, aio.Task)]


@parity(raises=TypeError("An asyncio.Future, a coroutine or an awaitable is required"))
async def test_ensure_future_of_something_else(aio):
    """Something that is no awaitable is refused."""
    aio.ensure_future(3)


@parity(raises=ValueError("The future belongs to a different loop than the one specified as the loop argument"))
def test_ensure_future_of_another_loop(aio):
    """A future of another loop is refused where a loop is given."""
    one, other = aio.new_event_loop(), aio.new_event_loop()
    try:
        aio.ensure_future(one.create_future(), loop=other)
    finally:
        one.close()
        other.close()


@parity(returns="ran")
def test_ensure_future_on_a_given_loop(aio):
    """loop= schedules the task on a loop that does not run yet."""
    loop = aio.new_event_loop()
    try:
        return loop.run_until_complete(aio.ensure_future(aio.sleep(1, "ran"), loop=loop))
    finally:
        loop.close()
