"""The methods of a Task: its state, its result, its names and callbacks."""

import contextvars
import gc

from tests.support.parity import CANCELLED, describe, parity, stable, told

variable = contextvars.ContextVar("variable", default="default")


def outcome(function):
    """Return the result of a call, or its exception as text."""
    try:
        return function()
    except BaseException as error:
        return describe(error)


async def fail():
    """Raise ValueError."""
    raise ValueError("x")


@parity(returns=[(False, False), (True, False), (True, False), (True, True)])
async def test_done_and_cancelled(aio):
    """A Task is done when its coroutine returned, raised, or was cancelled; in the last case alone it is cancelled."""
    pending, returned, failed, cancelled = (
        aio.create_task(coro) for coro in (aio.sleep(9), aio.sleep(0), fail(), aio.sleep(9))
    )
    cancelled.cancel()
    await aio.wait([returned, failed, cancelled])
    failed.exception()
    answers = [(task.done(), task.cancelled()) for task in (pending, returned, failed, cancelled)]
    pending.cancel()
    return answers


@parity(returns=["value", "builtins.ValueError('x',)", CANCELLED])
async def test_result(aio):
    """result() gives the result, raises the exception of the coroutine, or CancelledError."""
    tasks = [aio.create_task(coro) for coro in (aio.sleep(0, "value"), fail(), aio.sleep(9))]
    tasks[2].cancel()
    await aio.wait(tasks)
    return [outcome(task.result) for task in tasks]


@parity(returns=[None, True, CANCELLED])
async def test_exception(aio):
    """exception() gives None, the exception of the coroutine, or raises CancelledError."""
    tasks = [aio.create_task(coro) for coro in (aio.sleep(0, "value"), fail(), aio.sleep(9))]
    tasks[2].cancel()
    await aio.wait(tasks)
    return [tasks[0].exception(), isinstance(tasks[1].exception(), ValueError), outcome(tasks[2].exception)]


@parity(
    returns=[
        "asyncio.exceptions.InvalidStateError('Result is not set.',)",
        "asyncio.exceptions.InvalidStateError('Exception is not set.',)",
    ]
)
async def test_not_done_yet(aio):
    """While the task is not done, result() and exception() raise InvalidStateError."""
    task = aio.create_task(aio.sleep(0))
    answers = [outcome(task.result), outcome(task.exception)]
    await task
    return answers


@parity(
    returns=[
        "builtins.RuntimeError('Task does not support set_result operation',)",
        "builtins.RuntimeError('Task does not support set_exception operation',)",
    ]
)
async def test_a_task_cannot_be_resolved(aio):
    """A Task has all of the API of a Future except set_result() and set_exception()."""
    task = aio.create_task(aio.sleep(0))
    answers = [outcome(lambda: task.set_result(1)), outcome(lambda: task.set_exception(ValueError()))]
    await task
    return answers


@parity(events=["first", "second", True])
async def test_done_callbacks(aio, log):
    """Callbacks are called with the task, in the order of their addition, once it is done."""
    task = aio.create_task(aio.sleep(0))
    seen = []
    for name in ("first", "second"):
        task.add_done_callback(lambda done, name=name: (log(name), seen.append(done)))
    await task
    log(seen == [task, task])


@parity(returns=[2, 0], events=["kept"])
async def test_remove_done_callback(aio, log):
    """remove_done_callback() removes every instance of a callback and says how many there were."""

    def removed(task):
        log("removed")

    task = aio.create_task(aio.sleep(0))
    task.add_done_callback(removed)
    task.add_done_callback(lambda task: log("kept"))
    task.add_done_callback(removed)
    answers = [task.remove_done_callback(removed), task.remove_done_callback(removed)]
    await task
    return answers


@parity(events=["default", "given"])
async def test_the_context_of_a_done_callback(aio, log):
    """A done callback runs in the context of its addition, or in the one given."""
    context = contextvars.copy_context()
    context.run(variable.set, "given")
    task = aio.create_task(aio.sleep(0))
    task.add_done_callback(lambda task: log(variable.get()))
    task.add_done_callback(lambda task: log(variable.get()), context=context)
    variable.set("set later")
    await task


@parity(returns=[True, "builtins.RuntimeError('cannot reuse already awaited coroutine',)"])
async def test_get_coro(aio):
    """get_coro() gives the coroutine that the task wraps."""
    coro = aio.sleep(0)
    task = aio.create_task(coro)
    await task
    return [task.get_coro() is coro, await told(coro)]


@parity(returns=[True, True, "3", "[]"])
async def test_names(aio):
    """A default name is generated; set_name() takes any object, which is converted to a string."""
    task, other = aio.create_task(aio.sleep(0)), aio.create_task(aio.sleep(0))
    answers = [task.get_name().startswith("Task-"), task.get_name() != other.get_name()]
    for value in (3, []):
        task.set_name(value)
        answers.append(task.get_name())
    await aio.wait([task, other])
    return answers


@parity(
    returns=[
        "<Task pending name='job' coro=<sleep() running at tasks.py:…>>",
        (
            "<Task pending name='job' coro=<sleep() running at tasks.py:…>"
            " wait_for=<Future pending cb=[Task.task_wakeup()]>>"
        ),
        "<Task finished name='job' coro=<sleep() done, defined at tasks.py:…> result=3>",
    ]
)
async def test_the_name_is_in_the_repr(aio):
    """repr() shows state, name, coroutine, and what the task waits for or gave."""
    task = aio.create_task(aio.sleep(1, 3), name="job")
    texts = [repr(task)]
    await aio.sleep(0)
    texts.append(repr(task))
    await task
    texts.append(repr(task))
    return [stable(text) for text in texts]


@parity(since=(3, 12), returns=["given", True])
async def test_get_context(aio):
    """get_context() gives the context in which the task runs."""
    context = contextvars.copy_context()
    context.run(variable.set, "given")
    task = aio.create_task(aio.sleep(0), context=context)
    await task
    return [task.get_context()[variable], task.get_context() is context]


@parity(events=["step", "callback", "step"])
async def test_one_task_at_a_time(aio, log):
    """The event loop runs one task at a time; while a task awaits, it runs other tasks and callbacks."""

    async def stepping():
        log("step")
        await aio.sleep(0)
        log("step")

    task = aio.create_task(stepping())
    aio.get_running_loop().call_soon(log, "callback")
    await task


@parity(logged=["ERROR Task exception was never retrieved"])
async def test_an_exception_that_nobody_retrieves(aio):
    """The exception of a task that nobody looks at is logged when the task goes away."""
    aio.create_task(fail())
    await aio.sleep(1)
    gc.collect()


@parity(returns=[True, "ran"])
def test_a_task_of_a_loop(aio):
    """A Task can be made by hand for a loop that does not run yet; create_task() is the better way."""
    loop = aio.new_event_loop()

    async def main():
        return "ran"

    try:
        task = aio.Task(main(), loop=loop)
        return [task.get_loop() is loop, loop.run_until_complete(task)]
    finally:
        loop.close()


@parity(returns="builtins.TypeError('a coroutine was expected, got 3',)")
async def test_a_task_of_something_else(aio):
    """A Task of something that is no coroutine is refused."""
    return outcome(lambda: aio.Task(3, loop=aio.get_running_loop()))


@parity(
    raises=RuntimeError("There is no current event loop in thread 'MainThread'."),
    warned=["RuntimeWarning: coroutine 'sleep' was never awaited"],
)
def test_a_task_without_any_loop(aio):
    """A Task needs a loop: the one given, the running one, or up to 3.13 the current one of the thread."""
    aio.set_event_loop(None)
    aio.Task(aio.sleep(0))


@parity(
    debug=True,
    returns="<Task pending name='job' coro=<sleep() running at tasks.py:…> created at test_page_task_object.py:…>",
)
async def test_debug_mode_says_where_a_task_was_made(aio):
    """In debug mode repr() says where the task was created."""
    task = aio.get_running_loop().create_task(aio.sleep(0), name="job")
    text = repr(task)
    await task
    return stable(text)
