"""to_thread() and run_coroutine_threadsafe(). Threads are real, so the clock is real."""

import concurrent.futures
import contextvars
import threading
import time

from tests.support.parity import CANCELLED, describe, parity, told

variable = contextvars.ContextVar("variable", default="default")


def told_in_thread(function, *arguments):
    """Return the result of a call, or its exception as text."""
    try:
        return function(*arguments)
    except BaseException as error:
        return describe(error)


@parity(clock="real", returns=((1, 2), {"three": 3}))
async def test_arguments_are_passed(aio):
    """Arguments and keyword arguments are directly passed to the function, one named `func` as well."""
    return await aio.to_thread(lambda *args, **kwargs: (args, kwargs), 1, 2, three=3)


@parity(clock="real", returns={"func": 1})
async def test_func_is_positional_only(aio):
    """A keyword argument `func` goes to the function."""
    return await aio.to_thread(lambda **kwargs: kwargs, func=1)


@parity(clock="real", returns=True)
async def test_another_thread(aio):
    """The function runs in a separate thread."""
    return await aio.to_thread(threading.get_ident) != threading.get_ident()


@parity(clock="real", returns=("from the loop", "from the loop"))
async def test_the_context_is_propagated(aio):
    """The current context is propagated; what the thread sets in it stays in the thread."""
    variable.set("from the loop")

    def in_thread():
        seen = variable.get()
        variable.set("from the thread")
        return seen

    return await aio.to_thread(in_thread), variable.get()


@parity(clock="real", returns="builtins.ValueError('x', 1)")
async def test_an_exception_of_the_function(aio):
    """An exception of the function is raised where the coroutine is awaited."""

    def failing():
        raise ValueError("x", 1)

    return await told(aio.to_thread(failing))


@parity(clock="real", returns=(True, "eventually"), events=["awaiting"])
async def test_it_is_a_coroutine(aio, log):
    """to_thread() returns a coroutine: nothing runs before it is awaited."""
    coro = aio.to_thread(lambda: log("ran") or "eventually")
    log("awaiting")
    is_coroutine = aio.iscoroutine(coro)
    result = await coro
    log.remove("ran")
    return is_coroutine, result


@parity(clock="real", events=["loop", "thread"])
async def test_the_loop_is_not_blocked(aio, log):
    """The event loop goes on while the function blocks."""
    go_on = threading.Event()

    def blocking():
        go_on.wait(5)
        log("thread")

    waiting = aio.create_task(aio.to_thread(blocking))
    await aio.sleep(0.01)
    log("loop")
    go_on.set()
    await waiting


@parity(clock="real", returns=(CANCELLED, True), events=["thread goes on"])
async def test_cancelling_abandons_the_thread(aio, log):
    """A cancelled to_thread() raises CancelledError at once; the function goes on in its thread."""
    started, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def blocking():
        started.set()
        go_on.wait(5)
        log("thread goes on")
        ended.set()

    task = aio.create_task(aio.to_thread(blocking))
    while not started.is_set():
        await aio.sleep(0.001)
    task.cancel()
    outcome = await told(task)
    assert log == []
    go_on.set()
    return outcome, ended.wait(5)


@parity(clock="real", returns=list(range(40)))
async def test_many_calls(aio):
    """More calls than there are threads all give their results, in their places."""
    return await aio.gather(*(aio.to_thread(lambda value=value: value) for value in range(40)))


@parity(clock="real", raises=TypeError("'int' object is not callable"))
async def test_what_is_not_callable(aio):
    """Something that cannot be called fails as a call of it fails."""
    await aio.to_thread(3)


@parity(clock="real", returns=[3, "builtins.ValueError('x',)"])
async def test_run_coroutine_threadsafe(aio):
    """The concurrent future in the other thread gets the result or exception of the coroutine."""
    loop = aio.get_running_loop()

    async def failing():
        raise ValueError("x")

    def in_thread():
        results = [aio.run_coroutine_threadsafe(aio.sleep(0, 3), loop).result(5)]
        future = aio.run_coroutine_threadsafe(failing(), loop)
        assert isinstance(future, concurrent.futures.Future)
        return [*results, told_in_thread(future.result, 5)]

    return await aio.to_thread(in_thread)


@parity(clock="real", returns=[True, True], events=[CANCELLED])
async def test_cancelling_from_the_thread(aio, log):
    """Cancelling the concurrent future cancels the task in the event loop."""
    loop, started, ended = aio.get_running_loop(), threading.Event(), threading.Event()

    async def long():
        started.set()
        try:
            await aio.sleep(3600)
        except aio.CancelledError as error:
            log(describe(error))
            ended.set()
            raise

    def in_thread():
        future = aio.run_coroutine_threadsafe(long(), loop)
        started.wait(5)
        return [future.cancel(), ended.wait(5)]

    return await aio.to_thread(in_thread)


@parity(clock="real", returns=[describe(concurrent.futures.TimeoutError()), "late"])
async def test_a_timeout_in_the_thread(aio):
    """result(timeout) raises TimeoutError while the coroutine goes on."""
    loop, go_on = aio.get_running_loop(), aio.Event()

    async def waiting():
        await go_on.wait()
        return "late"

    def in_thread():
        future = aio.run_coroutine_threadsafe(waiting(), loop)
        outcome = told_in_thread(future.result, 0.01)
        loop.call_soon_threadsafe(go_on.set)
        return [outcome, future.result(5)]

    return await aio.to_thread(in_thread)


@parity(clock="real", returns="concurrent.futures._base.CancelledError()")
async def test_a_coroutine_that_is_cancelled_in_the_loop(aio):
    """A task that ends cancelled cancels the concurrent future."""
    loop = aio.get_running_loop()

    async def cancelled():
        raise aio.CancelledError

    return await aio.to_thread(lambda: told_in_thread(aio.run_coroutine_threadsafe(cancelled(), loop).result, 5))


@parity(clock="real", raises=TypeError("A coroutine object is required"))
async def test_only_coroutines(aio):
    """Something that is not a coroutine is refused at once."""
    aio.run_coroutine_threadsafe(3, aio.get_running_loop())


@parity(clock="real", raises=TypeError("A coroutine object is required"))
async def test_a_coroutine_function(aio):
    """A coroutine function instead of a coroutine is refused as well."""
    aio.run_coroutine_threadsafe(aio.sleep, aio.get_running_loop())


@parity(
    clock="real",
    raises=RuntimeError("Event loop is closed"),
    warned=["RuntimeWarning: coroutine 'sleep' was never awaited"],
)
def test_a_closed_loop(aio):
    """A closed loop refuses the coroutine."""
    loop = aio.new_event_loop()
    loop.close()
    aio.run_coroutine_threadsafe(aio.sleep(0), loop)


@parity(clock="real", returns="done")
async def test_from_the_thread_of_the_loop(aio):
    """Called in the loop's own thread it schedules the coroutine as well."""
    future = aio.run_coroutine_threadsafe(aio.sleep(0, "done"), aio.get_running_loop())
    while not future.done():
        await aio.sleep(0)
    return future.result()


@parity(clock="real", returns=[["builtins.KeyError('factory',)"], ["Exception in callback"]])
async def test_a_task_factory_that_fails(aio):
    """An exception of the task factory reaches the thread, and the loop's exception handler."""
    loop, reported = aio.get_running_loop(), []

    def factory(loop, coro, **options):
        coro.close()
        raise KeyError("factory")

    def in_thread():
        return told_in_thread(aio.run_coroutine_threadsafe(aio.sleep(0), loop).result, 5)

    loop.set_exception_handler(lambda loop, context: reported.append(context["message"][:21]))
    waiting = aio.ensure_future(aio.to_thread(in_thread))
    await aio.sleep(0)
    loop.set_task_factory(factory)
    outcome = await waiting
    loop.set_task_factory(None)
    return [[outcome], reported]


@parity(clock="real", returns=0.01)
async def test_time_in_the_thread(aio):
    """The real time that a function sleeps in its thread passes for the loop, too."""
    before = aio.get_running_loop().time()
    await aio.to_thread(time.sleep, 0.01)
    return min(0.01, aio.get_running_loop().time() - before)


@parity(clock="real", raises=TypeError("run_coroutine_threadsafe() missing 1 required positional argument: 'loop'"))
async def test_the_loop_is_required(aio):
    """Unlike the other functions this one requires the loop to be passed."""
    coro = aio.sleep(0)
    try:
        aio.run_coroutine_threadsafe(coro)
    finally:
        await coro


@parity(clock="real", returns=[3, True, "builtins.ValueError('x',)"])
async def test_run_in_executor(aio):
    """loop.run_in_executor() returns a Future of the result or exception of a call in a thread."""
    loop = aio.get_running_loop()

    def failing():
        raise ValueError("x")

    future = loop.run_in_executor(None, int, "3")
    return [await future, aio.isfuture(future), await told(loop.run_in_executor(None, failing))]


@parity(clock="real", returns="mine_0")
async def test_run_in_a_given_executor(aio):
    """An executor of the program runs the function in its own threads."""
    with concurrent.futures.ThreadPoolExecutor(thread_name_prefix="mine") as executor:
        return await aio.get_running_loop().run_in_executor(executor, lambda: threading.current_thread().name)


@parity(clock="real", returns="default")
async def test_run_in_executor_has_no_context(aio):
    """run_in_executor() does not propagate the context, as to_thread() does."""
    variable.set("from the loop")
    return await aio.get_running_loop().run_in_executor(None, variable.get)
