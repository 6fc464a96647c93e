"""Cancellations that trio tells nobody of: those that come while another one is in force.

Trio tells a blocked task when it becomes cancelled. A second scope around it, whose deadline passes then, changes
nothing for trio, since the task's next checkpoint raises anyway. Clean-up code of asyncio has no checkpoints: it was
told of the first cancellation once, and may wait for long. So somebody has to look for the second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from .. import _trio

if TYPE_CHECKING:
    from .cancellation import Cancellation


class Reminder(trio.abc.Instrument):
    """Looks after the tasks that were told of a cancellation, as long as that is in force."""

    def __init__(self) -> None:
        self.watched: set[Cancellation] = set()

    def watch(self, host: Cancellation) -> None:
        """Look after a task that has been told of a cancellation."""
        if not self.watched:
            trio.lowlevel.add_instrument(self)
        self.watched.add(host)

    def release(self, host: Cancellation) -> None:
        """Look after a task no more: it has left the scope, or has ended."""
        if host in self.watched:
            self.watched.remove(host)
            if not self.watched and trio.lowlevel.in_trio_run():
                trio.lowlevel.remove_instrument(self)

    def look(self) -> bool:
        """Interrupt each wait for asyncio in which a further scope is cancelled now; return whether there was one."""
        parked = [host for host in self.watched if host.waits_for_asyncio]
        found = [(host, scope) for host in parked if (scope := host.untold_scope()) is not None]
        for host, scope in found:
            host(_trio.raiser_of(scope))
        return bool(found)

    # -- what trio calls in each pass of its run loop

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.look()

    def before_io_wait(self, timeout: float) -> None:
        if self.look():  # what trio is about to wait for was settled before
            trio.lowlevel.current_trio_token().run_sync_soon(int)
