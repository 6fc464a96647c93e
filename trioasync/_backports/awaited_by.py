"""Who awaits a future, for Pythons whose futures do not record it themselves (before 3.14).

asyncio 3.14 notes in each future the tasks that await it, also through gather, shield, wait and the like. Before, the
same is read off a future's done callbacks: whoever awaits the future is woken by one of them. The table names those
callbacks of asyncio's, and how each one leads on. It holds asyncio's private names, of versions that change no more.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from .._stdlib import WAKEUP_NAME, done_callbacks

__all__ = ("awaiting", "future_add_to_awaited_by", "future_discard_from_awaited_by")

# Futures written in C take no attributes, so what is noted by hand stands beside them. It belongs to no loop: an entry
# lives as long as its two futures.
_noted: WeakKeyDictionary[asyncio.Future[Any], WeakSet[asyncio.Future[Any]]] = WeakKeyDictionary()


def future_add_to_awaited_by(fut: Any, waiter: Any, /) -> None:
    """Note that `waiter` awaits `fut`; anything but asyncio's futures and tasks is let pass (asyncio 3.14)."""
    if isinstance(fut, asyncio.Future) and isinstance(waiter, asyncio.Future):
        _noted.setdefault(fut, WeakSet()).add(waiter)


def future_discard_from_awaited_by(fut: Any, waiter: Any, /) -> None:
    """Take back what `future_add_to_awaited_by` noted (asyncio 3.14)."""
    if isinstance(fut, asyncio.Future) and isinstance(waiter, asyncio.Future):
        _noted.get(fut, WeakSet()).discard(waiter)


def awaiting(future: asyncio.Future[Any]) -> frozenset[asyncio.Future[Any]]:
    """Return the tasks that await a future, and what was noted to."""
    return frozenset(_noted.get(future, ())) | frozenset(_woken_by(future))


def _woken_by(future: Any) -> Iterator[asyncio.Future[Any]]:
    for callback in done_callbacks(future):
        leads_to = _LEADS_TO.get(_name_of(callback), _nowhere)
        for reached in leads_to(callback):
            if isinstance(reached, asyncio.Task):
                yield reached
            elif reached is not None:
                yield from _woken_by(reached)


def _name_of(callback: Any) -> str:
    function = callback.func if isinstance(callback, functools.partial) else callback
    name: str = getattr(function, "__qualname__", "")
    # A method written in C is qualified by the class of its object, which may be any subclass.
    return WAKEUP_NAME if name.endswith("." + WAKEUP_NAME) else name


def _nowhere(callback: Any) -> Iterable[Any]:
    return ()


def _owner(callback: Any) -> Iterable[Any]:
    return (callback.__self__,)


def _variable(name: str) -> Callable[[Any], Iterable[Any]]:
    return lambda callback: (inspect.getclosurevars(callback).nonlocals.get(name),)


def _getters_of_done_queue(callback: Any) -> Iterable[Any]:
    iterator = getattr(callback, "__self__", None)
    queue = inspect.getclosurevars(callback).nonlocals["done"] if iterator is None else iterator._done
    return tuple(queue._getters)


_LEADS_TO: dict[str, Callable[[Any], Iterable[Any]]] = {
    WAKEUP_NAME: _owner,
    "Task.__wakeup": _owner,
    "Adopted._wake": lambda callback: (callback.__self__.task,),  # ours: a plain trio task
    "TaskGroup._on_task_done": lambda callback: (callback.__self__._parent_task,),
    "gather.<locals>._done_callback": _variable("outer"),
    "shield.<locals>._inner_done_callback": _variable("outer"),
    "_wait.<locals>._on_completion": _variable("waiter"),
    "_release_waiter": lambda callback: callback.args[:1],
    "Completions._completed": _getters_of_done_queue,
    "_AsCompletedIterator._handle_completion": _getters_of_done_queue,
    "as_completed.<locals>._on_completion": _getters_of_done_queue,
}
