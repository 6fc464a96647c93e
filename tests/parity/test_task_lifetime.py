"""Tasks that nobody keeps, that outlive their run, or whose coroutine will not end; async generators left half-way."""

import asyncio
import contextlib
import gc
import weakref

from tests.support.outcomes import outcome_of
from tests.support.parity import parity


@parity(returns="done")
async def test_a_task_that_nobody_references_runs_to_its_end(aio):
    """A task that waits for a timer lives until it is done."""
    future = aio.get_running_loop().create_future()

    async def child():
        await aio.sleep(1)
        future.set_result("done")

    aio.create_task(child())
    gc.collect()
    return await future


@parity(returns=(True, True))
async def test_a_done_task_is_let_go(aio):
    """A finished task is collected as soon as nobody references it, without the help of the garbage collector."""

    async def child():
        await aio.sleep(0)

    task = aio.create_task(child())
    reference = weakref.ref(task)
    await task
    del task
    await aio.sleep(0)
    was_there = reference() is None
    return was_there, reference() is None


@parity(returns=[None, None])
async def test_a_result_is_let_go_with_its_task(aio):
    """Neither the result nor the coroutine's locals outlive the task."""

    class Thing:
        pass

    references = []

    async def child():
        local, result = Thing(), Thing()
        references.extend([weakref.ref(local), weakref.ref(result)])
        await aio.sleep(0)
        return result

    await aio.create_task(child())
    await aio.sleep(0)
    return [reference() for reference in references]


@parity(returns=None)
async def test_a_failed_task_leaves_no_cycle(aio):
    """The exception of a task that was awaited and dropped is collected without the garbage collector."""

    class Thing:
        pass

    references = []

    async def child():
        thing = Thing()
        references.append(weakref.ref(thing))
        await aio.sleep(0)
        raise ValueError

    gc.disable()
    try:
        try:
            await aio.create_task(child())
        except ValueError:
            pass
        await aio.sleep(0)
        return references[0]()
    finally:
        gc.enable()


@parity(logged=["ERROR Task was destroyed but it is pending!"])
def test_a_pending_task_of_a_closed_loop_is_reported(aio):
    """A task that waits for a future when its loop is closed and dropped is reported when it is collected."""
    loop = aio.new_event_loop()

    async def child(future):
        await future

    loop.create_task(child(loop.create_future()))
    loop.run_until_complete(aio.sleep(0))
    loop.close()
    del loop
    gc.collect()


@parity(events=["closed by the collector"], logged=["ERROR Task was destroyed but it is pending!"])
def test_the_coroutine_of_a_destroyed_task_is_closed(aio, log):
    """The coroutine of a pending task that is collected runs its finally blocks."""
    loop = aio.new_event_loop()

    async def child(future):
        try:
            await future
        finally:
            log("closed by the collector")

    loop.create_task(child(loop.create_future()))
    loop.run_until_complete(aio.sleep(0))
    loop.close()
    del loop
    gc.collect()


@parity(logged=[], events=["ended"])
def test_a_pending_task_may_be_told_not_to_be_reported(aio, log):
    """`_log_destroy_pending = False` silences the report."""
    loop = aio.new_event_loop()

    async def child(future):
        await future

    loop.create_task(child(loop.create_future()))._log_destroy_pending = False
    loop.run_until_complete(aio.sleep(0))
    loop.close()
    del loop
    gc.collect()
    log("ended")


@parity(
    logged=["ERROR Task was destroyed but it is pending!"],
    warned=["RuntimeWarning: coroutine 'never_started' was never awaited"],
)
def test_a_task_that_never_started_is_reported_with_its_coroutine(aio):
    """A task whose loop never ran it is reported, and so is its coroutine."""
    loop = aio.new_event_loop()

    async def never_started():
        pass

    never_started.__qualname__ = "never_started"
    loop.create_task(never_started())
    loop.close()
    del loop
    gc.collect()


@parity(events=["first run", "second run", 3], seconds=2)
def test_a_pending_task_goes_on_in_the_next_run(aio, log):
    """A task that is not done when run_until_complete returns keeps its place and goes on in the next run."""
    with contextlib.closing(aio.new_event_loop()) as loop:

        async def child():
            await aio.sleep(1)
            log("first run")
            await aio.sleep(1)
            log("second run")
            return 3

        task = loop.create_task(child())
        loop.run_until_complete(aio.sleep(1))
        loop.run_until_complete(aio.sleep(0))
        log(loop.run_until_complete(task))


@parity(events=["cancelled", ("CancelledError", ("between",))], returns=True)
def test_a_task_can_be_cancelled_between_two_runs(aio, log):
    """cancel() while the loop does not run is delivered in the next run."""
    with contextlib.closing(aio.new_event_loop()) as loop:

        async def child():
            try:
                await aio.sleep(100)
            except asyncio.CancelledError as raised:
                log("cancelled")
                log("CancelledError", raised.args)
                raise

        task = loop.create_task(child())
        loop.run_until_complete(aio.sleep(1))
        task.cancel("between")
        assert not task.done()
        outcome_of(loop.run_until_complete, task)
        return task.cancelled()


@parity(returns="set between the runs")
def test_a_future_may_be_resolved_between_two_runs(aio):
    """A task whose future is resolved while the loop does not run goes on in the next run."""
    with contextlib.closing(aio.new_event_loop()) as loop:
        future = loop.create_future()

        async def child():
            return await future

        task = loop.create_task(child())
        loop.run_until_complete(aio.sleep(0))
        future.set_result("set between the runs")
        return loop.run_until_complete(task)


@parity(events=["close", ("RuntimeError", ("coroutine ignored GeneratorExit",))])
async def test_a_coroutine_that_ignores_generator_exit_is_an_error_of_close(aio, log):
    """close() of a coroutine that awaits in answer to GeneratorExit raises Python's RuntimeError."""

    async def stubborn():
        try:
            await aio.sleep(100)
        except GeneratorExit:
            log("close")
            await aio.sleep(1)

    coroutine = stubborn()
    coroutine.send(None)
    log(outcome_of(coroutine.close))


@parity(events=["next", "half-way", "aclose"])
def test_an_async_generator_left_half_way_is_closed_at_the_end_of_the_run(aio, log):
    """run() finishes each async generator that is still alive, awaits in its finally block included."""

    async def numbers():
        try:
            yield 1
        finally:
            await aio.sleep(1)
            log("aclose")

    kept = []

    async def main():
        kept.append(numbers())
        await kept[0].__anext__()
        log("next")
        log("half-way")

    aio.run(main())


@parity(events=["first", "finally"])
async def test_an_async_generator_that_is_dropped_is_closed_by_the_loop(aio, log):
    """A generator that is collected half-way is closed by a task of the loop."""

    async def numbers():
        try:
            yield 1
        finally:
            await aio.sleep(0)
            log("finally")

    async for _ in numbers():
        log("first")
        break
    gc.collect()
    for _ in range(5):
        await aio.sleep(0)


@parity(
    events=["finally b", "finally a"],
    logged=["ERROR an error occurred during closing of asynchronous generator <async_generator object fails at 0x…>"],
)
def test_a_generator_that_fails_in_its_closing_is_reported(aio, log):
    """An exception out of a generator's closing goes to the exception handler; the others are closed all the same."""
    kept = []

    async def fails():
        try:
            yield 1
        finally:
            log("finally b")
            raise ValueError("in the closing")

    async def works():
        try:
            yield 1
        finally:
            await aio.sleep(0)
            log("finally a")

    async def main():
        kept.extend([works(), fails()])
        kept[1].__qualname__ = "fails"
        for generator in kept:
            await generator.__anext__()

    aio.run(main())


LATE = "asynchronous generator <async_generator object late at 0x…> was scheduled after loop.shutdown_asyncgens() call"


@parity(warned=[f"ResourceWarning: {LATE}"])
def test_a_generator_started_after_the_shutdown_is_warned_about(aio):
    """The first iteration of a generator after shutdown_asyncgens() gives a ResourceWarning."""

    async def late():
        yield 1

    async def main():
        await aio.get_running_loop().shutdown_asyncgens()
        generator = late()
        generator.__qualname__ = "late"
        async for _ in generator:
            pass

    loop = aio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()


@parity(returns=[1, 2], events=["iterated in the second run"])
def test_an_async_generator_goes_on_in_the_next_run(aio, log):
    """A generator begun in one run_until_complete is continued in the next."""
    with contextlib.closing(aio.new_event_loop()) as loop:

        async def numbers():
            yield 1
            await aio.sleep(1)
            log("iterated in the second run")
            yield 2

        generator = numbers()
        first = loop.run_until_complete(generator.__anext__())
        second = loop.run_until_complete(generator.__anext__())
        loop.run_until_complete(generator.aclose())
        return [first, second]
