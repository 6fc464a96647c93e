"""Ctrl-C in a trio program with an open loop: the loop closes, and trio's KeyboardInterrupt goes on.

Each program is a process of its own with a time limit. It sends itself the signal when it is where the test wants it.
"""

import textwrap

import pytest

from tests.support import preloaded

LIMIT = 15  # seconds

PROGRAM = """
import asyncio, os, signal, sys, threading, time
import trio, trioasync

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

def say(*words):
    print(*words, flush=True)

def interrupt(pause=0.2):
    threading.Timer(pause, os.kill, (os.getpid(), signal.SIGINT)).start()

def compute():
    interrupt()
    end = time.monotonic() + 10
    while time.monotonic() < end:
        pass
    say("was not interrupted")

async def bystander():
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError as cancelled:
        await asyncio.sleep(0.01)
        say("bystander cancelled:", "KeyboardInterrupt" in str(cancelled))
        raise

async def awaits(sleep):
    interrupt()
    await sleep(60)

async def computes():
    compute()

{definitions}

async def main():
    async with trioasync.open_loop() as loop:
        trioasync.create_task(bystander())
        await asyncio.sleep(0)
        async with trio.open_nursery() as nursery:
            {start}
            await trio.sleep(60)

def kinds(raised):
    if isinstance(raised, BaseExceptionGroup):
        return {{kind for each in raised.exceptions for kind in kinds(each)}}
    return {{type(raised).__name__}}

try:
    trio.run(main{options})
except BaseException as raised:
    say(*sorted(kinds(raised)))
"""

PLACES = {
    "a plain trio task in trio": "nursery.start_soon(awaits, trio.sleep)",
    "a plain trio task in asyncio": "nursery.start_soon(awaits, asyncio.sleep)",
    "a Task in trio": "trioasync.create_task(awaits(trio.sleep))",
    "a Task in asyncio": "trioasync.create_task(awaits(asyncio.sleep))",
    "a plain trio task that computes": "nursery.start_soon(computes)",
    "a Task that computes": "trioasync.create_task(computes())",
    "a callback that computes": "loop.call_soon(compute)",
}


def run(start, *, definitions="", options=""):
    """Run a program, and return its lines, its exit code and the last line of its stderr."""
    source = PROGRAM.format(start=start, definitions=textwrap.dedent(definitions), options=options)
    done = preloaded.run(source, limit=LIMIT)
    return done.stdout.splitlines(), done.returncode, (done.stderr.rstrip().splitlines() or [""])[-1]


@pytest.mark.parametrize("place", PLACES)
def test_ctrl_c_ends_the_program_wherever_it_is(place):
    """The bystander Task is cancelled and cleans up; the program ends by KeyboardInterrupt and by nothing else."""
    lines, code, last_line = run(PLACES[place])
    assert [line for line in lines if not line.startswith("bystander")] == ["KeyboardInterrupt"]
    assert sum(line.startswith("bystander") for line in lines) == 1
    # As in asyncio, a Task that has ended by it is reported when nobody asks for its exception.
    assert (code, last_line) == (0, "KeyboardInterrupt" if place == "a Task that computes" else "")


@pytest.mark.parametrize("place", [place for place in PLACES if "computes" not in place])
def test_ctrl_c_that_trio_keeps_for_its_checkpoints(place):
    """With restrict_keyboard_interrupt_to_checkpoints it ends the program as well."""
    lines, code, last_line = run(PLACES[place], options=", restrict_keyboard_interrupt_to_checkpoints=True")
    assert lines[-1] == "KeyboardInterrupt"
    assert sum(line.startswith("bystander") for line in lines) == 1
    assert (code, last_line) == (0, "")


def test_a_second_ctrl_c_reaches_a_task_that_swallows_the_first():
    """A Task that goes on after its CancelledError keeps the loop open; the next Ctrl-C cancels it again."""
    stubborn = """
    async def stubborn():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            say("stubborn goes on")
            interrupt()
            await asyncio.sleep(60)
        finally:
            say("stubborn ends")
    """
    start = "trioasync.create_task(stubborn()); nursery.start_soon(awaits, trio.sleep)"
    lines, code, last_line = run(start, definitions=stubborn)
    assert [line for line in lines if not line.startswith("bystander")] == [
        "stubborn goes on",
        "stubborn ends",
        "KeyboardInterrupt",
    ]
    assert (code, last_line) == (0, "")


@pytest.mark.parametrize("opened", ["trioasync.run(sleeps())", "trio.run(opens)"])
def test_a_run_in_another_thread_is_left_alone(opened):
    """Ctrl-C is the main thread's; a run in another thread goes on to its end."""
    program = f"""
import asyncio, os, signal, threading
import trio, trioasync

async def sleeps():
    await asyncio.sleep(0.5)
    print("the other thread has ended", flush=True)

async def opens():
    async with trioasync.open_loop():
        await sleeps()

thread = threading.Thread(target=lambda: {opened})
thread.start()
try:
    os.kill(os.getpid(), signal.SIGINT)
    thread.join()
except KeyboardInterrupt:
    print("KeyboardInterrupt", flush=True)
thread.join()
"""
    done = preloaded.run(program, limit=LIMIT)
    assert done.stdout.splitlines() == ["KeyboardInterrupt", "the other thread has ended"]
    assert (done.returncode, done.stderr) == (0, "")
