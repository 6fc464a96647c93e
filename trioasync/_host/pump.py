"""The pump: the trio task that turns an asyncio loop.

One turn is what asyncio calls an iteration: look at the selector without waiting, make due timers ready, run what is
ready *now*, first in first out. A burst is several turns without a look at trio, which costs as much as several turns.
It ends as soon as a trio task is ready to run, and it is bounded in turns and in time, since deadlines and I/O of
trio's wait for its end.

With nothing ready the pump waits: until a timer is due, a descriptor of the loop's selector is ready, or somebody hands
the loop a callback. Where it can, it borrows trio's wait: it watches trio's own poller beside the loop's descriptors,
so that the thread sleeps in one place for both worlds. Elsewhere it naps as any trio task does.
"""

from __future__ import annotations

import math
import selectors
import time
from typing import TYPE_CHECKING

import trio
from trio.lowlevel import disable_ki_protection, enable_ki_protection

from .. import _trio
from .._stdlib import Handle, log_slow
from .pool import IDLE_LIMIT
from .readiness import wait_until_ready

if TYPE_CHECKING:
    from ..loop import EventLoop

TURNS = 32
"""The most turns in one burst."""
BURST_SECONDS = 0.005
"""How long after the first turn of a burst another may begin, in seconds."""
LONGEST_WAIT = 24 * 3600.0

# In a callback Ctrl-C may strike at once, as in asyncio; in the pump's own code it must wait.
disable_ki_protection(Handle._run)


class Pump:
    """Turns one loop during one trio run."""

    def __init__(self, loop: EventLoop, *, borrow: bool = True) -> None:
        self._loop = loop
        self._run_queue = _trio.current_run_queue()
        self._crash: BaseException | None = None
        self._stopped = False
        self._borrowed = _trio.BorrowedWait.find() if borrow else None
        self._trio_is_due = False
        # Whether trio has resumed the pump since somebody looked for others in trio's current batch.
        self._resumed = True
        # Whether there are such others: they wait until the pump lets trio go on.
        self._others_wait = False
        # The next turn's look at the selector was the pump's wait.
        self._looked = False
        self._nap_scope = trio.CancelScope()
        # How many descriptors are registered for the loop's own sake: with no others there is no I/O to look for.
        self.own_descriptors = 1

    def crash(self, exc: BaseException) -> None:
        """Make the pump raise an exception that a Task raised outside of the pump."""
        self._crash = exc
        self.wake()

    def wake(self) -> None:
        """End the nap."""
        self._loop._asleep = False
        self._nap_scope.cancel()

    @enable_ki_protection
    async def run(self) -> None:
        """Turn the loop until it is told to stop, and raise what a Task or callback crashed the loop with."""
        run_context = self._loop.hosts.run_context
        self._watch_trio()
        try:
            while True:
                self._loop.enter_asyncio_code()
                # A callback, or a task of asyncio's own, is no trio task. What it opened would be the pump's.
                pump_task = run_context.pop("task")
                try:
                    self._run_until_trio_is_due()
                finally:
                    run_context["task"] = pump_task
                    self._loop.leave_asyncio_code()
                if self._crash is not None:
                    raise self._crash
                if self._stopped:
                    return
                await self._let_trio_run()
        finally:
            self._unwatch_trio()

    @enable_ki_protection
    def _run_until_trio_is_due(self) -> None:
        """Take bursts and wait in between, as long as trio's run loop would do nothing but wait."""
        loop, borrowed, reminder = self._loop, self._borrowed, self._loop.hosts.reminder
        while True:
            self._burst()
            if reminder.watched:
                reminder.look()
            if self._stopped or self._crash is not None or self._trio_is_due or self._run_queue:
                return
            if borrowed is None or self._others_wait:
                return
            if loop._ready:
                if borrowed.seconds_to_deadline() <= 0:
                    return
            elif borrowed.trio_must_idle() or not self._wait_for_both(borrowed):
                return

    @enable_ki_protection
    def _burst(self) -> None:
        """Take turns until nothing is ready, the loop is told to stop, or trio has something to do."""
        loop, run_queue, ready = self._loop, self._run_queue, self._loop._ready
        if self._resumed and self._borrowed is not None:
            self._others_wait, self._resumed = self._borrowed.others_in_batch(), False
        end: float | None = None
        look = not self._looked
        self._looked = False
        for _ in range(TURNS):
            self._turn(look)
            look = len(loop.descriptors) > self.own_descriptors
            if loop._stopping:
                self._stopped = True
                break
            if not ready or run_queue or self._trio_is_due or self._crash is not None:
                break
            now = time.monotonic()
            if end is None:
                end = now + self._seconds_to_go_on()
            if now >= end:
                break
        if len(loop.hosts.idle) > IDLE_LIMIT:
            loop.hosts.trim()

    def _seconds_to_go_on(self) -> float:
        """Return how long a burst may go on after its first turn: not at all while tasks of trio's wait for its end."""
        if self._borrowed is None:
            return BURST_SECONDS
        return 0 if self._others_wait else min(BURST_SECONDS, self._borrowed.seconds_to_deadline())

    @enable_ki_protection
    def _turn(self, look: bool) -> None:
        loop = self._loop
        if look:
            events = loop._selector.select(0)
            if events:
                loop._process_events(events)
        if loop._timers:
            loop.make_due_timers_ready()
        ready = loop._ready
        if loop._debug:
            _run_ready_in_debug_mode(loop, len(ready))
            return
        popleft = ready.popleft
        for _ in range(len(ready)):
            item = popleft()
            if item.__class__ is tuple:
                context, callback, argument = item
                try:
                    if argument is None:
                        context.run(callback)
                    else:
                        context.run(callback, argument)
                except (KeyboardInterrupt, SystemExit):
                    raise
                except BaseException as exc:  # not the coroutine's: the Task itself has failed
                    loop.report_failed_step(callback, argument, exc)
            elif not item._cancelled:
                item._run()
        item = callback = argument = None  # an exception in a step keeps this frame

    # -- waiting

    @enable_ki_protection
    def _wait_for_both(self, borrowed: _trio.BorrowedWait) -> bool:
        """Sleep in the loop's selector, which watches trio's poller as well; return False if trio need not wait."""
        loop = self._loop
        timeout = min(borrowed.seconds_to_deadline(), LONGEST_WAIT)
        if timeout <= 0:
            return False
        if loop._timers:
            timeout = max(min(loop.next_timer() - loop.time(), timeout), 0)
        events = loop._selector.select(timeout)
        if events:
            loop._process_events(events)
        self._looked = True
        return True

    @enable_ki_protection
    async def _let_trio_run(self) -> None:
        """Give trio's run loop a pass, or sleep in it if there is nothing else to do."""
        nothing_to_do = not (self._loop._ready or self._trio_is_due or self._run_queue)
        if nothing_to_do and (self._borrowed is None or self._borrowed.trio_must_idle()):
            self._unwatch_trio()  # of two pollers only one can watch the other
            await self._nap()
            self._watch_trio()
        else:
            self._trio_is_due = False
            await trio.lowlevel.checkpoint()  # not shielded: Ctrl-C reaches trio's main task here
        self._resumed = True

    async def _nap(self) -> None:
        """Sleep in trio."""
        loop = self._loop
        deadline = loop.next_timer()
        if deadline != math.inf:
            deadline += trio.current_time() - loop.time()
        with trio.CancelScope(deadline=deadline) as self._nap_scope:
            loop._asleep = True
            try:
                await wait_until_ready(loop._selector)
            finally:
                loop._asleep = False

    def _watch_trio(self) -> None:
        if self._borrowed is not None:
            handle = Handle(self._note_trio_is_due, (), self._loop)
            self._loop._selector.register(self._borrowed.descriptor, selectors.EVENT_READ, (handle, None))
            self.own_descriptors = 2

    def _unwatch_trio(self) -> None:
        if self._borrowed is not None and self.own_descriptors == 2:
            self._loop._selector.unregister(self._borrowed.descriptor)
            self.own_descriptors = 1

    def _note_trio_is_due(self) -> None:
        self._trio_is_due = True


def _run_ready_in_debug_mode(loop: EventLoop, count: int) -> None:
    """Run the first handles of the ready queue, and log those that are slow."""
    for _ in range(count):
        handle = loop._ready.popleft()
        if handle.__class__ is tuple:  # from before debug mode was switched on
            context, callback, argument = handle
            handle = Handle(callback, () if argument is None else (argument,), loop, context)
        if handle._cancelled:
            continue
        if not loop._debug:  # one of them has switched it off
            handle._run()
            continue
        loop._current_handle = handle
        try:
            start = time.monotonic()
            handle._run()
            seconds = time.monotonic() - start
            if seconds >= loop.slow_callback_duration:
                log_slow(handle, seconds)
        finally:
            loop._current_handle = None
