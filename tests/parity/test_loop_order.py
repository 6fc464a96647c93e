"""First in, first out: the order of callbacks, first steps, wake-ups, done callbacks, readers and due timers."""

import contextlib
import contextvars
import os

from tests.support.parity import parity


@parity(events=["a", "b", "c", "main"])
async def test_callbacks_run_in_the_order_of_call_soon(aio, log):
    """Callbacks run first in, first out, and before a task that gave way after them."""
    for name in "abc":
        aio.get_running_loop().call_soon(log, name)
    await aio.sleep(0)
    log("main")


@parity(events=["a", "task 1", "b", "task 2", "c"])
async def test_first_steps_stand_in_line_with_callbacks(aio, log):
    """A new task begins where call_soon would have put it."""

    async def child(number):
        log(f"task {number}")

    loop = aio.get_running_loop()
    loop.call_soon(log, "a")
    first = aio.create_task(child(1))
    loop.call_soon(log, "b")
    second = aio.create_task(child(2))
    loop.call_soon(log, "c")
    await first
    await second


@parity(events=["a", "b", "a1", "b1", "a2", "b2"])
async def test_what_a_callback_schedules_runs_in_the_next_turn(aio, log):
    """A callback that schedules itself again lets all others of its turn go first."""
    loop = aio.get_running_loop()

    def again(name, turns):
        log(name if not turns else f"{name}{turns}")
        if turns < 2:
            loop.call_soon(again, name, turns + 1)

    loop.call_soon(again, "a", 0)
    loop.call_soon(again, "b", 0)
    for _ in range(3):
        await aio.sleep(0)


@parity(events=["ping 0", "pong 0", "ping 1", "pong 1", "ping 2", "pong 2"])
async def test_tasks_that_sleep_zero_take_turns(aio, log):
    """sleep(0) is one turn: two tasks alternate."""

    async def player(name):
        for number in range(3):
            log(f"{name} {number}")
            await aio.sleep(0)

    players = [aio.create_task(player(name)) for name in ("ping", "pong")]
    for each in players:
        await each


@parity(events=["first waiter", "callback", "second waiter", "done callback", "late"])
async def test_wake_ups_are_queued_when_the_future_is_resolved(aio, log):
    """set_result queues each waiter in the order of waiting, between what was queued before and what comes after."""
    loop = aio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()

    async def waiter(future, name):
        await future
        log(name)

    tasks = [aio.create_task(waiter(second, "second waiter")), aio.create_task(waiter(first, "first waiter"))]
    await aio.sleep(0)
    second.add_done_callback(lambda done: log("done callback"))
    first.set_result(None)
    loop.call_soon(log, "callback")
    second.set_result(None)
    loop.call_soon(log, "late")
    for task in tasks:
        await task
    await aio.sleep(0)


@parity(events=["inner ends", "a turn", "outer goes on"])
async def test_awaiting_a_task_takes_the_turn_of_its_done_callback(aio, log):
    """The awaiter of a task goes on in the turn after the one in which the task ended."""
    loop = aio.get_running_loop()

    async def inner():
        await aio.sleep(0)
        loop.call_soon(log, "a turn")
        log("inner ends")

    await aio.create_task(inner())
    log("outer goes on")


@parity(events=["soon", "the task", "due before", "due now", "the task"])
async def test_due_timers_come_behind_what_is_ready(aio, log):
    """A turn first takes what was ready, then the timers that are due, the earliest first."""
    loop = aio.get_running_loop()
    loop.call_later(0, log, "due now")
    loop.call_later(-1, log, "due before")
    loop.call_soon(log, "soon")
    for _ in range(2):
        await aio.sleep(0)
        log("the task")


@parity(events=["ready", "reader", "timer"])
async def test_readers_come_between_what_is_ready_and_due_timers(aio, log):
    """A turn runs what was ready, then ready descriptors, then due timers."""
    loop = aio.get_running_loop()
    reading, writing = os.pipe()
    try:
        os.write(writing, b"x")

        def read():
            log("reader")
            loop.remove_reader(reading)

        loop.call_later(0, log, "timer")
        loop.add_reader(reading, read)
        loop.call_soon(log, "ready")
        await aio.sleep(0)
        await aio.sleep(0)
    finally:
        os.close(reading)
        os.close(writing)


@parity(events=["outer 1", "inner", "outer 2", "callback of inner", "callback of outer"])
async def test_callbacks_of_two_tasks_keep_the_order_of_their_ends(aio, log):
    """Done callbacks run in the order in which the tasks ended."""

    async def inner():
        log("inner")

    async def outer():
        log("outer 1")
        await aio.sleep(0)
        log("outer 2")

    tasks = [aio.create_task(outer()), aio.create_task(inner())]
    tasks[0].add_done_callback(lambda done: log("callback of outer"))
    tasks[1].add_done_callback(lambda done: log("callback of inner"))
    for _ in range(4):
        await aio.sleep(0)


@parity(events=[("woken", 2), ("woken", 0), ("woken", 1)], seconds=3)
async def test_sleepers_wake_in_the_order_of_their_deadlines(aio, log):
    """Sleeping tasks wake by deadline, not by the order in which they went to sleep."""

    async def sleeper(number, seconds):
        await aio.sleep(seconds)
        log("woken", number)

    tasks = [aio.create_task(sleeper(number, seconds)) for number, seconds in enumerate((2, 3, 1))]
    for task in tasks:
        await task


@parity(events=["a", "b"], seconds=1)
async def test_two_sleepers_with_one_deadline_wake_in_the_order_of_going_to_sleep(aio, log):
    """Equal deadlines keep their order."""

    async def sleeper(name):
        await aio.sleep(1)
        log(name)

    tasks = [aio.create_task(sleeper(name)) for name in "ab"]
    for task in tasks:
        await task


@parity(events=["child", "child", ("turn", 0), ("turn", 1), "gather is done", "main", ("turn", 2)])
async def test_gather_wakes_its_waiter_two_turns_after_the_last_child(aio, log):
    """The chain child, gather's callback, waiter takes the turns that it takes in asyncio."""
    loop = aio.get_running_loop()

    def count(turn):
        log("turn", turn)
        if turn < 2:
            loop.call_soon(count, turn + 1)

    async def child():
        log("child")

    loop.call_soon(loop.call_soon, count, 0)
    gathering = aio.gather(child(), child())
    gathering.add_done_callback(lambda done: log("gather is done"))
    await gathering
    log("main")
    await aio.sleep(0)


@parity(events=["set in the task", "set in the task", "unset"], returns=None)
async def test_a_callback_runs_in_the_context_of_its_scheduling(aio, log):
    """call_soon and call_later copy the context; context= names another."""
    var = contextvars.ContextVar("var", default="unset")
    empty = contextvars.copy_context()
    var.set("set in the task")
    loop = aio.get_running_loop()
    loop.call_soon(lambda: log(var.get()))
    loop.call_later(0, lambda: log(var.get()))
    loop.call_at(loop.time() + 1, lambda: log(var.get()), context=empty)
    var.set("set later")
    await aio.sleep(2)


@parity(events=["soon", "threadsafe", "soon again"])
async def test_call_soon_threadsafe_from_the_loops_own_thread_keeps_the_order(aio, log):
    """call_soon_threadsafe is call_soon with a wake-up."""
    loop = aio.get_running_loop()
    loop.call_soon(log, "soon")
    loop.call_soon_threadsafe(log, "threadsafe")
    loop.call_soon(log, "soon again")
    await aio.sleep(0)


@parity(events=["first run", "left over", "second run"])
def test_what_is_left_over_runs_first_in_the_next_run(aio, log):
    """Callbacks that the end of a run left in the queue run in the next one, before what is added to it."""
    with contextlib.closing(aio.new_event_loop()) as loop:

        def leave():
            loop.call_soon(log, "left over")
            log("first run")
            loop.stop()

        loop.call_soon(leave)
        loop.run_forever()
        loop.call_soon(log, "second run")
        loop.run_until_complete(aio.sleep(0))


@parity(events=["waiter", "shielded", ("wait", 1)])
async def test_wait_and_shield_wake_a_turn_after_a_plain_waiter(aio, log):
    """Behind shield() and wait() a task is woken a turn later than one that awaits the future itself."""
    future = aio.get_running_loop().create_future()

    async def with_shield():
        await aio.shield(future)
        log("shielded")

    async def with_wait():
        done, _ = await aio.wait([future])
        log("wait", len(done))

    async def plainly():
        await future
        log("waiter")

    tasks = [aio.create_task(each()) for each in (with_shield, with_wait, plainly)]
    await aio.sleep(0)
    future.set_result(None)
    for task in tasks:
        await task
