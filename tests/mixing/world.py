"""What the tasks of a random program share, and what finds out whether everything is as it was before."""

import asyncio
import contextlib
import contextvars
import math
import sys

import trio

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

MAIN_LIMIT = 30  # virtual seconds after which a program is told to end
ROUNDS = 60  # of cancelling what is left: a program may swallow a cancellation at each of its levels
ROUND_SECONDS = 10
LATE = 0.01
RESOLUTION = 1e-6  # by which a timer of the loop may be early

CANCELLATIONS = (asyncio.CancelledError, trio.Cancelled)
TROUBLE = (Exception, *CANCELLATIONS, BaseExceptionGroup)


current_strand = contextvars.ContextVar("current_strand")


class BoomError(Exception):
    """What a program raises."""


class Strand:
    """What is known of one asyncio Task or plain trio task while it runs a body."""

    def __init__(self, number, parent=None, *, limits=()):
        self.number, self.parent = number, parent
        self.task, self.trio_task = asyncio.current_task(), trio_task()
        current_strand.set(self)
        # It has swallowed a cancellation, and must not wait for what may never come.
        self.exhausted = parent is not None and parent.exhausted
        # It has swallowed a cancellation, or may have caught an error in its place, or one that it awaits has.
        self.excused = False
        # Locks are taken in one order, so that there is no deadlock.
        self.highest_lock = -1 if parent is None else parent.highest_lock
        # What limits its time, the outermost first, and what of that it has been told of already.
        self.limits, self.told = list(limits), set()
        self.children = []
        self.over = False

    @contextlib.contextmanager
    def limited(self, limit):
        """Have a block in a limit."""
        self.limits.append(limit)
        try:
            yield limit
        finally:
            self.limits.remove(limit)

    @property
    def limits_of_trio(self):
        """The trio scopes and shields that it is in."""
        return [limit for limit in self.limits if limit.scope is not None or limit.shields]

    def tell(self, now):
        """Note that it has got an exception, which may stand for any limit that has been reached."""
        self.told |= {limit for limit in self.limits if limit.due <= now + RESOLUTION}

    def who_is_running(self):
        """Return None if a step of this strand is being made, by its own tasks in its own context."""
        running = asyncio.current_task(), trio_task(), current_strand.get()
        return None if running == (self.task, self.trio_task, self) else running

    def excuse(self):
        """Note that a cancellation may be lost, by asyncio's own rules, for this strand and those that await it."""
        self.exhausted = True
        strand = self
        while strand is not None:
            strand.excused = True
            strand = strand.parent


class Limit:
    """A trio scope or an asyncio timeout, and when it was cancelled or will be; or a shield, which never is."""

    def __init__(self, due=math.inf, scope=None, *, shields=False):
        self.due, self.scope, self.shields = due, scope, shields


class World:
    """Everything that the tasks of one program share.

    Args:
        aio: the implementation of asyncio that the program uses.
        operations: the async functions for the names of a program's operations.
        trace: whether each operation is noted, to compare two runs.
    """

    def __init__(self, aio, operations, trace=False):
        self.operations = operations
        self.aio, self.trace = aio, [] if trace else None
        self.cancels = 0  # how often a program called Task.cancel
        self.problems, self.strands, self.tasks, self.scopes = [], [], [], []
        self.locks = [aio.Lock(), aio.Lock()]
        self.trio_locks = [trio.Lock(), trio.Lock()]
        self.semaphore, self.limiter = aio.Semaphore(1), trio.CapacityLimiter(1)
        self.condition, self.trio_condition = aio.Condition(), trio.Condition()
        self.queue = aio.Queue(1)
        self.send, self.receive = trio.open_memory_channel(1)

    @property
    def loop(self):
        return asyncio.get_running_loop()

    def note(self, strand, *event):
        if self.trace is not None:
            self.trace.append((round(self.loop.time(), 4), strand.number, *event))

    # -- tasks

    def spawn(self, body, parent, *, eagerly=False):
        """Start a Task for a body, which the program need not await."""
        coro = self.strand(body, parent)
        task = self.aio.eager_task_factory(self.loop, coro) if eagerly else self.aio.create_task(coro)
        self.tasks.append(task)
        task.add_done_callback(self.judge_task)
        return task

    def new_strand(self, parent, limits=()):
        """Return a strand for the task that is running."""
        strand = Strand(len(self.strands), parent, limits=limits)
        self.strands.append(strand)
        return strand

    async def strand(self, body, parent=None, limits=()):
        """Run a body as a task of its own."""
        strand = self.new_strand(parent, limits)
        try:
            await self.run(body, strand)
            if self.trace is None:
                await trio.lowlevel.checkpoint()  # the last place for a cancellation that was asked for
        except BaseException as error:
            self.note(strand, "ends with", repr(error))
            self.judge_ending(strand, error)
            raise
        finally:
            strand.over = True
        self.note(strand, "ends")
        if not isinstance(strand.task, self.aio.Task) and not strand.excused and counted(strand.task):
            self.problems.append(f"strand {strand.number} ended without the cancellation that was asked for")

    def judge_task(self, task):
        strand = next((strand for strand in self.strands if strand.task is task), None)
        if task.cancelled() or task.exception() is not None or strand is None:
            return
        if counted(task) and not strand.excused:
            self.problems.append(f"strand {strand.number} ended without the cancellation that was asked for")

    def judge_ending(self, strand, error):
        for leaf in leaves(error):
            if not isinstance(leaf, (BoomError, *CANCELLATIONS)):
                self.problems.append(f"strand {strand.number} ended with {leaf!r}")

    async def run(self, body, strand):
        for name, *arguments in body:
            self.note(strand, name)
            try:
                await self.operations[name](self, strand, *arguments)
            except BaseException:
                strand.tell(self.loop.time())
                raise
            finally:
                if (who := strand.who_is_running()) is not None:
                    self.problems.append(f"after {name!r} strand {strand.number} runs as another: {who}")

    # -- waiting

    async def wait(self, strand, wait, *, in_trio=False):
        """Call `await wait()` for what may never come."""
        if not strand.exhausted:
            with self.watched(strand, in_trio=in_trio):
                await wait()

    @contextlib.contextmanager
    def watched(self, strand, *, in_trio=False):
        """See whether a wait in the block goes on past what limits it."""
        start = self.loop.time()
        try:
            yield
        finally:
            end = self.loop.time()
            for due in dues(strand, start, in_trio=in_trio):
                if start <= due < end - LATE:
                    self.problems.append(f"strand {strand.number} waited from {start} to {end}, past the limit {due}")

    async def locked(self, strand, rank, lock, body, then=None):
        """Run a body while a lock is held, if the order of locks allows it, and call `await then()` before the end."""
        if strand.exhausted or rank <= strand.highest_lock:
            return
        outer, strand.highest_lock = strand.highest_lock, rank
        try:
            async with lock:
                await self.run(body, strand)
                if then is not None and not strand.exhausted:
                    await then()
        finally:
            strand.highest_lock = outer

    def caught(self, strand):
        """Note that an error was caught. It may have come in place of a cancellation, by asyncio's rules too."""
        if self.trace is not None:
            return  # both sides lose the same, but asyncio counts no requests on 3.10
        if counted(strand.task) or (strand.trio_task and trio.current_effective_deadline() == -math.inf):
            strand.excuse()

    # -- the end

    async def settle(self):
        """Cancel what is left until nothing is, and check that everything is free."""
        for _ in range(ROUNDS):
            tasks = [*self.tasks, *(strand.task for strand in self.strands if not strand.over)]
            left = [task for task in dict.fromkeys(tasks) if not task.done()]
            if not left:
                break
            self.cancels += 1
            for task in left:
                task.cancel("settle")
            await asyncio.wait(left, timeout=ROUND_SECONDS)
        else:
            self.problems.append(f"these do not end: {left}")
        self.check_free()

    async def settle_after(self, seconds):
        """Settle from another task, for a program that waits for what it must end itself."""
        await self.aio.sleep(seconds)
        await self.settle()

    def check_free(self):
        """Check that no lock is held."""
        held = [lock for lock in [*self.locks, *self.trio_locks, self.condition] if lock.locked()]
        held += [self.semaphore] * self.semaphore.locked() + [self.limiter] * self.limiter.borrowed_tokens
        held += [self.trio_condition] * self.trio_condition.locked()
        if held:
            self.problems.append(f"not free: {held}")


def dues(strand, start, *, in_trio):
    """Yield when a wait that began at `start` had to end, by each of the limits around it.

    A trio call is told of a scope each time, and of nothing behind a shield. An asyncio await is told of each limit
    once, and of timeouts behind a shield too.
    """
    last_shield = max((at for at, limit in enumerate(strand.limits) if limit.shields), default=-1)
    for at, limit in enumerate(strand.limits):
        if limit.scope is None:
            if limit not in strand.told and (at > last_shield or not in_trio):
                yield limit.due
        elif at > last_shield:
            if in_trio:
                yield max(limit.due, start)
            elif limit not in strand.told:
                yield limit.due


def trio_task():
    return trio.lowlevel.current_task() if trio.lowlevel.in_trio_task() else None


def counted(task):
    return getattr(task, "cancelling", lambda: 0)()


def leaves(error):
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in leaves(each)]
    return [error]


def only(error, kinds):
    return all(isinstance(leaf, kinds) for leaf in leaves(error))


def is_plain_cancellation(error):
    """Tell whether an exception, or all that are in the group, is asyncio's CancelledError and no scope's."""
    return only(error, asyncio.CancelledError) and not any(isinstance(leaf, trio.Cancelled) for leaf in leaves(error))
