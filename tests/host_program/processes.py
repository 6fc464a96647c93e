"""Whole programs in processes of their own, which get a real SIGINT each time that they say they are ready for it.

A program says `aio` for the module and `say(...)` for what it does. Where it says `ready()`, its parent sends SIGINT:
no pause stands for "by now it waits". A program that is not over after `LIMIT` seconds is killed and counts as hanging.
"""

import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import threading

ROOT = pathlib.Path(__file__).parent.parent.parent
LIMIT = 60  # seconds
BY_SIGINT = -signal.SIGINT  # a program that an unhandled KeyboardInterrupt ends dies of the signal

PREAMBLE = """
import {module} as aio
import asyncio, os, signal, sys, threading, time
if {trio}:
    import trio
if sys.version_info < (3, 11):
    try:
        from exceptiongroup import BaseExceptionGroup
    except ImportError:
        pass

def say(*words):
    # In one system call: print() may lose or repeat what it writes when it is interrupted.
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def ready():
    say("ready")

def spin(until=lambda: False):
    # In a function of its own: on CPython 3.13.0 what is raised at the end of a loop is not caught around that loop.
    while not until():
        pass

def told(error):
    # Of what kinds the exceptions are. A signal may strike a Task or trio's main task, so that two of a kind come out.
    errors, kinds = [error], set()
    while errors:
        error = errors.pop()
        if isinstance(error, BaseExceptionGroup):
            errors += error.exceptions
        else:
            kinds.add(type(error).__name__)
    return " and ".join(sorted(kinds))
"""


def run_program(module, program, *, trio=False):
    """Run a program, and return what it said, its exit code and the last line of its stderr."""
    source = PREAMBLE.format(module=module, trio=trio) + textwrap.dedent(program)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTHONASYNCIODEBUG", None)
    with subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as child:
        watch = threading.Timer(LIMIT, child.kill)
        watch.start()
        said = []
        for line in child.stdout:
            if line == "ready\n":
                child.send_signal(signal.SIGINT)
            else:
                said.append(line.rstrip("\n"))
        errors = child.stderr.read()
        code = child.wait()
        watch.cancel()
    assert code != -signal.SIGKILL, f"hangs after {said}\n{errors}"
    assert "TrioInternalError" not in errors
    return said, code, (errors.rstrip().splitlines() or [""])[-1]


def alike(program, said, code=BY_SIGINT, last_line="KeyboardInterrupt"):
    """Run a program on asyncio and on trioasync, and compare both with what is expected."""
    expected = said, code, last_line
    assert run_program("asyncio", program) == expected
    assert run_program("trioasync", program) == expected


def hosted(program, said, code=BY_SIGINT, last_line="KeyboardInterrupt"):
    """Run a program that awaits trio on trioasync, and compare it with what is expected."""
    found, expected = run_program("trioasync", program, trio=True), (said, code, last_line)
    assert found == expected
