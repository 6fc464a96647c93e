"""What programs do rarely while a loop begins, runs and closes: executors, signals, errors at the end."""

import asyncio
import concurrent.futures
import contextlib
import inspect
import signal
import sys
import threading

import pytest
import trio

import trioasync
from tests.mixing.ways import asyncio_program, real, run_plain_trio
from tests.support.parity import by_python, parity
from trioasync._backports.timeouts import timeout
from trioasync._host import pool, pump
from trioasync._host.groups import as_cancellation

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

# -- run and Runner


@parity(raises=RuntimeError("Event loop stopped before Future completed."), events=["stops", "cancelled"])
async def test_a_program_that_stops_its_loop_ends_with_an_error(aio, log):
    """loop.stop() in `run` ends it with RuntimeError, and the main task is cancelled."""
    aio.get_running_loop().stop()
    log("stops")
    try:
        await aio.sleep(10)
    except asyncio.CancelledError:
        log("cancelled")
        raise


@parity(
    raises=by_python({(3, 10): asyncio.CancelledError(), (3, 11): asyncio.CancelledError("by itself")}), since=(3, 11)
)
def test_a_cancelled_main_task_ends_runner_run_with_its_cancellation(aio, log):
    """Runner.run raises the main task's CancelledError, when it was not Ctrl-C that has cancelled it."""

    async def main():
        asyncio.current_task().cancel("by itself")
        await asyncio.sleep(1)

    with aio.Runner() as runner:
        runner.run(main())


def test_a_runner_that_has_run_nothing_closes():
    """Closing a Runner that has no loop yet, or none any more, does nothing."""
    runner = trioasync.Runner()
    runner.close()
    with runner:
        pass
    runner.close()
    with pytest.raises(RuntimeError, match="Runner is closed"):
        runner.get_loop()


def test_a_task_that_exits_while_a_runner_closes_ends_the_program():
    """SystemExit out of a Task that Runner.close cancels is raised when all phases of closing are over."""
    events = []

    async def exits():
        try:
            await asyncio.sleep(10)
        finally:
            raise SystemExit(3)

    async def generate():
        try:
            yield 1
        finally:
            events.append("generator finished")

    async def main():
        generator = generate()
        await generator.__anext__()
        task = asyncio.create_task(exits())
        await asyncio.sleep(0)
        return task, generator

    runner = trioasync.Runner()
    kept = runner.run(main())
    loop = runner.get_loop()
    with pytest.raises(SystemExit, match="3"):
        runner.close()
    assert events == ["generator finished"]
    assert loop.is_closed()
    assert isinstance(kept[0].exception(), SystemExit)


def test_an_interpreter_without_signals_runs_programs(monkeypatch):
    """Where signal handlers cannot be set, a program runs without one for Ctrl-C."""

    def refuse(signum, handler):
        raise ValueError("signal only works in main thread of the main interpreter")

    async def main():
        return await trioasync.sleep(0, "ran")

    monkeypatch.setattr(signal, "signal", refuse)
    with trioasync.Runner() as runner:
        assert runner.run(main()) == "ran"


def test_a_loop_is_not_opened_inside_another_one():
    """open_loop() in a trio run that is inside a stock asyncio loop raises asyncio's RuntimeError."""

    async def trio_main():
        async with trioasync.open_loop():
            pytest.fail("there is a loop already")

    async def main():
        with pytest.raises(RuntimeError, match="Cannot run the event loop while another loop is running"):
            trio.run(trio_main)

    with contextlib.closing(asyncio.SelectorEventLoop()) as loop:
        loop.run_until_complete(main())


# -- tasks


@asyncio_program
async def test_of_many_idle_hosts_most_are_let_go(monkeypatch):
    """After many Tasks at once the loop keeps a limited number of trio tasks for the next ones, and those work."""
    for module in (pool, pump):
        monkeypatch.setattr(module, "IDLE_LIMIT", 5)
    loop = asyncio.get_running_loop()
    await asyncio.wait([asyncio.create_task(trio.sleep(1)) for _ in range(20)])
    await asyncio.sleep(1)
    assert len(loop.hosts.idle) == 5
    assert await asyncio.gather(*(asyncio.sleep(0, number) for number in range(10))) == [*range(10)]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="asyncio has eager tasks since 3.12")
@asyncio_program
async def test_asyncios_own_eager_factory_makes_our_tasks():
    """With asyncio.eager_task_factory set, Tasks begin at once and may await trio."""
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    events = []

    async def child():
        events.append("begins")
        await trio.sleep(1)
        return "slept"

    task = asyncio.create_task(child())
    assert events == ["begins"]
    assert isinstance(task, trioasync.Task)
    assert await task == "slept"


async def cancelled_by_trio():
    """Return what trio raises at a checkpoint in a cancelled scope."""
    with trio.CancelScope() as scope, pytest.raises(trio.Cancelled) as caught:
        scope.cancel()
        await trio.lowlevel.checkpoint()
    return caught.value


def test_a_group_of_trios_cancellations_is_one_cancellation():
    """A group that is made only of trio.Cancelled, however deep, amounts to a CancelledError for a Task."""
    cancelled = run_plain_trio(cancelled_by_trio)
    group = BaseExceptionGroup("outer", [BaseExceptionGroup("inner", [cancelled])])
    assert isinstance(as_cancellation(cancelled), trioasync.ScopeCancelled)
    assert isinstance(as_cancellation(group), trioasync.ScopeCancelled)
    failing = BaseExceptionGroup("outer", [group, ValueError("more")])
    assert as_cancellation(failing) is failing


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio itself has generator-based coroutines until 3.10")
@asyncio_program
async def test_a_generator_based_coroutine_shows_its_state():
    """The task tree and `inspect` show where a generator-based coroutine stands, from before its first step on."""
    future = asyncio.get_running_loop().create_future()

    def waits():
        return (yield from future)

    with pytest.warns(DeprecationWarning, match="use .async def. instead"):
        waits = trioasync.coroutine(waits)
    coro = waits()
    task = asyncio.create_task(coro, name="generator")
    assert (coro.cr_state, coro.cr_await) == (inspect.CORO_CREATED, None)
    assert "generator (asyncio Task)" in trioasync.format_task_tree()
    await asyncio.sleep(0)
    assert coro.cr_state == inspect.CORO_SUSPENDED
    assert coro.cr_await is not None
    future.set_result("done")
    assert await task == "done"
    assert coro.cr_state == inspect.CORO_CLOSED


# -- groups and timeouts


@parity(returns="TaskGroup <TaskGroup> cannot determine the parent task", since=(3, 11))
async def test_a_task_group_is_entered_in_a_task(aio):
    """A task group that is entered outside of a task raises RuntimeError."""
    told = aio.get_running_loop().create_future()

    def enter():
        try:
            aio.TaskGroup().__aenter__().send(None)
        except RuntimeError as error:
            told.set_result(str(error))

    aio.get_running_loop().call_soon(enter)
    return await told


@parity(events=[["exception", "message", "task"], "ValueError('late')"], since=(3, 11))
async def test_a_task_that_outlives_the_parent_of_its_group_is_reported(aio, log):
    """The failure of a task whose group was entered by a task that has ended goes to the exception handler."""

    def note(loop, context):
        assert "has errored out but its parent task" in context["message"]
        log(sorted(context))
        log(repr(context["exception"]))

    async def fails():
        await aio.sleep(1)
        raise ValueError("late")

    async def parent():
        group = await aio.TaskGroup().__aenter__()
        return group, group.create_task(fails())

    aio.get_running_loop().set_exception_handler(note)
    group, task = await aio.create_task(parent())
    await aio.wait([task])


@asyncio_program
async def test_a_timeout_is_shown_before_the_cancellation_that_an_error_came_from():
    """An error that clean-up raises after a timeout has a TimeoutError in its context, however far back."""
    with pytest.raises(ValueError, match="clean-up") as caught:
        async with timeout(1):
            try:
                await asyncio.sleep(10)
            finally:
                try:
                    raise KeyError("first")
                finally:
                    raise ValueError("clean-up")
    first = caught.value.__context__
    assert isinstance(first, KeyError)
    assert isinstance(first.__context__, TimeoutError)
    assert isinstance(first.__context__.__cause__, asyncio.CancelledError)


@asyncio_program
async def test_an_error_that_has_nothing_to_do_with_the_timeout_stays_as_it_is():
    """An error that was raised before the timeout expired gets no TimeoutError into its context."""
    with pytest.raises(ValueError, match="kept") as caught:
        async with timeout(1):
            error = ValueError("kept")
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                pass
            raise error
    assert caught.value.__context__ is None


# -- threads


def test_functions_are_submitted_before_the_loop_runs():
    """A function that is given to the default executor while the loop does not run is run by an ordinary thread."""
    with contextlib.closing(trioasync.new_event_loop()) as loop:
        future = loop.run_in_executor(None, threading.current_thread)
        assert loop.run_until_complete(future) is not threading.main_thread()
        loop.run_until_complete(loop.shutdown_default_executor())


@asyncio_program(clock=real)
async def test_an_executor_that_is_shut_down_refuses_functions():
    """The default executor is a concurrent.futures.Executor: shut down, it cancels what waits and refuses further."""
    workers = asyncio.get_running_loop().default_executor()
    go_on, began = threading.Event(), threading.Event()

    def function():
        began.set()
        return go_on.wait(10)

    running = workers.submit(function)
    await trio.to_thread.run_sync(began.wait)
    waiting = workers.submit(int)
    workers.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        workers.submit(int)
    go_on.set()
    assert waiting.cancelled()
    assert await asyncio.wrap_future(running)


@asyncio_program(clock=real)
async def test_to_thread_uses_the_executor_that_was_set():
    """asyncio.to_thread runs in the executor that is the loop's default, where it is not trio's threads."""
    with concurrent.futures.ThreadPoolExecutor(1, "mine") as executor:
        asyncio.get_running_loop().set_default_executor(executor)
        thread = await trioasync.to_thread(threading.current_thread)
        assert thread.name.startswith("mine")
