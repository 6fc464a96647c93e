"""The hosts of a loop: seated, idle, and those that wait for the loop's next trio run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .. import _trio
from .host import IDLE_NAME, Host
from .reminder import Reminder

if TYPE_CHECKING:
    import trio

    from ..loop import EventLoop
    from ..tasks import Task

IDLE_LIMIT = 10_000
"""How many hosts without a Task are kept, so that a spawn need not start a trio task."""


class Hosts:
    """Gives each Task a host from its first step to its last."""

    def __init__(self, loop: EventLoop) -> None:
        self.loop = loop
        self._nursery: trio.Nursery | None = None
        # Trio's, in which the driver says who is running.
        self.run_context: dict[str, Any] = {}
        self.reminder = Reminder()
        # Whether instruments look on. Then each Task has a host of its own, and they see it begin and end.
        self.watched = False
        # Parked hosts without a Task; the driver takes the last.
        self.idle: list[Host] = []
        # Idle and seated; while no trio run is on, the seated ones, which keep their Tasks alive and in place.
        self._all: set[Host] = set()

    def open(self, nursery: trio.Nursery) -> None:
        """Begin a trio run: Tasks that have waited since the last one get a trio task again."""
        self._nursery = nursery
        self.run_context = _trio.run_context()
        self.watched = _trio.has_instruments()
        for host in self._all:
            host.attach(nursery, IDLE_NAME if host.task is None else host.task.get_name())

    def close(self) -> None:
        """End the trio run's hosts. The Tasks among them stay where they are: they wait for futures."""
        for host in self._all:
            host.dismiss()
        self._all.difference_update(self.idle)
        self.idle.clear()
        self._nursery = None

    def new(self, name: str) -> Host:
        """Return a host that is a new trio task, under the name of the Task that it is for."""
        assert self._nursery is not None, "a Task makes its first step while the loop runs"
        host = Host(self, self._nursery, name)
        self._all.add(host)
        return host

    def take_back(self, host: Host) -> None:
        """Free a host whose Task has ended. One that leaves the trio lane comes back when it is parked again."""
        host.task = host.coro = None
        if host.cancelled:
            host.forget_cancellation()
        if host.landing:
            return
        if self.watched:
            self._all.discard(host)
            host.dismiss()
        else:
            host.trio_task.name = IDLE_NAME
            self.idle.append(host)

    def take_back_at_return(self, host: Host) -> None:
        """Free a host whose Task is about to return, and raise a cancellation that it must not return without."""
        error = host.absorbed_request()
        self.take_back(host)
        if error is not None:
            raise error from None

    def trim(self) -> None:
        """Let the hosts go that are more than the loop keeps."""
        for host in self.idle[IDLE_LIMIT:]:
            self._all.discard(host)
            host.dismiss()
        del self.idle[IDLE_LIMIT:]

    def abandon(self, host: Host) -> None:
        """Forget a host whose Task is destroyed."""
        host.task = host.coro = None
        self._all.discard(host)

    def forget(self) -> None:
        """Let go of the Tasks that wait for the next trio run: there will be none."""
        self._all.clear()

    def in_trio(self) -> Iterator[Task[Any]]:
        """Yield the Tasks that cannot outlive the trio run: those in a trio call or inside a trio scope or nursery."""
        for host in self._all:
            if host.task is not None and (host.in_trio_lane or host.has_open_scopes):
                yield host.task
