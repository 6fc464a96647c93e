"""What programs do rarely: with the coroutines that trio sees, with futures of other loops, with printing."""

import asyncio
import collections
import contextlib
import inspect
import io
import signal
import sys
import warnings

import pytest
import trio
import trio.testing

import trioasync
from tests.mixing.ways import asyncio_program, either_program, run_plain_trio, trio_program
from tests.support.parity import by_python, parity
from trioasync import _trio

# -- a plain trio task, as asyncio sees it


@trio_program
async def test_the_current_task_of_a_trio_task_shows_that_task():
    """Name, coroutine and context of current_task() are those of the trio task, and the name can be set."""
    task, trio_task = asyncio.current_task(), trio.lowlevel.current_task()
    task.set_name("the name")
    assert (task.get_name(), trio_task.name) == ("the name", "the name")
    assert task.get_coro() is trio_task.coro.coro
    assert task.get_context() is trio_task.context


@trio_program
async def test_the_coroutine_of_an_adopted_task_is_trios_to_await():
    """Nobody else can await what trio resumes, and closing it closes the coroutine."""
    in_front = trio.lowlevel.current_task().coro
    with pytest.raises(TypeError, match="the coroutine of a trio task is awaited by trio"):
        await in_front

    closed = []

    async def child():
        try:
            await trio.sleep_forever()
        finally:
            closed.append(True)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(child)
        await trio.testing.wait_all_tasks_blocked()
        (task,) = nursery.child_tasks
        assert inspect.getcoroutinestate(task.coro) == inspect.CORO_SUSPENDED
        nursery.cancel_scope.cancel()
    assert closed == [True]

    coro = child()
    task.coro.coro = coro
    task.coro.close()
    assert inspect.getcoroutinestate(coro) == inspect.CORO_CLOSED


class Yields:
    """An awaitable that yields one thing."""

    def __init__(self, value):
        self.value = value

    def __await__(self):
        return (yield self.value)


@trio_program
async def test_a_trio_task_refuses_a_future_of_another_loop():
    """A plain trio task that awaits a future of another loop gets asyncio's RuntimeError, and goes on."""
    with contextlib.closing(asyncio.SelectorEventLoop()) as other:
        future = other.create_future()
    with pytest.raises(RuntimeError, match=r"got Future .* attached to a different loop"):
        await future
    await asyncio.sleep(1)


@trio_program
async def test_a_trio_task_refuses_a_future_that_is_yielded_bare():
    """A plain trio task whose awaitable yields a future without `yield from` gets asyncio's RuntimeError."""
    future = asyncio.get_running_loop().create_future()
    with pytest.raises(RuntimeError, match=r"yield was used instead of yield from in task .* with <Future pending"):
        await Yields(future)
    await asyncio.sleep(1)


@trio_program
async def test_a_trio_task_that_yields_nonsense_gets_trios_error():
    """What neither trio nor asyncio understands is answered by trio, in the task that has yielded it."""
    with pytest.raises(TypeError, match="unrecognized yield message 'nonsense'"):
        await Yields("nonsense")
    await asyncio.sleep(1)
    with pytest.raises(TypeError, match="unrecognized yield message 'again'"):
        await Yields("again")
    await trio.sleep(1)


@either_program
async def test_a_scope_that_is_cancelled_in_a_bare_yield_interrupts_it():
    """asyncio.sleep(0) itself is interrupted by a scope that is cancelled while it waits for its turn."""
    loop = asyncio.get_running_loop()
    with trio.CancelScope() as scope:
        loop.call_soon(scope.cancel)
        await asyncio.sleep(0)
        pytest.fail("the scope is cancelled")
    assert scope.cancelled_caught


@trio_program
async def test_an_expired_scope_tells_of_itself_once_in_bare_yields():
    """Clean-up in a cancelled scope may wait for turns of the loop."""
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await asyncio.sleep(0)
        finally:
            for _ in range(3):
                await asyncio.sleep(0)
            cleaned_up = True
    assert cleaned_up
    assert scope.cancelled_caught


# -- a host, as trio sees it


@asyncio_program
async def test_a_host_is_not_awaitable():
    """What trio sees as the coroutine of a Task cannot be awaited, and closing it does nothing."""
    host = trio.lowlevel.current_task().coro
    with pytest.raises(TypeError, match="a host is not awaitable; await its Task"):
        await host
    host.close()
    assert host.cr_code is inspect.currentframe().f_code
    await trio.sleep(1)
    await asyncio.sleep(1)


@asyncio_program
async def test_a_task_in_the_trio_lane_shows_what_it_waits_for():
    """The repr of a Task in a trio call names the wait, and the wait has no end of its own."""
    task = asyncio.create_task(trio.sleep(1), name="sleeper")
    await asyncio.sleep(0.5)
    assert "wait_for=<trio wait of 'sleeper'>" in repr(task)
    assert not task._fut_waiter.done()
    await task


@asyncio_program
async def test_an_exception_that_trio_throws_reaches_the_coroutine():
    """A Task whose coroutine is thrown an exception by trio's rules gets it, as in a plain trio task."""
    host = trio.lowlevel.current_task().coro
    caught = []

    async def wait():
        try:
            await trio.lowlevel.wait_task_rescheduled(lambda raise_cancel: trio.lowlevel.Abort.FAILED)
        except ValueError as error:
            caught.append(error.args)

    task = asyncio.create_task(wait())
    await asyncio.sleep(1)
    waiting = next(each for each in _hosts() if each.task is task)
    assert waiting is not host
    waiting.trio_task._next_send_fn = waiting.throw  # as trio does for a trap it does not understand
    waiting.trio_task._next_send = ValueError("thrown")
    _trio.current_run_queue().append(waiting.trio_task)
    await task
    assert caught == [("thrown",)]


def _hosts():
    loop = asyncio.get_running_loop()
    return list(loop.hosts._all)


# -- cancellations


class Stubborn(asyncio.Future):
    """A future that lets nobody cancel it."""

    def cancel(self, msg=None):
        return False


@either_program
async def test_a_future_that_cannot_be_cancelled_is_waited_for_in_a_cancelled_scope():
    """The scope does not interrupt an await whose future refuses to be cancelled; it interrupts the next one."""
    future = Stubborn()
    asyncio.get_running_loop().call_later(1, future.set_result, "kept")
    with trio.CancelScope() as scope:
        scope.cancel()
        assert await future == "kept"
        await asyncio.sleep(5)
        pytest.fail("the scope is cancelled")
    assert scope.cancelled_caught
    assert asyncio.get_running_loop().time() == 1


async def absorb_a_request():
    """Be cancelled at 2 seconds during the clean-up for a scope that has expired at 1; it ends at 3 seconds."""

    async def cleans_up():
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(2)

    asyncio.get_running_loop().call_later(2, asyncio.current_task().cancel, "during clean-up")
    with trio.move_on_after(1) as scope:
        async with trioasync.TaskGroup() as group:
            group.create_task(cleans_up())
    assert scope.cancelled_caught


@asyncio_program
async def test_a_request_that_a_scope_has_absorbed_cancels_a_task_that_returns():
    """A cancel() that was lost in the clean-up for a scope cancels a Task that awaits nothing afterwards."""
    task = asyncio.create_task(absorb_a_request())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.get_running_loop().time() == 3


@either_program
async def test_a_request_that_a_scope_has_absorbed_is_asked_for_at_the_next_asyncio_await():
    """A cancel() during the clean-up for a scope, which a TaskGroup forgets, arrives at the first await afterwards."""
    await absorb_a_request()
    with pytest.raises(asyncio.CancelledError, match="during clean-up"):
        await asyncio.sleep(5)
    assert asyncio.get_running_loop().time() == 3


# -- loops


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="get_event_loop makes no loops any more")
def test_new_loops_of_get_event_loop_are_trio_loops(monkeypatch):
    """trioasync.get_event_loop() makes an EventLoop where asyncio makes a loop, and keeps it as the current one."""
    monkeypatch.setattr(asyncio.get_event_loop_policy(), "_local", NoLoopYet())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loop = trioasync.get_event_loop()
    with contextlib.closing(loop):
        assert isinstance(loop, trioasync.EventLoop)
        assert trioasync.get_event_loop() is loop
    assert {warning.filename for warning in caught} <= {__file__}


class NoLoopYet:
    """What a policy knows of a thread that has asked for no loop yet."""

    _loop, _set_called = None, False


def test_a_loop_whose_pump_crashes_before_it_runs_ends_at_once():
    """What shall end a run that has not begun ends it when it begins."""
    with contextlib.closing(trioasync.new_event_loop()) as loop:
        loop.crash(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            loop.run_forever()
        assert loop.early_crash is None
        assert loop.run_until_complete(asyncio.sleep(0, "runs")) == "runs"


@asyncio_program
async def test_a_crash_while_the_loop_runs_ends_it():
    """`crash` ends a running loop with the exception; here it is caught by an inner run of a loop in a thread."""

    def run():
        async def main():
            asyncio.get_running_loop().crash(SystemExit(3))
            await asyncio.sleep(10)

        with pytest.raises(SystemExit):
            trioasync.run(main())
        return "ended"

    assert await trioasync.to_thread(run) == "ended"


@parity(
    returns=1,
    logged=by_python(
        {
            (3, 10): ["ERROR Exception in callback <TaskStepMethWrapper object at 0x…>()"],
            (3, 12): ["ERROR Exception in callback <_asyncio.TaskStepMethWrapper object at 0x…>()"],
        }
    ),
    warned=["RuntimeWarning: coroutine 'sleep' was never awaited"],
)
async def test_a_task_that_cannot_make_its_step_is_reported(aio):
    """A task that somebody has made done behind its back is reported at its step, and the loop goes on."""
    task = aio.create_task(aio.sleep(0))
    asyncio.Future.set_result(task, 1)
    await aio.sleep(0)
    return await task


def test_steps_that_were_queued_before_debug_mode_run_in_it():
    """A Task that was to make a step when debug mode was switched on makes it; a cancelled handle is passed over."""
    events = []

    async def child():
        events.append("child")

    async def main():
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(child())
        loop.call_soon(events.append, "never").cancel()
        loop.set_debug(True)
        await task
        return collections.Counter(events)

    assert trioasync.run(main()) == {"child": 1}


# -- printing


def test_a_task_tree_without_a_place_to_go_is_not_printed(monkeypatch):
    """print_task_tree() does nothing where a program has no standard output."""
    monkeypatch.setattr(sys, "stdout", None)
    trioasync.print_task_tree()


@asyncio_program
async def test_a_task_tree_is_printed_in_the_letters_that_a_stream_has():
    """Lines and names that the stream's encoding lacks are replaced."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    asyncio.current_task().set_name("Aufgabe für später")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 1)
        trioasync.print_task_tree(stream)
    text = stream.buffer.getvalue().decode()
    assert "f\\xfcr sp\\xe4ter" in text
    assert "`- Aufgabe" in text


class NamelessTask(trioasync.Task):
    """A task that cannot tell its name."""

    def get_name(self):
        if getattr(self, "nameless", False):
            raise ValueError("no name")
        return super().get_name()


@asyncio_program
async def test_the_task_tree_shows_tasks_that_cannot_be_shown():
    """A task whose name fails has a line in the tree that says so, and the others have theirs."""
    task = NamelessTask(asyncio.sleep(1), loop=asyncio.get_running_loop())
    other = asyncio.create_task(asyncio.sleep(1), name="the other")
    await asyncio.sleep(0)
    task.nameless = True
    text = trioasync.format_task_tree()
    task.nameless = False
    assert "no name" in text
    assert "the other" in text
    await asyncio.gather(task, other)


def test_a_task_tree_that_fails_says_so(monkeypatch):
    """What goes wrong in showing the tasks is told in the place of the tree, or of the line, and raises nothing."""

    def fail(*args):
        raise LookupError("out of sorts")

    async def main():
        monkeypatch.setattr("trioasync._host.tree.has_not_begun", fail)
        task = asyncio.create_task(asyncio.sleep(0), name="new")
        in_line = trioasync.format_task_tree()
        monkeypatch.setattr("trioasync._host.tree._drawn", fail)
        await task
        return in_line, trioasync.format_task_tree()

    in_line, whole = trioasync.run(main())
    assert "new cannot be shown: LookupError('out of sorts')" in in_line
    assert whole == "the task tree cannot be shown: LookupError('out of sorts')"


# -- the host program


def test_an_abort_that_has_no_reason_is_told_as_misnesting():
    """A scope that trio has cancelled without a reason, because it was misnested, still raises trio's Cancelled."""

    async def main():
        scope = trio.CancelScope()
        with pytest.raises(trio.Cancelled) as caught:
            _trio.raiser_of(scope)()
        assert caught.value.reason == "misnesting"

    run_plain_trio(main)


def test_signal_handlers_are_for_the_main_thread():
    """add_signal_handler in another thread raises asyncio's RuntimeError, and leaves the wake-up descriptor alone."""

    async def main():
        def in_thread():
            async def inner():
                with pytest.raises((RuntimeError, ValueError), match="main thread"):
                    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, print)
                return "refused"

            return trioasync.run(inner())

        return await trioasync.to_thread(in_thread)

    assert trioasync.run(main()) == "refused"
