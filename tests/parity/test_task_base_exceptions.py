"""KeyboardInterrupt, SystemExit and other BaseExceptions out of a Task or a callback."""

import contextlib

import pytest

from tests.support.outcomes import outcome_of
from tests.support.parity import parity


class Unusual(BaseException):
    """A BaseException of the program's own."""


FATAL = [KeyboardInterrupt, SystemExit]


@pytest.mark.parametrize("exception", FATAL)
@parity(returns=True)
def test_it_leaves_run_from_the_main_task(aio, exception):
    """KeyboardInterrupt and SystemExit out of the main coroutine leave run() as they were raised."""

    async def main():
        await aio.sleep(1)
        raise exception("k")

    return outcome_of(aio.run, main()) == (exception.__name__, ("k",))


@pytest.mark.parametrize("exception", FATAL)
@parity(
    events=["child", "main was cancelled", "finally of main", "left run"],
    logged=["ERROR Task exception was never retrieved"],
)
def test_it_leaves_run_from_another_task(aio, log, exception):
    """One out of a task that nobody awaits ends the run at once; run() cancels the main task, and raises it."""

    async def child():
        log("child")
        raise exception("k")

    async def main():
        aio.create_task(child())
        try:
            await aio.sleep(100)
        except BaseException:
            log("main was cancelled")
            raise
        finally:
            await aio.sleep(0)
            log("finally of main")

    with pytest.raises(exception):
        aio.run(main())
    log("left run")


@pytest.mark.parametrize("exception", FATAL)
@parity(events=["callback", "main was cancelled", "left run"])
def test_it_leaves_run_from_a_callback(aio, log, exception):
    """One out of a callback ends the run, without a report to the exception handler."""

    def callback():
        log("callback")
        raise exception("k")

    async def main():
        aio.get_running_loop().call_soon(callback)
        try:
            await aio.sleep(100)
        finally:
            log("main was cancelled")

    with pytest.raises(exception):
        aio.run(main())
    log("left run")


@pytest.mark.parametrize("exception", FATAL)
@parity(events=["timer", "left run"], seconds=1)
def test_it_leaves_run_from_a_timer(aio, log, exception):
    """One out of a timer's callback ends the run as well."""

    def callback():
        log("timer")
        raise exception("k")

    async def main():
        aio.get_running_loop().call_later(1, callback)
        await aio.sleep(100)

    with pytest.raises(exception):
        aio.run(main())
    log("left run")


@parity(events=["before", ("KeyboardInterrupt", ("k",)), "after", 5])
def test_the_loop_can_be_run_again_afterwards(aio, log):
    """After a KeyboardInterrupt the next run goes on with the callbacks that were behind the task."""

    async def child():
        log("before")
        raise KeyboardInterrupt("k")

    async def five():
        return 5

    with contextlib.closing(aio.new_event_loop()) as loop:
        task = loop.create_task(child())
        loop.call_soon(log, "after")
        log(outcome_of(loop.run_forever))
        log_after = loop.run_until_complete(five())
        log(log_after)
        assert repr(task.exception()) == "KeyboardInterrupt('k')"


@parity(events=["the interrupt", "the result was set", ("KeyboardInterrupt", ("k",))])
def test_a_task_that_ended_the_run_is_done(aio, log):
    """The task that raised has the exception as its own, and its done callbacks run in the next run."""

    async def child():
        log("the interrupt")
        raise KeyboardInterrupt("k")

    with contextlib.closing(aio.new_event_loop()) as loop:
        task = loop.create_task(child())
        task.add_done_callback(lambda done: log("the result was set"))
        outcome_of(loop.run_forever)
        assert task.done()
        loop.run_until_complete(aio.sleep(0))
        log(outcome_of(task.result))


@parity(returns=("KeyboardInterrupt", ("inner",)), events=["outer saw it"])
def test_one_awaited_by_another_task_leaves_the_run_from_the_inner_task(aio, log):
    """The run ends before the awaiting task hears of it; that one is woken while the loop is closed."""

    async def inner():
        raise KeyboardInterrupt("inner")

    async def main():
        try:
            await aio.create_task(inner())
        except BaseException:
            log("outer saw it")
            raise

    return outcome_of(aio.run, main())


@parity(returns=("Unusual", ("x",)), events=["the loop went on"])
async def test_another_base_exception_stays_in_its_task(aio, log):
    """A BaseException other than those two is only the task's result."""

    async def child():
        raise Unusual("x")

    task = aio.create_task(child())
    await aio.sleep(0)
    await aio.sleep(0)
    log("the loop went on")
    return outcome_of(task.result)


@parity(returns=["Unusual('x')"])
async def test_another_base_exception_out_of_a_callback_is_reported(aio):
    """A BaseException other than those two out of a callback goes to the exception handler."""
    loop, reports = aio.get_running_loop(), []
    loop.set_exception_handler(lambda loop, context: reports.append(repr(context["exception"])))

    def callback():
        raise Unusual("x")

    loop.call_soon(callback)
    await aio.sleep(0)
    return reports


@pytest.mark.parametrize("exception", FATAL)
@parity(events=["handler", "left"])
def test_it_leaves_the_exception_handler(aio, log, exception):
    """One raised by the exception handler itself ends the run."""

    def handler(loop, context):
        log("handler")
        raise exception("k")

    async def main():
        loop = aio.get_running_loop()
        loop.set_exception_handler(handler)
        loop.call_soon(lambda: 1 / 0)
        await aio.sleep(100)

    with pytest.raises(exception):
        aio.run(main())
    log("left")


@pytest.mark.parametrize("exception", [GeneratorExit, Unusual, KeyboardInterrupt, SystemExit])
@parity(returns=True)
def test_any_base_exception_of_the_main_coroutine_leaves_run(aio, exception):
    """What the main coroutine raises is what run() raises, the very object, whatever it is."""
    raised = exception("k")

    async def main():
        raise raised

    with pytest.raises(exception) as caught:
        aio.run(main())
    return caught.value is raised


@parity(events=["a finally", "b finally", "an async generator", "left run"])
def test_every_phase_of_closing_runs_after_an_interrupt(aio, log):
    """After a KeyboardInterrupt, run() cancels the tasks, lets them clean up, and finishes the async generators."""
    kept = []

    async def worker(name, seconds):
        try:
            await aio.sleep(100)
        finally:
            await aio.sleep(seconds)
            log(f"{name} finally")

    async def numbers():
        try:
            yield 1
        finally:
            await aio.sleep(1)
            log("an async generator")

    async def main():
        kept.extend([aio.create_task(worker("a", 1)), numbers()])
        await kept[1].__anext__()
        await aio.sleep(1)
        kept.append(aio.create_task(worker("b", 2)))
        await aio.sleep(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        aio.run(main())
    log("left run")


@parity(
    since=(3, 12),
    events=["eager"],
    returns=("KeyboardInterrupt", ("k",)),
    logged=["ERROR Task exception was never retrieved"],
)
def test_an_interrupt_in_an_eager_first_step_leaves_the_creator(aio, log):
    """KeyboardInterrupt in an eager first step goes through create_task and ends the run."""

    async def child():
        log("eager")
        raise KeyboardInterrupt("k")

    async def main():
        aio.Task(child(), loop=aio.get_running_loop(), eager_start=True)

    return outcome_of(aio.run, main())
