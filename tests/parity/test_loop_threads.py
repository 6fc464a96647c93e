"""call_soon_threadsafe: from other threads, while the loop is idle, busy, stopped or closed."""

import contextlib
import gc
import threading
import time

from tests.support.outcomes import outcome_of
from tests.support.parity import parity


def in_a_thread(function, *args):
    """Start a thread that calls a function after a moment in which the loop falls asleep."""

    def work():
        time.sleep(0.05)
        function(*args)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@parity(clock="real", returns="from the thread")
async def test_call_soon_threadsafe_wakes_an_idle_loop(aio):
    """A call from another thread wakes a loop that has nothing else to wait for."""
    loop = aio.get_running_loop()
    future = loop.create_future()
    thread = in_a_thread(loop.call_soon_threadsafe, future.set_result, "from the thread")
    result = await future
    thread.join()
    return result


@parity(returns="from the thread")
async def test_call_soon_threadsafe_wakes_an_idle_loop_on_a_virtual_clock(aio):
    """The same where time is virtual and no timer is set."""
    loop = aio.get_running_loop()
    future = loop.create_future()
    thread = in_a_thread(loop.call_soon_threadsafe, future.set_result, "from the thread")
    result = await future
    thread.join()
    return result


@parity(clock="real", returns=True)
async def test_call_soon_threadsafe_wakes_a_loop_that_waits_for_a_timer(aio):
    """A call from another thread does not wait for the next timer."""
    loop = aio.get_running_loop()
    handle = loop.call_later(60, print)
    future, start = loop.create_future(), loop.time()
    thread = in_a_thread(loop.call_soon_threadsafe, future.set_result, None)
    await future
    handle.cancel()
    thread.join()
    return loop.time() - start < 30


@parity(clock="real", returns=list(range(500)))
async def test_calls_of_one_thread_keep_their_order(aio):
    """What one thread schedules runs in the order of its calls."""
    loop, seen = aio.get_running_loop(), []
    done = loop.create_future()

    def work():
        for number in range(500):
            loop.call_soon_threadsafe(seen.append, number)
        loop.call_soon_threadsafe(done.set_result, None)

    thread = in_a_thread(work)
    await done
    thread.join()
    return seen


@parity(clock="real", returns=2000)
async def test_calls_of_many_threads_all_arrive(aio):
    """Nothing is lost when four threads schedule at once."""
    loop, seen = aio.get_running_loop(), []
    done = loop.create_future()

    def count(number):
        seen.append(number)
        if len(seen) == 2000:
            done.set_result(None)

    def work():
        for number in range(500):
            loop.call_soon_threadsafe(count, number)

    threads = [in_a_thread(work) for _ in range(4)]
    await done
    for thread in threads:
        thread.join()
    return len(seen)


@parity(clock="real", returns=True)
async def test_the_call_runs_in_the_loops_thread(aio):
    """The callback runs in the thread of the loop, with the running loop known."""
    loop = aio.get_running_loop()
    future = loop.create_future()
    here = threading.get_ident()
    thread = in_a_thread(
        loop.call_soon_threadsafe,
        lambda: future.set_result(threading.get_ident() == here and aio.get_running_loop() is loop),
    )
    result = await future
    thread.join()
    return result


@parity(clock="real", returns=(True, None))
async def test_the_handle_of_a_threadsafe_call_can_be_cancelled(aio):
    """call_soon_threadsafe returns a handle; a cancelled one is not called."""
    loop, seen = aio.get_running_loop(), []
    handle = loop.call_soon_threadsafe(seen.append, "never")
    answer = handle.cancel()
    await aio.sleep(0)
    return handle.cancelled() and not seen, answer


@parity(returns=("RuntimeError", ("Event loop is closed",)))
def test_call_soon_threadsafe_on_a_closed_loop_is_an_error(aio):
    """A thread that calls into a closed loop gets RuntimeError('Event loop is closed')."""
    loop = aio.new_event_loop()
    loop.close()
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(outcome_of(loop.call_soon_threadsafe, print)))
    thread.start()
    thread.join()
    return outcomes[0]


@parity(events=["scheduled before the run", "scheduled between the runs"])
def test_call_soon_threadsafe_while_the_loop_does_not_run_waits_for_the_run(aio, log):
    """What threads schedule while the loop stands still runs when it runs again."""
    with contextlib.closing(aio.new_event_loop()) as loop:
        for name in ("scheduled before the run", "scheduled between the runs"):
            thread = threading.Thread(target=loop.call_soon_threadsafe, args=(log, name))
            thread.start()
            thread.join()
            loop.run_until_complete(aio.sleep(0))


@parity(clock="real", events=["stopped"])
def test_a_thread_stops_a_loop_that_runs_forever(aio, log):
    """call_soon_threadsafe(loop.stop) ends run_forever of an idle loop."""
    with contextlib.closing(aio.new_event_loop()) as loop:
        thread = in_a_thread(loop.call_soon_threadsafe, loop.stop)
        loop.run_forever()
        log("stopped")
        thread.join()


@parity(clock="real", returns=["result of the coroutine", "cancelled in the loop", "ValueError('x')"])
async def test_a_thread_runs_coroutines_in_the_loop(aio):
    """run_coroutine_threadsafe gives result and exception, and its cancel() reaches the task."""
    loop, cancelled = aio.get_running_loop(), aio.Event()

    async def succeed():
        return "result of the coroutine"

    async def fail():
        raise ValueError("x")

    async def wait():
        try:
            await aio.sleep(60)
        finally:
            cancelled.set()

    def work():
        results = [aio.run_coroutine_threadsafe(succeed(), loop).result(10)]
        future = aio.run_coroutine_threadsafe(wait(), loop)
        time.sleep(0.05)
        future.cancel()
        results.append("cancelled in the loop")
        results.append(repr(aio.run_coroutine_threadsafe(fail(), loop).exception(10)))
        return results

    results = await loop.run_in_executor(None, work)
    await cancelled.wait()
    return results


@parity(returns=[("TypeError", ("A coroutine object is required",))])
async def test_run_coroutine_threadsafe_takes_coroutines_only(aio):
    """Anything but a coroutine is refused in the calling thread."""
    return [outcome_of(aio.run_coroutine_threadsafe, 42, aio.get_running_loop())]


WRONG_THREAD = (
    "RuntimeError",
    ("Non-thread-safe operation invoked on an event loop other than the current one",),
)


@parity(clock="real", debug=True, returns=[WRONG_THREAD, WRONG_THREAD, WRONG_THREAD, "threadsafe"])
async def test_debug_mode_checks_the_thread(aio):
    """In debug mode call_soon, call_later and call_at from another thread are errors; call_soon_threadsafe is not."""
    loop = aio.get_running_loop()
    future = loop.create_future()

    def work():
        return [
            outcome_of(loop.call_soon, print),
            outcome_of(loop.call_later, 60, print),
            outcome_of(loop.call_at, 60, print),
        ]

    outcomes = await loop.run_in_executor(None, work)
    await loop.run_in_executor(None, loop.call_soon_threadsafe, future.set_result, "threadsafe")
    return [*outcomes, await future]


@parity(clock="real", debug=True, returns=WRONG_THREAD)
async def test_debug_mode_checks_the_thread_of_a_future_that_is_resolved(aio):
    """In debug mode a future with a waiter cannot be resolved from another thread."""
    loop = aio.get_running_loop()
    future = loop.create_future()
    future.add_done_callback(lambda done: None)
    return await loop.run_in_executor(None, outcome_of, future.set_result, 1)


@parity(
    clock="real",
    debug=True,
    returns=WRONG_THREAD,
    events=["Task was destroyed but it is pending!"],
    warned=["RuntimeWarning: coroutine 'child' was never awaited"],
)
async def test_debug_mode_checks_the_thread_of_a_new_task(aio, log):
    """In debug mode a task cannot be made for a loop that runs in another thread."""
    loop = aio.get_running_loop()
    loop.slow_callback_duration = 60  # to collect the garbage of a long test run takes its time
    loop.set_exception_handler(lambda loop, context: log(context["message"]))

    async def child():
        pass

    child.__qualname__ = "child"
    outcome = await loop.run_in_executor(None, lambda: outcome_of(loop.create_task, child()))
    gc.collect()
    return outcome
