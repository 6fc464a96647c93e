"""The one door to trio's private names.

Hosting asyncio needs a few things of trio's run loop that have no public name. They are gathered here, each with the
reason why nothing public serves, and `check` proves at the start of the first loop that they are what we take them for.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

import trio
from trio._core import _ki, _run, _traps

WaitTaskRescheduled = _traps.WaitTaskRescheduled
CancelShieldedCheckpoint = _traps.CancelShieldedCheckpoint

CTRL_C_MODULE = _ki.__name__
"""Where trio's handler of SIGINT comes from, which no public name tells."""

OLDEST_TRIO = "0.31"


def run_context() -> dict[str, Any]:
    """Return this thread's run context, whose "task" is what `trio.lowlevel.current_task` answers.

    A step in the fast lane runs while trio believes that the pump is running. Cancel scopes and nurseries opened in
    that step must belong to the host, so the driver puts the host there for the length of the step.
    """
    return vars(_run.GLOBAL_RUN_CONTEXT)


_forked_children_forget = False


def forget_run_in_forked_children() -> None:
    """Let a forked child start a trio run of its own: the run that it has a copy of goes on in the parent alone."""
    global _forked_children_forget
    if not _forked_children_forget and hasattr(os, "register_at_fork"):
        _forked_children_forget = True
        os.register_at_fork(after_in_child=_forget_run)


def _forget_run() -> None:
    if trio.lowlevel.in_trio_run():
        run_context().clear()
    if threading.current_thread() is threading.main_thread():  # as it becomes, whichever thread has forked
        signal.set_wakeup_fd(-1)  # it is the parent's


def is_running(task: trio.lowlevel.Task) -> bool:
    """Tell whether a step of this task is being made."""
    return run_context().get("task") is task


def current_run_queue() -> Any:
    """Return the queue of trio tasks that are ready to run, to see whether somebody waits for the pump to pause."""
    return _run.GLOBAL_RUN_CONTEXT.runner.runq


def ctrl_c_handler() -> Any:
    """Return the signal handler with which trio catches Ctrl-C in the current run, None if it leaves that to others.

    Asyncio's `remove_signal_handler` puts Python's own handler in its place, which would strike trio's own code.
    """
    return _run.GLOBAL_RUN_CONTEXT.runner.ki_manager.handler


def has_instruments() -> bool:
    """Tell whether the current run has instruments, of which trio makes no public list."""
    return bool(_run.GLOBAL_RUN_CONTEXT.runner.instruments["_all"])


def runs_on_system_clock() -> bool:
    """Tell whether the current run lives in real time, so that its loop must agree with `time.monotonic`."""
    return isinstance(trio.lowlevel.current_clock(), _run.SystemClock)


def spawn_parked(nursery: trio.Nursery, coro: Any, name: str) -> trio.lowlevel.Task:
    """Start a trio task that is blocked from the beginning, as if its first step were a `wait_task_rescheduled`.

    `start_soon` queues a first step. A host has none, and a task that is queued cannot take over a trap: so the new
    task leaves the end of the run queue again, where trio put it a moment ago.
    """
    nursery.start_soon(lambda: coro, name=name)
    task = current_run_queue().pop()
    assert task.coro is coro
    task._next_send_fn = task._next_send = None
    return task  # type: ignore[no-any-return]


def block(task: trio.lowlevel.Task, abort: Callable[[Any], trio.lowlevel.Abort]) -> None:
    """Do for a task that is blocked already what trio's run loop does when a task yields `WaitTaskRescheduled`.

    A trio primitive registers the current task before it yields its trap, and from then on anybody may reschedule it.
    Waking the host to let it yield the trap would lose that race.
    """
    task._abort_func = abort
    task._attempt_delivery_of_any_pending_cancel()


def errors_of_ending_nursery(task: trio.lowlevel.Task) -> list[BaseException]:
    """Return the exceptions that a task's innermost nursery is about to gather in a group, empty if it is not about to.

    Resumed for the last time in a nursery, a task does nothing more in it than that.
    """
    nursery = task._child_nurseries[-1]
    return nursery._pending_excs if _is_ending(nursery) else []


def _is_ending(nursery: Any) -> bool:
    return nursery._closed and not nursery._nested_child_running


def raise_bare(task: trio.lowlevel.Task, error: BaseException) -> None:
    """Have the nursery of `errors_of_ending_nursery` raise one exception instead of a group.

    Code between a nursery and whoever has cancelled the task looks for a CancelledError, and a group is none. No
    public means reaches the exceptions of a nursery before they are in a group.
    """
    nursery = task._child_nurseries[-1]
    nursery._pending_excs = [error]
    nursery._strict_exception_groups = False


def count_checkpoint(task: trio.lowlevel.Task, *, cancel_point: bool) -> None:
    """Count a trap as trio's run loop counts it, for `trio.testing.assert_checkpoints`."""
    task._schedule_points += 1
    if cancel_point:
        task._cancel_points += 1


class Gate:
    """A cancelled status around what a task has opened: how `Task.cancel` reaches a task blocked in a trio call.

    Trio then decides by its own rules whether the call can be aborted now; a shield of the user's holds. The gate
    stands only while a cancellation waits for its delivery, so that an idle task pays nothing for it. A scope made with
    public means cannot be slipped in under scopes that are open already; trio itself moves statuses in this way in
    `task_status.started()`.

    The task's nurseries stay outside of the gate: children must not see it, since it goes away again, and no status of
    trio's own is ever cancelled and then is not.
    """

    __slots__ = ("_scope", "_status", "_task")

    def __init__(self, task: trio.lowlevel.Task) -> None:
        self._task = task
        self._scope = trio.CancelScope()
        self._scope.cancel(reason="Task.cancel")
        # None while there is no place for it: behind a shield, or in a nursery that ends.
        self._status: Any = None

    def seat(self, base: Any, within: Any = None) -> None:
        """Put the gate in its place, inside of the innermost nursery. Trio may abort the task's trap at once.

        Args:
            base: the cancel status outside of the task's own scopes.
            within: a cancel status of the task; shields outside of it do not hold.
        """
        place = self._place(base, within)
        if self._status is not None and self._status._parent is place:
            return
        self.lift()
        if place is None:
            return
        self._status = _run.CancelStatus(scope=self._scope, parent=place)
        status: Any = self._task._cancel_status
        if status is place:
            self._task._activate_cancel_status(self._status)
        else:
            while status._parent is not place:
                status = status._parent
            status.parent = self._status

    def _place(self, base: Any, within: Any) -> Any:
        if within is None or not within.encloses(self._task._cancel_status):
            within = base
        if not self._task._child_nurseries:
            return within
        nursery = self._task._child_nurseries[-1]
        status: Any = nursery._cancel_status
        if _is_ending(nursery):
            return None
        if not within.encloses(status):
            return within
        while status is not within:
            if status._scope.shield:
                return None
            status = status._parent
        return nursery._cancel_status

    def outside(self, status: Any) -> Any:
        """Return a cancel status that stays when the gate goes: what is outside of the gate, for the gate's own."""
        return status._parent if status is self._status else status

    def visible(self) -> bool:
        """Tell whether no shield stands between the gate and the task."""
        status: Any = self._task._cancel_status
        while status is not self._status:
            if status is None or status._scope.shield:
                return False
            status = status._parent
        return status is not None

    def lift(self) -> None:
        """Take the gate away again; scopes that were opened behind it move to its place."""
        status, self._status = self._status, None
        if status is None:
            return
        place = status._parent
        if self._task._cancel_status is status:
            self._task._activate_cancel_status(place)
        for child in list(status._children):
            child.parent = place
            self._clear_reason(child)
        status.close()

    def _clear_reason(self, status: Any) -> None:
        """Take the gate's reason from scopes that trio has copied it to: each may be cancelled for its own yet."""
        scope = status._scope
        if scope._cancel_reason is self._scope._cancel_reason and not scope.cancel_called:
            scope._cancel_reason = status._parent._scope._cancel_reason if status.effectively_cancelled else None
        for child in status._children:
            self._clear_reason(child)


def _frame_of(function: Any) -> FrameType | None:
    """Return the frame of a function that is being executed, if it has a batch to look at."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code is not function.__code__:
        frame = frame.f_back
    return frame if frame is not None and "batch" in frame.f_code.co_varnames else None


def cancel_status(task: trio.lowlevel.Task) -> Any:
    """Return the innermost cancel status of a task: its nursery's, if it has no scope open."""
    return task._cancel_status


def nursery_status(task: trio.lowlevel.Task) -> Any:
    """Return the cancel status of a task's nursery."""
    return task.parent_nursery._cancel_status if task.parent_nursery is not None else None


def effectively_cancelled(task: trio.lowlevel.Task) -> bool:
    """Tell whether a checkpoint in this task would be cancelled."""
    return task._cancel_status.effectively_cancelled


def open_scopes(task: trio.lowlevel.Task, base: Any) -> list[trio.CancelScope]:
    """Return the cancel scopes that a task is in, those of its nurseries among them.

    Args:
        task: the task.
        base: the cancel status outside of the task's own scopes.
    """
    scopes, status = [], task._cancel_status
    while status is not base and status is not None:
        scopes.append(status._scope)
        status = status._parent  # type: ignore[assignment]
    return scopes


def cancelled_scopes(task: trio.lowlevel.Task) -> list[trio.CancelScope]:
    """Return the cancelled scopes that reach a task, from the innermost out: the last absorbs their cancellation."""
    found, status = [], task._cancel_status
    while status is not None:
        if status._scope.cancel_called:
            found.append(status._scope)
        status = None if status._scope.shield else status._parent  # type: ignore[assignment]
    return found


def scopes_in_sight(task: trio.lowlevel.Task, innermost: trio.CancelScope) -> list[trio.CancelScope]:
    """Return a scope of a task and those around it, up to a shield: those whose cancellation reaches the task."""
    found: list[trio.CancelScope] = []
    for scope in open_scopes(task, None):
        if found or scope is innermost:
            found.append(scope)
            if scope.shield:
                break
    return found


def raiser_of(scope: trio.CancelScope) -> Callable[[], NoReturn]:
    """Return what raises trio's exception for a cancelled scope, as trio hands it to abort functions."""
    reason: Any = scope._cancel_reason

    def raise_cancel() -> NoReturn:
        if reason is None:
            raise trio.Cancelled._create(source="unknown", reason="misnesting")
        raise trio.Cancelled._create(source=reason.source, reason=reason.reason, source_task=reason.source_task)

    return raise_cancel


def cancelled_from(cancelled: trio.Cancelled) -> tuple[Any, Any, Any]:
    """Return source, reason and source task of a `trio.Cancelled`."""
    return cancelled.source, cancelled.reason, cancelled.source_task


def check() -> None:
    """Raise RuntimeError, naming what is missing, if this trio is not the one that the code above was written for."""
    task_names = {
        "_abort_func", "_next_send_fn", "_next_send", "_cancel_status", "_cancel_points", "_schedule_points",
        "_attempt_delivery_of_any_pending_cancel", "_activate_cancel_status", "_attempt_abort", "_counter",
    }  # fmt: skip
    status_names = {"_parent", "parent", "_children", "_scope", "effectively_cancelled", "close", "encloses"}
    missing = sorted(
        [f"Task.{name}" for name in task_names if not hasattr(_run.Task, name)]
        + [f"CancelStatus.{name}" for name in status_names if not _has_field(_run.CancelStatus, name)]
        + [f"Cancelled.{name}" for name in ("source", "reason") if not _has_field(trio.Cancelled, name)]
        + [name for name in ("SystemClock", "GLOBAL_RUN_CONTEXT") if not hasattr(_run, name)]
    )
    if missing:
        raise RuntimeError(
            f"trio {trio.__version__} is not supported by this trioasync: it lacks {', '.join(missing)}. "
            f"Install trio {OLDEST_TRIO} or newer (or a newer trioasync)."
        )


def _has_field(cls: type, name: str) -> bool:
    return hasattr(cls, name) or name in {field.name for field in getattr(cls, "__attrs_attrs__", ())}


# -- what the task tree reads


def root_task(frame: FrameType) -> trio.lowlevel.Task | None:
    """Return the root task of the trio run that a frame is driving, None if it drives none.

    `trio.lowlevel.current_root_task` answers in the run's own thread only.
    """
    drives = frame.f_code is _run.run.__code__ or frame.f_code is _run.unrolled_run.__code__
    runner = frame.f_locals.get("runner") if drives else None
    return None if runner is None else runner.init_task


def task_in_wait(frame: FrameType) -> trio.lowlevel.Task | None:
    """Return the task that waits for a function in a worker thread whose frame this is, None if none waits."""
    if frame.f_code.co_name != "worker_fn" or frame.f_globals.get("__name__") != "trio._threads":
        return None
    return frame.f_locals.get("task_register", [None])[0]  # type: ignore[no-any-return]


def is_scheduled(task: trio.lowlevel.Task) -> bool:
    """Tell whether a task will make a step in trio's next pass."""
    return task._next_send_fn is not None


def is_cancelled(task: trio.lowlevel.Task) -> bool:
    """Tell whether a task that perhaps has just ended is in a scope that is cancelled."""
    status: Any = task._cancel_status
    return status is not None and bool(status.effectively_cancelled)


def spawn_number(task: trio.lowlevel.Task) -> int:
    """Return a number that is higher for tasks which were started later."""
    return task._counter


def is_housekeeping(task: trio.lowlevel.Task) -> bool:
    """Tell whether a task is the one that each trio run has for itself."""
    return task.name == "<TrioToken.run_sync_soon task>"


class BorrowedWait:
    """Lets the pump wait for trio's I/O and trio's deadlines together with its own, in place of trio's run loop.

    While no trio task can run, trio's run loop would only wait. It may as well stay in the pump's step while the pump
    waits for both, and a loop that nothing of trio's happens to pays nothing for trio.
    """

    def __init__(self, descriptor: int, run_loop: FrameType) -> None:
        self.descriptor = descriptor
        self._run_loop = run_loop
        runner = _run.GLOBAL_RUN_CONTEXT.runner
        self._next_deadline = runner.deadlines.next_deadline
        self._current_time = runner.clock.current_time
        self._waiting_for_idle = runner.waiting_for_idle

    @classmethod
    def find(cls) -> BorrowedWait | None:
        """Return one for this trio run, or None where the wait must be trio's.

        So it is with another clock, which must see trio idle to jump; in guest mode, where the host loop waits; and on
        a platform whose I/O cannot be waited for through a descriptor.
        """
        runner = _run.GLOBAL_RUN_CONTEXT.runner
        io_manager: Any = runner.io_manager
        poller = getattr(io_manager, "_epoll", None) or getattr(io_manager, "_kqueue", None)
        run_loop = _frame_of(_run.unrolled_run)
        if poller is None or run_loop is None or runner.is_guest or not runs_on_system_clock():
            return None
        return cls(poller.fileno(), run_loop)

    def others_in_batch(self) -> bool:
        """Tell whether trio has more tasks to resume after the current one, before it looks at its queue again.

        Trio takes the whole run queue into a local variable of its run loop; these tasks are to be found nowhere else.
        """
        return bool(self._run_loop.f_locals["batch"])

    def seconds_to_deadline(self) -> float:
        """Return how long trio would wait for the next deadline of a cancel scope."""
        return self._next_deadline() - self._current_time()

    def trio_must_idle(self) -> bool:
        """Tell whether somebody waits in `trio.testing.wait_all_tasks_blocked`, which needs trio itself to wait."""
        return bool(self._waiting_for_idle)
