"""The task tree: a whole program of both worlds, as text.

The tree is trio's: tasks in nurseries in tasks. Each asyncio Task stands at its host's place under its own name, and
of a loop's own trio tasks there is one line, with the Tasks of the loop below it.

A task's place is the innermost frame of the user's code in it: frames of trio, of asyncio and of this package are left
out as long as there are others. Nothing here runs user code, waits or changes anything, and a half-made change of the
state must not matter: a signal handler may ask at any moment.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import TYPE_CHECKING, Any, NamedTuple

import trio

from .._stdlib import CTask, get_running_loop_or_none
from . import lifetime, workers
from .adoption import Adopted
from .driver import is_ours
from .host import Host

if sys.version_info >= (3, 14):
    from .._stdlib import awaited_by as awaiting
else:
    from .._backports.awaited_by import awaiting

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

NOT_THE_USERS = {"asyncio", "contextlib", "outcome", "selectors", "trio", "trioasync"}
"""The packages whose frames do not tell where a task is."""
NAMES_SHOWN = 3
"""How many of the Tasks that a task waits for are named."""
CALLS_SHOWN = 3
"""How many plain calls are shown of a task that is running."""


def print_task_tree(file: SupportsWrite[str] | None = None) -> None:
    """Print the tasks of the program, asyncio's and trio's, as one tree with the place where each of them waits.

    It may be called from anywhere in the thread that runs the program: a task of either world, a callback, a signal
    handler (`signal.signal(signal.SIGUSR1, lambda *_: trioasync.print_task_tree())`).

    Args:
        file: where to print; None is standard output.

    Raises:
        RuntimeError: outside of a trio run.
    """
    print(format_task_tree(), file=file)


def format_task_tree() -> str:
    """Return what `print_task_tree` prints.

    Raises:
        RuntimeError: outside of a trio run.
    """
    return "\n".join(_drawn(_Branch("trio run", _Survey().below(_root_task()))))


def _root_task() -> trio.lowlevel.Task:
    try:
        root = trio.lowlevel.current_root_task()
    except RuntimeError:
        root = None
    if root is None:
        raise RuntimeError(
            "The task tree is that of the trio run in this thread, and this thread is in none. Call it from code inside "
            "trioasync.run() or trio.run(); in another thread, trio.from_thread.run_sync(trioasync.print_task_tree) does."
        )
    return root


# -- the tree


class _Branch(NamedTuple):
    text: str
    branches: list[_Branch]


def _drawn(branch: _Branch) -> Iterator[str]:
    yield branch.text
    for number, below in enumerate(branch.branches, start=1):
        last = number == len(branch.branches)
        first_line, *lines = _drawn(below)
        yield ("`- " if last else "|- ") + first_line
        for line in lines:
            yield ("   " if last else "|  ") + line


def _in_order(branches: Iterable[_Branch]) -> list[_Branch]:
    """Sort by text, numbers in it by value: Task-2 comes before Task-10."""
    return sorted(branches, key=lambda branch: (_natural(branch.text), branch))


def _natural(text: str) -> list[str | int]:
    return [int(part) if number % 2 else part for number, part in enumerate(re.split(r"([0-9]+)", text))]


class _Survey:
    """What asyncio knows of the program at this moment, and the tree that comes of it."""

    def __init__(self) -> None:
        loop = get_running_loop_or_none()
        tasks: set[Any] = set() if loop is None else asyncio.all_tasks(loop)
        self._task_is_running = loop is not None and asyncio.current_task(loop) is not None
        # Tasks that have not made a step have no host yet, and those that are not ours never have one.
        self._without_host = {task for task in tasks if not _is_seated(task)}
        self._waits_for: dict[Any, list[str]] = {}
        for task in tasks:
            for waiter in awaiting(task):
                self._waits_for.setdefault(waiter, []).append(task.get_name())

    def below(self, task: trio.lowlevel.Task) -> list[_Branch]:
        """Return what a trio task's nurseries hold; only where it has several are they told apart."""
        groups = [self._children(nursery) for nursery in task.child_nurseries]
        groups = [group for group in groups if group]
        if len(groups) < 2 or any(
            _runs_a_loop(child) for nursery in task.child_nurseries for child in nursery.child_tasks
        ):
            return [branch for group in groups for branch in group]
        return [_Branch("nursery", group) for group in groups]

    def _children(self, nursery: trio.Nursery) -> list[_Branch]:
        return _in_order(self._branch(child) for child in nursery.child_tasks if not _is_idle(child))

    def _branch(self, task: trio.lowlevel.Task) -> _Branch:
        if isinstance(task.coro, Host):  # type: ignore[redundant-expr,unreachable]
            return _Branch(self._line_of_task(task.coro.task), self.below(task))  # type: ignore[unreachable]
        if _runs_a_loop(task):
            return self._branch_of_loop(task)
        if _is_in(task, workers.__name__):
            return _Branch(task.name, [])
        adopted = task.coro if isinstance(task.coro, Adopted) else None  # type: ignore[redundant-expr,unreachable]
        kind, coro = ("trio task", task.coro) if adopted is None else ("trio task, adopted", adopted.coro)
        state = _state_of(coro, self._names_awaited_by(adopted))
        return _Branch(f"{task.name} [{kind}]: {state}", self.below(task))

    def _branch_of_loop(self, task: trio.lowlevel.Task) -> _Branch:
        """Return one branch for the trio task that turns a loop: with the loop's Tasks, and the calls in its threads."""
        tasks = [_Branch(self._line_of_task(waiting), []) for waiting in self._without_host]
        below = [branch for nursery in task.child_nurseries for branch in self._children(nursery)]
        calls = [] if self._task_is_running else _users(_running_frames(task.coro))
        callback = f": runs {_chain(calls)}" if calls and _is_running(task.coro) else ""
        return _Branch("trioasync loop" + callback, _in_order(tasks + below))

    def _line_of_task(self, task: Any) -> str:
        coro, waiter, names = task.get_coro(), task._fut_waiter, self._waits_for.get(task, ())
        ready = not _is_begun_by_trio(task) and (waiter is None or waiter.done())
        cancelling = ", cancel requested" if getattr(task, "cancelling", int)() else ""
        return f"{task.get_name()} [asyncio Task]: {_state_of(coro, names, ready=ready)}{cancelling}"

    def _names_awaited_by(self, adopted: Adopted | None) -> Iterable[str]:
        if adopted is None:
            return ()
        if isinstance(adopted.waiter, CTask):
            return (adopted.waiter.get_name(),)
        return self._waits_for.get(adopted.task, ())


def _is_seated(task: Any) -> bool:
    host = getattr(task, "_host", None)
    return host is not None and host.task is task


def _is_idle(task: trio.lowlevel.Task) -> bool:
    return isinstance(task.coro, Host) and task.coro.task is None  # type: ignore[redundant-expr,unreachable]


def _runs_a_loop(task: trio.lowlevel.Task) -> bool:
    return _is_in(task, lifetime.__name__)


def _is_in(task: trio.lowlevel.Task, module: str) -> bool:
    frame = _frame_of(task.coro)
    return frame is not None and frame.f_globals.get("__name__") == module


# -- the state of one task


def _state_of(coro: Any, names: Iterable[str] = (), *, ready: bool = False) -> str:
    """Say what a task does or waits for, and where."""
    if coro is None:
        return "has ended"
    if _is_running(coro):
        return f"runs {_chain(_users(_running_frames(coro)) or [*_running_frames(coro)][:1])}"
    frames = list(_suspended_frames(coro))
    place = _place(_users(frames)[-1:] or frames[:1])
    if not _has_begun(coro):
        return f"will begin{place}"
    if ready:
        return f"is ready{place}"
    return f"waits{_for(sorted(names, key=_natural))}{place}"
