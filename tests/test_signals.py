"""Ctrl-C, SystemExit and other signals: whole programs in processes of their own, on asyncio and on trioasync.

Each program says `aio` for the module. Its output, its exit code and the last line of its stderr are compared: those of
trioasync with those of asyncio on the same Python, and both with what the test says.
"""

import signal
import sys
import textwrap

import pytest

from tests.support import preloaded

LIMIT = 15  # seconds
BY_SIGINT = -signal.SIGINT  # a program that an unhandled KeyboardInterrupt ends dies of the signal
RUNNER_CATCHES_SIGINT = sys.version_info >= (3, 11)

PREAMBLE = """
import {module} as aio
import os, signal, sys, threading, time
from asyncio import CancelledError

def say(*words):
    print(*words, flush=True)

def interrupt_after(*seconds):
    '''Send SIGINT to this process from a thread, once after each of some pauses.'''
    def work():
        for pause in seconds:
            time.sleep(pause)
            os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=work, daemon=True).start()
"""


def outcome(module, program):
    """Run a program on a module, and return its output, its exit code and the last line of its stderr."""
    source = PREAMBLE.format(module=module) + textwrap.dedent(program)
    done = preloaded.run(source, limit=LIMIT)
    return done.stdout.split("\n")[:-1], done.returncode, (done.stderr.rstrip().splitlines() or [""])[-1]


def check(program, output, code=0, last_line=""):
    """Run a program on both modules, and compare what came of it with each other and with what is expected."""
    expected = output, code, last_line
    assert outcome("asyncio", program) == expected
    assert outcome("trioasync", program) == expected


# -- Ctrl-C


def test_ctrl_c_cancels_an_idle_main_task():
    """SIGINT while the loop is idle cancels the main task, which may clean up; then run() raises KeyboardInterrupt."""
    check(
        """
        async def main():
            interrupt_after(0.15)
            try:
                await aio.sleep(60)
            except CancelledError as raised:
                say("cancelled", raised.args)
                await aio.sleep(0.01)
                say("cleaned up")
                raise

        aio.run(main())
        """,
        ["cancelled ()", "cleaned up"],
        BY_SIGINT,
        "KeyboardInterrupt",
    )


def test_ctrl_c_with_a_timer_far_away_and_nothing_else():
    """SIGINT wakes a loop that would sleep for an hour, and the program can catch KeyboardInterrupt around run()."""
    check(
        """
        interrupt_after(0.15)
        start = time.monotonic()
        try:
            aio.run(aio.sleep(3600))
        except KeyboardInterrupt:
            say("interrupted", time.monotonic() - start < 10)
        say(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        """,
        ["interrupted True", "True"],
    )


def test_ctrl_c_that_the_main_task_swallows():
    """From 3.11 on a main task that swallows its cancellation ends as it likes; before, run() is interrupted itself."""
    program = """
        async def main():
            interrupt_after(0.15)
            try:
                await aio.sleep(60)
            except CancelledError:
                say("swallowed")
            return "result"

        say(aio.run(main()))
        """
    if RUNNER_CATCHES_SIGINT:
        check(program, ["swallowed", "result"])
    else:
        check(program, ["swallowed"], BY_SIGINT, "KeyboardInterrupt")


def test_a_second_ctrl_c_interrupts_the_clean_up():
    """The second SIGINT raises KeyboardInterrupt at once, in the middle of the clean-up after the first."""
    check(
        """
        async def main():
            interrupt_after(0.15, 0.15)
            try:
                await aio.sleep(60)
            finally:
                say("clean-up begins")
                try:
                    await aio.sleep(60)
                finally:
                    say("clean-up ends")

        start = time.monotonic()
        try:
            aio.run(main())
        finally:
            say(time.monotonic() - start < 10)
        """,
        ["clean-up begins", "clean-up ends", "True"]
        if RUNNER_CATCHES_SIGINT
        else ["clean-up begins", "True", "clean-up ends"],
        BY_SIGINT,
        "KeyboardInterrupt",
    )


def test_a_busy_task_is_interrupted_by_the_second_ctrl_c():
    """A task that computes without awaiting notices the second SIGINT (up to 3.10 the first)."""
    check(
        """
        async def main():
            interrupt_after(0.15, 0.3, 5)
            try:
                while True:
                    pass
            except KeyboardInterrupt:
                say("interrupted while busy")
                raise

        aio.run(main())
        """,
        ["interrupted while busy"],
        BY_SIGINT,
        "KeyboardInterrupt",
    )


def test_a_busy_callback_is_interrupted_by_the_second_ctrl_c():
    """A callback that computes notices the second SIGINT, and the main task is then cancelled in the closing."""
    check(
        """
        def busy():
            try:
                while True:
                    pass
            except KeyboardInterrupt:
                say("interrupted while busy")
                raise

        async def main():
            interrupt_after(0.15, 0.3, 5)
            aio.get_running_loop().call_soon(busy)
            try:
                await aio.sleep(60)
            except CancelledError:
                say("main was cancelled")
                raise

        aio.run(main())
        """,
        ["interrupted while busy", "main was cancelled"],
        BY_SIGINT,
        "KeyboardInterrupt",
    )


def test_ctrl_c_lets_other_tasks_clean_up():
    """After the main task the others are cancelled, with time for their clean-up, and async generators are finished."""
    check(
        """
        async def worker():
            try:
                await aio.sleep(60)
            finally:
                await aio.sleep(0.01)
                say("worker cleaned up")

        async def numbers():
            try:
                yield 1
            finally:
                await aio.sleep(0.01)
                say("generator finished")

        async def main():
            generator = numbers()
            keep.append(generator)
            await generator.__anext__()
            keep.append(aio.create_task(worker()))
            await aio.sleep(0)
            interrupt_after(0.15)
            try:
                await aio.sleep(60)
            finally:
                say("main cleaned up")

        keep = []
        try:
            aio.run(main())
        except KeyboardInterrupt:
            say("interrupted")
        """,
        ["main cleaned up", "worker cleaned up", "generator finished", "interrupted"],
    )


def test_ctrl_c_after_the_main_task_is_done():
    """SIGINT while run() waits for what is left raises KeyboardInterrupt."""
    check(
        """
        async def stubborn():
            try:
                await aio.sleep(60)
            finally:
                interrupt_after(0.15, 0.3, 5)
                say("stubborn clean-up")
                await aio.sleep(60)

        async def main():
            keep.append(aio.create_task(stubborn()))
            await aio.sleep(0)
            say("main is done")

        keep = []
        start = time.monotonic()
        try:
            aio.run(main())
        except KeyboardInterrupt:
            say("interrupted", time.monotonic() - start < 10)
        os._exit(0)
        """,
        ["main is done", "stubborn clean-up", "interrupted True"],
    )


def test_ctrl_c_in_a_loop_run_by_hand():
    """run_forever() without a Runner is interrupted by SIGINT, and the loop can be used afterwards."""
    check(
        """
        loop = aio.new_event_loop()
        interrupt_after(0.15)
        try:
            loop.run_forever()
        except KeyboardInterrupt:
            say("interrupted")
        say(loop.run_until_complete(aio.sleep(0, "again")))
        loop.close()
        """,
        ["interrupted", "again"],
    )


@pytest.mark.skipif(not RUNNER_CATCHES_SIGINT, reason="Runner came with 3.11, and trioasync's is tested there")
def test_ctrl_c_in_each_run_of_a_runner():
    """Each Runner.run() counts its own interrupts; afterwards the default handler is back."""
    check(
        """
        with aio.Runner() as runner:
            for number in range(2):
                interrupt_after(0.15)
                try:
                    runner.run(aio.sleep(60))
                except KeyboardInterrupt:
                    say("interrupted", number)
            say(runner.run(aio.sleep(0, "fine")))
            say(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        """,
        ["interrupted 0", "interrupted 1", "fine", "True"],
    )


def test_a_handler_of_the_programs_own_stays():
    """A SIGINT handler set before run() is left in place and called."""
    check(
        """
        def handler(signum, frame):
            say("own handler")
            loop.call_soon_threadsafe(future.set_result, "went on")

        async def main():
            global loop, future
            loop = aio.get_running_loop()
            future = loop.create_future()
            interrupt_after(0.15)
            return await future

        signal.signal(signal.SIGINT, handler)
        say(aio.run(main()))
        say(signal.getsignal(signal.SIGINT) is handler)
        """,
        ["own handler", "went on", "True"],
    )


def test_loop_add_signal_handler():
    """add_signal_handler() calls back in the loop, for SIGINT and SIGTERM; remove_signal_handler() gives them back."""
    check(
        """
        async def main():
            loop = aio.get_running_loop()
            for each in (signal.SIGINT, signal.SIGTERM):
                caught = aio.Event()
                loop.add_signal_handler(each, lambda: (say(each.name, aio.get_running_loop() is loop), caught.set()))
                os.kill(os.getpid(), each)
                await caught.wait()
                say(loop.remove_signal_handler(each), loop.remove_signal_handler(each))

        aio.run(main())
        """,
        ["SIGINT True", "True False", "SIGTERM True", "True False"],
    )


def test_a_run_in_another_thread_leaves_signals_alone():
    """run() in a thread that is not the main one installs no handler."""
    check(
        """
        async def main():
            await aio.sleep(0.01)
            return signal.getsignal(signal.SIGINT) is signal.default_int_handler

        thread = threading.Thread(target=lambda: say(aio.run(main())))
        thread.start()
        thread.join()
        """,
        ["True"],
    )


# -- KeyboardInterrupt and SystemExit raised by the program

RAISED = [
    ("KeyboardInterrupt", BY_SIGINT, "KeyboardInterrupt"),
    ("KeyboardInterrupt('text')", BY_SIGINT, "KeyboardInterrupt: text"),
    ("SystemExit", 0, ""),
    ("SystemExit(3)", 3, ""),
    ("SystemExit('text')", 1, "text"),
    ("SystemExit(None)", 0, ""),
]


@pytest.mark.parametrize(("exception", "code", "last_line"), RAISED, ids=[case[0] for case in RAISED])
def test_raised_in_the_main_task(exception, code, last_line):
    """Raised in the main task it is the exit of the program, and other tasks are cancelled first."""
    check(
        f"""
        async def worker():
            try:
                await aio.sleep(60)
            finally:
                say("worker cleaned up")

        async def main():
            task = aio.create_task(worker())
            await aio.sleep(0)
            raise {exception}

        aio.run(main())
        """,
        ["worker cleaned up"],
        code,
        last_line,
    )


@pytest.mark.parametrize(("exception", "code", "last_line"), RAISED, ids=[case[0] for case in RAISED])
def test_raised_in_a_callback(exception, code, last_line):
    """Raised in a callback it is the exit of the program, and the main task is cancelled first."""
    check(
        f"""
        def callback():
            raise {exception}

        async def main():
            aio.get_running_loop().call_later(0.01, callback)
            try:
                await aio.sleep(60)
            finally:
                await aio.sleep(0)
                say("main cleaned up")

        aio.run(main())
        """,
        ["main cleaned up"],
        code,
        last_line,
    )


@pytest.mark.parametrize("exception", ["KeyboardInterrupt", "SystemExit(3)"])
def test_raised_in_another_task(exception):
    """Raised in a task that nobody awaits it ends the program; output, exit code and last line are asyncio's."""
    program = f"""
        async def child():
            raise {exception}

        async def main():
            keep.append(aio.create_task(child()))
            try:
                await aio.sleep(60)
            finally:
                say("main cleaned up")

        keep = []
        try:
            aio.run(main())
        finally:
            keep[0].exception()
        """
    codes = {"KeyboardInterrupt": (BY_SIGINT, "KeyboardInterrupt"), "SystemExit(3)": (3, "")}
    check(program, ["main cleaned up"], *codes[exception])


@pytest.mark.parametrize("exception", ["KeyboardInterrupt", "SystemExit(3)"])
def test_every_phase_of_closing_runs(exception):
    """Tasks, async generators and the default executor are all finished before the program ends."""
    program = f"""
        async def numbers():
            try:
                yield 1
            finally:
                await aio.sleep(0.01)
                say("2 generator")

        async def worker():
            try:
                await aio.sleep(60)
            finally:
                await aio.sleep(0.01)
                say("1 worker")

        def in_a_thread():
            time.sleep(0.3)
            say("3 thread")

        async def main():
            keep.extend([numbers(), aio.create_task(worker())])
            await keep[0].__anext__()
            aio.get_running_loop().run_in_executor(None, in_a_thread)
            await aio.sleep(0)
            raise {exception}

        keep = []
        try:
            aio.run(main())
        finally:
            say("4 run has ended")
        """
    codes = {"KeyboardInterrupt": (BY_SIGINT, "KeyboardInterrupt"), "SystemExit(3)": (3, "")}
    check(program, ["1 worker", "2 generator", "3 thread", "4 run has ended"], *codes[exception])


def test_an_exit_in_a_thread_of_the_executor():
    """SystemExit in an executor's thread is raised where it is awaited."""
    check(
        """
        def leave():
            raise SystemExit(3)

        async def main():
            try:
                await aio.get_running_loop().run_in_executor(None, leave)
            except SystemExit as raised:
                say("raised", raised.code)
                raise

        aio.run(main())
        """,
        ["raised 3"],
        3,
    )


# -- trio calls


def trio_only(program, output, code=0, last_line=""):
    """Run a program with trio calls in it on trioasync, and compare what came of it with what is expected."""
    assert outcome("trioasync", "import trio\n" + textwrap.dedent(program)) == (output, code, last_line)


@pytest.mark.parametrize("call", ["trio.sleep(60)", "trio.sleep_forever()", "trio.Event().wait()", "in_a_nursery()"])
def test_ctrl_c_in_a_trio_call(call):
    """SIGINT while the main task is in a trio call cancels it as in an asyncio await."""
    trio_only(
        f"""
        async def in_a_nursery():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)

        async def main():
            interrupt_after(0.15)
            try:
                await {call}
            finally:
                say("clean-up")
                await trio.sleep(0.01)
                await aio.sleep(0.01)
                say("cleaned up")

        aio.run(main())
        """,
        ["clean-up", "cleaned up"],
        BY_SIGINT,
        "KeyboardInterrupt",
    )


def test_a_second_ctrl_c_in_a_trio_call():
    """The second SIGINT interrupts a clean-up that is in a trio call."""
    trio_only(
        """
        async def main():
            interrupt_after(0.15, 0.3)
            try:
                await trio.sleep(60)
            finally:
                say("clean-up")
                await trio.sleep(60)

        start = time.monotonic()
        try:
            aio.run(main())
        finally:
            say(time.monotonic() - start < 10)
        """,
        ["clean-up", "True"],
        BY_SIGINT,
        "KeyboardInterrupt",
    )


def test_a_busy_task_between_trio_calls_is_interrupted():
    """A task that computes after a trio call notices the second SIGINT."""
    trio_only(
        """
        async def main():
            await trio.sleep(0.01)
            interrupt_after(0.15, 0.3, 5)
            try:
                while True:
                    pass
            except KeyboardInterrupt:
                say("interrupted while busy")
                raise

        aio.run(main())
        """,
        ["interrupted while busy"],
        BY_SIGINT,
        "KeyboardInterrupt",
    )


@pytest.mark.parametrize(("exception", "code", "last_line"), RAISED, ids=[case[0] for case in RAISED])
def test_raised_after_a_trio_call(exception, code, last_line):
    """Raised by a task that came from a trio call it is the exit of the program as anywhere."""
    trio_only(
        f"""
        async def main():
            await trio.sleep(0.01)
            raise {exception}

        aio.run(main())
        """,
        [],
        code,
        last_line,
    )


def test_ctrl_c_in_a_trio_program_with_an_open_loop():
    """In trio.run() SIGINT is trio's own: the program ends with KeyboardInterrupt, and the loop is closed first."""
    trio_only(
        """
        if sys.version_info < (3, 11):
            from exceptiongroup import BaseExceptionGroup

        async def worker():
            try:
                await aio.sleep(60)
            finally:
                await aio.sleep(0.01)
                say("worker cleaned up")

        async def main():
            interrupt_after(0.15)
            async with aio.open_loop() as loop:
                loop.create_task(worker())
                await trio.sleep(60)

        try:
            trio.run(main)
        except BaseException as raised:
            while isinstance(raised, BaseExceptionGroup):
                raised = raised.exceptions[0]
            say(type(raised).__name__)
        """,
        ["worker cleaned up", "KeyboardInterrupt"],
    )
