"""Runner: several runs on one loop, its context, its closing, and SIGINT."""

import contextvars
import os
import signal

from tests.support.parity import parity

variable = contextvars.ContextVar("variable", default="default")


@parity(since=(3, 11), returns=[1, 2, True])
def test_several_runs_on_one_loop(aio):
    """Runner.run() may be called several times: all run on one loop, which closes with the runner."""

    async def main(value):
        return value, aio.get_running_loop()

    with aio.Runner() as runner:
        first, loop = runner.run(main(1))
        second, same = runner.run(main(2))
        assert loop is same is runner.get_loop()
        assert not loop.is_closed()
    return [first, second, loop.is_closed()]


@parity(since=(3, 11), returns="carried on", seconds=2)
def test_a_task_goes_on_in_the_next_run(aio):
    """A task that is left pending by one run goes on in the next."""

    async def start():
        return aio.create_task(aio.sleep(2, "carried on"))

    async def finish(task):
        return await task

    with aio.Runner() as runner:
        return runner.run(finish(runner.run(start())))


@parity(since=(3, 11), returns=["set", "default"])
def test_one_context_for_all_runs(aio):
    """What a run sets in its context is seen by the next; the caller does not see it."""

    async def setting():
        variable.set("set")

    async def getting():
        return variable.get()

    with aio.Runner() as runner:
        runner.run(setting())
        return [runner.run(getting()), variable.get()]


@parity(since=(3, 11), returns=["given", "default"])
def test_a_context_of_its_own(aio):
    """run(context=...) uses that context instead."""
    context = contextvars.copy_context()
    context.run(variable.set, "given")

    async def getting():
        return variable.get()

    with aio.Runner() as runner:
        return [runner.run(getting(), context=context), runner.run(getting())]


@parity(since=(3, 11), returns=[True, False])
def test_debug(aio):
    """debug= sets the debug mode of the loop."""

    def mode(debug):
        with aio.Runner(debug=debug) as runner:
            return runner.get_loop().get_debug()

    return [mode(True), mode(False)]


@parity(since=(3, 11), events=["cancelled"], returns=True)
def test_close_cancels_what_is_left(aio, log):
    """close() cancels the tasks that are left, and closes the loop; a second close() does nothing."""

    async def left():
        try:
            await aio.sleep(3600)
        except aio.CancelledError:
            log("cancelled")
            raise

    async def main():
        main.task = aio.create_task(left())
        await aio.sleep(0)

    runner = aio.Runner()
    runner.run(main())
    loop = runner.get_loop()
    assert log == []
    runner.close()
    runner.close()
    return loop.is_closed()


@parity(
    since=(3, 11),
    raises=RuntimeError("Runner is closed"),
    warned=["RuntimeWarning: coroutine 'sleep' was never awaited"],
)
def test_a_closed_runner(aio):
    """A closed runner runs nothing."""
    runner = aio.Runner()
    runner.get_loop()
    runner.close()
    runner.run(aio.sleep(0))


@parity(since=(3, 11), raises=RuntimeError("Runner is closed"))
def test_get_loop_of_a_closed_runner(aio):
    """get_loop() of a closed runner is an error."""
    with aio.Runner() as runner:
        runner.run(aio.sleep(0))
    runner.get_loop()


@parity(
    since=(3, 11),
    raises=RuntimeError("Runner.run() cannot be called from a running event loop"),
    warned=["RuntimeWarning: coroutine 'sleep' was never awaited"],
)
def test_inside_a_running_loop(aio):
    """Runner.run() cannot be called while a loop is running in the same thread."""
    with aio.Runner() as runner:

        async def main():
            runner.run(aio.sleep(0))

        runner.run(main())


@parity(since=(3, 11), returns=["Task", True, False])
def test_the_main_task(aio):
    """The main task is a Task of the runner's loop, and nothing is running afterwards."""

    async def main():
        return aio.current_task()

    with aio.Runner() as runner:
        task = runner.run(main())
        return [type(task).__name__, task.get_loop() is runner.get_loop(), aio.all_tasks(runner.get_loop()) == {task}]


@parity(since=(3, 11), clock="real", raises=KeyboardInterrupt(), events=["cancelled"])
def test_the_first_interrupt_cancels_main(aio, log):
    """The first SIGINT cancels the main task; run() then raises KeyboardInterrupt."""

    async def main():
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await aio.sleep(3600)
        except aio.CancelledError:
            log("cancelled")
            raise

    with aio.Runner() as runner:
        runner.run(main())


@parity(since=(3, 11), clock="real", returns="swallowed")
def test_an_interrupt_that_main_swallows(aio):
    """A main task that swallows the cancellation of a SIGINT returns its result."""

    async def main():
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await aio.sleep(3600)
        except aio.CancelledError:
            return "swallowed"

    with aio.Runner() as runner:
        return runner.run(main())


@parity(since=(3, 11), clock="real", raises=KeyboardInterrupt(), events=["first", "at the end"])
def test_the_second_interrupt_raises(aio, log):
    """The second SIGINT raises KeyboardInterrupt at once, whatever main is doing."""

    async def main():
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await aio.sleep(3600)
        except aio.CancelledError:
            log("first")
            os.kill(os.getpid(), signal.SIGINT)
            await aio.sleep(3600)
            log("never")

    try:
        with aio.Runner() as runner:
            runner.run(main())
    finally:
        log("at the end")


@parity(since=(3, 11), clock="real", returns=[True, True])
def test_the_signal_handler_is_put_back(aio):
    """Runner.run() has a handler of its own for SIGINT, and puts the default one back."""

    async def main():
        return signal.getsignal(signal.SIGINT) is not signal.default_int_handler

    with aio.Runner() as runner:
        own = runner.run(main())
    return [own, signal.getsignal(signal.SIGINT) is signal.default_int_handler]


@parity(since=(3, 11), clock="real", returns=["mine", True])
def test_a_handler_of_the_program_stays(aio):
    """A handler that the program installed for SIGINT is left alone."""
    seen = []

    def mine(signum, frame):
        seen.append("mine")

    async def main():
        os.kill(os.getpid(), signal.SIGINT)
        await aio.sleep(0.01)
        return signal.getsignal(signal.SIGINT) is mine

    signal.signal(signal.SIGINT, mine)
    try:
        with aio.Runner() as runner:
            stays = runner.run(main())
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return [*seen, stays]
