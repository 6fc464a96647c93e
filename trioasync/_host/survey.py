"""What tasks there are in the program at one moment, in all threads, and who awaits whom: read off, not written down.

Whoever asks may be a signal handler at any point of the program, or another thread than the program's. So nothing here
waits or changes anything, and what may change in between is read once.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

import trio

from .. import _stdlib, _trio
from . import lifetime
from .adoption import Adopted
from .driver import is_ours
from .host import Host
from .places import frame_of, module_of

if sys.version_info >= (3, 14):
    from .._stdlib import awaited_by as awaiting
else:
    from .._backports.awaited_by import awaiting


class Stacks:
    """The stacks of all threads.

    Args:
        here: the innermost frame of this thread that counts. Deeper ones would keep what is in here, and it them.
    """

    def __init__(self, here: FrameType) -> None:
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        innermost = sys._current_frames()
        innermost[threading.get_ident()] = here
        # In the order in which they were started; threads that Python has not started come last.
        idents = [ident for ident in names if ident in innermost] + sorted(innermost.keys() - names.keys())
        self.threads = [(ident, names.get(ident, f"{ident}"), innermost[ident]) for ident in idents]
        self._innermost = {frame: top for top in innermost.values() for frame in outwards(top)}

    def inside(self, outermost: FrameType | None) -> list[FrameType]:
        """Return a frame that is being executed and what it has called, down to the innermost; else nothing."""
        if outermost is None or outermost not in self._innermost:
            return []
        frames: list[FrameType] = []
        for frame in outwards(self._innermost[outermost]):
            if is_ours(frame):
                frames.clear()  # they are those of a Task that the frame's code has started eagerly
            else:
                frames.append(frame)
            if frame is outermost:
                break
        return frames[::-1]


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame and its callers."""
    while frame is not None:
        yield frame
        frame = frame.f_back


class Survey:
    """The tasks of the program.

    Args:
        here: the frame of whoever asks.
    """

    def __init__(self, here: FrameType) -> None:
        self.stacks = Stacks(here)
        # The names of threads, with the root tasks of the trio runs in them, with the loops of other kinds in them and
        # the frames that run those, and with the innermost frames of the threads that run neither.
        self.runs: list[tuple[str, trio.lowlevel.Task]] = []
        self.other_loops: list[tuple[str, Any, FrameType]] = []
        self.plain_threads: list[tuple[str, FrameType]] = []
        # The outermost frames of trio's worker threads, by the trio tasks that wait for them.
        self.workers: dict[trio.lowlevel.Task, FrameType] = {}
        # The Tasks of each loop, the trio tasks of those that have made a step, and what each task awaits.
        self.tasks: dict[Any, set[Any]] = {}
        self.seats: dict[Any, trio.lowlevel.Task] = {}
        self.awaits: dict[Any, set[Any]] = {}
        for ident, name, innermost in self.stacks.threads:
            self._look_at_thread(ident, name, innermost)
        for _, root in self.runs:
            self._look_at_run(root)
        for tasks in self.tasks.values():
            for task in tasks:
                for waiter in awaiting(task):
                    self.awaits.setdefault(waiter, set()).add(task)

    def _look_at_thread(self, ident: int, name: str, innermost: FrameType) -> None:
        roots = _roots_in(ident, innermost)
        self.runs += [(name, root) for root in roots]
        plain = not roots
        for frame in outwards(innermost):
            loop, waiting = _stdlib.loop_run_by(frame), _trio.task_in_wait(frame)
            if loop is not None:
                self.other_loops.append((name, loop, frame))
                self.tasks[loop] = asyncio.all_tasks(loop)
            if waiting is not None:
                self.workers[waiting] = frame
            plain = plain and loop is waiting is None
        if plain:
            self.plain_threads.append((name, innermost))

    def _look_at_run(self, root: trio.lowlevel.Task) -> None:
        to_look_at = [root]
        while to_look_at:
            trio_task = to_look_at.pop()
            for nursery in trio_task.child_nurseries:
                to_look_at += children(nursery)
            coro: Any = trio_task.coro
            loop = loop_of(coro)
            if loop is not None:
                self.tasks.setdefault(loop, set()).update(asyncio.all_tasks(loop))
            elif isinstance(coro, Host):
                self._look_at_host(trio_task, coro, coro.task)
            elif isinstance(coro, Adopted):
                waiter = coro.waiter
                if isinstance(waiter, _stdlib.CTask):
                    self.awaits.setdefault(coro.task, set()).add(waiter)

    def _look_at_host(self, trio_task: trio.lowlevel.Task, host: Host, task: Any) -> None:
        if task is not None and not task.done():
            self.seats[task] = trio_task
            self.tasks.setdefault(host.hosts.loop, set()).add(task)


def _roots_in(ident: int, innermost: FrameType) -> list[trio.lowlevel.Task]:
    """Return the root tasks of the trio runs in a thread."""
    if ident == threading.get_ident():  # trio itself tells, also between two steps of a run that is a guest
        root = trio.lowlevel.current_root_task() if trio.lowlevel.in_trio_run() else None
        return [] if root is None else [root]
    return [root for frame in outwards(innermost) if (root := _trio.root_task(frame)) is not None][:1]


def children(nursery: trio.Nursery) -> Iterable[trio.lowlevel.Task]:
    """Return the tasks in a nursery, none if it is only half made."""
    return getattr(nursery, "child_tasks", ())


def loop_of(coro: Any) -> Any:
    """Return the loop that a coroutine of a trio task hosts, or None if it hosts none."""
    frame = frame_of(coro)
    return frame.f_locals.get("loop") if frame is not None and module_of(coro) == lifetime.__name__ else None
