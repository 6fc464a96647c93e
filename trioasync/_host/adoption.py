"""Adoption: asyncio code in plain trio tasks.

While a loop is open, each plain trio task of that trio run has an `Adopted` in front of its coroutine. It passes trio's
traps through and turns an asyncio future that the coroutine yields into a wait for it. To asyncio the trio task is an
`AdoptedTask`, on which `cancel`, `timeout` and `TaskGroup` work. It belongs to trio all the same: it is not among
`all_tasks`, the loop never cancels it, and its outcome is its nursery's.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Coroutine
from contextvars import Context
from typing import TYPE_CHECKING, Any

import outcome
import trio
from trio.lowlevel import Abort, enable_ki_protection

from .. import _trio
from .._stdlib import (
    CFuture,
    CTask,
    add_to_awaited_by,
    discard_from_awaited_by,
    enter_task,
    leave_task,
)
from ..exceptions import CancelledError
from .cancellation import Cancellation, RaiseCancel
from .host import TRAPS, Host

if TYPE_CHECKING:
    from ..loop import EventLoop
    from .reminder import Reminder

_CHECKPOINT, _WAIT = TRAPS


class AdoptedTask(CTask[Any]):
    """A plain trio task, as asyncio sees it: what `asyncio.current_task` answers in it."""

    __slots__ = ("_adopted", "_num_cancels_requested")

    def __init__(self, adopted: Adopted, loop: EventLoop) -> None:
        CFuture.__init__(self, loop=loop)  # not Task.__init__, which would run a coroutine
        self._adopted = adopted
        self._num_cancels_requested = 0

    def cancel(self, msg: Any = None) -> bool:
        """Raise a CancelledError in the trio task at its next await, of either world (asyncio 3.9).

        Args:
            msg: the message of the CancelledError.

        Returns:
            whether the task can still be cancelled.
        """
        if self.done():
            return False
        self._adopted.note_request(msg, sys._getframe(1))
        self._num_cancels_requested += 1
        self._adopted.cancel(msg)
        return True

    def cancelling(self) -> int:
        """Return how many cancellations were asked for and not taken back (asyncio 3.11)."""
        self._adopted.note_timeout(sys._getframe(1))
        return self._num_cancels_requested

    def uncancel(self) -> int:
        """Take one request for cancellation back, and return how many remain (asyncio 3.11)."""
        self._num_cancels_requested = max(self._num_cancels_requested - 1, 0)
        self._adopted.note_uncancel(self._num_cancels_requested, sys._getframe(1))
        return self._num_cancels_requested

    def end(self, ending: BaseException) -> None:
        """Be done as the trio task is: cancel() does nothing any more, and who awaits this gets the outcome."""
        if isinstance(ending, StopIteration):
            CFuture.set_result(self, ending.value)
        elif isinstance(ending, (CancelledError, trio.Cancelled)):
            CFuture.cancel(self, *ending.args)
        else:
            CFuture.set_exception(self, ending)
            self.exception()  # is its nursery's to report

    def get_name(self) -> str:
        """Return the trio task's name (asyncio 3.8)."""
        return self._adopted.trio_task.name

    def set_name(self, value: object) -> None:
        """Name the trio task (asyncio 3.8)."""
        self._adopted.trio_task.name = str(value)

    def get_coro(self) -> Any:
        """Return the trio task's coroutine (asyncio 3.8)."""
        return self._adopted.coro

    def get_context(self) -> Context:
        """Return the trio task's context (asyncio 3.12)."""
        return self._adopted.trio_task.context

    @property
    def _coro(self) -> Any:
        return self._adopted.coro

    @property
    def _fut_waiter(self) -> Any:
        return self._adopted.waiter

    @property
    def _must_cancel(self) -> bool:
        return self._adopted.cancel_error is not None


class InFront:
    """What is in front of a plain trio task's coroutine; to trio it is the coroutine."""

    __slots__ = ()

    coro: Coroutine[Any, Any, Any]

    def close(self) -> None:
        """Close the trio task's coroutine."""
        self.coro.close()

    def __await__(self) -> Any:
        raise TypeError("the coroutine of a trio task is awaited by trio")

    # What trio and inspect.getcoroutinestate look at.
    cr_frame = property(lambda self: self.coro.cr_frame)
    cr_await = property(lambda self: self.coro.cr_await)
    cr_code = property(lambda self: self.coro.cr_code)
    cr_origin = property(lambda self: self.coro.cr_origin)
    cr_running = property(lambda self: self.coro.cr_running)
    cr_state = property(lambda self: inspect.getcoroutinestate(self.coro))
    cr_suspended = property(lambda self: getattr(self.coro, "cr_suspended", not self.coro.cr_running))


Coroutine.register(InFront)


class Refusing(InFront):
    """In front of a coroutine whose loop adopts no trio tasks: an asyncio await there fails, and says what to do."""

    __slots__ = ("coro", "send")

    def __init__(self, trio_task: trio.lowlevel.Task) -> None:
        self.coro = trio_task.coro
        self.send = self.coro.send

    def throw(self, exc: Any, *rest: Any) -> Any:
        """Say it better than the exception that trio throws when it did not understand a trap."""
        refusal = RuntimeError(
            "This trio task awaited something of asyncio's, and its loop was opened with open_loop(adopt=False). "
            "Open the loop with adopt=True, or await it in a Task: trioasync.create_task(...)."
        )
        refusal.__cause__ = exc
        return self.coro.throw(refusal)


class Adopted(InFront, Cancellation):
    """The coroutine that trio resumes in place of a plain trio task's own."""

    __slots__ = ("_base", "coro", "loop", "turn", "waiter")

    task: AdoptedTask
    # The asyncio future that the task awaits.
    waiter: Any
    # The turn of the loop that the task awaits in `asyncio.sleep(0)`.
    turn: Any

    def __init__(self, trio_task: trio.lowlevel.Task, loop: EventLoop, base: Any = None) -> None:
        super().__init__()
        self.trio_task, self.loop, self._base = trio_task, loop, base
        self.coro: Coroutine[Any, Any, Any] = trio_task.coro
        self.waiter = self.turn = None
        self.task = AdoptedTask(self, loop)

    @property
    def base(self) -> Any:
        """The cancel status outside of the task's own scopes; `task_status.started()` changes it."""
        return self._base or _trio.nursery_status(self.trio_task)

    @property
    def waits_for_asyncio(self) -> bool:
        """Whether the task is parked at an asyncio await that nothing has interrupted yet."""
        return self.waiter is not None and self.interrupt is None

    @property
    def reminder(self) -> Reminder:
        """Who looks after the tasks of this loop that have been told of a cancellation."""
        return self.loop.hosts.reminder

    # -- Task.cancel

    def cancel(self, msg: Any) -> None:
        """Deliver a CancelledError at the await in force, or at the next."""
        if self.waiter is None:
            self.request_cancel(msg)
        elif not self.waiter.cancel(msg=msg) and self.interrupt is None:
            self.interrupt, self.interrupt_count = self.new_error(msg), -1

    # -- the coroutine that trio resumes

    def send(self, value: Any) -> Any:
        """Resume the coroutine, and return the next trap."""
        loop, task = self.loop, self.task
        if not loop.is_running():  # between two phases of closing, or closed; the trio task goes on
            yielded = self._resume(value)
            return _CHECKPOINT if yielded is None else yielded
        enter_task(loop, task)
        try:
            yielded = self._resume(value)
            while True:
                trap = self._trap_for(yielded)
                if trap is not None:
                    return trap
                yielded = self.coro.throw(self._refusal_of(yielded))
        except BaseException as ending:
            self.forget_cancellation()
            task.end(ending)
            raise
        finally:
            leave_task(loop, task)
            self = task = None  # type: ignore[assignment]  # an exception keeps this frame

    def _resume(self, value: Any) -> Any:
        if self.waiter is None and self.turn is None:
            return self.coro.send(self.reply(value))
        error = self._error_after_turn() if self.waiter is None else self._error_after_future()
        return self.coro.send(None) if error is None else self.coro.throw(error)

    def _error_after_future(self) -> BaseException | None:
        waiter, self.waiter = self.waiter, None
        discard_from_awaited_by(waiter, self.task)
        error, self.substitute = self.substitute, None
        if error is None and self.interrupt is not None:
            # Asked for, the exception counts as retrieved. A cancelled gather() has a CancelledError, as an exception.
            ending = self.new_error(None) if waiter.cancelled() else waiter.exception()
            error = self.judge_interrupt(ending, bare=False)
        return error

    def _trap_for(self, yielded: Any) -> Any:
        """Return what trio must do for what the coroutine has yielded, or None if that is not a thing to await."""
        if self.requests:
            self.ask_trio_again()
        if yielded is None:
            return self._trap_for_bare_yield()
        if yielded is _CHECKPOINT:
            self.seat_gate()
            return _CHECKPOINT
        if yielded.__class__ is _WAIT:
            self.seat_gate()
            self.trap = yielded
            return _WAIT(self.abort_trap)
        if getattr(yielded, "_asyncio_future_blocking", None):
            if yielded.get_loop() is not self.loop:
                return None
            yielded._asyncio_future_blocking = False
            self.waiter = yielded
            yielded.add_done_callback(self._wake)
            add_to_awaited_by(yielded, self.task)
            if self.cancel_error is not None:
                self.hand_cancel_to_asyncio(yielded)
            return self.park_trap()
        return yielded if getattr(yielded, "_asyncio_future_blocking", None) is None else None

    # -- waits that end before the future is done

    def __call__(self, raise_cancel: RaiseCancel) -> Abort:
        """Abort the wait for a future: at once for Ctrl-C, and when the loop has stopped, which would cancel it."""
        error: BaseException = outcome.capture(raise_cancel).error
        if isinstance(error, trio.Cancelled):
            if self.loop.is_running():
                return super().__call__(raise_cancel)
            error = self.error_of(error)
        self._break_off(error)
        return Abort.SUCCEEDED

    def _break_off(self, error: BaseException) -> None:
        self.waiter.remove_done_callback(self._wake)
        self.waiter.add_done_callback(_retrieve)
        self.substitute = error

    def end_wait(self, error: BaseException) -> None:
        """Resume the task, if it awaits something of asyncio's: with an exception, if that is not done."""
        if (self.waiter is None and self.turn is None) or _trio.is_scheduled(self.trio_task):
            return
        if self.waiter is not None and not self.waiter.done():
            self._break_off(error)
        trio.lowlevel.reschedule(self.trio_task)

    # -- asyncio.sleep(0): a turn of the loop, and a place for cancellations like any other await of asyncio's

    def _trap_for_bare_yield(self) -> Any:
        self.seat_gate()
        self.turn = self.loop.call_soon(trio.lowlevel.reschedule, self.trio_task)
        return _WAIT(self._abort_bare_yield)

    def _error_after_turn(self) -> BaseException | None:
        self.turn = None
        error, self.substitute = self.substitute or self.cancel_error, None
        if self.cancel_error is not None and error is self.cancel_error:
            self.note_delivery(self.cancel_error)
        self.forget_request()
        return error

    def _abort_bare_yield(self, raise_cancel: RaiseCancel) -> Abort:
        error: BaseException = outcome.capture(raise_cancel).error
        if isinstance(error, trio.Cancelled):
            if self.cancel_error is not None or self.untold_scope() is None:
                return Abort.FAILED
            error = self.error_of(error)
            self.note_told()
        self.substitute = error
        self.turn.cancel()
        return Abort.SUCCEEDED

    def _refusal_of(self, yielded: Any) -> RuntimeError:
        if yielded._asyncio_future_blocking:
            return RuntimeError(f"Task {self.task!r} got Future {yielded!r} attached to a different loop")
        return RuntimeError(f"yield was used instead of yield from in task {self.task!r} with {yielded!r}")

    @enable_ki_protection
    def _wake(self, future: Any) -> None:
        if self.waiter is future and self.substitute is None:  # else the wait was broken off
            trio.lowlevel.reschedule(self.trio_task)

    def throw(self, exc: Any, *rest: Any) -> Any:
        """Take the exception that trio throws when it did not understand a trap, in a step like any other."""
        self.turn, self.substitute = self, exc  # as in a bare yield that was broken off
        try:
            return self.send(None)
        finally:
            self = exc = None  # type: ignore[assignment]  # an exception keeps this frame


def _retrieve(future: Any) -> None:
    """Have the exception of a future that nobody awaits any more count as retrieved."""
    if not future.cancelled():
        future.exception()


class Adopter(trio.abc.Instrument):
    """Adopts each trio task that is started while it is installed, or has it told that the loop adopts none."""

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop

    @enable_ki_protection  # an instrument that fails is thrown out
    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        """Take the new task's first step, which trio queues after this call."""
        # Checkers do not know that a Host counts as a Coroutine.
        if not isinstance(task.coro, Host) and task.parent_nursery is not self._loop.services:  # type: ignore[redundant-expr]
            task.coro = Adopted(task, self._loop) if self._loop.adopts else Refusing(task)  # type: ignore[assignment]


def adopt_current_task(loop: EventLoop) -> None:
    """Adopt the running trio task, from its next step on."""
    task = trio.lowlevel.current_task()
    task.coro = Adopted(task, loop, base=_trio.cancel_status(task)) if loop.adopts else Refusing(task)  # type: ignore[assignment]


def release_current_task() -> None:
    """Give the running trio task its own coroutine back."""
    task = trio.lowlevel.current_task()
    if isinstance(task.coro, Adopted):
        task.coro.forget_cancellation()
    if isinstance(task.coro, InFront):
        task.coro = task.coro.coro


def end_waits(loop: EventLoop) -> None:
    """Fail the waits of plain trio tasks for futures of a loop that has closed.

    The tasks are those of the program that had opened the loop; trio's system tasks end with the trio run.
    """
    root, program = trio.lowlevel.current_root_task(), trio.lowlevel.current_task()
    while program.parent_nursery is not None and program.parent_nursery.parent_task is not root:
        program = program.parent_nursery.parent_task
    to_look_at = [program]
    while to_look_at:
        task = to_look_at.pop()
        coro: Any = task.coro
        if isinstance(coro, Adopted) and coro.loop is loop:
            coro.end_wait(
                RuntimeError(
                    f"The asyncio loop has closed, and {coro.waiter!r}, which this trio task awaited, will never be "
                    "done. Let the task end before the block of open_loop() does: start it in a nursery inside."
                )
            )
        to_look_at += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
