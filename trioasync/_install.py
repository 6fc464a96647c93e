"""The switch that makes unmodified asyncio programs run on trio: `install()`, undone by `uninstall()`.

Rules:

* Only names that asyncio has are replaced, wherever asyncio's own modules hold them; nothing is added to asyncio.
* The event loop policy is replaced as well, since asyncio's functions ask it for a loop when they are called: so
  a program that did `from asyncio import run` before the switch still gets our loop.
* Classes stay usable as classes: `isinstance`, `issubclass` and subclassing treat asyncio's own tasks and ours alike,
  and a Task for a loop that is not ours is asyncio's own.
* Switching off puts back the very objects that were there.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
import warnings
from types import ModuleType
from typing import TYPE_CHECKING, Any

from . import tasks
from ._stdlib import CTask, get_running_loop_or_none
from .loop import EventLoop, new_event_loop
from .runners import Runner, run
from .tasks import Task
from .threads import to_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Installation", "install", "uninstall"]


class _AnyTask(type(Task)):  # type: ignore[misc]
    """The type of `asyncio.Task` while we are installed: each task is its instance, and it makes what a loop needs."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is not InstalledTask:
            return super().__call__(*args, **kwargs)
        return _kind_of_task_for(kwargs.get("loop"))(*args, **kwargs)

    def __instancecheck__(cls, candidate: object) -> bool:
        return isinstance(candidate, CTask) if cls is InstalledTask else super().__instancecheck__(candidate)

    def __subclasscheck__(cls, candidate: type) -> bool:
        return issubclass(candidate, CTask) if cls is InstalledTask else super().__subclasscheck__(candidate)


def _kind_of_task_for(loop: asyncio.AbstractEventLoop | None) -> type[asyncio.Task[Any]]:
    """Return the class of Task that suits `loop` (None: the loop that asyncio.Task would choose)."""
    if loop is None:
        loop = get_running_loop_or_none()
    return Task if loop is None or isinstance(loop, EventLoop) else CTask


class InstalledTask(Task[Any], metaclass=_AnyTask):
    """What `asyncio.Task` is while we are installed. It never has instances of its own, only its subclasses have."""

    __slots__ = ()


# Programs that put a class of their own in the place of asyncio's for a while find that one by its name.
InstalledTask.__name__ = InstalledTask.__qualname__ = "Task"


def _replacements() -> dict[str, object]:
    """Return what takes the place of each of asyncio's names, those that this Python lacks included."""
    return {
        "run": run,
        "Runner": Runner,
        "new_event_loop": new_event_loop,
        # Frameworks that name a class, as in loop_factory=asyncio.SelectorEventLoop, mean the loop that asyncio has.
        "EventLoop": EventLoop,
        "SelectorEventLoop": EventLoop,
        "Task": InstalledTask,
        "create_eager_task_factory": tasks.create_eager_task_factory,
        "eager_task_factory": tasks.eager_task_factory,
        "to_thread": to_thread,
    }


def _policies_quietly(action: Callable[[], Any]) -> Any:
    """Return what `action` gives, which reads or sets policies: without the warnings that Python 3.14 has for that."""
    if sys.version_info < (3, 14):
        return action()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return action()


def _hosting_policy() -> Any:
    """Return this Python's default policy class with one change, that its loops are ours; None if policies are gone."""
    default = _policies_quietly(lambda: getattr(asyncio, "DefaultEventLoopPolicy", None))
    if default is None:
        return None
    return type(
        "EventLoopPolicy", (default,), {"__module__": __name__, "new_event_loop": lambda policy: new_event_loop()}
    )


def _asyncio_modules() -> list[ModuleType]:
    """Return the asyncio package and those of its modules that are imported."""
    return [module for name, module in list(sys.modules.items()) if name == "asyncio" or name.startswith("asyncio.")]


class _Switch:
    """What is replaced now, and how to put it back. One per process: what it replaces is the process's."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        # How many install() calls await their uninstall(); `undo` is empty exactly while this is 0.
        self.depth = 0
        self.undo: list[Callable[[], object]] = []

    def on(self) -> None:
        with self.lock:
            self.depth += 1
            if self.depth == 1:
                self._replace_names(_replacements())
                self._replace_policy()

    def off(self) -> None:
        with self.lock:
            if self.depth == 0:
                raise RuntimeError(
                    "trioasync is not installed: each trioasync.uninstall() undoes one trioasync.install() before it "
                    "(leaving 'with trioasync.install():' has undone its own already)"
                )
            self.depth -= 1
            while self.depth == 0 and self.undo:
                self.undo.pop()()

    def _replace_names(self, replacements: dict[str, object]) -> None:
        for name, ours in replacements.items():
            stock = vars(asyncio).get(name)
            for module in _asyncio_modules() if stock is not None else ():
                if vars(module).get(name) is stock:
                    self.undo.append(functools.partial(setattr, module, name, stock))
                    setattr(module, name, ours)

    def _replace_policy(self) -> None:
        hosting = _hosting_policy()
        if hosting is None:
            return
        before = _policies_quietly(lambda: asyncio.get_event_loop_policy())
        self.undo.append(lambda: _policies_quietly(lambda: asyncio.set_event_loop_policy(before)))
        _policies_quietly(lambda: asyncio.set_event_loop_policy(hosting()))
        # From 3.14 on the name is served with a warning; to replace it would take the warning away.
        if sys.version_info < (3, 14):
            self._replace_names({"DefaultEventLoopPolicy": hosting})


_switch = _Switch()


class Installation:
    """One install() that waits for its end: as a context manager it uninstalls on the way out, once."""

    def __init__(self) -> None:
        _switch.on()
        self._ended = False

    def __enter__(self) -> Installation:
        if self._ended:
            raise RuntimeError("this installation of trioasync has ended: call trioasync.install() again")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended = True
        uninstall()


def install() -> Installation:
    """Give trio-hosted loops to code that knows nothing of trioasync, in this process, from now on.

    `asyncio.run`, `Runner`, `new_event_loop`, `EventLoop`, `SelectorEventLoop`, `to_thread`, the eager task factories
    and the event loop policy become ours (before 3.14 `asyncio.get_event_loop()` takes its loops from the policy), and
    `asyncio.Task(coro)` makes one of our Tasks on our loops. Loops that exist already, and loops of other kinds that
    a program asks for by name, uvloop's for instance, stay what they are.

    Calls nest: the replacements stay until as many uninstall() calls have been made. The result may be used as
    a context manager, `with trioasync.install():`, which calls uninstall() at its end.
    """
    return Installation()


def uninstall() -> None:
    """Undo one install(); undoing the first of them puts back the very objects that asyncio had.

    Raises:
        RuntimeError: if there is no install() to undo.
    """
    _switch.off()
