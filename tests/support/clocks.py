"""Virtual time for stock asyncio: a loop whose clock jumps to the next timer as soon as nothing is ready."""

import asyncio
import selectors
import time


class VirtualClock:
    """Seconds since the start of the run, moved only by the loop."""

    def __init__(self):
        self.now = 0.0

    def current_time(self):
        return self.now


class RealClock:
    """Seconds since the clock was made, as `time.monotonic` counts them."""

    def __init__(self):
        self._started = time.monotonic()

    def current_time(self):
        return time.monotonic() - self._started


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that moves the clock where another one would wait for a timer."""

    def __init__(self, clock):
        super().__init__()
        self._clock = clock

    def select(self, timeout=None):
        if timeout is None:  # no timer is set: only a descriptor or another thread can go on
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self._clock.now += max(timeout, 0)
        return ready


class VirtualEventLoop(asyncio.SelectorEventLoop):
    """The stock selector loop on a virtual clock."""

    def __init__(self, clock=None):
        self.clock = VirtualClock() if clock is None else clock
        super().__init__(_JumpingSelector(self.clock))

    def time(self):
        return self.clock.current_time()


class WallClock:
    """What stands for `time` and `datetime` in a page example: it shows `clock`, from a given time of day on."""

    def __init__(self, clock, starts):
        hours, minutes, seconds = map(int, starts.split(":"))
        self._clock = clock
        # A quarter into the second: a little lateness of real time does not show in whole seconds.
        self._starts = hours * 3600 + minutes * 60 + seconds + 0.25
        self.datetime = self

    sleep = staticmethod(time.sleep)

    def strftime(self, form):
        return time.strftime(form, time.gmtime(self._starts + self._clock.current_time()))

    def now(self):
        return self.strftime("%X")
