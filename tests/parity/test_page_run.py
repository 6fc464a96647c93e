"""run(): the entry point, what it closes at the end, and what it refuses."""

import contextvars
import threading
import time
from asyncio import CancelledError

from tests.support.parity import by_python, describe, parity, stable

variable = contextvars.ContextVar("variable", default="default")


@parity(returns=42)
def test_the_result(aio):
    """run() executes the coroutine and returns its result."""

    async def main():
        return 42

    return aio.run(main())


@parity(raises=ValueError("main"))
def test_the_exception(aio):
    """An exception of the coroutine leaves run()."""

    async def main():
        raise ValueError("main")

    aio.run(main())


@parity(returns=(True, False, True))
def test_a_new_loop_that_is_closed(aio):
    """run() always creates a new event loop and closes it at the end."""

    async def main():
        return aio.get_running_loop()

    first, second = aio.run(main()), aio.run(main())
    return first is not second, first.is_running(), first.is_closed() and second.is_closed()


@parity(returns=[True, False, False], logged=[])
def test_debug(aio):
    """debug=True runs the loop in debug mode; False and the default do not."""

    async def main():
        return aio.get_running_loop().get_debug()

    return [aio.run(main(), debug=debug) for debug in (True, False, None)]


@parity(
    raises=RuntimeError("asyncio.run() cannot be called from a running event loop"),
    warned=["RuntimeWarning: coroutine 'sleep' was never awaited"],
)
async def test_inside_a_running_loop(aio):
    """run() cannot be called when an event loop is running in the same thread."""
    aio.run(aio.sleep(0))


@parity(
    raises=by_python(
        {
            (3, 10): ValueError("a coroutine was expected, got 3"),
            (3, 14): TypeError("An asyncio.Future, a coroutine or an awaitable is required"),
        }
    )
)
def test_what_is_no_coroutine(aio):
    """Something that is no coroutine is refused."""
    aio.run(3)


@parity(
    returns=by_python(
        {
            (3, 10): (
                "ValueError",
                "a coroutine was expected, got <function test_a_coroutine_function.<locals>.main at 0x…>",
            ),
            (3, 14): ("TypeError", "An asyncio.Future, a coroutine or an awaitable is required"),
        }
    )
)
def test_a_coroutine_function(aio):
    """A coroutine function that was not called is refused."""

    async def main():
        """Never runs."""

    try:
        aio.run(main)
    except (ValueError, TypeError) as error:
        return type(error).__name__, stable(str(error))


@parity(
    returns=by_python(
        {
            (3, 10): "builtins.ValueError('a coroutine was expected, got Awaitable()',)",
            (3, 14): "awaited",
        }
    )
)
def test_any_awaitable(aio):
    """Since 3.14 run() takes any awaitable."""

    class Awaitable:
        def __await__(self):
            yield
            return "awaited"

        def __repr__(self):
            return "Awaitable()"

    try:
        return aio.run(Awaitable())
    except ValueError as error:
        return describe(error)


@parity(events=["main ends", ("left over", "CancelledError")], returns="result", seconds=1)
def test_tasks_left_over_are_cancelled(aio, log):
    """At the end of run() the tasks that are not done are cancelled and waited for."""

    async def left_over():
        try:
            await aio.sleep(3600)
        except aio.CancelledError as error:
            await aio.sleep(1)
            log("left over", type(error).__name__)
            raise

    async def main():
        main.task = aio.create_task(left_over())
        await aio.sleep(0)
        log("main ends")
        return "result"

    return aio.run(main())


@parity(logged=["ERROR unhandled exception during asyncio.run() shutdown"])
def test_an_exception_of_a_task_left_over(aio):
    """An exception that a task raises when it is cancelled by run() is logged."""

    async def left_over():
        try:
            await aio.sleep(3600)
        finally:
            raise ValueError("left over")

    async def main():
        main.task = aio.create_task(left_over())
        await aio.sleep(0)

    aio.run(main())


@parity(events=[0, "finalized"])
def test_asynchronous_generators_are_finalized(aio, log):
    """run() finalizes the asynchronous generators that are still suspended."""

    async def numbers():
        try:
            yield 0
            yield 1
        finally:
            await aio.sleep(1)
            log("finalized")

    async def main():
        main.kept = numbers()
        log(await main.kept.__anext__())

    aio.run(main())


@parity(clock="real", returns=(True, "late"))
def test_the_thread_pool_is_closed(aio):
    """run() waits for the threads of the default executor."""
    ended, seen = threading.Event(), []

    def blocking():
        time.sleep(0.05)
        seen.append("late")
        ended.set()

    async def main():
        aio.get_running_loop().run_in_executor(None, blocking)

    aio.run(main())
    return ended.is_set(), seen[0]


@parity(raises=KeyboardInterrupt(), events=["cleaned up"])
def test_keyboard_interrupt_in_main(aio, log):
    """KeyboardInterrupt raised by the main task ends the run; the other tasks are cancelled."""

    async def other():
        try:
            await aio.sleep(3600)
        finally:
            log("cleaned up")

    async def main():
        main.task = aio.create_task(other())
        await aio.sleep(1)
        raise KeyboardInterrupt

    aio.run(main())


@parity(raises=SystemExit(3), events=["main cancelled"], logged=["ERROR Task exception was never retrieved"])
def test_system_exit_in_a_task(aio, log):
    """SystemExit raised by any task ends the run; the main task is cancelled, and the task's exception is logged."""

    async def exiting():
        raise SystemExit(3)

    async def main():
        main.task = aio.create_task(exiting())
        try:
            await aio.sleep(3600)
        except aio.CancelledError:
            log("main cancelled")
            raise

    aio.run(main())


@parity(raises=SystemExit(4), events=["main cancelled"])
def test_system_exit_in_a_callback(aio, log):
    """SystemExit raised by a callback does so, too."""

    def exiting():
        raise SystemExit(4)

    async def main():
        aio.get_running_loop().call_later(1, exiting)
        try:
            await aio.sleep(3600)
        except aio.CancelledError:
            log("main cancelled")
            raise

    aio.run(main())


@parity(returns=["set in main", "default"])
def test_the_context_of_main(aio):
    """main() runs in a copy of the caller's context."""

    async def main():
        variable.set("set in main")
        return variable.get()

    return [aio.run(main()), variable.get()]


@parity(raises=CancelledError())
def test_main_cancels_itself(aio):
    """A main task that is cancelled makes run() raise CancelledError."""

    async def main():
        aio.current_task().cancel()
        await aio.sleep(0)

    aio.run(main())


@parity(since=(3, 12), returns=[True, True])
def test_loop_factory(aio):
    """Since 3.12 run() makes its loop with loop_factory."""
    made = []

    def factory():
        made.append(aio.new_event_loop())
        return made[0]

    async def main():
        return aio.get_running_loop() is made[0]

    return [aio.run(main(), loop_factory=factory), made[0].is_closed()]
