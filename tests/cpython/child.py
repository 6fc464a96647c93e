"""Runs the tests of one of CPython's files in this process.

    python -m tests.cpython.child MODE PACKAGE FILE RECORD SECONDS [NAME...]

RECORD gets a line of JSON when a test starts and when it ends, so that whoever reads it knows in which test the process
has died. A test that takes longer than SECONDS ends the process. Tests that RECORD knows already are left out; with
NAMEs of tests only those are run.
"""

import faulthandler
import json
import signal
import sys
import unittest
import warnings

from . import modes, touching

RANK = ["passed", "skipped", "failed", "error"]


class Record:
    """The lines of JSON."""

    def __init__(self, path):
        self.known = {entry["test"] for entry in read(path)}
        self.file = open(path, "a", buffering=1)  # noqa: SIM115 - until the process ends

    def write(self, **entry):
        self.file.write(json.dumps(entry) + "\n")


def read(path):
    """Return the lines of a record; none if it does not exist."""
    try:
        with open(path) as file:
            return [json.loads(line) for line in file]
    except FileNotFoundError:
        return []


def name_of(test, package):
    """Return a test's name, from its file on."""
    return test.id().replace(f"{package}.", "").replace("unittest.loader.ModuleSkipped.", "")


class Result(unittest.TestResult):
    """Writes what comes of each test to a record; the methods are named by unittest."""

    def __init__(self, package, record, touches, seconds):
        super().__init__()
        self.package, self.record, self.touches, self.seconds = package, record, touches, seconds
        self.running = None

    def startTest(self, test):  # noqa: N802
        super().startTest(test)
        self.running, self.outcome, self.text = test, "passed", ""
        self.touches.clear()
        self.record.write(test=name_of(test, self.package), outcome="started")
        faulthandler.dump_traceback_later(self.seconds, exit=True)

    def stopTest(self, test):  # noqa: N802
        faulthandler.cancel_dump_traceback_later()
        touched = sorted(self.touches.seen)
        self.record.write(test=name_of(test, self.package), outcome=self.outcome, touched=touched, text=self.text)
        self.running = None
        super().stopTest(test)

    def take(self, outcome, test, text):
        if self.running is None:  # a class or module that could not be set up
            self.record.write(test=name_of(test, self.package), outcome=outcome, touched=[], text=text)
            return
        self.outcome = max(self.outcome, outcome, key=RANK.index)
        self.text += text

    def addError(self, test, err):  # noqa: N802
        self.take("error", test, self._exc_info_to_string(err, test))

    def addFailure(self, test, err):  # noqa: N802
        self.take("failed", test, self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):  # noqa: N802
        self.take("skipped", test, reason)

    def addSubTest(self, test, subtest, err):  # noqa: N802
        if err is not None:
            outcome = "failed" if issubclass(err[0], test.failureException) else "error"
            self.take(outcome, test, self._exc_info_to_string(err, test))

    def addUnexpectedSuccess(self, test):  # noqa: N802
        self.take("failed", test, "unexpected success")


def tests_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_of(test)
        else:
            yield test


def main(mode, package, file, path, seconds, *names):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background processes have not got
    record, touches = Record(path), touching.Touches()
    import test.support

    # As CPython's own runner does by default, we use no network outside of this machine.
    test.support.use_resources = {"cpu": None, "walltime": None, "subprocess": None}
    modes.enter(mode, file, touches)
    try:
        suite = unittest.defaultTestLoader.loadTestsFromNames([f"{package}.{name}" for name in names or [file]])
    except unittest.SkipTest as skip:
        record.write(test=file, outcome="skipped", touched=[], text=str(skip))
        suite = []
    waiting = [test for test in tests_of(suite) if name_of(test, package) not in record.known]
    del suite  # a suite lets go of each test that it has run
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        unittest.TestSuite(waiting).run(Result(package, record, touches, float(seconds)))
    record.write(test="", outcome="finished")
    faulthandler.dump_traceback_later(30, exit=True)  # what is left must not keep the process


if __name__ == "__main__":
    main(*sys.argv[1:])
