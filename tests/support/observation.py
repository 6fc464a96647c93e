"""What a test body did, as plain data that can be compared: see `Observation`."""

import asyncio
import contextlib
import gc
import io
import logging
import re
import signal
import sys
import traceback
import warnings
from dataclasses import dataclass, field

_UNSTABLE = [
    (re.compile(r"0x[0-9a-fA-F]+"), "0x…"),
    (re.compile(r"[^\s'\"<>=]*[/\\]([\w.]+\.py):\d+"), r"\1:…"),
    (re.compile(r"(File \")[^\"]*?([\w.]+\.py\", line )\d+"), r"\1…\2…"),
    (re.compile(r"\bTask-\d+\b"), "Task-…"),
]


def stable(text):
    """Return `text` without what differs from run to run: addresses, paths with lines, numbers of task names."""
    for pattern, replacement in _UNSTABLE:
        text = pattern.sub(replacement, text)
    return text


def describe(exception):
    """Return the type and the arguments of an exception, down to those in a group, as one comparable text."""
    if exception is None:
        return None
    kind = type(exception)
    return stable(f"{kind.__module__}.{kind.__qualname__}{_described_arguments(exception)}")


def _described_arguments(exception):
    inner = getattr(exception, "exceptions", None)
    if inner is None:
        return repr(exception.args)
    return f"({exception.args[0]!r}, [{', '.join(map(describe, inner))}])"


CANCELLED = describe(asyncio.CancelledError())
TIMED_OUT = describe(asyncio.TimeoutError())


async def told(awaitable):
    """Return the result of `awaitable`, or its exception as text."""
    try:
        return await awaitable
    except BaseException as error:
        return describe(error)


class Log(list):
    """The events of a body in their order: `log("a")` appends "a", `log("a", 1)` appends ("a", 1)."""

    def __call__(self, *event):
        self.append(event[0] if len(event) == 1 else event)


@dataclass
class Observation:
    """Everything about one run of a body that has to be the same on both sides."""

    returns: object = None
    raises: str = None
    events: list = field(default_factory=Log)
    logged: list = field(default_factory=list)  # records of the logger "asyncio", from WARNING on
    warned: list = field(default_factory=list)
    printed: str = ""
    stderr: str = ""
    seconds: float = None  # by the clock of the run
    traceback: str = field(default="", compare=False)


class TookTooLong(BaseException):
    """A body outlived its limit: it hangs, or it spins on a clock that jumps for ever."""


class _Records(logging.Handler):
    def __init__(self, texts):
        super().__init__(logging.WARNING)
        self._texts = texts

    def emit(self, record):
        text = f"{record.levelname} {record.getMessage()}"
        if record.exc_info and record.exc_info[1] is not None:
            text += f"\n{describe(record.exc_info[1])}"
        self._texts.append(stable(text))


@contextlib.contextmanager
def logged_records(texts):
    """Append what the logger "asyncio" says to `texts`, and keep it from the other handlers."""
    logger, handler = logging.getLogger("asyncio"), _Records(texts)
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated


@contextlib.contextmanager
def shown_warnings(texts):
    """Append every warning to `texts`, whatever filters are in force."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            texts.extend(stable(f"{warning.category.__name__}: {warning.message}") for warning in caught)


PATIENCE = 4
"""How many times as long as a test says it may take on a machine that has much else to do."""
LONGEST = 120
"""No patience makes a limit longer than this many seconds."""


@contextlib.contextmanager
def time_limit(seconds):
    """Raise TookTooLong in the block when it takes far longer than `seconds` of real time, again and again.

    A trio run that it was torn out of is over afterwards: the next test finds none in its thread.
    """
    rung = []
    limit = max(seconds, min(seconds * PATIENCE, LONGEST))

    def ring(signum, frame):
        rung.append(TookTooLong(f"still running after {limit} s"))
        raise rung[-1]

    replaced = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit, 2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, replaced)
        asyncio._set_running_loop(None)  # a run that was torn out of its loop must not fail the tests after it
        if rung:
            _let_go_of_frames(sys.exc_info()[1])
            raise rung[0]  # in place of what the bell became on its way out


def _let_go_of_frames(error):
    """Clear the frames that an exception has passed through: they keep what they were in the midst of."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def observe(start, clock, *, limit):
    """Call `start(log)` and return what came of it; `limit` is in seconds of real time."""
    seen = Observation()
    printed, stderr = io.StringIO(), io.StringIO()
    overdue = None
    with contextlib.ExitStack() as stack:
        stack.enter_context(logged_records(seen.logged))
        stack.enter_context(shown_warnings(seen.warned))
        stack.enter_context(contextlib.redirect_stdout(printed))
        stack.enter_context(contextlib.redirect_stderr(stderr))
        try:
            with time_limit(limit):
                seen.returns = start(seen.events)
        except TookTooLong:
            overdue = traceback.format_exc()
        except BaseException as raised:
            seen.raises = describe(raised)
            seen.traceback = traceback.format_exc()
        seen.seconds = round(clock.current_time(), 6)
        while gc.collect():  # "never retrieved" and "never awaited" are said when the garbage goes, all of it
            pass
    if overdue is not None:
        # A new exception: the frames of the one that rang keep a trio run alive, and no other can start beside it.
        raise TookTooLong(overdue)
    seen.printed, seen.stderr = stable(printed.getvalue()), stable(stderr.getvalue())
    return seen
