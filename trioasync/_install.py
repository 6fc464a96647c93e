"""The switch that makes unmodified asyncio programs run on trio: `install()`, undone by `uninstall()`.

Rules:

* Only names that asyncio has are replaced; nothing is added to asyncio. They are replaced wherever a module holds what
  they stand for, so that a library that did `from asyncio import Task` before the switch makes our Tasks too.
* The event loop policy is replaced as well, since asyncio's functions ask it for a loop when they are called. Which
  loop asyncio gives is ours to say: a policy that the program sets keeps all its ways, but for the kind of its loops.
* A loop that a program makes by itself, uvloop's for instance, stays what it is. Whoever asks for another kind of loop
  through asyncio is told, in one sentence, what comes of it.
* Classes stay usable as classes: `isinstance`, `issubclass` and subclassing treat asyncio's own tasks and ours alike,
  and a Task for a loop that is not ours is asyncio's own.
* Switching off puts back the very objects that were there.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import sys
import threading
import warnings
from types import CoroutineType, ModuleType
from typing import TYPE_CHECKING, Any

from . import graph, tasks
from ._stdlib import HAS_EAGER_START, CTask, SelectorEventLoop, get_running_loop_or_none
from .loop import EventLoop, new_event_loop
from .runners import Runner, run
from .tasks import Task, start_task
from .threads import to_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType

    from ._stdlib import T

__all__ = ["Installation", "install", "uninstall"]


_EAGERLY = {"loop", "eager_start"}


class _AnyTask(type(Task)):  # type: ignore[misc]
    """The type of `asyncio.Task` while we are installed: each task is its instance, and it makes what a loop needs."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is not InstalledTask:
            return super().__call__(*args, **kwargs)
        loop = kwargs.get("loop")
        if loop.__class__ is EventLoop and kwargs.keys() == _EAGERLY and HAS_EAGER_START and len(args) == 1:
            # What aiohttp's server does for each request.
            coro = args[0]
            if kwargs["eager_start"] and coro.__class__ is CoroutineType and not loop._debug and loop.is_running():
                return start_task(coro, loop, None, None, eager_start=True)
        return _kind_of_task_for(loop)(*args, **kwargs)

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


# -- loops of other kinds


def _tell(sentence: str) -> None:
    """Warn, at the place outside of this package that has asked for what the sentence speaks of."""
    level, frame = 2, sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        level, frame = level + 1, frame.f_back
    warnings.warn(sentence, RuntimeWarning, stacklevel=level + 1)


def _name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _made_by(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> asyncio.AbstractEventLoop:
    loop = loop_factory()
    if not isinstance(loop, EventLoop):
        _tell(
            f"loop_factory has made a {_name_of(type(loop))}, on which trio cannot be awaited although trioasync is "
            "installed; leave loop_factory out, or give asyncio.new_event_loop, to run on trio"
        )
    return loop


class InstalledRunner(Runner):
    """What `asyncio.Runner` is while we are installed: it tells of a factory that makes loops without trio."""

    def __init__(
        self,
        *,
        debug: bool | None = None,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
        **hosting: Any,
    ) -> None:
        if loop_factory is not None:
            loop_factory = functools.partial(_made_by, loop_factory)
        super().__init__(debug=debug, loop_factory=loop_factory, **hosting)


@functools.wraps(run)
def _installed_run(
    main: Coroutine[Any, Any, T],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    **hosting: Any,
) -> T:
    if loop_factory is not None:
        loop_factory = functools.partial(_made_by, loop_factory)
    return run(main, loop_factory=loop_factory, **hosting)


# -- policies, which Python 3.14 deprecates and 3.16 removes


def _policies_quietly(action: Callable[[], Any]) -> Any:
    """Return what `action` gives, which reads or sets policies: without the warnings that Python 3.14 has for that."""
    if sys.version_info < (3, 14):
        return action()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return action()


def _hosting(policy_class: type) -> Any:
    """Return a class of policies with one change, that its loops are ours."""
    ours = {"__module__": __name__, "new_event_loop": lambda policy: new_event_loop()}
    return type(policy_class.__name__, (policy_class,), ours)


def _policy_with_our_loops(policy: Any) -> Any:
    """Return a policy itself if its loops are ours, or else one like it whose loops are."""
    try:
        theirs = policy.new_event_loop()
    except Exception:
        return policy  # which will say so again when it is asked for a loop in earnest
    theirs.close()
    if isinstance(theirs, EventLoop):
        return policy
    if type(theirs) is not SelectorEventLoop:
        _tell(
            f"loops come from trio and not from {_name_of(type(policy))} while trioasync is installed; "
            f"call trioasync.uninstall() first to run on {_name_of(type(theirs))}"
        )
    hosting = copy.copy(policy)
    hosting.__class__ = _hosting(type(policy))
    return hosting


_set_event_loop_policy = getattr(asyncio, "set_event_loop_policy", None)


def _installed_set_event_loop_policy(policy: Any) -> None:
    """Set the policy that asyncio asks for loops (asyncio 3.4 to 3.15); its loops are ours."""
    if hasattr(policy, "new_event_loop"):
        policy = _policy_with_our_loops(policy)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _set_event_loop_policy(policy)  # type: ignore[misc]  # None where policies are gone
    finally:
        for warning in caught:
            warnings.warn(warning.message, stacklevel=2)


# -- the switch


def _replacements() -> dict[str, object]:
    """Return what takes the place of each of asyncio's names, those that this Python lacks included."""
    return {
        "run": _installed_run,
        "Runner": InstalledRunner,
        "new_event_loop": new_event_loop,
        # Frameworks that name a class, as in loop_factory=asyncio.SelectorEventLoop, mean the loop that asyncio has.
        "EventLoop": EventLoop,
        "SelectorEventLoop": EventLoop,
        "Task": InstalledTask,
        "create_eager_task_factory": tasks.create_eager_task_factory,
        "eager_task_factory": tasks.eager_task_factory,
        "set_event_loop_policy": _installed_set_event_loop_policy,
        "to_thread": to_thread,
        # Asyncio's own would show the frames between a Task and its host as the user's (asyncio 3.14).
        "capture_call_graph": graph.capture_call_graph,
        "format_call_graph": graph.format_call_graph,
        "print_call_graph": graph.print_call_graph,
    }


def _namespaces() -> list[tuple[str, dict[str, object]]]:
    """Return the package and the namespace of each imported module that may hold names of asyncio's.

    Ours hold asyncio's own on purpose, and so does the C module that asyncio's classes come from.
    """
    modules = [(name.partition(".")[0], module) for name, module in list(sys.modules.items())]
    return [
        (package, vars(module))
        for package, module in modules
        if package not in (__package__, "_asyncio") and isinstance(module, ModuleType)
    ]


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
        stock = {name: vars(asyncio)[name] for name in replacements if name in vars(asyncio)}
        ours = {id(value): replacements[name] for name, value in stock.items()}
        for package, namespace in _namespaces():
            for name, value in list(namespace.items()):
                # Asyncio keeps some of its things under a second, private name, to tell them from what replaces them.
                if id(value) in ours and (package != "asyncio" or name in stock):
                    self.undo.append(functools.partial(namespace.__setitem__, name, value))
                    namespace[name] = ours[id(value)]

    def _replace_policy(self) -> None:
        if _set_event_loop_policy is None:
            return
        before = _policies_quietly(lambda: asyncio.get_event_loop_policy())
        self.undo.append(lambda: _policies_quietly(lambda: _set_event_loop_policy(before)))
        default = _policies_quietly(lambda: asyncio.DefaultEventLoopPolicy)
        hosting = _hosting(default)
        _policies_quietly(lambda: _set_event_loop_policy(hosting()))
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
    `asyncio.Task(coro)` makes one of our Tasks on our loops. Modules that have imported these names from asyncio before
    get ours as well, and get asyncio's back at the end; a module that is imported in between keeps what it has taken.

    Loops that exist already, and loops of other kinds that a program makes by itself, uvloop's for instance, stay what
    they are. A RuntimeWarning tells whoever sets another kind of policy, whose loops are trio's all the same, and
    whoever gives `run` or `Runner` a *loop_factory* that makes loops without trio.

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
