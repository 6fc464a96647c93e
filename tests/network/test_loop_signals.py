"""add_signal_handler and remove_signal_handler, beside trio's own ways to catch signals."""

import asyncio
import os
import signal
import sys
import threading

import pytest
import trio

from tests.network.ways import WAYS, everywhere
from tests.support.observation import time_limit

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="Windows' loops have no signal handlers")

ONE, TWO = signal.SIGUSR1, signal.SIGUSR2


def send(signum):
    """Send a signal to this process."""
    os.kill(os.getpid(), signum)


@everywhere(events=[("caught", "one", 1)])
async def test_a_handler_gets_its_arguments(aio, log):
    """It is called in the loop, and an idle loop wakes for it."""
    loop, caught = aio.get_running_loop(), aio.Event()
    loop.add_signal_handler(ONE, lambda *given: (log("caught", *given), caught.set()), "one", 1)
    loop.call_later(0.01, send, ONE)
    await caught.wait()
    loop.remove_signal_handler(ONE)


@everywhere(returns=[True, False, True], events=["second"])
async def test_a_second_handler_takes_the_place_of_the_first(aio, log):
    """And one removal removes it; the default action is back afterwards."""
    loop, caught = aio.get_running_loop(), aio.Event()
    loop.add_signal_handler(ONE, log, "first")
    loop.add_signal_handler(ONE, lambda: (log("second"), caught.set()))
    send(ONE)
    await caught.wait()
    removed = [loop.remove_signal_handler(ONE), loop.remove_signal_handler(ONE)]
    return [*removed, signal.getsignal(ONE) is signal.SIG_DFL]


@everywhere(events=["one", "two", "one"])
async def test_each_signal_has_its_own_handler(aio, log):
    """In the order in which they come."""
    loop = aio.get_running_loop()
    for signum, name in ((ONE, "one"), (TWO, "two")):
        loop.add_signal_handler(signum, log, name)
    for signum in (ONE, TWO, ONE):
        before = len(log)
        send(signum)
        while len(log) == before:
            await aio.sleep(0.001)
    for signum in (ONE, TWO):
        loop.remove_signal_handler(signum)


@everywhere(events=["in the handler", "after the handler"])
async def test_a_handler_may_remove_itself(aio, log):
    """And schedule what comes next."""
    loop, over = aio.get_running_loop(), aio.Event()

    def handler():
        log("in the handler")
        loop.remove_signal_handler(ONE)
        loop.call_soon(lambda: (log("after the handler"), over.set()))

    loop.add_signal_handler(ONE, handler)
    send(ONE)
    await over.wait()


@everywhere(returns="ZeroDivisionError", logged=["ERROR Exception in callback fail() at test_loop_signals.py:…"])
async def test_a_handler_that_fails_is_reported(aio):
    """As any callback's; the next signal is handled."""
    loop, caught = aio.get_running_loop(), aio.Event()

    def fail():
        caught.set()
        raise ZeroDivisionError("in a handler")

    fail.__qualname__ = "fail"
    loop.add_signal_handler(ONE, fail)
    send(ONE)
    await caught.wait()
    loop.remove_signal_handler(ONE)
    return "ZeroDivisionError"


@everywhere(returns=True)
async def test_a_signal_does_not_interrupt_calls_of_the_kernel(aio):
    """A read in a thread goes on after a signal that the loop handles."""
    loop, caught = aio.get_running_loop(), aio.Event()
    loop.add_signal_handler(ONE, caught.set)
    reading, writing = os.pipe()
    waiting = loop.run_in_executor(None, os.read, reading, 1)
    send(ONE)
    await caught.wait()
    os.write(writing, b"x")
    read = await waiting
    os.close(reading)
    os.close(writing)
    loop.remove_signal_handler(ONE)
    return read == b"x"


# Beside trio

OURS = pytest.mark.parametrize("way", WAYS)


def run(way, body):
    """Run an async function on trioasync in one of the ways, within ten seconds."""
    with time_limit(10):
        return WAYS[way](lambda aio: body(), None)


@OURS
def test_trio_catches_one_signal_and_asyncio_another(way):
    """Each is told of its own."""

    async def body():
        loop, caught = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(ONE, caught.set)
        with trio.open_signal_receiver(TWO) as signals:
            send(ONE)
            await caught.wait()
            send(TWO)
            received = await signals.__anext__()
        loop.remove_signal_handler(ONE)
        return received

    assert run(way, body) == TWO


@OURS
def test_a_receiver_of_trios_takes_a_signal_over_for_its_block(way):
    """Whoever came last is told; after the block the loop's handler is back in place."""

    async def body():
        loop, caught = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(ONE, caught.set)
        with trio.open_signal_receiver(ONE) as signals:
            send(ONE)
            received = await signals.__anext__()
            meanwhile = caught.is_set()
        send(ONE)
        await caught.wait()
        loop.remove_signal_handler(ONE)
        return received, meanwhile

    assert run(way, body) == (ONE, False)


@OURS
def test_a_handler_of_the_loop_takes_a_signal_over_from_trio(way):
    """add_signal_handler inside the block of a receiver gets the signals from then on."""

    async def body():
        loop, caught = asyncio.get_running_loop(), asyncio.Event()
        with trio.open_signal_receiver(ONE):
            loop.add_signal_handler(ONE, caught.set)
            send(ONE)
            await caught.wait()
            loop.remove_signal_handler(ONE)
        return signal.getsignal(ONE)

    assert run(way, body) == signal.SIG_DFL


@OURS
def test_python_writes_signals_to_trios_descriptor_all_the_time(way):
    """Adding and removing handlers leaves the wake-up descriptor with trio."""

    async def body():
        loop = asyncio.get_running_loop()
        descriptors = [wakeup_descriptor()]
        loop.add_signal_handler(ONE, print)
        descriptors.append(wakeup_descriptor())
        loop.remove_signal_handler(ONE)
        descriptors.append(wakeup_descriptor())
        return descriptors

    before, during, after = run(way, body)
    assert before == during == after


def wakeup_descriptor():
    """The descriptor that Python writes the numbers of signals to."""
    descriptor = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(descriptor)
    return descriptor


# Ctrl-C after the loop's handler for it is gone


def send_from_a_callback():
    asyncio.get_running_loop().call_later(0.01, send, signal.SIGINT)


def send_from_a_thread():
    threading.Timer(0.05, send, [signal.SIGINT]).start()


@OURS
@pytest.mark.parametrize("send_ctrl_c", [send_from_a_callback, send_from_a_thread])
def test_ctrl_c_after_a_removed_handler_interrupts_the_program_and_no_code_of_trios(way, send_ctrl_c):
    """The program ends by KeyboardInterrupt after its clean-up, and the next one runs as ever."""
    log = []

    async def body():
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, log.append, "the handler")
        loop.remove_signal_handler(signal.SIGINT)
        send_ctrl_c()
        try:
            await asyncio.sleep(5)
        finally:
            log.append("cleaned up")

    with pytest.raises(BaseException) as raised:
        run(way, body)
    assert "KeyboardInterrupt" in kinds(raised.value)
    assert kinds(raised.value) <= {"KeyboardInterrupt", "CancelledError"}
    assert log == ["cleaned up"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert run(way, no_time) == "as ever"


async def no_time():
    return await asyncio.sleep(0, "as ever")


def kinds(raised):
    """The names of the exceptions in a group, or of one."""
    if isinstance(raised, BaseExceptionGroup):
        return {kind for each in raised.exceptions for kind in kinds(each)}
    return {type(raised).__name__}
