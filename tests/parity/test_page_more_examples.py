"""The examples of the page "Coroutines and Tasks", from shielding on."""

import concurrent.futures
import threading
from asyncio import CancelledError

from tests.support.parity import by_python, parity


@parity(events=["started", None, "finished", 3], seconds=2)
def test_ignoring_cancellation_around_a_shield(asyncio, log):
    """shield() with try/except ignores cancellation completely, while something() goes on."""

    async def something():
        log("started")
        await asyncio.sleep(2)
        log("finished")
        return 3

    async def caller(task):
        try:
            res = await asyncio.shield(task)
        except CancelledError:
            res = None
        log(res)

    async def main():
        task = asyncio.create_task(something())
        calling = asyncio.create_task(caller(task))
        await asyncio.sleep(1)
        calling.cancel()
        await calling
        log(await task)

    asyncio.run(main())


@parity(printed="timeout!\n", seconds=1)
def test_wait_for_eternity(asyncio):
    """wait_for() waits for at most 1 second."""

    async def eternity():
        # Sleep for one hour
        await asyncio.sleep(3600)
        print("yay!")

    async def main():
        # Wait for at most 1 second
        try:
            await asyncio.wait_for(eternity(), timeout=1.0)
        except asyncio.TimeoutError:
            print("timeout!")

    asyncio.run(main())


@parity(
    returns=by_python({(3, 10): (False, [42]), (3, 11): None}),
    raises=by_python({(3, 10): None, (3, 11): TypeError("Passing coroutines is forbidden, use tasks explicitly.")}),
    warned=by_python(
        {
            (3, 10): [
                (
                    "DeprecationWarning: The explicit passing of coroutine objects to asyncio.wait() is deprecated"
                    " since Python 3.8, and scheduled for removal in Python 3.11."
                )
            ],
            (3, 11): ["RuntimeWarning: coroutine 'test_wait_for_a_coroutine_confuses.<locals>.foo' was never awaited"],
        }
    ),
)
async def test_wait_for_a_coroutine_confuses(asyncio):
    """wait() returned the implicitly created Task, so `coro in done` was never true; now it refuses coroutines."""

    async def foo():
        return 42

    coro = foo()
    done, pending = await asyncio.wait({coro})
    return coro in done, [task.result() for task in done]


@parity(returns=(True, set()))
async def test_wait_for_a_task_works(asyncio):
    """With a task instead of a coroutine everything works as expected."""

    async def foo():
        return 42

    task = asyncio.create_task(foo())
    done, pending = await asyncio.wait({task})
    return task in done, pending


@parity(events=["short", "middle", "long"], seconds=3)
async def test_as_completed_loop(asyncio, log):
    """Each coroutine that as_completed() returns gives the earliest next result."""

    async def job(delay, name):
        await asyncio.sleep(delay)
        return name

    aws = [job(2, "middle"), job(3, "long"), job(1, "short")]
    for coro in asyncio.as_completed(aws):
        earliest_result = await coro
        log(earliest_result)


@parity(
    clock="real",
    starts="19:50:53",
    printed="""
    started main at 19:50:53
    start blocking_io at 19:50:53
    blocking_io complete at 19:50:54
    finished main at 19:50:54
    """,
)
def test_to_thread_beside_sleep(asyncio, time):
    """A blocking function runs in a thread without blocking the event loop."""

    def blocking_io():
        print(f"start blocking_io at {time.strftime('%X')}")
        # Note that time.sleep() can be replaced with any blocking
        # IO-bound operation, such as file operations.
        time.sleep(1)
        print(f"blocking_io complete at {time.strftime('%X')}")

    async def main():
        print(f"started main at {time.strftime('%X')}")

        await asyncio.gather(asyncio.to_thread(blocking_io), asyncio.sleep(1))

        print(f"finished main at {time.strftime('%X')}")

    asyncio.run(main())


@parity(returns=3, clock="real")
async def test_run_coroutine_threadsafe(asyncio):
    """Another thread submits a coroutine to a given loop and waits for the result with an optional timeout."""
    loop, timeout, results = asyncio.get_running_loop(), 10, []

    def in_other_thread():
        # Create a coroutine
        coro = asyncio.sleep(0.01, result=3)

        # Submit the coroutine to a given loop
        future = asyncio.run_coroutine_threadsafe(coro, loop)

        # Wait for the result with an optional timeout argument
        results.append(future.result(timeout))

    thread = threading.Thread(target=in_other_thread)
    thread.start()
    while not results:
        await asyncio.sleep(0.005)
    thread.join()
    return results[0]


@parity(
    clock="real",
    printed="""
    The coroutine returned: 'fine'
    The coroutine raised an exception: ValueError('wrong')
    The coroutine took too long, cancelling the task...
    """,
    events=["cancelled"],
)
async def test_result_exception_and_timeout_in_the_thread(asyncio, log):
    """The returned future is notified of an exception, and can be used to cancel the task in the event loop."""
    loop, begun = asyncio.get_running_loop(), threading.Event()

    async def fine():
        return "fine"

    async def wrong():
        raise ValueError("wrong")

    async def too_long():
        begun.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            log("cancelled")
            raise

    def submit(coro, timeout):
        future = asyncio.run_coroutine_threadsafe(coro, loop)
        if timeout < 1:
            begun.wait(5)
        try:
            result = future.result(timeout)
        except concurrent.futures.TimeoutError:
            print("The coroutine took too long, cancelling the task...")
            future.cancel()
        except Exception as exc:
            print(f"The coroutine raised an exception: {exc!r}")
        else:
            print(f"The coroutine returned: {result!r}")

    await asyncio.to_thread(submit, fine(), 10)
    await asyncio.to_thread(submit, wrong(), 10)
    await asyncio.to_thread(submit, too_long(), 0.05)
    await asyncio.sleep(0.01)


@parity(
    printed="""
    cancel_me(): before sleep
    cancel_me(): cancel sleep
    cancel_me(): after sleep
    main(): cancel_me is cancelled now
    """,
    seconds=1,
)
def test_cancel_me(asyncio):
    """A coroutine can intercept the cancellation request."""

    async def cancel_me():
        print("cancel_me(): before sleep")

        try:
            # Wait for 1 hour
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            print("cancel_me(): cancel sleep")
            raise
        finally:
            print("cancel_me(): after sleep")

    async def main():
        # Create a "cancel_me" Task
        task = asyncio.create_task(cancel_me())

        # Wait for 1 second
        await asyncio.sleep(1)

        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            print("main(): cancel_me is cancelled now")

    asyncio.run(main())
