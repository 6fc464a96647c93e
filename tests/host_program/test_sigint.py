"""Real SIGINTs, wherever the program is, however it was started: as asyncio and trio document, and never a hang."""

import sys
import textwrap

import pytest

from tests.host_program.processes import alike, hosted

CANCELS_MAIN = sys.version_info >= (3, 11)
"""From there on the first Ctrl-C in asyncio.run cancels the main task instead of interrupting it."""


def block(program, times=1):
    return textwrap.indent(textwrap.dedent(program), "    " * times)


# -- pure asyncio programs, beside asyncio


def test_in_a_sleep():
    """The main task is cancelled and may clean up; then the program ends by KeyboardInterrupt."""
    alike(
        """
        async def main():
            aio.get_running_loop().call_later(0.05, ready)
            try:
                await aio.sleep(60)
            finally:
                await aio.sleep(0)
                say("cleaned up")

        aio.run(main())
        """,
        ["cleaned up"],
    )


BUSY = {
    "main task": "busy()",
    "another Task": "await aio.create_task(awaits(busy))",
    "callback": "aio.get_running_loop().call_soon(busy); await aio.sleep(60)",
    "timer": "aio.get_running_loop().call_later(0.01, busy); await aio.sleep(60)",
    "done callback": "aio.create_task(aio.sleep(0)).add_done_callback(busy); await aio.sleep(60)",
    "asyncio's own Task": "await asyncio.Task(awaits(busy), loop=aio.get_running_loop())",
}


@pytest.mark.parametrize("place", BUSY)
def test_in_code_that_computes(place):
    """A loop that never awaits is interrupted: up to 3.10 by the first Ctrl-C, from then on by the second."""
    alike(
        f"""
        def busy(*args):
            try:
                ready()
                if hasattr(main_task, "cancelling"):
                    spin(main_task.cancelling)
                    ready()
                spin()
            except KeyboardInterrupt:
                say("interrupted")
                raise

        async def awaits(function):
            function()

        async def main():
            global main_task
            main_task = aio.current_task()
            {BUSY[place]}

        try:
            aio.run(main())
        except KeyboardInterrupt:
            say("left run")
        """
        if CANCELS_MAIN
        else f"""
        def busy(*args):
            try:
                ready()
                spin()
            except KeyboardInterrupt:
                say("interrupted")
                raise

        async def awaits(function):
            function()

        async def main():
            {BUSY[place]}

        try:
            aio.run(main())
        except KeyboardInterrupt:
            say("left run")
        """,
        ["interrupted", "left run"],
        0,
        ANY_LINE,
    )


class _AnyLine:
    """What is logged of a Task that was interrupted differs with the time of its collection."""

    def __eq__(self, other):
        return isinstance(other, str)


ANY_LINE = _AnyLine()


@pytest.mark.parametrize("start", ["loop.run_forever()", "loop.run_until_complete(aio.sleep(60))"])
def test_in_a_loop_that_is_run_by_hand(start):
    """It is interrupted, and the loop can be used again."""
    alike(
        f"""
        loop = aio.new_event_loop()
        loop.call_later(0.05, ready)
        try:
            {start}
        except KeyboardInterrupt:
            say("interrupted")
        say(loop.run_until_complete(aio.sleep(0, "again")))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        """,
        ["interrupted", "again"],
        0,
        ANY_LINE,
    )


@pytest.mark.skipif(not CANCELS_MAIN, reason="up to 3.10 the first Ctrl-C interrupts run() itself")
def test_twice_in_a_clean_up():
    """The second Ctrl-C ends the run while the main task cleans up, and closing cancels it in its clean-up."""
    alike(
        """
        async def main():
            aio.get_running_loop().call_later(0.05, ready)
            try:
                await aio.sleep(60)
            finally:
                say("clean-up")
                aio.get_running_loop().call_later(0.05, ready)
                try:
                    await aio.sleep(60)
                finally:
                    say("left")

        aio.run(main())
        """,
        ["clean-up", "left"],
    )


def test_in_the_main_thread_while_the_loop_runs_in_another():
    """No handler is installed there: the main thread is interrupted, and the loop goes on."""
    alike(
        """
        async def main():
            aio.get_running_loop().call_later(0.05, ready)
            await aio.get_running_loop().run_in_executor(None, may_end.wait)
            say("went on")

        may_end = threading.Event()
        thread = threading.Thread(target=aio.run, args=[main()])
        thread.start()
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            say("main thread")
            may_end.set()
        thread.join()
        """,
        ["main thread", "went on"],
        0,
        "",
    )


# -- both worlds, started in each way

FINISH = """
def finish(loop):
    loop.run_until_complete(aio.sleep(0.05))  # for those that were cancelled already
    for task in aio.all_tasks(loop):
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
    loop.close()
"""
STARTS = {
    "run": "aio.run(main())",
    "Runner": "with aio.Runner() as runner:\n    runner.run(main())",
    "run_until_complete": """
        loop = aio.new_event_loop()
        try:
            loop.run_until_complete(main())
        finally:
            finish(loop)
        """,
    "run_forever": """
        loop = aio.new_event_loop()
        main_task = loop.create_task(main())
        try:
            loop.run_forever()
        finally:
            finish(loop)
        """,
    "open_loop": """
        async def program():
            async with aio.open_loop():
                await aio.create_task(main())
        trio.run(program)
        """,
    "open_loop, at checkpoints": """
        async def program():
            async with aio.open_loop():
                await aio.create_task(main())
        trio.run(program, restrict_keyboard_interrupt_to_checkpoints=True)
        """,
    "open_loop in a child": """
        async def program():
            async with aio.open_loop():
                await aio.create_task(main())
        async def parent():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(program)
        trio.run(parent)
        """,
}
WAITS = {
    "asyncio": "await aio.sleep(60)",
    "future": "await aio.get_running_loop().create_future()",
    "trio": "await trio.sleep(60)",
    "nursery": "async with trio.open_nursery() as nursery: nursery.start_soon(trio.sleep, 60)",
    "Task in trio": "await aio.create_task(sleeps_in_trio())",
    "gather": "await aio.gather(aio.sleep(60), sleeps_in_trio())",
}


def with_each(places, usual):
    """Return each start with the usual places, and each place with the two starts that matter most."""
    return [
        pytest.param(start, place, id=f"{start}-{place}")
        for start in STARTS
        for place in places
        if place in usual or start in ("run", "open_loop")
    ]


@pytest.mark.parametrize(("start", "wait"), with_each(WAITS, ["trio", "gather"]))
def test_while_the_program_waits(start, wait):
    """The main task cleans up with awaits of both worlds, and KeyboardInterrupt comes out."""
    hosted(
        f"""
{FINISH}
async def sleeps_in_trio():
    await trio.sleep(60)

async def main():
    aio.get_running_loop().call_later(0.05, ready)
    try:
        {WAITS[wait]}
    except aio.CancelledError:
        await aio.sleep(0.01)  # a Task that waits here keeps its place between two runs of its loop
        await trio.sleep(0)
        say("cleaned up")
        raise

try:
{block(STARTS[start])}
except BaseException as error:
    say(told(error))
""",
        ["cleaned up", "KeyboardInterrupt"],
        0,
        ANY_LINE,
    )


COMPUTES = {
    "Task after trio": "await trio.sleep(0)\n    busy()",
    "callback": "aio.get_running_loop().call_soon(busy)\n    await trio.sleep(60)",
    "child of a nursery": "async with trio.open_nursery() as nursery: nursery.start_soon(awaits, busy)",
    "asyncio's own Task": "await asyncio.Task(awaits(busy), loop=aio.get_running_loop())",
}


# At checkpoints only, nothing interrupts code that has none.
@pytest.mark.parametrize(
    ("start", "place"), [each for each in with_each(COMPUTES, ["callback"]) if "checkpoints" not in each.id]
)
def test_while_the_program_computes(start, place):
    """Code that never awaits is interrupted, wherever it is: by the second Ctrl-C where the first cancels main."""
    hosted(
        f"""
{FINISH}
def busy(*args):
    try:
        ready()
        main_task = next(task for task in aio.all_tasks() if task.get_coro().__name__ == "main")
        spin(lambda: handled_by_a_runner and main_task.cancelling())
        ready()
        spin()
    except KeyboardInterrupt:
        say("interrupted")
        raise

async def awaits(function):
    function()

async def main():
    global handled_by_a_runner
    handled_by_a_runner = "Runner" in getattr(signal.getsignal(signal.SIGINT), "func", say).__qualname__
    {COMPUTES[place]}

try:
{block(STARTS[start])}
except BaseException as error:
    say(told(error))
""",
        ["interrupted", "KeyboardInterrupt"],
        0,
        ANY_LINE,
    )


def test_at_checkpoints_only():
    """restrict_keyboard_interrupt_to_checkpoints lets a Task compute to its end; then main is interrupted."""
    hosted(
        """
async def computes():
    ready()
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        pass
    say("computed")
    try:
        await aio.sleep(60)
    finally:
        say("cleaned up")

async def main():
    async with aio.open_loop() as loop:
        loop.create_task(computes())
        await aio.sleep(60)

try:
    trio.run(main, restrict_keyboard_interrupt_to_checkpoints=True)
except BaseException as error:
    say(told(error))
""",
        ["computed", "cleaned up", "KeyboardInterrupt"],
        0,
        "",
    )


@pytest.mark.parametrize("wait", ["aio.sleep(60)", "trio.sleep(60)"])
@pytest.mark.parametrize("opener", ["main", "child"])
def test_twice_in_an_open_loop(wait, opener):
    """A Task that swallows the cancellation of the first Ctrl-C gets another one by the second."""
    hosted(
        f"""
async def stubborn():
    for number in range(2):
        try:
            await {wait}
        except aio.CancelledError as error:
            say(number, "KeyboardInterrupt" in str(error))
            if number == 0:
                aio.get_running_loop().call_later(0.05, ready)

async def opens():
    async with aio.open_loop() as loop:
        loop.create_task(stubborn())
        loop.call_later(0.05, ready)
        await trio.sleep(60)

async def parent():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(opens)
        await trio.sleep(60)

try:
    trio.run(opens if {opener == "main"} else parent)
except BaseException as error:
    say(told(error))
""",
        ["0 True", "1 True", "KeyboardInterrupt"],
        0,
        "",
    )


def test_each_ctrl_c_reaches_a_stubborn_task():
    """Not only the second: each that the program's main task gets while the loop closes."""
    hosted(
        """
async def stubborn():
    for number in range(5):
        aio.get_running_loop().call_later(0.05, ready)
        try:
            await trio.sleep(60)
        except aio.CancelledError:
            say(number)

async def main():
    async with aio.open_loop() as loop:
        await loop.create_task(stubborn())

try:
    trio.run(main)
except BaseException as error:
    say(told(error))
""",
        ["0", "1", "2", "3", "4", "KeyboardInterrupt"],
        0,
        "",
    )


def test_while_an_open_loop_waits_for_a_thread():
    """Nothing ends a thread: Ctrl-C leaves it behind."""
    hosted(
        """
async def main():
    async with aio.open_loop() as loop:
        loop.run_in_executor(None, time.sleep, 3600)
        await aio.sleep(0.05)
        loop.call_later(0.2, ready)

try:
    trio.run(main)
except BaseException as error:
    say(told(error))
    os._exit(0)
""",
        ["KeyboardInterrupt"],
        0,
        "",
    )


def test_in_the_main_thread_while_a_trio_program_runs_in_another():
    """Trio installs no handler there either: the loop goes on."""
    hosted(
        """
async def main():
    async with aio.open_loop() as loop:
        loop.call_later(0.05, ready)
        await trio.to_thread.run_sync(may_end.wait)
        say("went on")

may_end = threading.Event()
thread = threading.Thread(target=trio.run, args=[main])
thread.start()
try:
    time.sleep(60)
except KeyboardInterrupt:
    say("main thread")
    may_end.set()
thread.join()
""",
        ["main thread", "went on"],
        0,
        "",
    )
