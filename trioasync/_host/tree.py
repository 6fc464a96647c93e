"""The task tree: a whole program, of both worlds, as text.

The tree is trio's, tasks in nurseries in tasks, with two differences. An asyncio Task stands below the task that awaits
it, and below its loop if none does: where its host stands in trio's tree says nothing. And of a loop's own trio tasks
there is one line.
"""

from __future__ import annotations

import functools
import math
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

import trio

from .. import _trio
from . import readiness, workers
from .adoption import Adopted
from .host import Host
from .places import frame_of, has_not_begun, is_async, module_of, of_user, place, suspended_frames
from .survey import Survey, children, loop_of, outwards

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

NAMES_SHOWN = 3
"""How many of the Tasks that a task waits for are named, if they stand elsewhere in the tree."""
DEEPEST = 100
"""Down to this depth Tasks stand below those that await them; deeper, a line would be indentation for the most part."""


def print_task_tree(file: SupportsWrite[str] | None = None) -> None:
    """Print all tasks of the program, asyncio's and trio's, as one tree that says where each of them waits.

    It may be called anywhere: in a task of either world, in a callback, in a signal handler, in another thread.

    Args:
        file: where to print; None is standard output.

    Raises:
        OSError: if nobody reads what is printed, and whatever else writing to the file raises.
    """
    stream: Any = sys.stdout if file is None else file
    if stream is None:
        return
    text = _encodable(format_task_tree() + "\n", getattr(stream, "encoding", None) or "utf-8")
    try:
        stream.write(text)
        getattr(stream, "flush", int)()  # the program is perhaps stuck and will not flush it
    except RuntimeError:  # a signal handler has interrupted a write to the same file, whose buffer is locked
        os.write(stream.fileno(), text.encode(stream.encoding))


def format_task_tree() -> str:
    """Return what `print_task_tree` prints.

    In the thread that runs the program, signal handlers included, it is the state at one moment. From another thread it
    is what that thread sees while the program goes on.
    """
    try:
        return "\n".join(_drawn(_Tree(sys._getframe()).tops()))
    except Exception as failure:  # whoever asks is perhaps in the middle of a step that has nothing to do with this
        return f"the task tree cannot be shown: {failure!r}"


_PLAIN_LINES = str.maketrans({"├": "|", "│": "|", "└": "`", "─": "-"})


def _encodable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN_LINES).encode(encoding, "backslashreplace").decode(encoding)
    return text


# -- drawing


class _Branch:
    """A line of the tree, and the lines below it."""

    __slots__ = ("below", "depth", "order", "text")

    def __init__(self, order: tuple[Any, ...] = (), text: str = "") -> None:
        self.order, self.text, self.depth = order, text, 0
        self.below: list[_Branch] = []

    def add(self, branch: _Branch) -> _Branch:
        branch.depth = self.depth + 1
        self.below.append(branch)
        return branch


# What is below one line: first trio's tasks in the order in which they were started, then asyncio's by name, then
# threads.
_ORDER_OF_THREADS = (2,)


def _drawn(tops: list[_Branch]) -> Iterator[str]:
    to_draw = [("", "", top) for top in reversed(tops)]
    while to_draw:
        head, indent, branch = to_draw.pop()
        yield head + branch.text.replace("\n", "\\n")
        below = sorted(branch.below, key=lambda each: (each.order, each.text))
        last = [(indent + "└─ ", indent + "   ", each) for each in below[-1:]]
        to_draw += last + [(indent + "├─ ", indent + "│  ", each) for each in reversed(below[:-1])]


# -- growing


class _Tree:
    """The tree, which grows level by level, so that a Task stands below the topmost of those that await it."""

    def __init__(self, here: FrameType) -> None:
        self._survey = Survey(here)
        self._loops: dict[Any, _Branch] = {}
        # Tasks that have a branch.
        self._placed: set[Any] = set()
        # Branches without their text and what is below them, each with what gives it both.
        self._growing: deque[tuple[_Branch, Callable[[], None]]] = deque()

    def tops(self) -> list[_Branch]:
        """Return the topmost branches: one for each trio run, for each loop of another kind, and for each thread."""
        survey, ground = self._survey, _Branch()
        for name, root in survey.runs:
            self._add_nurseries(ground.add(_Branch(text=f"trio run in thread {name}")), root, flat=True)
        for name, loop, frame in survey.other_loops:
            self._add(ground, (), f"asyncio loop in thread {name}", self._grow_loop, loop, frame)
        for name, innermost in survey.plain_threads:
            frames = of_user([*outwards(innermost)][::-1])
            if frames:
                ground.add(_Branch(text=f"thread {name} is{place(frames)}"))
        self._grow()
        for loop, branch in self._loops.items():
            # Left are those that await each other in a circle, and those that would stand too deep.
            for task in self._in_order(survey.tasks[loop]):
                if task not in self._placed:
                    self._add_task(branch, task)
                    self._grow()
        return ground.below

    def _add(self, parent: _Branch, order: tuple[Any, ...], name: str, grow: Callable[..., None], *args: Any) -> None:
        branch = parent.add(_Branch(order, name))
        self._growing.append((branch, functools.partial(grow, branch, *args)))

    def _grow(self) -> None:
        while self._growing:
            branch, grow = self._growing.popleft()
            try:
                grow()
            except Exception as failure:  # in the name or the coroutine of a kind of its own
                branch.text += f" cannot be shown: {failure!r}"

    # -- trio

    def _add_nurseries(self, branch: _Branch, trio_task: trio.lowlevel.Task, *, flat: bool = False) -> None:
        """Add the tasks in a task's nurseries, which have lines of their own if several have tasks in them."""
        groups = [[child for child in children(nursery) if _is_shown(child)] for nursery in trio_task.child_nurseries]
        groups = [group for group in groups if group]
        for number, group in enumerate(groups):
            into = branch if flat or len(groups) == 1 else branch.add(_Branch((0, number), "nursery"))
            for child in sorted(group, key=_trio.spawn_number):
                self._add_trio_task(into, child)

    def _add_trio_task(self, parent: _Branch, trio_task: trio.lowlevel.Task) -> None:
        order, coro = (0, _trio.spawn_number(trio_task)), trio_task.coro
        loop = loop_of(coro)
        if loop is not None:
            self._add(parent, order, "trioasync loop", self._grow_loop, loop, frame_of(coro), trio_task)
        elif module_of(coro) == workers.__name__:
            self._add_thread(parent, trio_task)
        else:
            self._add(parent, order, trio_task.name, self._grow_trio_task, trio_task)

    def _grow_trio_task(self, branch: _Branch, trio_task: trio.lowlevel.Task) -> None:
        coro: Any = trio_task.coro
        kind, waiter, elsewhere = "trio task", None, []
        if isinstance(coro, Adopted):
            kind, waiter = "trio task, adopted", coro.waiter
            elsewhere = self._add_awaited(branch, coro.task)
            coro = coro.coro
        self._add_nurseries(branch, trio_task)
        self._add_thread(branch, trio_task)
        ready = _trio.is_scheduled(trio_task) or (waiter is not None and waiter.done())
        branch.text += f" ({kind}) {self._state(coro, ready, elsewhere)}"
        if _trio.is_cancelled(trio_task):
            branch.text += _CANCELLED

    def _add_thread(self, branch: _Branch, trio_task: trio.lowlevel.Task) -> None:
        """Add the worker thread that a trio task waits for, if it has begun."""
        worker = self._survey.workers.get(trio_task)
        if worker is not None:
            frames = of_user(self._survey.stacks.inside(worker))
            branch.add(_Branch(_ORDER_OF_THREADS, f"worker thread is{place(frames)}" if frames else "worker thread"))

    # -- asyncio

    def _grow_loop(
        self, branch: _Branch, loop: Any, frame: FrameType, trio_task: trio.lowlevel.Task | None = None
    ) -> None:
        self._loops[loop] = branch
        awaited = set().union(*self._survey.awaits.values())
        for task in self._in_order(self._survey.tasks[loop] - awaited):
            self._add_task(branch, task)
        if trio_task is not None:
            self._add_nurseries(branch, trio_task, flat=True)
        callback = of_user(self._survey.stacks.inside(frame))
        if callback and not is_async(callback[0]):
            branch.text += f" runs a callback{place(callback)}"

    def _in_order(self, tasks: Iterable[Any]) -> list[Any]:
        return sorted(tasks, key=lambda task: self._order_of(task, _name_of(task)))

    def _order_of(self, task: Any, name: str) -> tuple[Any, ...]:
        """Return a key by which Task-2 comes before Task-10, and of two with one name that with the older host."""
        seat = self._survey.seats.get(task)
        number = math.inf if seat is None else _trio.spawn_number(seat)
        return (1, re.sub("[0-9]+", lambda digits: digits[0].zfill(12), name), number)

    def _add_task(self, parent: _Branch, task: Any) -> None:
        self._placed.add(task)
        name = _name_of(task)
        self._add(parent, self._order_of(task, name), name, self._grow_task, task)

    def _add_awaited(self, branch: _Branch, waiter: Any) -> list[str]:
        """Add the Tasks that a task awaits, and return the names of those that stand elsewhere."""
        elsewhere = []
        for awaited in self._in_order(self._survey.awaits.get(waiter, ())):
            if awaited in self._placed or branch.depth >= DEEPEST:
                elsewhere.append(_name_of(awaited))
            else:
                self._add_task(branch, awaited)
        return elsewhere

    def _grow_task(self, branch: _Branch, task: Any) -> None:
        seat = self._survey.seats.get(task)
        cancelled = getattr(task, "cancelling", int)()  # Tasks that are not ours have it from Python 3.11 on
        elsewhere = self._add_awaited(branch, task)
        if seat is not None:
            self._add_nurseries(branch, seat)
            self._add_thread(branch, seat)
            cancelled = cancelled or _trio.is_cancelled(seat)
        kind = "asyncio Task" if hasattr(task, "_host") else "asyncio's own Task"
        branch.text += f" ({kind}) {self._state(task.get_coro(), _is_ready(task, seat), elsewhere)}"
        if cancelled:
            branch.text += _CANCELLED

    # -- words

    def _state(self, coro: Any, ready: bool, elsewhere: list[str]) -> str:
        """Say what a coroutine does, or for which Tasks it waits that stand elsewhere, and where."""
        running = self._survey.stacks.inside(frame_of(coro))
        if running:
            return f"runs{place(running)}"
        where = place(list(suspended_frames(coro)))
        if has_not_begun(coro):
            return f"will begin{where}"
        return f"is ready{where}" if ready else f"waits{_for(elsewhere)}{where}"


_CANCELLED = ", cancel requested"


def _for(names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f" for {', '.join(names[:NAMES_SHOWN])}{more}"


def _name_of(task: Any) -> str:
    try:
        return str(task.get_name())
    except Exception as failure:
        return f"a {type(task).__name__} without a name ({failure!r})"


def _is_ready(task: Any, seat: trio.lowlevel.Task | None) -> bool:
    """Tell whether a Task that is not running will run without anything else happening."""
    if seat is not None and seat.coro.in_trio_lane:  # type: ignore[attr-defined]  # it is a Host's
        return _trio.is_scheduled(seat)
    waiter = task._fut_waiter
    return waiter is None or waiter.done()


def _is_shown(trio_task: trio.lowlevel.Task) -> bool:
    """Leave out what is no task of the program's, hosts, whose Tasks have other places, and tasks that have ended."""
    coro: Any = trio_task.coro
    if isinstance(coro, Host) or getattr(coro, "cr_frame", coro) is None:
        return False
    return not _trio.is_housekeeping(trio_task) and module_of(coro) != readiness.__name__
