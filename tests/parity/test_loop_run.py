"""run_forever, run_until_complete, stop and close, once and several times on one loop."""

import asyncio
import contextlib
import gc
import threading
import warnings

from tests.support.outcomes import outcome_of
from tests.support.parity import parity


def opened(aio):
    """Open a loop that the with statement closes."""
    return contextlib.closing(aio.new_event_loop())


async def value(result):
    """Return what was given."""
    return result


@parity(returns=[False, True, False, False, True])
def test_a_loop_knows_its_state(aio):
    """is_running() holds during a run, is_closed() after close()."""
    loop, seen = aio.new_event_loop(), []
    seen.append(loop.is_running())
    loop.call_soon(lambda: seen.append(loop.is_running()))
    loop.run_until_complete(aio.sleep(0))
    seen += [loop.is_running(), loop.is_closed()]
    loop.close()
    loop.close()
    return [*seen, loop.is_closed()]


@parity(events=["ready", "stopped"])
def test_stop_before_run_forever_runs_one_turn(aio, log):
    """run_forever() after stop() runs what is ready, once, and returns."""
    with opened(aio) as loop:

        def ready():
            log("ready")
            loop.call_soon(log, "next turn")

        loop.call_soon(ready)
        loop.stop()
        loop.run_forever()
        log("stopped")


@parity(events=["one turn", "stopped", "next turn", "stopped"])
def test_stop_before_run_forever_counts_for_one_run(aio, log):
    """The next run_forever() is a new run, and needs a stop of its own."""
    with opened(aio) as loop:
        loop.call_soon(lambda: loop.call_soon(log, "next turn"))
        loop.call_soon(log, "one turn")
        for _ in range(2):
            loop.stop()
            loop.run_forever()
            log("stopped")


@parity(events=["due timer", "stopped"])
def test_the_one_turn_takes_due_timers_and_waits_for_none(aio, log):
    """A stopped run takes timers that are due and does not wait for others."""
    with opened(aio) as loop:
        loop.call_later(0, log, "due timer")
        loop.call_later(5, log, "later")
        loop.stop()
        loop.run_forever()
        log("stopped")


@parity(events=["stopping", "same turn", "stopped", "next turn", "stopped"])
def test_stop_ends_this_turn(aio, log):
    """stop() lets the rest of the turn run, and leaves what that schedules to the next run."""
    with opened(aio) as loop:

        def stopping():
            log("stopping")
            loop.stop()

        loop.call_soon(stopping)
        loop.call_soon(log, "same turn")
        loop.call_soon(loop.call_soon, log, "next turn")
        loop.run_forever()
        log("stopped")
        loop.stop()
        loop.run_forever()
        log("stopped")


@parity(returns=[1, 2, 3])
def test_run_until_complete_runs_several_times_on_one_loop(aio):
    """One loop may run any number of coroutines, one after the other."""
    with opened(aio) as loop:
        return [loop.run_until_complete(value(number)) for number in (1, 2, 3)]


@parity(returns=("ValueError", ("x",)))
def test_run_until_complete_raises_what_the_coroutine_raises(aio):
    """The exception of the coroutine leaves run_until_complete."""

    async def fail():
        raise ValueError("x")

    with opened(aio) as loop:
        return outcome_of(loop.run_until_complete, fail())


@parity(returns=["r", "r"])
def test_run_until_complete_takes_a_future(aio):
    """A future of the loop is waited for; one that is done gives its result at once."""
    with opened(aio) as loop:
        future = loop.create_future()
        loop.call_soon(future.set_result, "r")
        return [loop.run_until_complete(future), loop.run_until_complete(future)]


@parity(returns="awaited")
def test_run_until_complete_takes_any_awaitable(aio):
    """An object with __await__ is wrapped in a task."""

    class Awaitable:
        def __await__(self):
            yield
            return "awaited"

    with opened(aio) as loop:
        return loop.run_until_complete(Awaitable())


@parity(events=[("turn", 0), "the run is over", ("turn", 1)])
def test_run_until_complete_returns_in_the_turn_in_which_its_future_is_done(aio, log):
    """The run ends with the turn that runs the future's callbacks: a call_soon chain gets that far and no further."""
    with opened(aio) as loop:

        def count(turn):
            log("turn", turn)
            loop.call_soon(count, turn + 1)

        async def main():
            loop.call_soon(count, 0)

        loop.run_until_complete(main())
        log("the run is over")
        loop.stop()
        loop.run_forever()


@parity(events=["callback in the same turn"], returns=None)
def test_callbacks_of_the_last_turn_all_run(aio, log):
    """What is queued together with the end of the run still runs."""
    with opened(aio) as loop:
        future = loop.create_future()
        loop.call_soon(future.set_result, None)
        future.add_done_callback(lambda done: log("callback in the same turn"))
        return loop.run_until_complete(future)


@parity(returns=("RuntimeError", ("Event loop stopped before Future completed.",)))
def test_stop_during_run_until_complete_is_an_error(aio):
    """run_until_complete says when the loop was stopped under it."""
    with opened(aio) as loop:
        future = loop.create_future()
        loop.call_soon(loop.stop)
        return outcome_of(loop.run_until_complete, future)


@parity(returns=[("RuntimeError", ("Event loop stopped before Future completed.",)), 5], seconds=1)
def test_a_coroutine_stopped_under_way_goes_on_in_the_next_run(aio):
    """The task of an interrupted run_until_complete is still there."""
    with opened(aio) as loop:

        async def child():
            await aio.sleep(1)
            return 5

        task = loop.create_task(child())
        loop.call_soon(loop.stop)
        return [outcome_of(loop.run_until_complete, task), loop.run_until_complete(task)]


@parity(events=[("tick", 1), "between", ("tick", 2), "between", ("tick", 3)], seconds=3)
def test_a_task_stays_pending_between_runs(aio, log):
    """A background task makes its steps in whichever run its time comes."""
    with opened(aio) as loop:

        async def background():
            for number in (1, 2, 3):
                await aio.sleep(1)
                log("tick", number)

        task = loop.create_task(background())
        for number in range(3):
            loop.run_until_complete(aio.sleep(1))
            loop.run_until_complete(aio.sleep(0))
            if number < 2:
                log("between")
        loop.run_until_complete(task)


@parity(events=["lock was handed on"], returns=True)
def test_a_lock_is_held_across_runs(aio, log):
    """A task that waits for a lock in one run gets it in the next."""
    with opened(aio) as loop:

        async def make():
            return aio.Lock()

        lock = loop.run_until_complete(make())
        loop.run_until_complete(lock.acquire())

        async def waiter():
            async with lock:
                log("lock was handed on")

        task = loop.create_task(waiter())
        loop.run_until_complete(aio.sleep(0))
        lock.release()
        loop.run_until_complete(task)
        return not lock.locked()


@parity(returns=[("RuntimeError", ("Cannot close a running event loop",)), False])
async def test_a_running_loop_cannot_be_closed(aio):
    """close() inside a run raises and changes nothing."""
    loop = aio.get_running_loop()
    return [outcome_of(loop.close), loop.is_closed()]


@parity(returns=[("RuntimeError", ("no running event loop",)), True, ("RuntimeError", ("no running event loop",))])
def test_the_running_loop_is_known_during_a_run_only(aio):
    """get_running_loop() is the loop inside a run, and an error outside."""
    with opened(aio) as loop:

        async def running():
            return asyncio.get_running_loop() is loop is aio.get_running_loop()

        before = outcome_of(aio.get_running_loop)
        inside = loop.run_until_complete(running())
        return [before, inside, outcome_of(asyncio.get_running_loop)]


@parity(returns=("RuntimeError", ("This event loop is already running",)))
async def test_a_loop_cannot_be_run_inside_itself(aio):
    """run_forever() of the running loop is an error."""
    return outcome_of(aio.get_running_loop().run_forever)


@parity(
    returns=[
        ("RuntimeError", ("This event loop is already running",)),
        ("RuntimeError", ("Cannot run the event loop while another loop is running",)),
        ("RuntimeError", ("Cannot run the event loop while another loop is running",)),
    ]
)
def test_a_loop_cannot_be_run_inside_another(aio):
    """run_forever() and run_until_complete() inside any run are errors."""
    with opened(aio) as loop, opened(aio) as other:

        async def main():
            future, foreign = loop.create_future(), other.create_future()
            return [
                outcome_of(loop.run_until_complete, future),
                outcome_of(other.run_until_complete, foreign),
                outcome_of(other.run_forever),
            ]

        return loop.run_until_complete(main())


@parity(returns=("ValueError", True))
def test_a_future_of_another_loop_is_refused(aio):
    """run_until_complete of a future of another loop raises ValueError."""
    with opened(aio) as loop, opened(aio) as other:
        kind, args = outcome_of(loop.run_until_complete, other.create_future())
        return kind, args == ("The future belongs to a different loop than the one specified as the loop argument",)


@parity(returns=True)
def test_what_cannot_be_awaited_is_refused(aio):
    """run_until_complete(42) raises the TypeError of that Python."""
    with opened(aio) as loop:
        kind, (text,) = outcome_of(loop.run_until_complete, 42)
        return kind == "TypeError" and text.startswith("An asyncio.Future, a coroutine or an awaitable is required")


@parity(events=["a", "b"], returns=[("a", 0), ("b", 0)])
def test_two_loops_run_one_after_the_other(aio, log):
    """Loops do not disturb each other: each has its own queue, its own tasks and its own time to run."""
    results = []
    with opened(aio) as first, opened(aio) as second:
        for loop, name in ((first, "a"), (second, "b")):
            loop.call_soon(log, name)
            results.append((name, loop.run_until_complete(value(0))))
    return results


@parity(returns=(True, True))
def test_a_loop_made_in_one_thread_runs_in_another(aio):
    """A loop may be made here, run in another thread, and closed here."""
    seen = []
    with opened(aio) as loop:

        async def where():
            await aio.sleep(0)
            seen.append(threading.current_thread() is thread)
            seen.append(aio.get_running_loop() is loop)

        thread = threading.Thread(target=lambda: loop.run_until_complete(where()))
        thread.start()
        thread.join()
    return tuple(seen)


@parity(returns=["thread", "main"])
def test_two_loops_run_in_two_threads_at_once(aio):
    """A loop in another thread runs while the one of this thread runs."""
    results = {}

    def in_a_thread():
        with opened(aio) as loop:
            results["thread"] = loop.run_until_complete(value("thread"))

    thread = threading.Thread(target=in_a_thread)

    async def main():
        thread.start()
        thread.join()
        return "main"

    with opened(aio) as loop:
        results["main"] = loop.run_until_complete(main())
    return [results["thread"], results["main"]]


@parity(returns=[None, 0])
def test_closing_forgets_what_was_scheduled(aio):
    """close() empties the queues."""
    loop = aio.new_event_loop()
    loop.call_soon(print, "never")
    loop.call_later(1, print, "never")
    answer = loop.close()
    return [answer, len(loop._ready) + len(loop._scheduled)]


@parity(warned=["ResourceWarning: unclosed event loop <loop>"])
def test_a_loop_that_is_dropped_unclosed_is_warned_about(aio):
    """A loop that goes away without close() gives a ResourceWarning, and its resources back."""
    loop = aio.new_event_loop()
    loop.run_until_complete(aio.sleep(0))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del loop
        gc.collect()
    texts = [str(warning.message) for warning in caught if issubclass(warning.category, ResourceWarning)]
    for text in texts:
        if text.startswith("unclosed event loop"):
            warnings.warn("unclosed event loop <loop>", ResourceWarning, stacklevel=1)


@parity(returns=True)
def test_a_loop_prints_its_state(aio):
    """repr() of a loop tells running, closed and debug."""
    loop = aio.new_event_loop()
    texts = [repr(loop)]

    async def inside():
        return repr(loop)

    texts.append(loop.run_until_complete(inside()))
    loop.close()
    texts.append(repr(loop))
    ends = ["running=False closed=False debug=False>", "running=True closed=False debug=False>"]
    ends.append("running=False closed=True debug=False>")
    return [text.split(" ", 1)[1] for text in texts] == ends


@parity(events=["call_soon on the instance", "create_future on the instance", "handler on the instance"])
def test_methods_set_on_the_loop_are_used(aio, log):
    """call_soon, create_future and call_exception_handler set on the instance are what asyncio's code calls."""
    with opened(aio) as loop:
        original_call_soon, original_create_future = loop.call_soon, loop.create_future

        def call_soon(callback, *args, **kwargs):
            log("call_soon on the instance")
            return original_call_soon(callback, *args, **kwargs)

        def create_future():
            log("create_future on the instance")
            return original_create_future()

        def failing():
            raise ValueError

        future = loop.create_future()
        loop.call_soon = call_soon
        future.set_result(None)
        future.add_done_callback(lambda done: None)
        loop.call_soon = original_call_soon
        loop.create_future = create_future
        loop.run_until_complete(aio.sleep(0.5))
        loop.create_future = original_create_future
        loop.call_exception_handler = lambda context: log("handler on the instance")
        loop.call_soon(failing)
        loop.run_until_complete(aio.sleep(0))
