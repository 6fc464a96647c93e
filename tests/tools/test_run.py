"""`trioasync run` is `python`, but for whose loops the program gets."""

import os
import py_compile
import signal
import sys
import zipfile

import pytest

from trioasync._tools.cli import COMMANDS

# What a program can see of how it was started. `__main__` must be the module whose globals these are.
SHOW_START = """\
import sys
import __main__
assert vars(__main__) is globals()
print(__name__, sys.argv, repr(sys.path[0]), globals().get("__file__"), __package__, sorted(globals()))
print(getattr(__spec__, "name", None), __loader__ if __spec__ is None else type(__loader__))
"""

SINCE_3_11 = pytest.mark.skipif(sys.version_info < (3, 11), reason="python has it since 3.11")


def same(ends):
    expected, actual = ends
    assert actual == expected
    return expected


# How a program is started


def test_a_script_sees_what_python_shows_it(python):
    """argv, path, `__file__` and the names in `__main__` are python's."""
    python.write("sub/show.py", SHOW_START)
    assert "['sub/show.py', '-m', '--version', 'x']" in same(python.both("sub/show.py", "-m", "--version", "x")).out


def test_a_script_behind_a_link_has_its_own_directory_on_the_path(python):
    """`sys.path[0]` follows the link, `sys.argv[0]` does not."""
    python.write("sub/show.py", SHOW_START)
    os.symlink("sub/show.py", python.directory / "link.py")
    assert same(python.both("./link.py")).status == 0


def test_a_module_sees_what_python_shows_it(python):
    """`-m` gives the module's own spec, and its full path as argv[0]."""
    python.write("package/__init__.py", "")
    python.write("package/show.py", SHOW_START)
    assert same(python.both("-m", "package.show", "-c", "x")).status == 0


def test_a_package_runs_its_main_module(python):
    """`-m package` is `-m package.__main__`."""
    python.write("package/__init__.py", "")
    python.write("package/__main__.py", SHOW_START)
    assert same(python.both("-m", "package")).status == 0


def test_code_sees_what_python_shows_it(python):
    """`-c` takes the code from the command line."""
    assert "['-c', 'a', '-b']" in same(python.both("-c", SHOW_START, "a", "-b")).out


def test_code_may_be_joined_to_its_option(python):
    """`-cCODE` is `-c CODE`."""
    assert same(python.both("-cprint(1)")).out == "1\n"


def test_indented_code_is_taken_as_that_python_takes_it(python):
    """Python 3.14 removes the common indentation, the others refuse it."""
    same(python.both("-c", "    x = 1\n    print(x)"))


def test_standard_input_is_a_program(python):
    """`-` reads the program from standard input."""
    assert "['-', 'a']" in same(python.both("-", "a", text=SHOW_START)).out


def test_a_directory_is_a_program(python):
    """A directory is put on the path, and its `__main__.py` is run."""
    python.write("program/__main__.py", SHOW_START + "import beside")
    python.write("program/beside.py", "print('beside')")
    assert same(python.both("program", "a")).out.endswith("beside\n")


def test_a_zip_file_is_a_program(python):
    """A zip file is run like a directory."""
    with zipfile.ZipFile(python.directory / "program.zip", "w") as archive:
        archive.writestr("__main__.py", SHOW_START)
    assert same(python.both("program.zip", "a")).status == 0


def test_compiled_code_is_a_program(python):
    """A .pyc file is run as it is."""
    python.write("show.py", "print(__name__)")
    py_compile.compile(str(python.directory / "show.py"), str(python.directory / "show.pyc"))
    assert same(python.both("show.pyc")).out == "__main__\n"


@SINCE_3_11
def test_a_safe_path_stays_safe(python):
    """With `python -P` the program's directory is not put on the path."""
    python.write("sub/show.py", "import sys; print([place for place in sys.path if 'sub' in place])")
    assert same(python.both("sub/show.py", options=["-P"])).out == "[]\n"


def test_the_main_module_stays_until_the_end_of_the_process(python):
    """What runs at exit still finds the program's `__main__`."""
    code = "import atexit, sys\nname = 'mine'\natexit.register(lambda: print(sys.modules['__main__'].name, name))"
    assert same(python.both("-c", code)).out == "mine mine\n"


def test_functions_of_main_can_be_pickled(python):
    """What the program defines is found in `__main__`."""
    code = "import pickle\ndef f(): return 5\nprint(pickle.loads(pickle.dumps(f))())"
    assert same(python.both("-c", code)).out == "5\n"


# How a program ends


@pytest.mark.parametrize(
    "argument", ["", "0", "3", "256", "-1", "None", "True", "'a message'", "['not', 'a', 'number']"]
)
def test_sys_exit_gives_the_status_and_message_that_python_gives(python, argument):
    """SystemExit is the interpreter's to judge."""
    same(python.both("-c", f"import sys; sys.exit({argument})"))


def test_system_exit_out_of_a_task_ends_the_program(python):
    """SystemExit in a Task goes through `asyncio.run`."""
    code = "import asyncio, sys\nasync def main():\n    sys.exit(7)\nasyncio.run(main())"
    assert same(python.both("-c", code)).status == 7


FAILS = """\
def f():
    1 / 0
def g():
    try:
        f()
    except ZeroDivisionError as error:
        raise KeyError from error
g()
"""


@pytest.mark.parametrize("kind", ["script", "module", "code", "input", "directory"])
def test_tracebacks_have_no_frames_of_ours(python, kind):
    """An exception that ends the program is shown as python shows it."""
    text = FAILS
    python.write("fails.py", text)
    python.write("fails/__main__.py", text)
    arguments = {"script": ["fails.py"], "module": ["-m", "fails.__main__"], "code": ["-c", text], "input": ["-"]}
    python.write("fails/__init__.py", "")
    ended = same(python.both(*arguments.get(kind, ["fails"]), text=text if kind == "input" else ""))
    assert ended.status == 1
    assert "ZeroDivisionError" in ended.err


def test_a_hook_of_the_program_gets_its_traceback(python):
    """`sys.excepthook` sees the program's frames alone, and is in place when it is called."""
    code = """\
import sys, traceback
def hook(kind, error, tb):
    print(kind, error, *(f.name for t in (tb, error.__traceback__) for f in traceback.extract_tb(t)))
    print(sys.excepthook is hook)
sys.excepthook = hook
def f():
    raise ValueError("x")
f()
"""
    assert "True" in same(python.both("-c", code)).out


@pytest.mark.parametrize(
    "text",
    [
        "def f(:\n",
        "if 1:\nx\n",
        "if 1:\n",
        "x = 'never closed\n",
        "f(1\n",
        "return 1\n",
        "x = 1\n  y = 2\n",
        "if 1:\n\tx = 1\n  y\n",
        "x = 0777\n",
        "from __future__ import braces\n",
    ],
)
def test_a_syntax_error_is_shown_as_python_shows_it(python, text):
    """In a script, in code from the command line, and in a program on standard input."""
    python.write("wrong.py", text)
    assert same(python.both("wrong.py")).status == 1
    assert same(python.both("-c", text)).status == 1
    assert same(python.both("-", text=text)).status == 1


@pytest.mark.parametrize("content", [b"x = '\xff'\n", b"# coding: unheard-of\n", b"x = 1\n\0\n"])
def test_a_file_that_is_not_text_is_shown_as_python_shows_it(python, content):
    """Bytes that are no UTF-8, an unknown encoding, a null byte."""
    (python.directory / "wrong.py").write_bytes(content)
    same(python.both("wrong.py"))


def test_a_syntax_error_in_a_module_is_shown_as_python_shows_it(python):
    """`-m` imports, and the error comes out of the import."""
    python.write("wrong.py", "def f(:\n")
    assert "SyntaxError" in same(python.both("-m", "wrong")).err


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing.py"],
        ["sub/../missing.py"],
        ["-m", "missing"],
        ["-m", "missing.module"],
        ["-m", "json.missing"],
        ["-m", "package"],
        ["empty"],
        ["plain.txt/below"],
    ],
    ids=" ".join,
)
def test_what_is_not_there_gets_pythons_message(python, arguments):
    """A missing file, an unknown module, a package or a directory without a main module."""
    python.write("package/__init__.py", "")
    python.write("empty/nothing.txt", "")
    python.write("plain.txt", "")
    ended = same(python.both(*arguments))
    assert ended.status != 0
    assert ended.err


WAITS = """\
import asyncio
async def main():
    try:
        print("started", flush=True)
        await asyncio.sleep(30)
    finally:
        print("cleaned up", flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["script", "module", "code"])
def test_ctrl_c_ends_the_program_as_python_ends_it(python, kind):
    """The main task is cancelled, cleans up, and the process dies of SIGINT as its parent expects."""
    python.write("waits.py", WAITS)
    arguments = {"script": ["waits.py"], "module": ["-m", "waits"], "code": ["-c", WAITS]}[kind]
    expected = python.interrupted(*arguments)
    actual = python.interrupted("-m", "trioasync", "run", *arguments)
    assert (actual.status, actual.out) == (expected.status, expected.out) == (-signal.SIGINT, "started\ncleaned up\n")
    assert actual.err.splitlines()[-1] == expected.err.splitlines()[-1] == "KeyboardInterrupt"
    assert "_tools" not in actual.err


def test_ctrl_c_outside_of_a_loop_ends_the_program_as_python_ends_it(python):
    """An ordinary statement is interrupted with an ordinary traceback."""
    python.write("raises.py", "import signal\nsignal.raise_signal(signal.SIGINT)\n")
    assert same(python.both("raises.py")).status == -signal.SIGINT


# On whose loops


@pytest.mark.parametrize(
    "program",
    [
        "print(asyncio.run(where()))",
        "from asyncio import run\nprint(run(where()))",
        "with closing(asyncio.new_event_loop()) as loop: print(loop.run_until_complete(where()))",
        "from asyncio.events import new_event_loop as f\nwith closing(f()) as x: print(x.run_until_complete(where()))",
        "with closing(asyncio.SelectorEventLoop()) as loop: print(loop.run_until_complete(where()))",
        pytest.param("with asyncio.Runner() as runner: print(runner.run(where()))", marks=SINCE_3_11),
    ],
)
def test_the_program_gets_loops_hosted_by_trio(python, program):
    """However it asks asyncio for a loop."""
    where = "async def where(): return type(asyncio.get_running_loop()).__module__\n"
    code = "import asyncio\nfrom contextlib import closing\n" + where + program
    assert python.hosted("-c", code) == (0, "trioasync.loop\n", "")


def test_an_unmodified_program_may_await_trio(python):
    """Its Tasks are trio tasks."""
    code = (
        "import asyncio, trio\nasync def main():\n    await trio.sleep(0.01)\n    print('slept')\nasyncio.run(main())"
    )
    assert python("-m", "trioasync", "run", "-c", code) == (0, "slept\n", "")


# The command line itself


def test_no_arguments_print_the_help(python):
    """`trioasync` alone lists its commands."""
    ended = python("-m", "trioasync")
    assert ended.status == 0
    assert "run an unmodified asyncio program on trio" in ended.out
    assert python("-m", "trioasync", "--help") == ended


def test_the_version_is_printed(python):
    """`--version` prints the version of the package."""
    from trioasync._version import __version__

    assert python("-m", "trioasync", "--version") == (0, f"trioasync {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fly"], f"trioasync: error: unknown command 'fly' (choose from {', '.join(COMMANDS)})\n"),
        (["--fly"], "trioasync: error: unrecognized arguments: --fly\n"),
        (
            ["run"],
            "trioasync run: error: no program: name a script, or give -m MODULE, -c CODE, or - for standard input\n",
        ),
        (["run", "-m"], "trioasync run: error: argument expected for the -m option\n"),
        (["run", "-c"], "trioasync run: error: argument expected for the -c option\n"),
        (["run", "--fly", "x.py"], "trioasync run: error: unrecognized arguments: --fly\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_says_what_is_wrong(python, arguments, message):
    """Status 2, the usage, and one line that says what was expected."""
    ended = python("-m", "trioasync", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("usage: trioasync")
    assert ended.err.endswith(message)


def test_run_describes_itself(python):
    """`trioasync run --help` is for us, `trioasync run program --help` is for the program."""
    assert "trioasync run" in python("-m", "trioasync", "run", "--help").out
    assert python("-m", "trioasync", "run", "-c", "import sys; print(sys.argv)", "--help").out == "['-c', '--help']\n"
