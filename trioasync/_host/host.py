"""A host: the trio task under a Task, as data.

A Task of ours is asyncio's own Task around a driver (`driver.py`), so everything that asyncio says of Tasks holds by
construction. What trio says of trio tasks holds because of the host. The rules:

* A host is *seated* from its Task's first step to its last; between Tasks it waits in the loop's pool, parked.
* The Task's coroutine is in one of two lanes. In the **fast lane** it waits for asyncio: the pump resumes it through
  the Task, and the host is *parked* in one long wait. In the **trio lane** it waits for trio: trio resumes the host,
  and to asyncio the Task waits for one future, which is the host itself.
* A trap is taken over in place (`enter_trio_lane`), since the host is blocked already. The way back is immediate too:
  the host calls the Task's own wake-up, and the Task goes on in asyncio within the same trio step.
* Who is cancelled by whom stands in `cancellation.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import outcome
import trio

from .. import _trio
from .._stdlib import enter_task, leave_task
from .cancellation import Cancellation

if TYPE_CHECKING:
    from ..loop import EventLoop
    from ..tasks import Task
    from .pool import Hosts
    from .reminder import Reminder

_CHECKPOINT = _trio.CancelShieldedCheckpoint
_WAIT = _trio.WaitTaskRescheduled
TRAPS = (_CHECKPOINT, _WAIT)
IDLE_NAME = "trioasync idle host"


class Host(Cancellation):
    """The coroutine that trio sees as `trio.lowlevel.Task.coro`, and the future that a Task in the trio lane awaits."""

    __slots__ = ("_asyncio_future_blocking", "coro", "dismissed", "failure", "hosts", "wakeup", "yielded")

    hosts: Hosts
    task: Task[Any] | None
    coro: Coroutine[Any, Any, Any] | None
    # Set by the Task when it begins to await this host, called when the trio lane ends.
    wakeup: Callable[[Host], object] | None
    # How the trio lane ended: with the asyncio object that the coroutine yielded, or with the exception it raised.
    yielded: Any
    failure: BaseException | None

    def __init__(self, hosts: Hosts, nursery: trio.Nursery, name: str) -> None:
        super().__init__()
        self.hosts = hosts
        self.coro = self.wakeup = self.yielded = self.failure = None
        # While the Task awaits this host, asyncio's Task sets it to False; the driver sets it for each lane.
        self._asyncio_future_blocking = False
        self.attach(nursery, name)

    def attach(self, nursery: trio.Nursery, name: str) -> None:
        """Become a trio task in this trio run."""
        self.dismissed = self.armed = False
        self.trio_task = _trio.spawn_parked(nursery, self, name)
        if self.task is not None:
            self.trio_task.context = self.task.get_context()
        self.park()

    def dismiss(self) -> None:
        """Let the trio task end."""
        self.dismissed = True
        trio.lowlevel.reschedule(self.trio_task)

    @property
    def base(self) -> Any:
        """The cancel status outside of the Task's own scopes: that of the hosts' nursery."""
        return _trio.nursery_status(self.trio_task)

    @property
    def waits_for_asyncio(self) -> bool:
        """Whether the Task is parked at an asyncio await that nothing has interrupted yet."""
        return not self.in_trio_lane and self.interrupt is None

    @property
    def reminder(self) -> Reminder:
        """Who looks after the tasks of this loop that have been told of a cancellation."""
        return self.hosts.reminder

    @property
    def has_open_scopes(self) -> bool:
        """Whether the Task is inside a cancel scope or a nursery of trio's."""
        return _trio.cancel_status(self.trio_task) is not self.base or bool(self.trio_task.child_nurseries)

    # -- what the driver calls

    def enter_trio_lane(self, trap: Any) -> None:
        """Take over a trap that the coroutine has yielded in a step of the fast lane."""
        self.in_trio_lane = self._asyncio_future_blocking = True
        self.armed = False
        if self.requests:
            self.ask_trio_again()
        if trap is _CHECKPOINT:
            _trio.count_checkpoint(self.trio_task, cancel_point=False)
            trio.lowlevel.reschedule(self.trio_task)
        else:
            _trio.count_checkpoint(self.trio_task, cancel_point=True)
            self.trap = trap
            _trio.block(self.trio_task, self.abort_trap)

    def leave_trio_lane(self, _: None) -> Any:
        """Return what the coroutine yielded to asyncio at the end of the trio lane, or raise what it raised."""
        yielded, failure = self.yielded, self.failure
        self.yielded = self.failure = None
        if failure is not None:
            if isinstance(failure, StopIteration):
                # As asyncio does when a Task was cancelled right before it returned.
                failure = self.cancel_error or self.absorbed_request() or failure
            try:
                raise failure
            finally:
                del failure  # the traceback refers to this frame
        if self.cancel_error is not None:
            self.hand_cancel_to_asyncio(yielded)
        return yielded

    # -- the future that the Task awaits while the coroutine is in the trio lane

    def get_loop(self) -> EventLoop:
        return self.hosts.loop

    def add_done_callback(self, callback: Callable[[Host], object], *, context: Any = None) -> None:
        self.wakeup = callback

    def result(self) -> None:
        """Return None: the driver asks `leave_trio_lane` for what happened."""

    def cancel(self, msg: Any = None) -> bool:
        return self.request_cancel(msg)

    def done(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<trio wait of {self.trio_task.name!r}>"

    # -- the coroutine that trio resumes

    def send(self, value: Any) -> Any:
        """Resume the coroutine in the trio lane, and return the next trap: its own, or the park."""
        if self.dismissed:
            raise StopIteration
        assert self.task is not None
        loop = self.hosts.loop
        loop.enter_asyncio_code()
        try:
            return self._resume(loop, self.task, self.reply(value))
        finally:
            loop.leave_asyncio_code()

    def _resume(self, loop: EventLoop, task: Task[Any], reply: Any) -> Any:
        enter_task(loop, task)
        try:
            yielded = self.coro.send(reply)  # type: ignore[union-attr]
        except BaseException as failure:
            self.failure = failure.with_traceback(failure.__traceback__.tb_next)  # type: ignore[union-attr]
        else:
            if self.requests:
                self.ask_trio_again()
            if yielded is _CHECKPOINT:
                self.seat_gate()
                return _CHECKPOINT
            if yielded.__class__ is _WAIT:
                self.seat_gate()
                self.trap = yielded
                return _WAIT(self.abort_trap)
            self.yielded = yielded
        finally:
            leave_task(loop, task)
            task = reply = None  # type: ignore[assignment]  # an exception keeps this frame
        self._wake_task()
        return self.park_trap()

    def _wake_task(self) -> None:
        """End the trio lane: the Task goes on at once, and the driver finds out what came of the lane."""
        self.in_trio_lane = False
        wakeup, self.wakeup = self.wakeup, None
        self.landing = True
        try:
            wakeup(self)  # type: ignore[misc]
        except BaseException as crash:  # KeyboardInterrupt and SystemExit go through every Task and end the loop
            self.hosts.loop.crash(crash)
        finally:
            self.landing = False
        if self.task is None and not self.dismissed:
            self.hosts.take_back(self)

    def throw(self, exc: Any, *rest: Any) -> Any:
        """Take an exception that trio throws when it did not understand a trap, which a Task never lets happen."""
        return self.send(outcome.Error(exc))

    def close(self) -> None:
        """Do nothing: the coroutine belongs to the Task."""

    def __await__(self) -> Any:
        raise TypeError("a host is not awaitable; await its Task")

    @property
    def cr_frame(self) -> Any:
        """The frame of the Task's coroutine, so that trio's task tree and its KeyboardInterrupt look at that."""
        return _frame_of(self.coro) if self.coro is not None else _IDLE_FRAME

    @property
    def cr_await(self) -> Any:
        coro: Any = self.coro
        return getattr(coro, "cr_await", None) or getattr(coro, "gi_yieldfrom", None)

    @property
    def cr_code(self) -> Any:
        coro: Any = self.coro
        return getattr(coro, "cr_code", None) or getattr(coro, "gi_code", None) or _idle.__code__

    # For inspect.getcoroutinestate, by which trio's Lock asks whether the task it is handed to has ended.
    cr_running = False
    cr_suspended = True
    cr_state = inspect.CORO_SUSPENDED
    cr_origin = None


Coroutine.register(Host)


def _frame_of(coro: Any) -> Any:
    return getattr(coro, "cr_frame", None) or getattr(coro, "gi_frame", None) or _IDLE_FRAME


async def _idle() -> None:
    """Stand for the code of a host without a Task: trio refuses a coroutine that has no frame."""


_idle_coro: Any = _idle()
_IDLE_FRAME = _idle_coro.cr_frame
_idle_coro.close()
