"""Our loop in the place of those that CPython's tests make by hand.

* `test_utils.TestLoop`, whose time is told by a generator and whose descriptors are only noted;
* a bare `BaseEventLoop` whose selector is a mock: the mock is made to do what the real selector does.

Both are the tests' scaffolding. What runs callbacks, timers and Tasks in them is ours.
"""

import functools
import selectors
import weakref
from unittest import mock

import trioasync

EventLoop = trioasync.EventLoop


class NeverWaiting(selectors.DefaultSelector):
    """A selector that looks without waiting: where time is told by a test, there is nothing to wait for."""

    def select(self, timeout=None):
        return super().select(0)


# What TestLoop does for its tests besides running; the rest of it is what we replace.
KEPT = [
    "time",
    "advance_time",
    "assert_reader",
    "assert_no_reader",
    "assert_writer",
    "reset_counters",
    "_ensure_fd_no_transport",
    "add_reader",
    "remove_reader",
    "add_writer",
    "remove_writer",
    "_add_writer",
    "_remove_writer",
]


def told_loop(stock):
    """Return the loop that takes the place of `stock`, the TestLoop of the running Python's tests."""

    class TestLoop(EventLoop):
        # While the loop is made or closed, descriptors are the loop's own.
        _notes_descriptors = False

        def __init__(self, gen=None):
            self._times_set = []
            super().__init__(NeverWaiting())
            self._check_on_close = gen is not None
            self._gen = gen() if gen is not None else iter_nothing()
            next(self._gen)
            self._time = 0
            self._now = lambda: self._time
            self._clock_resolution = 1e-9
            self.readers, self.writers = {}, {}
            self.reset_counters()
            self._transports = weakref.WeakValueDictionary()
            self._notes_descriptors = True

        def _set_timer(self, timer):
            self._times_set.append(timer._when)
            return super()._set_timer(timer)

        def _tell_time(self):
            """Ask the test how much later it is, once for each timer set since it was last asked."""
            times, self._times_set = self._times_set, []
            for when in times:
                self.advance_time(self._gen.send(when))

        def make_due_timers_ready(self):
            self._tell_time()
            super().make_due_timers_ready()

        def run_forever(self):
            super().run_forever()
            self._tell_time()

        def _run_once(self):
            self._stopping = True
            self.run_forever()

        def _add_reader(self, fd, callback, *args, **options):
            kind = stock if self._notes_descriptors else EventLoop
            return kind._add_reader(self, fd, callback, *args, **options)

        def _remove_reader(self, fd):
            return (stock if self._notes_descriptors else EventLoop)._remove_reader(self, fd)

        def _close_self_pipe(self):
            self._notes_descriptors = False
            super()._close_self_pipe()
            self._notes_descriptors = True

        def close(self):
            super().close()
            if self._check_on_close and not is_finished(self._gen):
                raise AssertionError("Time generator is not finished")

    for name in KEPT:
        setattr(TestLoop, name, vars(stock)[name])
    return TestLoop


def iter_nothing():
    yield


def is_finished(generator):
    try:
        generator.send(0)
    except StopIteration:
        return True
    return False


SELECTOR_METHODS = ["select", "register", "unregister", "modify", "get_map", "get_key", "fileno", "close"]


class BareLoop(EventLoop):
    """What takes the place of `BaseEventLoop`, to which a test gives a mock for a selector."""

    _is_made = False

    def __init__(self):
        super().__init__()
        self._is_made = True

    def __setattr__(self, name, value):
        if self._is_made and isinstance(value, mock.Mock):
            if name == "_process_events":
                value.side_effect = functools.partial(EventLoop._process_events, self)
            elif name == "_selector":
                imitate(value, self._selector)
        super().__setattr__(name, value)

    def _run_once(self):
        if self.is_running():
            raise RuntimeError("the loop has no _run_once: trio turns it")
        trioasync._set_running_loop(None)
        self._stopping = True
        self.run_forever()


def imitate(selector, real):
    """Make a mock of a selector do what the real one does, but for long waits."""
    for name in SELECTOR_METHODS:
        getattr(selector, name).side_effect = getattr(real, name)
    selector.select.side_effect = lambda timeout=None: real.select(0.01 if timeout is None else min(timeout, 0.01))
