"""What the tasks of a random program share, and the trace that it leaves."""

import asyncio
import contextvars
import math
import re
import sys

from tests.fuzz.words import DEEDS, OPERATIONS
from tests.support.observation import stable

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup, ExceptionGroup

LIMIT = 60 + 1 / 7  # virtual seconds after which a program is told to end
AGAIN = 10  # seconds after which it is told once more

variable = contextvars.ContextVar("variable", default=None)


class Unusual(BaseException):
    """An exception that `except Exception` lets through, and that does not end the loop."""


def new_error(name, argument):
    """Return an exception by the name that programs have for it."""
    if name == "Group":
        return ExceptionGroup("group", [ValueError(argument), KeyError(argument)])
    kinds = {"Unusual": Unusual, "CancelledError": asyncio.CancelledError, "TimeoutError": asyncio.TimeoutError}
    kinds |= {"ValueError": ValueError, "KeyError": KeyError, "StopIteration": StopIteration}
    return kinds[name](argument)


def described(error, depth=3):
    """Return type and arguments of an exception, of those in a group, and of those that it came from, as text."""
    if isinstance(error, BaseExceptionGroup):
        arguments = f"({error.message!r}, [{', '.join(described(each, depth - 1) for each in error.exceptions)}])"
    else:
        arguments = steady(repr(error.args))
    text = type(error).__name__ + arguments
    if depth and error.__cause__ is not None:
        text += f" from {described(error.__cause__, depth - 1)}"
    if depth and error.__context__ is not None and error.__context__ is not error.__cause__:
        text += f" within {described(error.__context__, depth - 1)}"
    return text


# In debug mode a Task tells who has made it, and before 3.13 our `as_completed` is the newer one.
_MADE_AT = re.compile(r" created at [\w.]+:…")
_SHORTENED = re.compile(r"<[^<>]*\.\.\.[^<>]*>")  # what is left depends on how long the names of files are
_OLDER_CALLBACK, _CALLBACK = "as_completed.<locals>._on_completion() at tasks.py:…", "Completions._completed()"


def steady(text):
    """Return text without what differs from run to run, and from asyncio's own modules to ours."""
    if not ("0x" in text or ".py" in text or "Task-" in text or _CALLBACK in text):
        return text
    return _MADE_AT.sub("", stable(_SHORTENED.sub("<…>", text))).replace(_OLDER_CALLBACK, _CALLBACK)


class Trace(list):
    """What a program did, as a list of events."""

    # Whether the loop was told to exit. Asyncio closes it in an exception handler then, so that all that happens comes
    # from the SystemExit; what an exception comes from is left out.
    exited = False

    def described(self, error):
        """Return an exception as text."""
        return described(error, 0 if self.exited else 3)


class Strand:
    """One task of a program, while it runs a body."""

    def __init__(self, number, is_main):
        self.number, self.is_main, self.task = number, is_main, None
        self.queued = 0  # what it has put

    def __repr__(self):
        return f"strand {self.number}"

    def has_begun_and_not_ended(self):
        return self.task is not None and not self.task.done()


class Call:
    """A callback, which does the deeds that a strand has given it."""

    def __init__(self, world, strand, deeds):
        self._world, self._strand, self._deeds = world, strand, deeds

    def __call__(self, *arguments):
        self._world.note(self._strand, "called", variable.get(), *map(self._world.label, arguments))
        for do in self._deeds:
            self._world.do_now(do, self._strand)

    def __repr__(self):
        return f"<call of {self._strand}>"


class World:
    """Everything that the tasks of one program share.

    Args:
        aio: the implementation of asyncio that the program uses.
        stays_open: whether the loop is turned again after what has ended it.
    """

    def __init__(self, aio, stays_open):
        self.stays_open = stays_open
        self.aio, self.loop, self.trace = aio, None, Trace()
        self.main = None  # the strand of the main coroutine that runs, or has run
        self.strands, self.tasks, self.handles, self.timeouts, self.groups = [], [], [], [], []
        self.coroutines = []  # of tasks, in the order in which they were made
        self.futures = []  # pairs of a future and the lowest number of the strands that it waits for
        self.ending = False

    def __repr__(self):
        return "world"

    def begin(self, loop):
        """Make what needs a running loop, when the first main coroutine begins."""
        aio, self.loop = self.aio, loop
        self.lock, self.event, self.condition = aio.Lock(), aio.Event(), aio.Condition()
        self.semaphore, self.bounded = aio.Semaphore(2), aio.BoundedSemaphore(1)
        self.queues = [aio.Queue(1), aio.Queue(), aio.PriorityQueue(2), aio.LifoQueue()]
        self.barrier = aio.Barrier(2) if hasattr(asyncio, "Barrier") else None
        loop.slow_callback_duration = math.inf
        loop.call_later(LIMIT, self.end)

    # -- the trace

    def note(self, strand, *event):
        self.trace.append((self.loop.time(), strand.number, *event))

    def label(self, value):
        """Return what stands in the trace for a value."""
        if value is None or value.__class__ in (int, float, bool):
            return value
        if value.__class__ is str:
            return steady(value)
        if isinstance(value, BaseException):
            return self.trace.described(value)
        if isinstance(value, (list, tuple)):
            return tuple(map(self.label, value))
        return steady(repr(value))

    # -- doing

    async def run(self, body, strand):
        """Do what a body says, one after the other, in the task of a strand."""
        for do in body:
            if self.ending:
                return
            if do.name in DEEDS:
                self.do_now(do, strand)
                continue
            self.note(strand, do.name)
            try:
                result = await OPERATIONS[do.name].function(self, strand, *do.arguments)
            except BaseException as error:
                self.note(strand, do.name, "raises", self.trace.described(error))
                raise
            finally:
                if self.aio.current_task() is not strand.task:
                    self.note(strand, "runs as", self.label(self.aio.current_task()))
            self.note(strand, do.name, "gives", self.label(result))

    def do_now(self, do, strand):
        """Do what needs no waiting."""
        word = DEEDS[do.name]
        if self.ending:
            return
        self.note(strand, do.name)
        try:
            result = word.function(self, strand, *do.arguments)
        except BaseException as error:
            self.note(strand, do.name, "raises", self.trace.described(error))
            if not (word.guarded and isinstance(error, Exception)):
                raise
        else:
            if result is not None:
                self.note(strand, do.name, "gives", self.label(result))

    # -- tasks

    def coroutine(self, body, is_main=False):
        """Return a coroutine that runs a body as a strand, which is counted from now on."""
        strand = Strand(len(self.strands), is_main)
        self.strands.append(strand)
        if is_main:
            self.main = strand
        return self._counted(self.live(body, strand))

    def _counted(self, coro):
        self.coroutines.append(coro)
        return coro

    async def live(self, body, strand):
        """Run a body as a task of its own."""
        if strand.task is None:
            strand.task = self.aio.current_task()
            if all(task is not strand.task for task, _ in self.tasks):  # else another strand awaits it, in its task
                self.adopt(strand, strand.task)
        variable.set(strand.number)
        self.note(strand, "begins")
        try:
            await self.run(body, strand)
        except BaseException as error:
            self.note(strand, "ends with", self.trace.described(error))
            raise
        self.note(strand, "ends", variable.get())
        return strand.number

    def adopt(self, strand, task):
        strand.task = task
        self.tasks.append((task, strand.number))

    def spawn(self, body, create, **options):
        """Start a task for a body by `create`, and return it."""
        coro = self.coroutine(body)
        strand = self.strands[-1]
        task = create(coro, **options)
        if strand.task is None:  # it has not begun
            self.adopt(strand, task)
        task.set_name(f"t{strand.number}")
        return task

    def task(self, index):
        return self.tasks[index % len(self.tasks)][0]

    def add_future(self, future, lowest=math.inf):
        self.futures.append((future, lowest))
        return future

    def future(self, index):
        return self.futures[index % len(self.futures)][0] if self.futures else None

    # -- things to wait for

    def thing(self, strand, thing):
        """Return what a Thing stands for and the lowest number of the strands it waits for, or None if there is none.

        A strand waits for such as began after it, so that there are no circles, which cannot be cancelled.
        """
        kind, argument = thing
        if kind in ("task", "future"):
            known = self.tasks if kind == "task" else self.futures
            later = [pair for pair in known if pair[1] > strand.number]
            return later[argument % len(later)] if later else None
        if kind == "coroutine":
            return self.coroutine(argument), strand.number + 1
        if kind == "spawned":
            return self.spawn(argument, self.aio.create_task), strand.number + 1
        if kind == "sleep":
            return self._counted(self.aio.sleep(argument, "slept")), math.inf
        return self._counted(self.event.wait() if kind == "event" else self.queues[1].get()), math.inf

    def things(self, strand, things):
        """Return what Things stand for, and the lowest number of the strands they wait for."""
        found = [pair for pair in (self.thing(strand, each) for each in things) if pair is not None]
        return [each for each, _ in found], min((lowest for _, lowest in found), default=math.inf)

    # -- the end

    def left(self):
        """Return the tasks that have not ended, in the order in which their coroutines were made."""
        order = {id(coro): at for at, coro in enumerate(self.coroutines)}
        return sorted(self.aio.all_tasks(self.loop), key=lambda task: order.get(id(task.get_coro()), -1))

    def end(self):
        """Tell all tasks to end, now and again: from here on they do nothing but leave what they are in."""
        self.ending = True
        for task in self.left():
            task.cancel("the end")
        self._release_condition()
        self.loop.call_later(AGAIN, self.end)

    def _release_condition(self):
        """Let a task go on that swallows cancellations until it has the lock again, which one that awaits it holds."""
        if self.condition.locked():
            self.condition.release()

    async def settle(self):
        """End, from a task of its own, and wait until all other tasks have."""
        self.ending = True
        here = self.aio.current_task()
        while True:
            left = [task for task in self.left() if task is not here]
            if not left:
                break
            for task in left:
                task.cancel("settle")
            self._release_condition()
            try:
                await self.aio.wait(left, timeout=AGAIN + 1 / 7)
            except self.aio.CancelledError:
                pass
