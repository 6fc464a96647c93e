"""Who cancels whom, and what the Task sees.

| cancelled by | a Task waiting in asyncio sees | a Task waiting in trio sees | absorbed by |
|---|---|---|---|
| `Task.cancel(msg)` | asyncio's rule: its future is cancelled | `CancelledError(msg)`, once, unless shielded | nobody |
| trio scope in the Task | `ScopeCancelled`, once per cancellation | `ScopeCancelled` at each checkpoint | that scope |
| `timeout`, `wait_for`, `TaskGroup` | as `Task.cancel`, counted by `cancelling()` | the same | they call `uncancel()` |

The message never decides whose cancellation it is. A cancellation by `Task.cancel` that is under way goes first; the
scope's is not lost, since the scope stays cancelled and asks again at the next await.

A scope that was open when `Task.cancel` was called does not absorb that request: until `uncancel()` takes it back, what
the scope interrupts sees a plain `CancelledError`, which leaves the scope, as it leaves a `timeout` that has expired.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import outcome
import trio
from trio.lowlevel import Abort

from .. import _trio
from ..exceptions import CancelledError, ScopeCancelled
from .groups import one_cancellation
from .requests import HAS_UNCANCEL, Request, forget_entry, note_entry, where_entered

if TYPE_CHECKING:
    from ..tasks import Task
    from .adoption import AdoptedTask
    from .reminder import Reminder

RaiseCancel = Callable[[], NoReturn]


class Cancellation:
    """The part of a host that passes cancellations on, in both directions."""

    __slots__ = (
        "armed", "asked_within", "behind", "cancel_error", "cancelled", "gate", "given", "in_trio_lane", "interrupt",
        "interrupt_count", "landing", "requests", "substitute", "task", "told", "trap", "trio_task", "undelivered",
    )  # fmt: skip

    trio_task: trio.lowlevel.Task
    # None while the host is in the pool.
    task: Task[Any] | AdoptedTask | None
    in_trio_lane: bool
    # Whether anything below was set since the Task was seated.
    cancelled: bool
    # While the host is parked: trio has not called the park's abort function yet. It does so once per wait.
    armed: bool
    # True while the Task leaves the trio lane inside a step of trio's, when trio arms the park by itself.
    landing: bool
    # The trap in force in the trio lane.
    trap: Any
    # From Task.cancel() in the trio lane to its delivery; the gate stands exactly as long.
    cancel_error: CancelledError | None
    gate: _trio.Gate | None
    # If a timeout asks: the cancel status in force where it was entered. Shields outside of that do not hold.
    asked_within: Any
    # The request from outside of that, which is still to be delivered when the timeout has taken its own back.
    behind: CancelledError | None
    # A `Task.cancel` has found the Task in a step, and will be delivered at the await that ends it.
    undelivered: bool
    # What was delivered last, until the task has been resumed.
    given: CancelledError | None
    # What the next step in the trio lane must raise instead of the trio.Cancelled that trio sends.
    substitute: BaseException | None
    # What the next step in the fast lane must raise; while it is set, the awaited future has been cancelled for it.
    interrupt: CancelledError | None
    interrupt_count: int
    # The cancelled scopes that the task has been told of, while one of them is in force.
    told: set[trio.CancelScope] | None
    # The requests of `Task.cancel` inside of trio scopes that nobody has taken back.
    requests: tuple[Request, ...]

    @property
    def base(self) -> Any:
        """The cancel status outside of the task's own scopes."""
        raise NotImplementedError

    @property
    def waits_for_asyncio(self) -> bool:
        """Whether the task is parked at an asyncio await that nothing has interrupted yet."""
        raise NotImplementedError

    @property
    def reminder(self) -> Reminder:
        """Who looks after the tasks of this loop that have been told of a cancellation."""
        raise NotImplementedError

    def __init__(self) -> None:
        self.in_trio_lane = self.landing = self.armed = self.cancelled = self.undelivered = False
        self.task = self.trap = self.cancel_error = self.gate = self.substitute = self.interrupt = None
        self.given = self.told = self.asked_within = self.behind = None
        self.interrupt_count = 0
        self.requests = ()

    # -- Task.cancel, while the Task is in the trio lane

    def request_cancel(self, msg: Any = None) -> bool:
        """Ask for one CancelledError at the next point where trio allows it."""
        if self.cancel_error is None and self.gate is None:  # else it becomes one with that which is under way
            self.cancelled = True
            self.cancel_error = self.new_error(msg)
            self.gate = _trio.Gate(self.trio_task)
            self.gate.seat(self.base, self.asked_within)
        elif self.behind is not None:
            self.seat_gate()  # nearer
        return True

    @staticmethod
    def new_error(msg: Any) -> CancelledError:
        """Return the exception that `Task.cancel(msg)` raises."""
        return CancelledError() if msg is None else CancelledError(msg)

    def forget_cancellation(self) -> None:
        """Drop what found no place for its delivery: the Task has ended."""
        self.cancelled = False
        self.interrupt = None
        self.undelivered = False
        self.requests = ()
        if self.told is not None:
            self._forget_scopes()
        self.behind = None
        self.forget_request()

    def forget_request(self) -> None:
        """Drop the request of `Task.cancel`."""
        self.cancel_error = None
        self._open_gate()

    def _open_gate(self) -> None:
        if self.gate is not None:
            gate, self.gate = self.gate, None
            gate.lift()

    def hand_cancel_to_asyncio(self, yielded: Any) -> None:
        """Deliver a request that trio could not: the Task now awaits something of asyncio's."""
        error = self.cancel_error
        assert error is not None
        self.note_delivery(error, itself=False)
        self.forget_request()
        if yielded is None or not yielded.cancel(*error.args):
            self.interrupt, self.interrupt_count = error, -1

    # -- Task.cancel and scopes that were open already

    def note_timeout(self, caller: FrameType) -> None:
        """Remember in which trio scopes a timeout is entered, which then asks for `cancelling()`."""
        if caller.f_code.co_name == "__aenter__":
            within = _trio.cancel_status(self.trio_task)
            note_entry(caller, within if self.gate is None else self.gate.outside(within))

    def note_request(self, msg: Any, caller: FrameType) -> None:
        """Remember which trio scopes are open at a `Task.cancel` that is not counted yet."""
        assert self.task is not None
        asked_within = where_entered(caller)
        if self.cancel_error is None:
            self.asked_within = asked_within
        elif asked_within is not None and self.asked_within is None:
            self.asked_within, self.behind = asked_within, self.cancel_error
        scopes = _trio.open_scopes(self.trio_task, self.base)
        if scopes:
            self.cancelled = True
            self.requests = (*self.requests, Request(self.task.cancelling(), scopes, msg))

    def note_undelivered(self) -> None:
        """Remember that a `Task.cancel` has found the Task in a step."""
        self.cancelled = self.undelivered = True

    def note_delivery(self, error: CancelledError, *, itself: bool = True) -> None:
        """Remember which scopes are open where a `Task.cancel` is delivered; they may be newer than the call.

        Args:
            error: what is delivered.
            itself: whether it is this very object that the coroutine gets.
        """
        self.undelivered = False
        assert self.task is not None
        before, scopes = self.task.cancelling() - 1, _trio.open_scopes(self.trio_task, self.base)
        if scopes and before >= 0:
            self.cancelled = True
            others = tuple(request for request in self.requests if request.before != before)
            msg = error.args[0] if error.args else None
            self.requests = (*others, Request(before, scopes, msg, weakref.ref(error) if itself else None))

    def thrown(self, error: BaseException) -> BaseException:
        """Return what asyncio's Task throws into the coroutine, having noted it."""
        late = self.undelivered or (self.requests and not HAS_UNCANCEL)
        if late and self.interrupt is None and type(error) is CancelledError:  # else the interrupt is judged first
            self.note_delivery(error)
        return error

    def note_uncancel(self, remaining: int, caller: FrameType) -> None:
        """Take back, of the requests that are under way, those that are counted no more."""
        self.requests = tuple(request for request in self.requests if request.before < remaining)
        forget_entry(caller)  # it ends, and asks for more on behalf of others only
        behind, self.behind, self.asked_within = self.behind, None, None
        if remaining == 0:
            self.forget_request()
        elif behind is not None and self.cancel_error is None:
            self._open_gate()
            self.request_cancel(*behind.args)
        else:
            self.seat_gate()

    def error_of(self, cancelled: trio.Cancelled) -> CancelledError:
        """Return what the Task sees of a scope's cancellation."""
        if not HAS_UNCANCEL:
            self.requests = tuple(request for request in self.requests if not request.is_over())
        if self.requests and self.cancel_error is None:
            absorber = _trio.cancelled_scopes(self.trio_task)[-1]
            for request in self.requests:
                if absorber in request.scopes:
                    self.given = self.new_error(request.msg)
                    return self.given
        return ScopeCancelled.translate(cancelled)

    def _error_of_request(self) -> CancelledError | None:
        """Deliver the request that has come since the interrupt: the future was cancelled without its message."""
        for request in self.requests:
            if request.before >= self.interrupt_count:
                error = self.new_error(request.msg)
                self.note_delivery(error)
                return error
        return None

    def absorbed_request(self) -> CancelledError | None:
        """Return the error of a request that was lost, once.

        A scope that was cancelled before the request came has absorbed what the Task raised on account of the scope:
        asyncio's TaskGroup, for one, raises the first CancelledError that it saw.
        """
        for request in self.requests:
            if any(scope.cancelled_caught for scope in request.scopes):
                self.requests = tuple(other for other in self.requests if other is not request)
                return self.new_error(request.msg)
        return None

    def ask_trio_again(self) -> None:
        """Ask for a lost request at the trap that the task has yielded."""
        error = self.absorbed_request()
        if error is not None:
            self.request_cancel(*error.args)

    def ask_asyncio_again(self, yielded: Any) -> None:
        """Ask for a lost request at the future that the task awaits."""
        error = self.absorbed_request()
        if error is not None:
            self.cancel_error = self.cancel_error or error
            self.hand_cancel_to_asyncio(yielded)

    # -- the trio lane: trio wants to abort the trap

    def abort_trap(self, raise_cancel: RaiseCancel) -> Abort:
        """Pass trio's abort on to the trap, with the exception that the Task must see."""
        cancelled = outcome.capture(raise_cancel).error
        if self.cancel_error is not None and self.gate is not None and self.gate.visible():
            error: BaseException = self.cancel_error
        elif isinstance(cancelled, trio.Cancelled):
            error = self.error_of(cancelled)
        else:
            error = cancelled  # KeyboardInterrupt
        verdict: Abort = self.trap.abort_func(self._raiser(error))
        if verdict is Abort.SUCCEEDED:
            self._delivered(error)
            self.substitute = error
        return verdict

    def _raiser(self, error: BaseException) -> RaiseCancel:
        def raise_cancel() -> NoReturn:
            self._delivered(error)
            raise error

        return raise_cancel

    def _delivered(self, error: BaseException) -> None:
        if error is self.cancel_error:
            self.note_delivery(self.cancel_error)
            self.given, self.cancel_error = self.cancel_error, None
        elif isinstance(error, CancelledError):
            self.note_told()

    def reply(self, value: Any) -> Any:
        """Return what the coroutine gets for trio's outcome; the gate goes when the cancellation is delivered."""
        self.trap = None
        if self.trio_task.child_nurseries:
            self._end_nursery()
        if self.cancel_error is not None and self.substitute is not None:
            self._let_request_go_first()
        self.seat_gate()
        if self.substitute is not None:
            value, self.substitute = outcome.Error(self.substitute), None
        return value

    def _let_request_go_first(self) -> None:
        """Deliver a request that came when the task was about to be resumed for a scope, which now absorbs nothing."""
        error = self.cancel_error
        if isinstance(self.substitute, ScopeCancelled) and error and self.gate and self.gate.visible():
            self._delivered(error)
            self.substitute = error

    def seat_gate(self) -> None:
        """Have the gate in the right place, or none if the cancellation is delivered."""
        if self.gate is not None:
            if self.cancel_error is None:
                self._open_gate()
            else:
                self.gate.seat(self.base, self.asked_within)

    def _end_nursery(self) -> None:
        """Settle which exceptions a nursery raises that is about to end, if there are cancellations among them.

        Delivered to a task that waits for the children of its nursery, a cancellation gives way to their errors and is
        asked for again, as in asyncio's TaskGroup; trio's `nursery.start` knows no more than one exception.
        """
        errors = _trio.errors_of_ending_nursery(self.trio_task)
        given, self.given = self.given, None
        if not errors:
            return
        if self.requests and any(type(error) is CancelledError for error in errors):
            self._keep_request_from(self.trio_task.child_nurseries[-1].cancel_scope)
        chosen = one_cancellation(errors)
        if chosen is not None:
            _trio.raise_bare(self.trio_task, chosen)
        elif given is not None and given in errors:
            errors.remove(given)
            self._open_gate()
            self.request_cancel(*given.args)

    def _keep_request_from(self, scope: trio.CancelScope) -> None:
        """Note that a nursery's scope, whatever it absorbs, does not absorb a request."""
        for request in self.requests:
            if scope in request.scopes:
                request.scopes.remove(scope)

    # -- the fast lane: a scope around an asyncio await

    def park(self) -> None:
        """Arm the park: a park outlives many asyncio awaits, and each of them may be inside another scope."""
        self._note_scopes()
        self.armed = True
        _trio.block(self.trio_task, self)

    def rearm(self, yielded: Any) -> None:
        """Arm the park once more, at an asyncio await that the Task is about to begin."""
        if self.requests:
            self.ask_asyncio_again(yielded)
        self.park()
        if self.interrupt is not None and yielded is not None and not yielded.cancel():
            self.interrupt = None

    def park_trap(self) -> Any:
        """Return the trap that parks a host which trio has just resumed."""
        self._note_scopes()
        self.armed = True
        return _trio.WaitTaskRescheduled(self)

    def _note_scopes(self) -> None:
        if self.told is not None and not _trio.effectively_cancelled(self.trio_task):
            self._forget_scopes()  # that cancellation is over; the next one counts as new

    def note_told(self) -> None:
        """Remember that the task has been told of the scopes that are cancelled now."""
        assert self.task is not None
        self.cancelled, self.told = True, set(_trio.cancelled_scopes(self.trio_task))
        self.reminder.watch(self)

    def _forget_scopes(self) -> None:
        self.told = None
        self.reminder.release(self)

    def untold_scope(self) -> trio.CancelScope | None:
        """Return a cancelled scope that the task has not been told of."""
        told = self.told or ()
        return next((scope for scope in _trio.cancelled_scopes(self.trio_task) if scope not in told), None)

    def __call__(self, raise_cancel: RaiseCancel) -> Abort:
        """Abort the park: interrupt an asyncio await, once per cancellation of a scope.

        The park's abort function is the object itself, since each waiting Task would have to keep a bound method.
        """
        self.armed = False
        task: Any = self.task
        if task is None or self.interrupt is not None or self._is_in_a_step(task):
            return Abort.FAILED  # a scope was entered that is cancelled: it asks at an await inside of it
        if task._must_cancel:
            return Abort.FAILED  # Task.cancel came before: it goes first, and the scope asks again
        if self.told is not None and self.untold_scope() is None:
            return Abort.FAILED
        cancelled: Any = outcome.capture(raise_cancel).error
        self.cancelled = True
        self.interrupt, self.interrupt_count = self.error_of(cancelled), task.cancelling()
        waiter = task._fut_waiter
        if waiter is not None and not waiter.cancel():
            self.interrupt = None  # it is done: the Task gets its result, and the scope asks again
        return Abort.FAILED

    def _is_in_a_step(self, task: asyncio.Task[Any]) -> bool:
        """Tell whether the coroutine is running.

        To trio alone, a task still runs while its park is taken from it; to asyncio alone, while the driver arms it.
        """
        return _trio.is_running(self.trio_task) and asyncio.current_task(task.get_loop()) is task

    def judge_interrupt(self, error: BaseException | None, *, bare: bool) -> BaseException | None:
        """Return what a step of the fast lane raises, now that an interrupt was asked for.

        The awaited future was cancelled for the interrupt. If what comes is no CancelledError, the future has swallowed
        the request; if `cancelling()` has grown, a `Task.cancel` came in between and goes first. In both cases the
        scope is still cancelled and asks again.
        """
        interrupt, self.interrupt = self.interrupt, None
        assert self.task is not None
        if self.interrupt_count == -1:
            return interrupt
        if not (bare or isinstance(error, CancelledError)):
            return error
        if self.task.cancelling() > self.interrupt_count:
            return self._error_of_request() or error
        self.note_told()
        return interrupt
