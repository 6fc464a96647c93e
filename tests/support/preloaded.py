"""Programs in processes of their own, without the time that an interpreter takes to start and to import trio.

    ended = run("import trio; print(trio.__version__)", limit=15)
    assert (ended.returncode, ended.stderr) == (0, "")

One process for all tests has imported what programs need. For each program it forks, and the child goes on as the main
program of its interpreter: how it ends (exit status, traceback, death by a signal) is up to the interpreter, as ever.
A test of how a process begins needs one that does, and is not for this.
"""

import atexit
import contextlib
import functools
import importlib
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parent.parent.parent
MODULES = ("asyncio", "trio", "trioasync")
MAIN = "from tests.support.preloaded import next_program\nexec(next_program())"
KEEPER_LIMIT = 60  # seconds of real time for a fork and for the end of a process that is killed


def run(program, *, limit, **settings):
    """Run the text of a program, and return its exit status and output as `subprocess.run` does.

    Args:
        program: what `python -c` would be given.
        limit: after how many seconds it is killed, and TimeoutExpired raised.
        settings: those of `started`.
    """
    with started(program, **settings) as process:
        return process.ended(limit)


@contextlib.contextmanager
def started(program, *, text="", folder=".", warnings="error", modules=MODULES):
    """Run the text of a program beside the block, and give its `Process`; it is killed at the end of the block.

    Args:
        program: what `python -c` would be given.
        text: its standard input.
        folder: its current folder.
        warnings: what `python -W` would be given; None: without it.
        modules: what has been imported when the program begins.
    """
    with tempfile.TemporaryDirectory() as place:
        (pathlib.Path(place) / "in").write_text(text)
        process = Process(program, pathlib.Path(place), os.path.abspath(folder), _server(warnings, modules))
        try:
            yield process
        finally:
            process.kill()


class Process:
    """A program that runs. Its output goes to files."""

    def __init__(self, program, place, folder, server):
        self._program, self._out, self._err = program, place / "out", place / "err"
        os.mkfifo(place / "told")
        with contextlib.ExitStack() as unless_begun:
            told = os.open(place / "told", os.O_RDONLY | os.O_NONBLOCK)
            unless_begun.callback(os.close, told)
            server.ask({"program": program, "place": str(place), "folder": folder, "environment": _environment()})
            select.select([told], [], [], KEEPER_LIMIT)
            os.set_blocking(told, True)
            self._told = os.fdopen(told)
            unless_begun.pop_all()
        self.pid, self._status = int(self._told.readline()), None

    def ended(self, limit):
        """Wait for its end, so many seconds at most, and return its exit status and output."""
        if not select.select([self._told], [], [], limit)[0]:
            self.kill()
            raise subprocess.TimeoutExpired(self._program, limit)
        status = self._end()
        out, err = (path.read_bytes().decode() for path in (self._out, self._err))
        return subprocess.CompletedProcess(self._program, status, out, err)

    def kill(self):
        """End it if it runs."""
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._end()

    def _end(self):
        if self._status is None:
            self._status = int(self._told.readline())
            self._told.close()
        return self._status


def _environment():
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    environment.pop("PYTHONASYNCIODEBUG", None)
    return environment


class _Server:
    """The process that forks. It is asked in lines of JSON, and ends when nobody can ask any more."""

    def __init__(self, warnings, modules):
        options = [] if warnings is None else ["-W", warnings]
        command = [sys.executable, *options, "-c", MAIN, *modules]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, env=_environment())
        atexit.register(self.end)

    def ask(self, request):
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()

    def end(self):
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:  # a forked process that is left over can still ask
            self._process.kill()
            self._process.wait()


_server = functools.cache(_Server)


# -- in the process that forks


def next_program():
    """Have a keeper fork for each program that is asked for; return its text in the child of the keeper."""
    for module in sys.argv[1:]:
        importlib.import_module(module)
    while request := sys.stdin.readline():
        if os.fork() == 0:
            return _keep(**json.loads(request))
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    sys.exit()


def _keep(program, place, folder, environment):
    """Fork, and tell the child's number and its end; in the child return the program's text."""
    told = os.open(os.path.join(place, "told"), os.O_WRONLY)
    number = os.fork()
    if number != 0:
        os.write(told, b"%d\n" % number)
        status = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
        os.write(told, b"%d\n" % status)
        os._exit(0)
    os.close(told)
    _begin(place, folder, environment)
    return program


def _begin(place, folder, environment):
    """Make this process look as if it had just been started."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    del sys.argv[1:]
    writing = os.O_WRONLY | os.O_CREAT
    for descriptor, (name, flags) in enumerate([("in", os.O_RDONLY), ("out", writing), ("err", writing)]):
        opened = os.open(os.path.join(place, name), flags)
        os.dup2(opened, descriptor)
        os.close(opened)
    # What has been read ahead is for the process that forks.
    sys.stdin = sys.__stdin__ = os.fdopen(0, closefd=False)
    # A process started in the background of a shell ignores Ctrl-C, and so would its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
