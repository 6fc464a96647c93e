"""The examples of the page "Coroutines and Tasks", each run as a program: it prints what the page says it prints."""

from tests.support.parity import parity


@parity(printed="hello\nworld\n", seconds=1)
def test_hello_world(asyncio):
    """The first example prints "hello", waits 1 second, and then prints "world"."""

    async def main():
        print("hello")
        await asyncio.sleep(1)
        print("world")

    asyncio.run(main())


@parity(warned=["RuntimeWarning: coroutine 'test_calling_a_coroutine_runs_nothing.<locals>.main' was never awaited"])
def test_calling_a_coroutine_runs_nothing(asyncio):
    """Simply calling a coroutine does not schedule it to be executed."""

    async def main():
        print("hello")

    main()


@parity(starts="17:13:52", printed="started at 17:13:52\nhello\nworld\nfinished at 17:13:55\n", seconds=3)
def test_say_after_in_turn(asyncio, time):
    """Awaiting two coroutines one after the other takes the sum of their times."""

    async def say_after(delay, what):
        await asyncio.sleep(delay)
        print(what)

    async def main():
        print(f"started at {time.strftime('%X')}")

        await say_after(1, "hello")
        await say_after(2, "world")

        print(f"finished at {time.strftime('%X')}")

    asyncio.run(main())


@parity(starts="17:14:32", printed="started at 17:14:32\nhello\nworld\nfinished at 17:14:34\n", seconds=2)
def test_say_after_concurrently(asyncio, time):
    """Two tasks run concurrently: the snippet runs 1 second faster than before."""

    async def say_after(delay, what):
        await asyncio.sleep(delay)
        print(what)

    async def main():
        task1 = asyncio.create_task(say_after(1, "hello"))
        task2 = asyncio.create_task(say_after(2, "world"))

        print(f"started at {time.strftime('%X')}")

        # Wait until both tasks are completed (should take
        # around 2 seconds.)
        await task1
        await task2

        print(f"finished at {time.strftime('%X')}")

    asyncio.run(main())


@parity(
    since=(3, 11),
    starts="17:14:32",
    printed="started at 17:14:32\nhello\nworld\nfinished at 17:14:34\n",
    seconds=2,
)
def test_say_after_in_a_task_group(asyncio, time):
    """The same with a TaskGroup, which awaits its tasks when its context manager exits."""

    async def say_after(delay, what):
        await asyncio.sleep(delay)
        print(what)

    async def main():
        async with asyncio.TaskGroup() as tg:
            tg.create_task(say_after(1, "hello"))
            tg.create_task(say_after(2, "world"))

            print(f"started at {time.strftime('%X')}")

        # The await is implicit when the context manager exits.
        print(f"finished at {time.strftime('%X')}")

    asyncio.run(main())


@parity(
    printed="42\n",
    warned=["RuntimeWarning: coroutine 'test_nested_coroutines.<locals>.nested' was never awaited"],
)
def test_nested_coroutines(asyncio):
    """A coroutine awaited from another one gives its value; one that is only called does not run at all."""

    async def nested():
        return 42

    async def main():
        # Nothing happens if we just call "nested()".
        # A coroutine object is created but not awaited,
        # so it *won't run at all*.
        nested()

        # Let's do it differently now and await it:
        print(await nested())  # will print "42".

    asyncio.run(main())


@parity(returns=42)
def test_nested_in_a_task(asyncio):
    """A task can simply be awaited to wait until it is complete."""

    async def nested():
        return 42

    async def main():
        # Schedule nested() to run soon concurrently
        # with "main()".
        task = asyncio.create_task(nested())

        # "task" can now be used to cancel "nested()", or
        # can simply be awaited to wait until it is complete:
        return await task

    return asyncio.run(main())


@parity(returns=["future", ["future", "coroutine"]])
def test_awaiting_a_future_object(asyncio):
    """A Future that a library exposes can be awaited, and gathered together with a coroutine."""

    def function_that_returns_a_future_object():
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.set_result, "future")
        return future

    async def some_python_coroutine():
        return "coroutine"

    async def main():
        first = await function_that_returns_a_future_object()

        # this is also valid:
        return [first, await asyncio.gather(function_that_returns_a_future_object(), some_python_coroutine())]

    return asyncio.run(main())


@parity(printed="hello\n", seconds=1)
def test_run_as_entry_point(asyncio):
    """run() executes the coroutine as the main entry point of a program."""

    async def main():
        await asyncio.sleep(1)
        print("hello")

    asyncio.run(main())


@parity(events=[*range(10), set()])
def test_background_tasks(asyncio, log):
    """Tasks kept in a set remove their own reference after completion."""

    async def some_coro(param):
        log(param)

    async def main():
        background_tasks = set()

        for i in range(10):
            task = asyncio.create_task(some_coro(param=i))

            # Add task to the set. This creates a strong reference.
            background_tasks.add(task)

            # To prevent keeping references to finished tasks forever,
            # make each task remove its own reference from the set after
            # completion:
            task.add_done_callback(background_tasks.discard)

        await asyncio.sleep(1)
        log(background_tasks)

    asyncio.run(main())


@parity(printed="00:00:00\n00:00:01\n00:00:02\n00:00:03\n00:00:04\n", seconds=4)
def test_display_date(asyncio, datetime):
    """The coroutine displays the current date every second for 5 seconds."""

    async def display_date():
        loop = asyncio.get_running_loop()
        end_time = loop.time() + 5.0
        while True:
            print(datetime.datetime.now())
            if (loop.time() + 1.0) >= end_time:
                break
            await asyncio.sleep(1)

    asyncio.run(display_date())


@parity(
    printed="""
    Task A: Compute factorial(2), currently i=2...
    Task B: Compute factorial(3), currently i=2...
    Task C: Compute factorial(4), currently i=2...
    Task A: factorial(2) = 2
    Task B: Compute factorial(3), currently i=3...
    Task C: Compute factorial(4), currently i=3...
    Task B: factorial(3) = 6
    Task C: Compute factorial(4), currently i=4...
    Task C: factorial(4) = 24
    [2, 6, 24]
    """,
    seconds=3,
)
def test_gather_factorials(asyncio):
    """Three calls gathered run concurrently, in the order that the page prints."""

    async def factorial(name, number):
        f = 1
        for i in range(2, number + 1):
            print(f"Task {name}: Compute factorial({number}), currently i={i}...")
            await asyncio.sleep(1)
            f *= i
        print(f"Task {name}: factorial({number}) = {f}")
        return f

    async def main():
        # Schedule three calls *concurrently*:
        L = await asyncio.gather(
            factorial("A", 2),
            factorial("B", 3),
            factorial("C", 4),
        )
        print(L)

    asyncio.run(main())
