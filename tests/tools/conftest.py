"""Programs run in processes of their own: by python, and by `trioasync run`."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import trioasync
from tests.support import preloaded

TIME_LIMIT = 60
PACKAGE_PLACE = str(Path(trioasync.__file__).parent.parent)


class Ended(NamedTuple):
    """How a process ended: its exit status (negative: the signal that killed it) and what it wrote."""

    status: int
    out: str
    err: str


class Runner:
    """Starts pythons in one directory."""

    def __init__(self, directory):
        self.directory = directory
        self.environment = {**os.environ, "PYTHONPATH": PACKAGE_PLACE, "NO_COLOR": "1"}
        self.environment.pop("PYTHONSAFEPATH", None)

    @contextlib.contextmanager
    def started(self, *arguments, options=()):
        command = [sys.executable, *options, *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        settings = {"cwd": self.directory, "env": self.environment, "preexec_fn": _interruptible}
        with subprocess.Popen(command, **pipes, **settings) as process:
            try:
                yield process
            finally:
                process.kill()

    def __call__(self, *arguments, text="", options=()):
        with self.started(*arguments, options=options) as process:
            out, err = process.communicate(text.encode(), timeout=TIME_LIMIT)
        return Ended(process.returncode, out.decode(), err.decode())

    def hosted(self, *arguments, text=""):
        """Run a program by `trioasync run`, in a process that has python's start behind it; return how it ended."""
        settings = {"text": text, "folder": self.directory, "warnings": None}
        done = preloaded.run(hosted(*arguments), limit=TIME_LIMIT, **settings)
        return Ended(done.returncode, done.stdout, done.stderr)

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name

    def both(self, *arguments, text="", options=()):
        """Run a program with python and with `trioasync run`; return how both ended, addresses in memory left out."""
        if options:
            ours = self("-m", "trioasync", "run", *arguments, text=text, options=options)
        else:
            ours = self.hosted(*arguments, text=text)
        ends = self(*arguments, text=text, options=options), ours
        return [end._replace(out=_without_addresses(end.out), err=_without_addresses(end.err)) for end in ends]

    def interrupted(self, *arguments):
        """Send SIGINT to a program as soon as it has printed a line; return how it ended."""
        with self.started(*arguments) as process:
            first = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=TIME_LIMIT)
        return Ended(process.returncode, (first + out).decode(), err.decode())


def hosted(*arguments):
    """Return the text of a program that is `trioasync run` with these arguments."""
    return f"import sys\nfrom trioasync._tools.cli import main\nsys.exit(main({['run', *map(str, arguments)]!r}))"


def _interruptible():
    # A process started in the background of a shell ignores SIGINT, and so would its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _without_addresses(text):
    return re.sub(r"0x[0-9a-f]+", "0x...", text)


@pytest.fixture
def python(tmp_path):
    """Starts pythons in an empty directory; see `Runner`."""
    return Runner(tmp_path)
