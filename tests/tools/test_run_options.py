"""The options of `trioasync run`: virtual time, the task tree on a signal, and the time limit."""

import contextlib
import signal
import threading
import time
import urllib.request

import pytest

from tests.support import preloaded
from tests.support.suites import OTHERS, PYTEST
from tests.tools.conftest import TIME_LIMIT, Ended, Runner, hosted

TIMED_OUT = 124
# In seconds: enough for a program to come to where it waits, while many others do the same.
LIMIT = "2"


# Virtual time

SLEEPS = """\
import asyncio
async def main():
    loop = asyncio.get_running_loop()
    start = loop.time()
    await asyncio.sleep(3600)
    print(loop.time() - start)
asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["script", "module", "code", "input", "directory"])
def test_with_autojump_a_program_that_sleeps_for_an_hour_ends_at_once(python, kind):
    """However the program is named, its loop's time is virtual."""
    python.write("sleeps.py", SLEEPS)
    python.write("program/__main__.py", SLEEPS)
    named = {"script": ["sleeps.py"], "module": ["-m", "sleeps"], "code": ["-c", SLEEPS], "input": ["-"]}
    ended = python.hosted("--autojump", *named.get(kind, ["program"]), text=SLEEPS if kind == "input" else "")
    assert ended == (0, "3600.0\n", "")


@pytest.mark.parametrize(
    "program",
    [
        "asyncio.run(sleeps())\nasyncio.run(sleeps())",
        "from asyncio import run\nrun(sleeps())\nrun(sleeps())",
        "with closing(asyncio.new_event_loop()) as x: x.run_until_complete(sleeps()); x.run_until_complete(sleeps())",
        "with closing(asyncio.SelectorEventLoop()) as x: [x.run_until_complete(sleeps()) for _ in range(2)]",
        "thread = Thread(target=asyncio.run, args=[sleeps()])\nthread.start()\nasyncio.run(sleeps())\nthread.join()",
        "trioasync.run(sleeps())\nasyncio.run(in_trio())",
    ],
)
def test_with_autojump_every_loop_of_the_program_has_virtual_time(python, program):
    """Loops one after the other, in another thread, made by name, and trio's own sleeps in them."""
    code = """\
import asyncio, trio, trioasync
from contextlib import closing
from threading import Thread
async def sleeps():
    await asyncio.sleep(3600)
    print("slept\\n", end="")  # in one write: two threads may print at once
async def in_trio():
    await trio.sleep(3600)
    print("slept")
"""
    assert python.hosted("--autojump", "-c", code + program) == (0, "slept\nslept\n", "")


def test_with_autojump_a_loop_that_is_given_a_clock_keeps_it(python):
    """A loop opened in a trio program has that program's time, and one that was given a clock has that."""
    code = """\
import asyncio, time, trio, trio.testing, trioasync
async def main():
    async with trioasync.open_loop() as loop:
        await asyncio.sleep(0.01)
        print(abs(loop.time() - time.monotonic()) < 60)
trio.run(main)
async def given():
    print(asyncio.get_running_loop().time() == clock.current_time() == trio.current_time())
clock = trio.testing.MockClock(rate=1)
trioasync.run(given(), clock=clock)
"""
    assert python.hosted("--autojump", "-c", code).out.splitlines()[0] == "True"


def test_without_autojump_time_is_real(python):
    """The loop's time is `time.monotonic`."""
    code = """\
import asyncio, time
async def main():
    print(abs(asyncio.get_running_loop().time() - time.monotonic()) < 60)
asyncio.run(main())
"""
    assert python.hosted("-c", code).out == "True\n"


# The task tree on a signal

WAITS = """\
import asyncio, os, signal, trio
async def waits_in_asyncio():
    await asyncio.sleep(3600)
async def waits_in_trio():
    await trio.sleep(3600)
async def main():
    tasks = [asyncio.create_task(waits(), name=waits.__name__) for waits in (waits_in_asyncio, waits_in_trio)]
    await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGUSR1)
    print("goes on")
    for task in tasks:
        task.cancel()
asyncio.run(main())
"""


@pytest.mark.parametrize("name", ["USR1", "sigusr1", "SIGUSR1", str(int(signal.SIGUSR1))])
def test_a_signal_prints_where_every_task_waits(python, name):
    """On standard error, whatever the tasks wait for; and the program goes on."""
    python.write("waits.py", WAITS)
    ended = python.hosted("--task-tree-on", name, "waits.py")
    assert (ended.status, ended.out) == (0, "goes on\n")
    places = [line.partition("(asyncio Task) ")[::2] for line in ended.err.splitlines()]
    assert [(name.strip("└├─│ "), place.rpartition(" in ")[2]) for name, place in places[-3:]] == [
        ("Task-1", "main"),
        ("waits_in_asyncio", "waits_in_asyncio"),
        ("waits_in_trio", "waits_in_trio"),
    ]


@pytest.mark.parametrize("kind", ["module", "code", "input", "directory"])
def test_the_task_tree_can_be_had_of_every_kind_of_program(python, kind):
    """The option stands before what names the program."""
    python.write("waits.py", WAITS)
    python.write("program/__main__.py", WAITS)
    named = {"module": ["-m", "waits"], "code": ["-c", WAITS], "input": ["-"]}
    ended = python.hosted("--task-tree-on=USR1", *named.get(kind, ["program"]), text=WAITS if kind == "input" else "")
    assert (ended.status, ended.out) == (0, "goes on\n")
    assert "waits_in_trio (asyncio Task) waits" in ended.err


@pytest.mark.parametrize(
    "program",
    ["computes()", "asyncio.run(in_a_task())", "asyncio.run(in_a_callback())", "trio.run(in_a_task)"],
)
def test_the_task_tree_can_be_had_while_the_program_computes(python, program):
    """No task need come to an await: outside of a loop, in a Task, in a callback, in a trio task."""
    code = f"""\
import asyncio, os, signal, threading, trio
done = threading.Event()
def signals():
    os.kill(os.getpid(), signal.SIGUSR1)
    done.set()
def computes():
    threading.Thread(target=signals).start()
    while not done.is_set():
        pass
async def in_a_task():
    computes()
async def in_a_callback():
    asyncio.get_running_loop().call_soon(computes)
    await asyncio.sleep(0.01)
{program}
"""
    ended = python.hosted("--task-tree-on", "USR1", "-c", code)
    assert (ended.status, ended.out) == (0, "")
    assert " in computes" in ended.err


def test_the_task_tree_can_be_had_while_all_tasks_wait(python):
    """A signal from outside reaches a program that sleeps in its selector."""
    code = "import asyncio\nasync def waits():\n    print('waits', flush=True)\n    await asyncio.sleep(3600)\n"
    with python.started("-m", "trioasync", "run", "--task-tree-on", "USR1", "-c", code + "asyncio.run(waits())") as it:
        assert it.stdout.readline() == b"waits\n"
        seen = []
        with ended_at_last(it):
            for _ in range(2):
                it.send_signal(signal.SIGUSR1)
                seen.append([it.stderr.readline().decode().strip("└─ \n").split(" (")[0] for _ in range(3)])
    assert seen == [["trio run in thread MainThread", "trioasync loop", "Task-1"]] * 2


class ended_at_last:  # noqa: N801 - it reads as a sentence at its use
    """Kills a process that does not do in time what the body waits for."""

    def __init__(self, process):
        self.timer = threading.Timer(TIME_LIMIT, process.kill)

    def __enter__(self):
        self.timer.start()

    def __exit__(self, *details):
        self.timer.cancel()


def test_the_task_tree_goes_to_where_standard_error_was(python):
    """A program that redirects its output, as test runners do, does not swallow it."""
    code = """\
import io, os, signal, sys
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
sys.stderr = io.StringIO()
signal.raise_signal(signal.SIGUSR1)
"""
    assert python.hosted("--task-tree-on", "USR1", "-c", code).err == "thread MainThread is at <string>:4 in <module>\n"


def test_a_signal_that_the_program_takes_for_itself_is_the_programs(python):
    """`loop.add_signal_handler` and `signal.signal` replace ours."""
    code = """\
import asyncio, os, signal
async def main():
    got = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, got.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await got.wait()
    print("got it")
asyncio.run(main())
"""
    assert python.hosted("--task-tree-on", "USR1", "-c", code) == (0, "got it\n", "")


# The time limit

CLEANS_UP = """\
import asyncio, time
async def main():
    try:
        await asyncio.sleep(3600)
    finally:
        print("cleaned up")
asyncio.run(main())
"""


KINDS = {
    "script": ["waits.py"],
    "module": ["-m", "waits"],
    "code": ["-c", CLEANS_UP],
    "input": ["-"],
    "directory": ["program"],
}
NO_ASYNCIO = [
    "while True: pass",
    "time.sleep(3600)",
    "trio.run(trio.sleep_forever)",
    "os.read(os.pipe()[0], 1)",
    "threading.Thread(target=time.sleep, args=[3600], daemon=True).start(); threading.Event().wait()",
    "signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(3600)",
    "signal.signal(signal.SIGINT, signal.SIG_DFL); time.sleep(3600)",
    "threading.Thread(target=time.sleep, args=[3600]).start()",
    "atexit.register(time.sleep, 3600)",
]
COMPUTES = """\
import asyncio, time
async def main():
    print("printed")
    while True:
        try:
            while True: time.sleep(0.001)
        except KeyboardInterrupt:  # before Python 3.11 Ctrl-C is raised in a Task, since then the Task is cancelled
            pass
asyncio.run(main())
"""
GO_ON = {
    "swallows": "import time\nprint('printed')\nwhile True:\n  try: time.sleep(60)\n  except KeyboardInterrupt: pass",
    "computes": COMPUTES,
    "cleans up for ever": "import time\nprint('printed')\ntry: time.sleep(60)\nfinally: time.sleep(60)",
}
FILLS = "import signal, sys\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: print('x' * 1000, file=sys.{})"
FAILS = "import asyncio\nasync def main():\n    try: await asyncio.sleep(3600)\n    finally: 1 / 0\nasyncio.run(main())"
SAYS_GOODBYE = "import sys, time\ntry: time.sleep(3600)\nexcept KeyboardInterrupt: sys.exit('goodbye')"
SLEEPS_FOR_EVER = "import asyncio\nasync def main():\n    while True: await asyncio.sleep(3600)\nasyncio.run(main())"


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """A function that tells how the time limit ended a program; all are started at once, since each waits for it."""
    folder = tmp_path_factory.mktemp("limited")
    (folder / "program").mkdir()
    for path in ("waits.py", "program/__main__.py"):
        (folder / path).write_text(CLEANS_UP)
    programs = {**KINDS, "fails": ["-c", FAILS], "says goodbye": ["-c", SAYS_GOODBYE]}
    programs |= {text: ["-c", f"import atexit, os, signal, threading, time, trio\n{text}"] for text in NO_ASYNCIO}
    programs |= {name: ["-c", text] for name, text in GO_ON.items()} | {"jumps": ["--autojump", "-c", SLEEPS_FOR_EVER]}
    with contextlib.ExitStack() as processes:
        started = {}
        for name, arguments in programs.items():
            program = hosted("--timeout", LIMIT, *arguments)
            process = preloaded.started(
                program, text=CLEANS_UP if name == "input" else "", folder=folder, warnings=None
            )
            started[name] = processes.enter_context(process)
        stuck = {}
        for stream in ("stdout", "stderr"):
            arguments = ["--timeout", LIMIT, "-c", FILLS.format(stream)]
            process = Runner(folder).started("-m", "trioasync", "run", *arguments)
            stuck[f"fills {stream}"] = processes.enter_context(process)

        def ended(name):
            if name in stuck:
                return stuck[name].wait(TIME_LIMIT)
            done = started[name].ended(TIME_LIMIT)
            return Ended(done.returncode, done.stdout, done.stderr)

        yield ended


@pytest.mark.parametrize("kind", KINDS)
def test_after_the_time_limit_the_program_cleans_up_and_the_status_is_that_of_timeout(limited, kind):
    """The tasks are cancelled as by Ctrl-C; standard error says where they waited and nothing else."""
    ended = limited(kind)
    assert (ended.status, ended.out) == (TIMED_OUT, "cleaned up\n")
    first, *tree = ended.err.splitlines()
    assert first == f"trioasync run: the program still runs after {LIMIT} s, and is ended. It is here:"
    assert [line.strip("└─ ").split(" (")[0] for line in tree] == [
        "trio run in thread MainThread",
        "trioasync loop",
        "Task-1",
    ]
    assert "waits at " in tree[-1]
    assert tree[-1].endswith(" in main")


@pytest.mark.parametrize("program", NO_ASYNCIO)
def test_the_time_limit_ends_what_is_no_asyncio_program_too(limited, program):
    """A computation, a wait of another kind, a program without Ctrl-C, a thread that outlives the program."""
    ended = limited(program)
    assert (ended.status, ended.out) == (TIMED_OUT, "")
    assert ended.err.startswith(f"trioasync run: the program still runs after {LIMIT} s, and is ended.")
    assert "Traceback" not in ended.err


def test_the_time_limit_ends_a_program_that_waits_for_input(python):
    """Nobody writes anything to it."""
    with python.started("-m", "trioasync", "run", "--timeout", "0.1", "-c", "input()") as process:
        process.wait(TIME_LIMIT)
        out, err = process.communicate()
    assert (process.returncode, out) == (TIMED_OUT, b"")
    assert err.startswith(b"trioasync run: the program still runs after 0.1 s, and is ended.")
    assert b"Traceback" not in err


def test_what_fails_in_cleaning_up_is_shown(limited):
    """An exception of the program's own keeps its traceback; the status is that of the time limit."""
    ended = limited("fails")
    assert ended.status == TIMED_OUT
    assert ended.err.endswith("ZeroDivisionError: division by zero\n")
    assert "_tools" not in ended.err


def test_the_last_words_of_a_program_are_shown(limited):
    """`sys.exit("a message")` prints the message; the status is that of the time limit."""
    ended = limited("says goodbye")
    assert ended.status == TIMED_OUT
    assert ended.err.endswith("\ngoodbye\n")


def test_the_time_limit_is_in_real_time(limited):
    """A program that sleeps for ever in virtual time is ended all the same."""
    assert limited("jumps").status == TIMED_OUT


def test_a_program_that_ends_in_time_is_left_alone(python):
    """Its output and its status are its own, and nobody waits for the limit."""
    start = time.monotonic()
    code = "import sys, threading; print(threading.active_count(), threading.enumerate()[0].name); sys.exit(3)"
    assert python.hosted("--timeout", str(TIME_LIMIT * 10), "-c", code) == (3, "1 MainThread\n", "")
    assert time.monotonic() - start < TIME_LIMIT


# Real programs with -m


def test_a_test_suite_can_be_run(python):
    """`-m pytest` takes pytest's own arguments, and the tests get loops hosted by trio."""
    test = """\
import asyncio
async def main():
    await asyncio.sleep(3600)
    return type(asyncio.get_running_loop()).__module__
def test_it():
    assert asyncio.run(main()) == "trioasync.loop"
"""
    python.write("test_it.py", test)
    ended = python.hosted("--autojump", "--timeout", "60", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py")
    assert ended.status == 0
    assert "1 passed" in ended.out


def test_a_test_that_hangs_is_shown_though_pytest_captures_standard_error(python):
    """The task tree goes to the terminal, and pytest says itself where it was interrupted."""
    python.write("test_it.py", "import asyncio\ndef test_it():\n    asyncio.run(asyncio.sleep(3600))\n")
    plain = [f"-pno:{name}" for name in ("cacheprovider", *OTHERS)]
    program = hosted("--timeout", LIMIT, "-m", "pytest", "-q", *plain, "test_it.py")
    settings = {"folder": python.directory, "warnings": None, "modules": PYTEST}
    ended = preloaded.run(program, limit=TIME_LIMIT, **settings)
    assert ended.returncode == TIMED_OUT
    assert "Task-1 (asyncio Task) waits" in ended.stderr
    assert "KeyboardInterrupt" in ended.stdout


APP = """\
import asyncio
async def app(scope, receive, send):
    assert scope["type"] == "http"
    body = type(asyncio.get_running_loop()).__module__.encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""


def test_a_web_server_can_be_run(python):
    """`-m uvicorn` serves an application on a loop hosted by trio, and ends on a signal as it does on asyncio."""
    pytest.importorskip("uvicorn")
    python.write("app.py", APP)
    server = ["-m", "uvicorn", "--port", "0", "--lifespan", "off", "--loop", "asyncio", "--no-use-colors", "app:app"]
    expected = served(python, *server)
    assert served(python, "-m", "trioasync", "run", *server) == (expected[0], "trioasync.loop")
    assert expected[1].startswith("asyncio.")


def served(python, *arguments):
    """Start a server, ask it once, and stop it; return how it ended and what it has answered."""
    with python.started(*arguments) as process, ended_at_last(process):
        lines = iter(process.stderr.readline, b"")
        address = next(
            line.partition(b" running on ")[2].split()[0].decode() for line in lines if b" running on " in line
        )
        with urllib.request.urlopen(address, timeout=TIME_LIMIT) as answer:
            text = answer.read().decode()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=TIME_LIMIT)
    return process.returncode, text


# What is wrong with the command line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--timeout"], "argument --timeout: expected one argument"),
        (["--timeout", "soon", "x.py"], "argument --timeout: a number of seconds above 0 is expected, not 'soon'"),
        (["--timeout", "0", "x.py"], "argument --timeout: a number of seconds above 0 is expected, not '0'"),
        (["--timeout=-1", "x.py"], "argument --timeout: a number of seconds above 0 is expected, not '-1'"),
        (["--timeout", "nan", "x.py"], "argument --timeout: a number of seconds above 0 is expected, not 'nan'"),
        (["--timeout", "inf", "x.py"], "argument --timeout: a number of seconds above 0 is expected, not 'inf'"),
        (["--task-tree-on", "USR9", "x.py"], "argument --task-tree-on: there is no signal 'USR9'"),
        (["--task-tree-on", "_DFL", "x.py"], "argument --task-tree-on: there is no signal '_DFL'"),
        (["--task-tree-on", "1000", "x.py"], "argument --task-tree-on: there is no signal '1000'"),
        (["--task-tree-on", "KILL", "x.py"], "argument --task-tree-on: no program can catch 'KILL'"),
        (["--auto", "x.py"], "unrecognized arguments: --auto"),
        (["--autojump"], "no program: name a script, or give -m MODULE, -c CODE, or - for standard input"),
        (["--timeout", "5", "-m"], "argument expected for the -m option"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_option_is_explained(python, arguments, message):
    """Status 2, the usage, and one line that says what is wrong."""
    ended = python.hosted(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("usage: trioasync run [OPTIONS] ")
    assert ended.err.endswith(f"trioasync run: error: {message}\n")


def test_options_after_the_program_are_the_programs(python):
    """What follows the program's name is not looked at."""
    code = "import sys; print(sys.argv)"
    ended = python.hosted("--timeout", "60", "-c", code, "--timeout", "x", "--autojump")
    assert ended.out == "['-c', '--timeout', 'x', '--autojump']\n"


def test_a_script_may_have_the_name_of_an_option(python):
    """After -- comes the program, however it is called."""
    python.write("--timeout", "print('ran')")
    assert python.hosted("--autojump", "--", "--timeout").out == "ran\n"


# What takes longest: the time limit and the five seconds after it


@pytest.mark.parametrize("name", GO_ON)
def test_the_time_limit_ends_what_goes_on_after_an_interrupt(limited, name):
    """Five seconds later, whatever the program does; what it has printed so far is not lost."""
    ended = limited(name)
    assert (ended.status, ended.out) == (TIMED_OUT, "printed\n")
    assert ended.err.endswith("\ntrioasync run: the program has not ended 5 s after it was interrupted\n")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_the_time_limit_ends_what_is_stuck_in_writing(limited, stream):
    """Nobody reads what the program writes, neither to standard output nor to standard error."""
    assert limited(f"fills {stream}") == TIMED_OUT
