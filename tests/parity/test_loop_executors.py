"""run_in_executor with the default executor, thread pools, process pools and executors of one's own."""

import asyncio
import concurrent.futures
import contextlib
import contextvars
import multiprocessing
import threading
import time
import warnings

from tests.support.elsewhere import double, fail
from tests.support.outcomes import outcome_of, outcome_of_await
from tests.support.parity import by_python, parity

DEPRECATED = (
    "Using the default executor that is not an instance of ThreadPoolExecutor is deprecated and will be prohibited in "
    "Python 3.9"
)

var = contextvars.ContextVar("var", default="default")


class AtOnce(concurrent.futures.Executor):
    """An executor that runs each call in submit()."""

    def submit(self, function, /, *args, **kwargs):
        future = concurrent.futures.Future()
        future.set_result(function(*args, **kwargs))
        return future


@parity(clock="real", returns=[42, False])
async def test_the_default_executor_runs_in_another_thread(aio):
    """run_in_executor(None, f, *args) calls f in a worker thread."""
    loop = aio.get_running_loop()
    result = await loop.run_in_executor(None, double, 21)
    return [result, await loop.run_in_executor(None, threading.get_ident) == threading.get_ident()]


@parity(clock="real", returns=("ValueError", ("in the executor",)))
async def test_an_exception_in_the_executor_is_raised_at_the_await(aio):
    """What the function raises is what the await raises."""
    return await outcome_of_await(aio.get_running_loop().run_in_executor(None, fail))


@parity(clock="real", returns=(True, True))
async def test_run_in_executor_returns_a_future(aio):
    """The call starts at once and gives a Future of the loop, not a coroutine."""
    loop = aio.get_running_loop()
    future = loop.run_in_executor(None, double, 1)
    answers = isinstance(future, asyncio.Future), future.get_loop() is loop
    await future
    return answers


@parity(clock="real", returns="worker_0")
async def test_a_thread_pool_of_ones_own(aio):
    """A ThreadPoolExecutor given as the executor runs the call in its own threads."""
    with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="worker") as pool:
        return await aio.get_running_loop().run_in_executor(pool, lambda: threading.current_thread().name)


@parity(clock="real", returns=[4, ("ValueError", ("in the executor",))], limit=60)
async def test_a_process_pool(aio):
    """A ProcessPoolExecutor runs the call in another process, and passes results and exceptions back."""
    loop = aio.get_running_loop()
    spawning = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawning) as pool:
        return [
            await loop.run_in_executor(pool, double, 2),
            await outcome_of_await(loop.run_in_executor(pool, fail)),
        ]


@parity(returns=6)
async def test_any_executor(aio):
    """An Executor that works at once is as good as any."""
    return await aio.get_running_loop().run_in_executor(AtOnce(), double, 3)


@parity(clock="real", returns="default")
async def test_context_variables_do_not_travel_into_the_executor(aio):
    """run_in_executor calls the function in the worker's own context; only to_thread copies it."""
    var.set("set in the task")
    return await aio.get_running_loop().run_in_executor(None, var.get)


@parity(clock="real", returns=("chosen", True))
async def test_set_default_executor_chooses_the_pool(aio):
    """The pool set by set_default_executor runs what is given to None, and is `_default_executor`."""
    loop = aio.get_running_loop()
    pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="chosen")
    loop.set_default_executor(pool)
    name = await loop.run_in_executor(None, lambda: threading.current_thread().name)
    return name.split("_")[0], loop._default_executor is pool


@parity(
    returns=by_python({(3, 10): None, (3, 11): ("TypeError", ("executor must be ThreadPoolExecutor instance",))}),
    warned=by_python({(3, 10): [f"DeprecationWarning: {DEPRECATED}"], (3, 11): []}),
)
async def test_the_default_executor_must_be_a_thread_pool(aio):
    """From 3.11 on set_default_executor refuses anything but a ThreadPoolExecutor; before, it warns."""
    return outcome_of(aio.get_running_loop().set_default_executor, AtOnce())


@parity(
    clock="real",
    returns=["finished", ("RuntimeError", ("Executor shutdown has been called",))],
    events=["worker is done", "shut down"],
)
async def test_shutdown_default_executor_waits_for_its_threads(aio, log):
    """shutdown_default_executor() returns when the workers are done; afterwards the default executor is refused."""
    loop = aio.get_running_loop()

    def work():
        time.sleep(0.05)
        log("worker is done")
        return "finished"

    future = loop.run_in_executor(None, work)
    await loop.shutdown_default_executor()
    log("shut down")
    return [await future, outcome_of(loop.run_in_executor, None, double, 1)]


@parity(returns=None)
async def test_shutting_down_an_executor_that_was_never_used_is_nothing(aio):
    """shutdown_default_executor() without an executor returns."""
    return await aio.get_running_loop().shutdown_default_executor()


@parity(
    since=(3, 13),
    clock="real",
    events=["RuntimeWarning: The executor did not finishing joining its threads within 0.01 seconds."],
)
async def test_shutdown_default_executor_waits_no_longer_than_it_is_told(aio, log):
    """A warning says that a thread still works (3.12 waits for the thread first)."""
    loop, started, let_go = aio.get_running_loop(), aio.Event(), threading.Event()

    def work():
        loop.call_soon_threadsafe(started.set)
        let_go.wait(5)

    working = loop.run_in_executor(None, work)
    await started.wait()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await loop.shutdown_default_executor(0.01)
    for each in caught:
        log(f"{each.category.__name__}: {each.message}")
    let_go.set()
    await working


@parity(returns=[("TypeError", True), ("TypeError", True)])
async def test_shutdown_default_executor_takes_one_limit_and_nothing_else(aio):
    """Also while there is nothing to wait for."""
    loop, seen = aio.get_running_loop(), []
    for given in ([(1, 2), {}], [(), {"no_such": 1}]):
        outcome = outcome_of(loop.shutdown_default_executor, *given[0], **given[1])
        seen.append((outcome[0], "shutdown_default_executor" in outcome[1][0]))
    return seen


@parity(clock="real", events=["in the thread", "main left", "after run"])
def test_run_waits_for_the_default_executor(aio, log):
    """The end of run() waits for threads that still work."""
    started = threading.Event()

    def work():
        log("in the thread")
        started.set()
        time.sleep(0.1)
        log("main left")

    async def main():
        aio.get_running_loop().run_in_executor(None, work)
        while not started.is_set():
            await aio.sleep(0.001)

    aio.run(main())
    log("after run")


@parity(clock="real", returns=("CancelledError", ()), events=["the function went on"])
async def test_a_cancelled_call_is_abandoned(aio, log):
    """Cancelling the future of a call that runs lets the function run on, and its result is dropped."""
    loop = aio.get_running_loop()
    started, release = threading.Event(), threading.Event()

    def work():
        started.set()
        release.wait(5)
        log("the function went on")

    future = loop.run_in_executor(None, work)
    await loop.run_in_executor(None, started.wait, 5)
    future.cancel()
    outcome = await outcome_of_await(future)
    release.set()
    await loop.shutdown_default_executor()
    return outcome


@parity(clock="real", returns=[True, 1])
async def test_a_cancelled_call_that_has_not_begun_never_begins(aio):
    """A call that waits for a worker is taken back by cancel()."""
    loop, calls = aio.get_running_loop(), []
    release = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = loop.run_in_executor(pool, release.wait, 5)
        second = loop.run_in_executor(pool, calls.append, "second")
        third = loop.run_in_executor(pool, calls.append, "third")
        second.cancel()
        await aio.sleep(0)
        release.set()
        await first
        await third
        return [second.cancelled(), len(calls)]


@parity(clock="real", returns=[0, 1, 2, 3, 4, 5, 6, 7])
async def test_many_calls_at_once(aio):
    """gather() of many calls gives the results in order."""
    loop = aio.get_running_loop()
    return await aio.gather(*(loop.run_in_executor(None, lambda number=number: number) for number in range(8)))


@parity(debug=True, returns=[("TypeError", ("coroutines cannot be used with run_in_executor()",)), "TypeError"])
async def test_debug_mode_refuses_coroutine_functions_and_what_cannot_be_called(aio):
    """In debug mode run_in_executor checks its function."""
    loop = aio.get_running_loop()
    return [outcome_of(loop.run_in_executor, None, aio.sleep, 1), outcome_of(loop.run_in_executor, None, 42)[0]]


@parity(returns=("RuntimeError", ("Event loop is closed",)))
def test_a_closed_loop_has_no_executor(aio):
    """run_in_executor of a closed loop raises."""
    loop = aio.new_event_loop()
    loop.close()
    return outcome_of(loop.run_in_executor, None, double, 1)


@parity(clock="real", returns="late", limit=20)
def test_a_call_that_outlives_its_run_arrives_in_the_next(aio):
    """A function that finishes while the loop does not run gives its result in the next run."""
    with contextlib.closing(aio.new_event_loop()) as loop:
        release = threading.Event()

        async def start():
            return [loop.run_in_executor(None, lambda: release.wait(5) and "late")]

        (future,) = loop.run_until_complete(start())
        release.set()
        result = loop.run_until_complete(future)
        loop.run_until_complete(loop.shutdown_default_executor())
        return result


@parity(clock="real", returns=[True, True, True])
def test_the_default_executor_can_be_read(aio):
    """`_default_executor` is None, then the pool, then None again when the loop is closed."""
    loop = aio.new_event_loop()
    seen = [loop._default_executor is None]

    async def use():
        await loop.run_in_executor(None, double, 1)
        seen.append(loop._default_executor is not None)
        await loop.shutdown_default_executor()

    loop.run_until_complete(use())
    loop.close()
    return [*seen, loop._default_executor is None]
