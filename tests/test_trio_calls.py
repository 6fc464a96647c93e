"""Trio calls inside asyncio Tasks: primitives, nurseries, cancel scopes, and asyncio's cancellation of them."""

import asyncio
import contextlib
import contextvars
import functools
import gc
import sys

import pytest
import trio
import trio.testing

import trioasync
from tests.support.observation import time_limit
from tests.support.outcomes import outcome_of_await

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup

LIMIT = 10  # seconds of real time after which a program counts as hanging

var = contextvars.ContextVar("var", default="default")


def asyncio_program(body):
    """Make an async test body a test that runs as the main Task, in virtual time."""

    @functools.wraps(body)
    def test(**fixtures):
        with time_limit(LIMIT):
            trioasync.run(body(**fixtures), clock=trio.testing.MockClock(autojump_threshold=0))

    return test


def now():
    """Return the time of the loop in whole seconds."""
    return round(asyncio.get_running_loop().time(), 3)


# -- trio's primitives


@asyncio_program
async def test_a_task_sleeps_in_trio():
    """trio.sleep in a Task takes its time, and asyncio goes on beside it."""
    log = []

    async def sleeper():
        await trio.sleep(2)
        log.append(("trio", now()))
        await asyncio.sleep(2)
        log.append(("asyncio", now()))
        return "slept"

    task = trioasync.create_task(sleeper())
    await asyncio.sleep(1)
    log.append(("main", now()))
    assert await task == "slept"
    assert log == [("main", 1), ("trio", 2), ("asyncio", 4)]


@asyncio_program
async def test_two_tasks_meet_at_a_trio_event():
    """A Task waits for a trio.Event that another Task sets."""
    event, log = trio.Event(), []

    async def waiter(name):
        await event.wait()
        log.append(name)

    tasks = [trioasync.create_task(waiter(name)) for name in "ab"]
    await asyncio.sleep(1)
    assert log == []
    event.set()
    await asyncio.gather(*tasks)
    assert sorted(log) == ["a", "b"]


@asyncio_program
async def test_tasks_take_turns_at_a_trio_lock():
    """A trio.Lock is handed from Task to Task; it knows its owner."""
    lock, log = trio.Lock(), []

    async def worker(name):
        async with lock:
            log.append(f"{name} in")
            await asyncio.sleep(1)
            assert lock.statistics().owner is trio.lowlevel.current_task()
            log.append(f"{name} out")

    await asyncio.gather(*(worker(name) for name in "abc"))
    assert sorted(log[::2]) == ["a in", "b in", "c in"]
    assert [entry[0] for entry in log[::2]] == [entry[0] for entry in log[1::2]]
    assert not lock.locked()


@asyncio_program
async def test_tasks_talk_through_a_memory_channel():
    """A Task iterates over what another Task sends."""
    send, receive = trio.open_memory_channel(1)

    async def producer():
        async with send:
            for number in range(5):
                await send.send(number)

    async def consumer():
        return [number async for number in receive]

    _, received = await asyncio.gather(producer(), consumer())
    assert received == [0, 1, 2, 3, 4]


@asyncio_program
async def test_a_nursery_in_a_task_waits_for_its_children():
    """A nursery opened in a Task runs trio children, and asyncio awaits work in its body."""
    log = []

    async def child(seconds):
        await trio.sleep(seconds)
        log.append((seconds, now()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(child, 1)
        nursery.start_soon(child, 3)
        await asyncio.sleep(2)
        log.append(("body", now()))
    assert log == [(1, 1), ("body", 2), (3, 3)]


@asyncio_program
async def test_a_failing_child_ends_the_body_of_its_nursery():
    """A child that fails cancels the asyncio await in the nursery's body, and the group comes out of the Task."""
    seen = []

    async def child():
        await trio.sleep(1)
        raise ValueError("child")

    async def worker():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                seen.append(now())
                raise

    task = trioasync.create_task(worker())
    with pytest.raises(ExceptionGroup) as caught:
        await task
    assert [repr(each) for each in caught.value.exceptions] == ["ValueError('child')"]
    assert seen == [1]
    assert task.cancelling() == 0


@asyncio_program
async def test_nursery_start_reports_back_to_a_task():
    """nursery.start() in a Task gives what the child passed to task_status.started()."""

    async def service(task_status):
        await trio.sleep(1)
        task_status.started("ready")
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        assert await nursery.start(service) == "ready"
        assert now() == 1
        nursery.cancel_scope.cancel()


@asyncio_program
async def test_lanes_alternate_without_end():
    """A Task may go from asyncio to trio and back at each await."""
    for number in range(100):
        await asyncio.sleep(0)
        await trio.lowlevel.checkpoint()
        await asyncio.sleep(0.5)
        await trio.sleep(0.5)
        await trio.lowlevel.cancel_shielded_checkpoint()
        assert now() == number + 1


@asyncio_program
async def test_the_result_of_an_asyncio_future_set_from_a_nursery_child():
    """A child of a nursery in a Task resolves a future that another Task awaits."""
    future = asyncio.get_running_loop().create_future()

    async def child():
        await trio.sleep(1)
        future.set_result("from a trio child")

    async def opener():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)

    task = trioasync.create_task(opener())
    assert await future == "from a trio child"
    await task


@asyncio_program
async def test_an_exception_of_a_trio_call_is_raised_in_the_task():
    """Errors of trio's own come out of the await as they are."""
    send, receive = trio.open_memory_channel(0)
    receive.close()

    async def sender():
        await send.send(1)

    with pytest.raises(trio.BrokenResourceError):
        await trioasync.create_task(sender())


@asyncio_program
async def test_context_variables_are_one_in_both_lanes():
    """What a Task sets before a trio call is there after it, and in the children of its nursery."""
    seen = []

    async def child():
        seen.append(var.get())

    async def worker():
        var.set("set in the task")
        await trio.sleep(1)
        seen.append(var.get())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
        await asyncio.sleep(0)
        seen.append(var.get())

    await trioasync.create_task(worker())
    assert seen == ["set in the task"] * 3
    assert var.get() == "default"


@asyncio_program
async def test_gather_and_shield_take_trio_calls():
    """Coroutines of trio's own functions can be gathered, shielded and made tasks."""
    start = now()
    assert await asyncio.gather(trio.sleep(1), trio.sleep(2), return_exceptions=True) == [None, None]
    assert await asyncio.shield(trio.sleep(1)) is None
    assert await trioasync.create_task(trio.sleep(1)) is None
    assert now() - start == 4


# -- identity


@asyncio_program
async def test_the_trio_task_has_the_name_of_the_asyncio_task():
    """Inside a Task trio.lowlevel.current_task().name is the Task's name, in both lanes."""
    names = []

    async def worker():
        names.append(trio.lowlevel.current_task().name)
        await asyncio.sleep(0)
        names.append(trio.lowlevel.current_task().name)
        await trio.sleep(1)
        names.append(trio.lowlevel.current_task().name)

    await trioasync.create_task(worker(), name="the worker")
    assert names == ["the worker"] * 3


@asyncio_program
async def test_two_tasks_are_two_trio_tasks():
    """Each Task is a trio task of its own, and stays the same one."""

    async def identity():
        first = trio.lowlevel.current_task()
        await asyncio.sleep(1)
        assert trio.lowlevel.current_task() is first
        await trio.sleep(1)
        assert trio.lowlevel.current_task() is first
        return first

    first, second = await asyncio.gather(identity(), identity())
    assert first is not second


@asyncio_program
async def test_current_task_is_the_asyncio_task_after_a_trio_call():
    """asyncio.current_task() is the Task before, between and after trio calls."""

    async def worker():
        task = asyncio.current_task()
        await trio.sleep(1)
        assert asyncio.current_task() is task
        async with trio.open_nursery():
            assert asyncio.current_task() is task
        assert asyncio.current_task() is task
        return task

    task = trioasync.create_task(worker())
    assert await task is task


@asyncio_program
async def test_a_task_in_a_trio_call_shows_its_stack():
    """get_stack() of a Task that waits in trio ends in the user's coroutine, and it is pending."""

    async def worker():
        await trio.sleep(100)

    task = trioasync.create_task(worker(), name="t")
    await asyncio.sleep(1)
    assert [frame.f_code.co_name for frame in task.get_stack()] == ["worker"]
    assert repr(task).startswith("<Task pending name='t' coro=<")
    task.cancel()
    await outcome_of_await(task)


# -- trio's cancel scopes around asyncio code


@asyncio_program
async def test_move_on_after_ends_asyncio_code():
    """A trio scope around an asyncio await expires, catches, and leaves no request behind."""
    with trio.move_on_after(1) as scope:
        await asyncio.sleep(100)
    assert scope.cancelled_caught
    assert now() == 1
    assert asyncio.current_task().cancelling() == 0
    await asyncio.sleep(1)
    assert now() == 2


@asyncio_program
async def test_fail_after_around_asyncio_code_raises_too_slow():
    """fail_after raises trio.TooSlowError when asyncio code took too long."""
    with pytest.raises(trio.TooSlowError), trio.fail_after(1):
        await asyncio.get_running_loop().create_future()
    assert now() == 1


@asyncio_program
async def test_a_scope_that_does_not_expire_does_nothing():
    """asyncio code that is quick enough goes through a scope as if it were not there."""
    with trio.move_on_after(2) as scope:
        assert await asyncio.sleep(1, "result") == "result"
    await asyncio.sleep(5)
    assert not scope.cancelled_caught


@asyncio_program
async def test_asyncio_code_sees_a_cancelled_error_that_is_trios_too():
    """What a scope throws into asyncio code is asyncio.CancelledError and trio.Cancelled in one: ScopeCancelled."""
    kinds = []
    with trio.move_on_after(1):
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError as raised:
            kinds = [isinstance(raised, trio.Cancelled), isinstance(raised, trioasync.ScopeCancelled)]
            raise
    assert kinds == [True, True]


@asyncio_program
async def test_clean_up_may_await_asyncio_code_inside_an_expired_scope():
    """Each cancellation of a scope is delivered once to asyncio awaits, so that clean-up works as under asyncio."""
    log = []
    with trio.move_on_after(1) as scope:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(1)
            log.append("slept")
            await asyncio.sleep(1)
            log.append("slept again")
    assert log == ["slept", "slept again"]
    assert scope.cancelled_caught
    assert now() == 3


@asyncio_program
async def test_trio_awaits_are_cancelled_again_in_an_expired_scope():
    """For trio awaits an expired scope keeps trio's rule: each of them is cancelled."""
    attempts = 0
    with trio.move_on_after(1) as scope:
        while attempts < 3:
            try:
                await trio.sleep(100)
            except trio.Cancelled:
                attempts += 1
        await trio.sleep(100)
    assert scope.cancelled_caught
    assert (attempts, now()) == (3, 1)


@asyncio_program
async def test_scopes_one_after_the_other():
    """Each of several scopes around asyncio code in one Task gets its own delivery."""
    caught = []
    for _ in range(4):
        with trio.move_on_after(1) as scope:
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                await asyncio.sleep(0.5)
                raise
        caught.append(scope.cancelled_caught)
    assert caught == [True] * 4
    assert now() == 6


@pytest.mark.parametrize("blocked", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])
@asyncio_program
async def test_the_inner_of_two_scopes_expires_first(blocked):
    """The inner scope catches its own expiry, and the outer one its own later."""
    with trio.move_on_after(3) as outer:
        with trio.move_on_after(1) as inner:
            await blocked(100)
        assert (inner.cancelled_caught, now()) == (True, 1)
        await blocked(100)
    assert (outer.cancelled_caught, now()) == (True, 3)


@pytest.mark.parametrize("blocked", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])
@asyncio_program
async def test_the_outer_of_two_scopes_expires_first(blocked):
    """The expiry of the outer scope passes through the inner one."""
    with trio.move_on_after(1) as outer, trio.move_on_after(3) as inner:
        await blocked(100)
    assert (outer.cancelled_caught, inner.cancelled_caught, now()) == (True, False, 1)


@asyncio_program
async def test_two_scopes_with_one_deadline():
    """Of two scopes that expire together the outer one catches."""
    with trio.move_on_at(trio.current_time() + 1) as outer:
        with trio.move_on_at(trio.current_time() + 1) as inner:
            await asyncio.sleep(100)
        await trio.lowlevel.checkpoint()
    assert outer.cancelled_caught
    assert not inner.cancelled_caught


@pytest.mark.parametrize("blocked", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])
@asyncio_program
async def test_a_scope_is_cancelled_by_another_task(blocked):
    """scope.cancel() from elsewhere ends what the Task inside awaits."""
    scope = trio.CancelScope()

    async def worker():
        with scope:
            await blocked(100)
        return scope.cancelled_caught, now()

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    scope.cancel()
    assert await task == (True, 1)


@asyncio_program
async def test_a_scope_cancelled_before_the_await_cancels_the_await():
    """An asyncio await that waits is cancelled in a scope that is cancelled already; one that does not wait is not."""
    done = asyncio.get_running_loop().create_future()
    done.set_result("no wait")
    with trio.CancelScope() as scope:
        scope.cancel()
        assert await done == "no wait"
        await asyncio.sleep(100)
    assert scope.cancelled_caught
    assert now() == 0


@asyncio_program
async def test_a_scope_around_a_lock_leaves_the_lock_intact():
    """A scope that expires while the Task waits for an asyncio.Lock leaves the lock usable."""
    lock = asyncio.Lock()
    await lock.acquire()
    with trio.move_on_after(1) as scope:
        await lock.acquire()
    assert scope.cancelled_caught
    lock.release()
    assert not lock.locked()
    await lock.acquire()


@asyncio_program
async def test_a_scope_around_gather_cancels_the_children():
    """A scope around gather() cancels the gathered tasks, as a cancelled awaiter does in asyncio."""
    log = []

    async def child(name):
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError as raised:
            log.append((name, isinstance(raised, trio.Cancelled)))
            raise

    with trio.move_on_after(1) as scope:
        await asyncio.gather(child("a"), child("b"))
    assert scope.cancelled_caught
    assert log == [("a", False), ("b", False)]


@asyncio_program
async def test_a_shielding_scope_inside_an_expired_one():
    """A shield lets both asyncio and trio awaits finish in an expired scope."""
    with trio.move_on_after(1) as scope:
        try:
            await trio.sleep(100)
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(1)
                await asyncio.sleep(1)
    assert (scope.cancelled_caught, now()) == (True, 3)


@asyncio_program
async def test_asyncio_code_that_swallows_the_cancellation_of_a_scope():
    """Code that catches CancelledError and goes on is left in peace by the scope until a trio await."""
    with trio.move_on_after(1) as scope:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            pass
        await asyncio.sleep(1)
        swallowed_until = now()
        await trio.lowlevel.checkpoint()
    assert (swallowed_until, scope.cancelled_caught) == (2, True)


# -- asyncio's cancellation of trio calls


@asyncio_program
async def test_cancel_arrives_once_in_a_trio_call_with_its_message():
    """Task.cancel(msg) raises CancelledError(msg) in a trio call, once; clean-up awaits of both kinds work."""
    log = []

    async def worker():
        try:
            await trio.sleep(100)
        except asyncio.CancelledError as raised:
            log.append((type(raised), raised.args, now()))
            await trio.sleep(1)
            await asyncio.sleep(1)
            log.append(now())
            raise

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    assert task.cancel("why")
    await outcome_of_await(task)
    assert log == [(asyncio.CancelledError, ("why",), 1), 3]
    assert task.cancelled()


@asyncio_program
async def test_the_message_travels_from_a_trio_call_as_from_an_asyncio_await():
    """Whoever awaits a Task that was cancelled in a trio call gets the message as that Python passes it on."""

    async def outcome_with(blocked):
        task = trioasync.create_task(blocked(100))
        await asyncio.sleep(1)
        task.cancel("why")
        return await outcome_of_await(task)

    assert await outcome_with(trio.sleep) == await outcome_with(asyncio.sleep)


@asyncio_program
async def test_cancel_of_a_task_in_a_trio_call_may_be_swallowed():
    """A Task that swallows the cancellation goes on with trio calls."""

    async def worker():
        try:
            await trio.sleep(100)
        except asyncio.CancelledError:
            await trio.sleep(1)
        return now()

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel()
    assert await task == 2
    assert task.cancelling() == 1


@asyncio_program
async def test_a_second_cancel_interrupts_the_clean_up():
    """Each cancel() arrives: the second one in the trio call of the clean-up."""
    log = []

    async def worker():
        for number in range(3):
            try:
                await trio.sleep(100)
            except asyncio.CancelledError as raised:
                log.append((number, raised.args, now()))
        return "ended"

    task = trioasync.create_task(worker())
    for message in ("one", "two", "three"):
        await asyncio.sleep(1)
        task.cancel(message)
    assert await task == "ended"
    assert log == [(0, ("one",), 1), (1, ("two",), 2), (2, ("three",), 3)]


@asyncio_program
async def test_a_trio_shield_postpones_the_cancellation():
    """In a shielded scope a trio call is finished first; the cancellation arrives at the next await outside."""
    log = []

    async def worker():
        try:
            with trio.CancelScope(shield=True):
                await trio.sleep(2)
                log.append(("shielded", now()))
            await trio.sleep(100)
        except asyncio.CancelledError as raised:
            log.append((raised.args, now()))
            raise

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel("why")
    await outcome_of_await(task)
    assert log == [("shielded", 2), (("why",), 2)]


@asyncio_program
async def test_a_trio_shield_does_not_postpone_a_cancellation_of_asyncio_awaits():
    """Task.cancel() of a Task that awaits a future goes to the future, whatever scopes are around."""

    async def worker():
        with trio.CancelScope(shield=True):
            await asyncio.sleep(100)

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel()
    await outcome_of_await(task)
    assert (task.cancelled(), now()) == (True, 1)


@asyncio_program
async def test_a_checkpoint_that_cannot_be_cancelled_postpones_too():
    """cancel_shielded_checkpoint is no place for a cancellation; the next trio call is."""
    log = []

    async def worker():
        asyncio.current_task().cancel("why")
        await trio.lowlevel.cancel_shielded_checkpoint()
        log.append("not here")
        await trio.lowlevel.checkpoint()
        log.append("never")

    task = trioasync.create_task(worker())
    await outcome_of_await(task)
    assert log == ["not here"]
    assert task.cancelled()


@asyncio_program
async def test_a_cancel_before_the_first_step_of_a_trio_coroutine():
    """A Task of a trio function that is cancelled before it starts never starts."""
    task = trioasync.create_task(trio.sleep(100))
    task.cancel()
    await outcome_of_await(task)
    assert (task.cancelled(), now()) == (True, 0)


@asyncio_program
async def test_cancel_ends_the_children_of_a_nursery():
    """A cancelled Task takes the children of its nursery with it, and ends cancelled, with nothing left in a group."""
    log = []

    async def child(name):
        try:
            await trio.sleep(100)
        finally:
            log.append(name)

    async def worker():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child, "a")
            nursery.start_soon(child, "b")
            await asyncio.sleep(100)

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel("why")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(log) == ["a", "b"]
    assert task.cancelled()
    assert now() == 1


@asyncio_program
async def test_cancel_reaches_a_task_that_waits_at_the_end_of_its_nursery():
    """A Task that only waits for the children of its nursery is cancelled like one in any trio call."""
    log = []

    async def child():
        try:
            await trio.sleep(100)
        finally:
            log.append(now())

    async def worker():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (log, task.cancelled()) == ([1], True)


@asyncio_program
async def test_cancel_and_the_expiry_of_a_scope_at_one_time():
    """When Task.cancel() and a scope come together, the Task ends cancelled: the scope does not absorb the request."""

    async def worker():
        with trio.move_on_after(1):
            await asyncio.sleep(100)
        await asyncio.sleep(100)

    task = trioasync.create_task(worker())
    asyncio.get_running_loop().call_later(1, task.cancel)
    await asyncio.sleep(3)
    assert task.done()
    assert task.cancelled()


@pytest.mark.parametrize("scope_first", [False, True], ids=["cancel_first", "scope_first"])
@pytest.mark.parametrize("wait", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])
@pytest.mark.parametrize("in_task", [False, True], ids=["plain_trio", "task"])
@asyncio_program
async def test_cancel_and_a_scope_between_two_steps(in_task, wait, scope_first):
    """The Task is told of both at once: the request goes first, with its message, and leaves the scope."""
    ends = []

    async def worker():
        task, scope = trioasync.current_task(), trio.CancelScope()
        calls = [functools.partial(task.cancel, "why"), scope.cancel]

        def both():
            for call in reversed(calls) if scope_first else calls:
                call()

        asyncio.get_running_loop().call_later(1, both)
        try:
            with trio.move_on_after(100) as outer, scope:
                await wait(100)
        except asyncio.CancelledError as error:
            ends.append((type(error), error.args, scope.cancelled_caught, outer.cancelled_caught))
            task.uncancel()
        await wait(1)

    if in_task:
        await trioasync.create_task(worker())
    else:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(worker)
    assert ends == [(asyncio.CancelledError, ("why",), False, False)]


# -- asyncio's timeouts and groups around trio calls


@pytest.mark.parametrize("clean_up", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])
@asyncio_program
async def test_a_scope_that_expires_in_the_clean_up_does_not_absorb_the_cancellation(clean_up):
    """As from a timeout, the CancelledError that is under way leaves a scope that was open when cancel() was called."""
    log = []

    async def worker():
        with trio.move_on_after(2) as scope:
            try:
                await trio.sleep(100)
            finally:
                with trio.move_on_after(0.5) as brief:
                    await clean_up(3)
                log.append(("a scope of the clean-up", brief.cancelled_caught, now()))
                await clean_up(3)
        log.append(("after the scope", scope.cancelled_caught))

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel("why")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == [("a scope of the clean-up", True, 1.5)]
    assert task.cancelled()
    assert now() == 2


@pytest.mark.parametrize("afterwards", [None, asyncio.sleep, trio.sleep], ids=["returns", "asyncio", "trio"])
@asyncio_program
async def test_a_cancel_during_the_clean_up_for_a_scope_outlives_the_scope(afterwards):
    """The scope absorbs the CancelledError that a TaskGroup raises on its account; cancel() is asked for again."""
    log = []

    async def cleans_up():
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(2)

    async def worker():
        with trio.move_on_after(1) as scope:
            async with trioasync.TaskGroup() as group:
                group.create_task(cleans_up())
        log.append((scope.cancelled_caught, trioasync.current_task().cancelling(), now()))
        if afterwards is not None:
            try:
                await afterwards(100)
            finally:
                await asyncio.sleep(1)
                await trio.sleep(1)

    task = trioasync.create_task(worker())
    await asyncio.sleep(2)
    task.cancel("why")
    await trioasync.wait([task])
    assert task.cancelled()
    assert log == [(True, 1, 3)]
    assert now() == (3 if afterwards is None else 5)


@asyncio_program
async def test_a_cancel_from_outside_is_not_taken_for_the_timeouts_in_a_shield():
    """What remains asked for when a timeout in a shield has taken its request back waits for the end of the shield."""
    log, loop, task = [], asyncio.get_running_loop(), trioasync.current_task()

    async def call_that_cannot_be_aborted():
        loop.call_later(2, trio.lowlevel.reschedule, trio.lowlevel.current_task())
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)

    with pytest.raises(asyncio.CancelledError):
        with trio.CancelScope(shield=True):
            async with trioasync.timeout(1):
                loop.call_later(1.5, task.cancel)
                await call_that_cannot_be_aborted()
            log.append((task.cancelling(), now()))
            await trio.sleep(1)
            log.append("end of the shield")
        await trio.sleep(100)
    assert task.uncancel() == 0
    assert log == [(1, 2), "end of the shield"]
    assert now() == 3


@asyncio_program
async def test_a_task_group_inside_a_shield_passes_a_cancel_on_behind_the_shield():
    """A TaskGroup that ends with an error asks again for a cancel() from outside, which waits for the shield's end."""
    log, task = [], trioasync.current_task()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        with trio.CancelScope(shield=True):
            with pytest.raises(ExceptionGroup, match="TaskGroup"):
                async with trioasync.TaskGroup():
                    raise KeyError
            await trio.sleep(1)
            log.append("end of the shield")
        await trio.sleep(100)
    assert task.uncancel() == 0
    assert log == ["end of the shield"]
    assert now() == 1


@asyncio_program
async def test_a_scope_absorbs_its_cancellation_after_the_task_has_taken_cancel_back():
    """Once uncancel() was called, a scope that was open at the cancel() expires as if nothing had been."""

    async def worker():
        with trio.move_on_after(2) as scope:
            try:
                await trio.sleep(100)
            except asyncio.CancelledError:
                trioasync.current_task().uncancel()
            await asyncio.sleep(100)
        return scope.cancelled_caught

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel()
    assert await task


@asyncio_program
async def test_uncancel_takes_back_what_trio_could_not_deliver():
    """A request that a shield held back, and that uncancel() has taken back meanwhile, is not delivered after it."""
    task, loop = trioasync.current_task(), asyncio.get_running_loop()
    with trio.CancelScope(shield=True):
        loop.call_later(1, task.cancel)
        loop.call_later(2, task.uncancel)
        await trio.sleep(3)
    await trio.sleep(1)
    assert now() == 4


@asyncio_program
async def test_a_scope_tells_its_own_reason_after_a_cancel_has_passed_it():
    """What trio says of a scope's cancellation is not that of a Task.cancel() which came by before."""

    async def worker():
        with trio.move_on_after(3), trio.CancelScope() as scope:
            with contextlib.suppress(asyncio.CancelledError):
                await trio.sleep(100)
            trioasync.current_task().uncancel()
            try:
                await trio.sleep(100)
            except trio.Cancelled as cancelled:
                return scope.cancel_called, cancelled.source, cancelled.reason
        return None

    task = trioasync.create_task(worker())
    await asyncio.sleep(1)
    task.cancel()
    assert await task == (False, "deadline", None)


@pytest.mark.parametrize("made_by", ["timeout", "wait_for"])
@pytest.mark.parametrize("nursery_at", [None, "between", "inside"])
@asyncio_program
async def test_a_timeout_inside_a_shield_interrupts_a_trio_call(made_by, nursery_at):
    """A shield protects from what is outside of it: a timeout that was entered in the shield expires."""

    async def call():
        async with trio.open_nursery() if nursery_at == "inside" else contextlib.nullcontext():
            await trio.sleep(100)

    async def call_with_timeout():
        if made_by == "wait_for":
            await trioasync.wait_for(call(), 1)
        async with trioasync.timeout(1):
            await call()

    with trio.CancelScope(shield=True):
        async with trio.open_nursery() if nursery_at == "between" else contextlib.nullcontext():
            with pytest.raises(asyncio.TimeoutError):
                await call_with_timeout()
    assert now() == 1
    assert trioasync.current_task().cancelling() == 0


@asyncio_program
async def test_a_shield_inside_a_timeout_postpones_it():
    """A shield that was opened in a timeout holds, whatever shields are around the timeout."""
    with trio.CancelScope(shield=True), pytest.raises(asyncio.TimeoutError):
        async with trioasync.timeout(1):
            with trio.CancelScope(shield=True):
                await trio.sleep(2)
            await trio.sleep(100)
    assert now() == 2


@asyncio_program
async def test_a_cancel_that_is_under_way_goes_before_an_expired_scope():
    """A scope that is entered expired does not absorb a cancel() that asyncio has yet to deliver."""
    task = trioasync.current_task()
    with pytest.raises(asyncio.CancelledError) as caught:
        task.cancel()
        with trio.move_on_after(0):
            await asyncio.sleep(0)
    assert type(caught.value) is asyncio.CancelledError
    assert task.uncancel() == 0


@pytest.mark.parametrize("plain", [False, True], ids=["task", "plain"])
@pytest.mark.parametrize("wait", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])
@pytest.mark.parametrize("seconds", [0, 1])
def test_a_scope_opened_between_cancel_and_its_delivery_does_not_absorb_it(seconds, wait, plain):
    """What counts is which scopes are open when the CancelledError arrives."""
    log = []

    async def body():
        task = trioasync.current_task()
        task.cancel("why")
        try:
            with trio.CancelScope() as scope:
                try:
                    await wait(seconds)
                finally:
                    scope.cancel()
                    await asyncio.sleep(1)
        except asyncio.CancelledError as left:
            log.append((type(left), left.args, scope.cancelled_caught))
        assert task.uncancel() == 0

    async def in_a_trio_program():
        async with trioasync.open_loop():
            await body()

    clock = trio.testing.MockClock(autojump_threshold=0)
    with time_limit(LIMIT):
        if plain:
            trio.run(in_a_trio_program, clock=clock)
        else:
            trioasync.run(body(), clock=clock)
    assert log == [(asyncio.CancelledError, ("why",), False)]


@asyncio_program
async def test_asyncio_clean_up_is_left_alone_after_a_scope_has_ended_a_trio_call():
    """An asyncio await sees one delivery of a scope's cancellation, also if a trio await has had it."""
    with trio.move_on_after(1) as scope:
        try:
            await trio.sleep(100)
        finally:
            await asyncio.sleep(1)
    assert scope.cancelled_caught
    assert now() == 2


@pytest.mark.parametrize("plain", [False, True], ids=["task", "plain"])
@pytest.mark.parametrize("cancelled_by", ["deadline", "callback", "trio task"])
@pytest.mark.parametrize("first", ["inner", "outer"])
def test_clean_up_in_asyncio_is_interrupted_by_a_second_scope(first, cancelled_by, plain):
    """Each scope interrupts asyncio's clean-up once, though trio tells nobody of the second."""
    log = []

    async def cancel_at(scope, seconds):
        await trio.sleep_until(seconds)
        scope.cancel()

    async def body():
        loop = asyncio.get_running_loop()
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as outer, trio.CancelScope() as inner:
                for scope, seconds in zip((inner, outer) if first == "inner" else (outer, inner), (1, 2), strict=True):
                    if cancelled_by == "deadline":
                        scope.deadline = seconds
                    elif cancelled_by == "callback":
                        loop.call_at(seconds, scope.cancel)
                    else:
                        nursery.start_soon(cancel_at, scope, seconds)
                try:
                    await asyncio.sleep(100)
                finally:
                    log.append(now())
                    try:
                        await loop.create_future()
                    finally:
                        log.append(now())
                        await asyncio.sleep(1)
                        log.append(now())
            assert outer.cancelled_caught

    async def in_a_trio_program():
        async with trioasync.open_loop():
            await body()

    clock = trio.testing.MockClock(autojump_threshold=0)
    with time_limit(LIMIT):
        if plain:
            trio.run(in_a_trio_program, clock=clock)
        else:
            trioasync.run(body(), clock=clock)
    assert log == [1, 2, 3]


def test_clean_up_in_asyncio_is_interrupted_by_a_second_scope_in_real_time():
    """The same where the pump waits in place of trio."""

    async def main():
        with trio.move_on_after(0.02) as outer, trio.move_on_after(0.01):
            try:
                await asyncio.sleep(100)
            finally:
                await asyncio.get_running_loop().create_future()
        return outer.cancelled_caught

    with time_limit(LIMIT):
        assert trioasync.run(main())


@asyncio_program
async def test_a_timeout_that_is_entered_while_a_cancel_waits_finds_its_place():
    """What is remembered for a timeout is a scope's status, and not that of a request which will be gone."""
    loop, task = asyncio.get_running_loop(), trioasync.current_task()

    async def call_that_cannot_be_aborted():
        loop.call_later(2, trio.lowlevel.reschedule, trio.lowlevel.current_task())
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)

    with pytest.raises(asyncio.TimeoutError):
        async with trioasync.timeout(1):
            await call_that_cannot_be_aborted()
            async with trioasync.timeout(0):
                await trio.lowlevel.checkpoint()
    assert task.cancelling() == 0


@asyncio_program
async def test_a_timeout_in_a_shield_expires_while_a_cancel_waits_behind_the_shield():
    """The timeout's request goes ahead of the one from outside, which is delivered after the shield."""
    log, task = [], trioasync.current_task()
    asyncio.get_running_loop().call_later(0.5, task.cancel, "from outside")
    with pytest.raises(asyncio.CancelledError, match="from outside"):
        with trio.CancelScope(shield=True):
            with contextlib.suppress(asyncio.CancelledError):
                async with trioasync.timeout(1):
                    await trio.sleep(100)
            log.append(now())
            await trio.sleep(1)
            log.append(now())
        await trio.sleep(100)
    assert task.uncancel() == 0
    assert log == [1, 2]


@asyncio_program
async def test_callbacks_are_no_trio_tasks():
    """What a callback, or a task of asyncio's own, would open in trio is refused, and is not the pump's."""
    loop, log = asyncio.get_running_loop(), []

    def callback():
        assert not trio.lowlevel.in_trio_task()
        with pytest.raises(RuntimeError, match="async context"), trio.CancelScope():
            pass
        log.append("callback")

    async def waits_for_trio():
        with pytest.raises(RuntimeError, match="async context"):
            await trio.Event().wait()
        await asyncio.sleep(1)
        log.append("stock task")

    loop.call_soon(callback)
    await asyncio.Task(waits_for_trio(), loop=loop)
    await trio.sleep(1)
    assert log == ["callback", "stock task"]


@asyncio_program
async def test_a_scope_cancelled_beside_a_cancel_has_a_reason():
    """Trio finds a reason in each scope that is cancelled, also after a Task.cancel() has gone through it."""
    task = trioasync.current_task()
    log = []
    with trio.CancelScope() as outer, trio.CancelScope() as scope, contextlib.suppress(asyncio.CancelledError):
        asyncio.get_running_loop().call_soon(scope.cancel)
        task.cancel()
        try:
            await trio.lowlevel.checkpoint()
        finally:
            with trio.CancelScope():
                try:
                    await trio.lowlevel.checkpoint()
                except asyncio.CancelledError as interrupted:
                    log.append(type(interrupted))
    task.uncancel()
    assert log == [asyncio.CancelledError]
    assert not outer.cancel_called


@asyncio_program
async def test_asyncio_timeout_around_a_trio_call():
    """timeout() ends a trio call with TimeoutError, and takes its request back."""
    with pytest.raises(TimeoutError if sys.version_info >= (3, 11) else asyncio.TimeoutError):
        async with trioasync.timeout(1):
            await trio.sleep(100)
    assert now() == 1
    assert asyncio.current_task().cancelling() == 0
    await trio.sleep(1)
    assert now() == 2


@asyncio_program
async def test_wait_for_around_a_trio_call():
    """wait_for() ends a trio call with TimeoutError."""
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(trio.sleep(100), 1)
    assert now() == 1
    assert await asyncio.wait_for(trio.sleep(1), 5) is None


@asyncio_program
async def test_asyncio_timeout_inside_a_trio_scope():
    """The inner asyncio timeout and the outer trio scope each end what is theirs."""
    with trio.move_on_after(3) as scope:
        with pytest.raises(asyncio.TimeoutError):
            async with trioasync.timeout(1):
                await trio.sleep(100)
        await trio.sleep(100)
    assert (scope.cancelled_caught, now()) == (True, 3)


@asyncio_program
async def test_a_trio_scope_inside_an_asyncio_timeout():
    """The inner trio scope and the outer asyncio timeout each end what is theirs."""
    with pytest.raises(asyncio.TimeoutError):
        async with trioasync.timeout(3):
            with trio.move_on_after(1) as scope:
                await asyncio.sleep(100)
            assert (scope.cancelled_caught, now()) == (True, 1)
            await asyncio.sleep(100)
    assert now() == 3


@asyncio_program
async def test_the_outer_asyncio_timeout_expires_inside_a_trio_scope():
    """An asyncio timeout that expires first passes through a trio scope inside it."""
    with pytest.raises(asyncio.TimeoutError):
        async with trioasync.timeout(1):
            with trio.move_on_after(3) as scope:
                await trio.sleep(100)
    assert not scope.cancelled_caught
    assert asyncio.current_task().cancelling() == 0


@asyncio_program
async def test_a_task_group_of_trio_calls():
    """A TaskGroup waits for children in trio calls."""
    async with trioasync.TaskGroup() as group:
        tasks = [group.create_task(trio.sleep(seconds)) for seconds in (1, 2)]
        await trio.sleep(0.5)
    assert [task.done() for task in tasks] == [True, True]
    assert now() == 2


@asyncio_program
async def test_a_failing_child_of_a_task_group_cancels_trio_calls():
    """A child that fails cancels its siblings and the body, each in a trio call."""
    log = []

    async def fail():
        await trio.sleep(1)
        raise ValueError("child")

    async def sibling():
        try:
            await trio.sleep(100)
        finally:
            log.append(("sibling", now()))

    with pytest.raises(ExceptionGroup) as caught:
        async with trioasync.TaskGroup() as group:
            group.create_task(fail())
            group.create_task(sibling())
            try:
                await trio.sleep(100)
            finally:
                log.append(("body", now()))
    assert [repr(each) for each in caught.value.exceptions] == ["ValueError('child')"]
    assert sorted(log) == [("body", 1), ("sibling", 1)]
    assert asyncio.current_task().cancelling() == 0


@asyncio_program
async def test_a_trio_scope_around_a_task_group():
    """A trio scope around a TaskGroup ends the group's children, and catches."""
    with trio.move_on_after(1) as scope:
        async with trioasync.TaskGroup() as group:
            task = group.create_task(trio.sleep(100))
            await asyncio.sleep(100)
    assert scope.cancelled_caught
    assert task.cancelled()
    assert now() == 1


@asyncio_program
async def test_timeout_and_task_group_and_trio_calls_together():
    """A timeout around a TaskGroup with children and body in trio calls is one TimeoutError."""
    with pytest.raises(asyncio.TimeoutError):
        async with trioasync.timeout(1), trioasync.TaskGroup() as group:
            group.create_task(trio.sleep(100))
            await trio.sleep(100)
    await trio.sleep(1)
    assert asyncio.current_task().cancelling() == 0


# -- the end of a run


def test_a_task_in_a_trio_call_is_cancelled_at_the_end_of_run():
    """run() cancels Tasks that wait in trio, and lets them clean up."""
    log = []

    async def worker():
        try:
            await trio.sleep_forever()
        except asyncio.CancelledError:
            await trio.sleep(1)
            log.append("cleaned up")
            raise

    async def main():
        trioasync.create_task(worker())
        await asyncio.sleep(1)
        log.append("main ends")

    with time_limit(LIMIT):
        trioasync.run(main(), clock=trio.testing.MockClock(autojump_threshold=0))
    assert log == ["main ends", "cleaned up"]


def test_a_task_cannot_stay_in_a_trio_call_between_two_runs():
    """A Task that is in a trio call when run_until_complete returns is cancelled, with a message that says why."""
    loop = trioasync.EventLoop(clock=trio.testing.MockClock(autojump_threshold=0))
    seen = []

    async def worker():
        try:
            await trio.sleep(100)
        except asyncio.CancelledError as raised:
            seen.append(raised.args)
            raise

    async def main():
        task = loop.create_task(worker())
        await asyncio.sleep(1)
        return task

    with time_limit(LIMIT):
        task = loop.run_until_complete(main())
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
    assert task.cancelled()
    assert len(seen) == 1
    assert isinstance(seen[0][0], str)


@asyncio_program
async def test_a_trio_thread_in_a_task():
    """trio.to_thread.run_sync in a Task gives the result of its function."""

    def work(number):
        return number + 1

    assert await trio.to_thread.run_sync(work, 41) == 42


@asyncio_program
async def test_a_scope_that_has_expired_when_it_is_entered_ends_with_its_block():
    """An await after the block of move_on_after(0) is not cancelled, and the next scope is not lost."""
    with trio.move_on_after(0):
        pass
    await asyncio.sleep(1)
    with trio.move_on_after(0):
        pass
    await trio.lowlevel.cancel_shielded_checkpoint()
    with trio.move_on_after(1) as scope:
        await asyncio.sleep(10)
    assert scope.cancelled_caught
    with trio.move_on_after(0) as scope:
        await asyncio.sleep(10)
    assert scope.cancelled_caught


@asyncio_program
async def test_a_scope_that_expires_behind_a_shield_ends_the_next_asyncio_await():
    """The Task comes from the shielded trio call straight to the await, and is told there."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    with trio.move_on_after(1) as scope:
        with trio.CancelScope(shield=True):
            await trio.sleep(2)
        await asyncio.sleep(100)
    assert (scope.cancelled_caught, loop.time() - start) == (True, 2)


def test_to_thread_works_in_a_task_that_cannot_await_trio():
    """A Task of asyncio's own class, made by hand on a trio-hosted loop, gets its thread through the executor."""

    async def main():
        return await asyncio.Task(trioasync.to_thread(len, "abc"), loop=asyncio.get_running_loop())

    with time_limit(LIMIT):
        assert trioasync.run(main()) == 3


def test_tasks_that_are_started_while_an_open_loop_closes_are_cancelled_too():
    """Nothing outlives the block of open_loop()."""
    late = []

    async def worker():
        try:
            await asyncio.sleep(100)
        finally:
            late.append(trioasync.create_task(asyncio.sleep(100)))

    async def main():
        async with trioasync.open_loop():
            trioasync.create_task(worker())
            await trio.sleep(0.1)

    with time_limit(LIMIT):
        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert late[0].cancelled()


def test_a_base_exception_out_of_a_trio_call_ends_the_run():
    """SystemExit out of a Task that has just come from a trio call ends the run as from an asyncio await."""
    log = []

    async def worker():
        await trio.sleep(1)
        raise SystemExit(3)

    async def main():
        trioasync.create_task(worker())
        try:
            await asyncio.sleep(100)
        finally:
            log.append("main was cancelled")

    with time_limit(LIMIT), pytest.raises(SystemExit) as caught:
        trioasync.run(main(), clock=trio.testing.MockClock(autojump_threshold=0))
    assert caught.value.code == 3
    assert log == ["main was cancelled"]
    del caught
    gc.collect()  # the worker's exception was never retrieved, which is logged here
