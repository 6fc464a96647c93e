"""Server processes: started, waited for by what they print, and stopped by a signal."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
LIMIT = 30  # seconds of real time for each thing that is expected of a process


class Process:
    """A program that runs while the block does; what is left of it and its children then is killed.

    Standard output and error are one stream, `text()`. The package under test can be imported by it.
    """

    def __init__(self, command, *, env=None, cwd=None, pass_fds=()):
        self._command = [str(part) for part in command]
        path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))
        self._env = os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"} | (env or {})
        self._cwd = cwd
        self._pass_fds = pass_fds
        self._lines = []
        self._news = threading.Condition()
        self._ended = False

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._env,
            cwd=self._cwd,
            pass_fds=self._pass_fds,
            text=True,
            start_new_session=True,  # its children can be ended with it
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(self, *exc_info):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    @property
    def pid(self):
        return self._process.pid

    def text(self):
        """Return what it has printed so far."""
        with self._news:
            return "".join(self._lines)

    def printed(self, pattern, limit=LIMIT):
        """Wait until it has printed a line in which `pattern` is found, and return the match."""
        deadline = time.monotonic() + limit
        with self._news:
            looked_at = 0
            while True:
                for line in self._lines[looked_at:]:
                    looked_at += 1
                    match = re.search(pattern, line)
                    if match:
                        return match
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    told = "".join(self._lines)
                    raise AssertionError(f"{self._command} has not printed {pattern!r} in {limit} s, but:\n{told}")
                self._news.wait(left)

    def ended(self, limit=LIMIT):
        """Wait until it ends by itself, and return its exit status; a signal's number is negative."""
        try:
            status = self._process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self._command} does not end in {limit} s:\n{self.text()}") from None
        self._reader.join(1)  # a child that is left may hold the pipe open
        return status

    def stop(self, signum=signal.SIGTERM, limit=LIMIT):
        """Send a signal, and return the exit status that the process ends with."""
        self._process.send_signal(signum)
        return self.ended(limit)

    def _read(self):
        for line in self._process.stdout:
            with self._news:
                self._lines.append(line)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


def python(*arguments):
    """Return the command that runs this Python."""
    return [sys.executable, *arguments]


def get(url):
    """Return the text that a server on this machine answers with."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=LIMIT) as response:
        return response.read().decode()


def answer(url):
    """Return what a server answers with, as JSON."""
    return json.loads(get(url))


def two_pids(url):
    """Have each of two workers answer, and return both answers by process.

    Which of them takes a connection is chance, and one may still be starting: who has answered is stopped meanwhile.
    """
    first = answer(url)
    os.kill(first["pid"], signal.SIGSTOP)
    try:
        second = answer(url)
    finally:
        os.kill(first["pid"], signal.SIGCONT)
    return {told["pid"]: told for told in (first, second)}


@contextlib.contextmanager
def asking(url):
    """Ask a server while the block runs, which ends with the answer: it is the `text` of what is given."""

    class Asked(threading.Thread):
        text = None

        def run(self):
            try:
                self.text = get(url)
            except OSError as failed:
                self.text = repr(failed)

    asked = Asked()
    asked.start()
    try:
        yield asked
    finally:
        asked.join()
