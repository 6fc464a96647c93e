"""call_later, call_at, time, and the handles of all scheduled calls."""

import functools
import gc
import time
import weakref

import pytest

from tests.support.outcomes import outcome_of
from tests.support.parity import by_python, parity, stable

# What only trioasync promises: asyncio leaves it undefined.
NOT_IN_ASYNCIO = (99,)


def callback(*args):
    """Stand for a scheduled callback."""


@parity(events=[(1, "one"), (2, "two"), (2.5, "two and a half")], seconds=3)
async def test_timers_fire_at_their_time(aio, log):
    """call_later counts from now, in seconds; time() is the time of the loop."""
    loop = aio.get_running_loop()
    start = loop.time()
    for delay, name in ((2, "two"), (1, "one"), (2.5, "two and a half")):
        loop.call_later(delay, lambda name=name: log(round(loop.time() - start, 6), name))
    await aio.sleep(3)


@parity(events=["early", "late"], seconds=2)
async def test_call_at_takes_a_time_of_the_loop(aio, log):
    """call_at takes what time() counts."""
    loop = aio.get_running_loop()
    loop.call_at(loop.time() + 2, log, "late")
    loop.call_at(loop.time() + 1, log, "early")
    await aio.sleep(2.0)


@parity(events=["the past", "minus two", "minus one", "zero"])
async def test_a_time_in_the_past_is_due_in_the_next_turn(aio, log):
    """Negative delays are due at once, the earliest first."""
    loop = aio.get_running_loop()
    loop.call_later(0, log, "zero")
    loop.call_later(-1, log, "minus one")
    loop.call_at(-1000, log, "the past")
    loop.call_later(-2, log, "minus two")
    await aio.sleep(0)


@parity(events=[0, 1])
async def test_two_timers_with_one_deadline_fire_in_the_order_of_their_setting(aio, log):
    """Two timers of one deadline keep their order."""
    loop = aio.get_running_loop()
    when = loop.time() + 1
    for number in range(2):
        loop.call_at(when, log, number)
    await aio.sleep(1)


@parity(since=NOT_IN_ASYNCIO, events=list(range(50)))
async def test_any_number_of_timers_with_one_deadline_fire_in_the_order_of_their_setting(aio, log):
    """Fifty timers of one deadline fire in the order in which they were set, where asyncio leaves it open."""
    loop = aio.get_running_loop()
    when = loop.time() + 1
    for number in range(50):
        loop.call_at(when, log, number)
    await aio.sleep(2)


@parity(events=["kept"], returns=[True, False, None], seconds=3)
async def test_a_cancelled_timer_does_not_fire(aio, log):
    """cancel() of a handle takes the callback away; cancelled() says so."""
    loop = aio.get_running_loop()
    gone, kept = loop.call_later(1, log, "gone"), loop.call_later(2, log, "kept")
    answer = gone.cancel()
    await aio.sleep(3)
    return [gone.cancelled(), kept.cancelled(), answer]


@parity(events=["canceller"])
async def test_a_callback_can_cancel_another_of_its_own_turn(aio, log):
    """A handle cancelled after it became ready is passed over."""
    loop = aio.get_running_loop()
    handles = []

    def cancel():
        log("canceller")
        for handle in handles:
            handle.cancel()

    loop.call_soon(cancel)
    handles += [loop.call_soon(log, "soon"), loop.call_later(0, log, "later"), loop.call_later(-1, log, "past")]
    await aio.sleep(0)
    await aio.sleep(0)


@parity(returns=[1.5, True, True])
async def test_a_timer_handle_knows_its_time(aio):
    """when() is the time of the loop at which the timer is due; handles compare by it."""
    loop = aio.get_running_loop()
    first, second = loop.call_at(1.5, callback), loop.call_at(2.5, callback)
    answers = [first.when(), first < second, first != second]
    first.cancel()
    second.cancel()
    return answers


@parity(returns=False)
async def test_cancelling_twice_is_cancelling_once(aio):
    """A handle can be cancelled any number of times, before and after its time."""
    loop = aio.get_running_loop()
    handle, fired = loop.call_later(1, callback), loop.call_soon(callback)
    handle.cancel()
    handle.cancel()
    await aio.sleep(2)
    fired_was_cancelled = fired.cancelled()
    fired.cancel()
    return fired_was_cancelled


PLACE = "callback() at test_loop_timers.py:…"


@parity(
    returns=[
        f"<Handle {PLACE}>",
        f"<TimerHandle when=12.5 {PLACE}>",
        "<Handle cancelled>",
        "<TimerHandle cancelled when=12.5>",
    ]
)
async def test_handles_print_what_they_will_call(aio):
    """repr() of a handle names callback and place, and the time of a timer; a cancelled one forgets its callback."""
    loop = aio.get_running_loop()
    handles = [loop.call_soon(callback), loop.call_at(12.5, callback)]
    texts = [repr(handle) for handle in handles]
    for handle in handles:
        handle.cancel()
    return [stable(text) for text in [*texts, *map(repr, handles)]]


@parity(
    returns=by_python(
        {
            (3, 10): f"<Handle {PLACE.replace('()', '(1)(2)')}>",
            (3, 13): f"<Handle {PLACE.replace('()', '()()')}>",
        }
    )
)
async def test_a_handle_of_a_partial_prints_its_function(aio):
    """A partial prints as the function under it; arguments are shown up to 3.12 only."""
    return stable(repr(aio.get_running_loop().call_soon(functools.partial(callback, 1), 2)))


@parity(debug=True, returns=[True, True])
async def test_debug_mode_prints_arguments_and_origin(aio):
    """In debug mode repr() of a handle ends with the place of its creation, and keeps the callback when cancelled."""
    handle = aio.get_running_loop().call_soon(callback, "argument")
    text = stable(repr(handle))
    handle.cancel()
    return [
        text.endswith(" created at test_loop_timers.py:…>"),
        stable(repr(handle)).startswith("<Handle cancelled callback("),
    ]


@parity(returns=[("TypeError", True), ("TypeError", True)])
async def test_none_is_no_time(aio):
    """call_later(None) and call_at(None) are TypeErrors on each Python."""
    loop = aio.get_running_loop()
    outcomes = [outcome_of(loop.call_later, None, callback), outcome_of(loop.call_at, None, callback)]
    return [(kind if kind != "AssertionError" else "TypeError", bool(args is not None)) for kind, args in outcomes]


@pytest.mark.parametrize("cancelled", [150, 60])
@parity(returns=True)
async def test_cancelled_timers_do_not_pile_up(aio, cancelled):
    """When many timers were cancelled, the loop throws them away before their time."""
    loop = aio.get_running_loop()
    handles = [loop.call_later(1000 + number, callback) for number in range(200)]
    for handle in handles[-cancelled:]:
        handle.cancel()
    await aio.sleep(0)
    await aio.sleep(0)
    left = len(loop._scheduled)
    for handle in handles:
        handle.cancel()
    return left == (200 - cancelled if cancelled > 100 else 200)


@parity(returns=[None, None])
async def test_a_callback_that_ran_or_was_cancelled_is_let_go(aio):
    """Handles that ran or were cancelled keep nothing alive."""

    class Thing:
        def method(self):
            pass

    loop = aio.get_running_loop()
    things = [Thing(), Thing()]
    references = [weakref.ref(thing) for thing in things]
    loop.call_soon(things[0].method)
    loop.call_later(1000, things[1].method).cancel()
    del things
    await aio.sleep(0)
    gc.collect()
    return [reference() for reference in references]


@parity(returns=[True, True, True], clock="real")
async def test_time_is_monotonic_time(aio):
    """On the system's clock time() is time.monotonic(), and never runs backwards."""
    loop = aio.get_running_loop()
    before, now, after = time.monotonic(), loop.time(), time.monotonic()
    start = loop.time()
    await aio.sleep(0.02)
    return [before <= now <= after, loop.time() - start >= 0.02 - loop._clock_resolution, loop.time() - start < 5]


@parity(returns=[0, 2, 1, True])
async def test_the_queues_of_the_loop_can_be_read(aio):
    """`_ready`, `_scheduled` and `_clock_resolution` are there, and hold what is queued and set."""
    loop = aio.get_running_loop()
    before = len(loop._ready)
    loop.call_soon(callback)
    aio.create_task(aio.sleep(0))
    handle = loop.call_later(1000, callback)
    answers = [before, len(loop._ready), len(loop._scheduled), loop._clock_resolution > 0]
    handle.cancel()
    return answers


@parity(events=["a", "b"])
async def test_clearing_the_ready_queue_drops_its_callbacks(aio, log):
    """`_ready` is a deque of handles: one taken out by hand is not called."""
    loop = aio.get_running_loop()
    for name in ("a", "dropped", "b"):
        loop.call_soon(log, name)
    del loop._ready[1]
    await aio.sleep(0)


@parity(returns=3, seconds=3)
async def test_a_timer_may_set_the_next(aio):
    """A chain of timers counts on without drift on a virtual clock."""
    loop = aio.get_running_loop()
    done, start = loop.create_future(), loop.time()

    def tick(number):
        if number == 3:
            done.set_result(round(loop.time() - start, 6))
        else:
            loop.call_later(1, tick, number + 1)

    loop.call_later(1, tick, 1)
    return await done


@parity(events=["within the resolution"])
async def test_a_timer_within_the_resolution_of_the_clock_is_due(aio, log):
    """A deadline that is less than one tick of the clock away counts as due."""
    loop = aio.get_running_loop()
    loop.call_later(loop._clock_resolution / 2, log, "within the resolution")
    await aio.sleep(0)
