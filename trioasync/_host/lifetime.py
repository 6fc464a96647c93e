"""The lifetime of a loop inside a trio run: opened, turned, and closed.

A loop lives in a trio run of its own, which `run`, `Runner` and `loop.run_until_complete` start, or in a trio program
that has opened it. Ctrl-C may strike between any two instructions of a program: all that is done here is protected from
it, as trio's own code is, and hears of it where it waits.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import outcome
import trio
from trio.lowlevel import enable_ki_protection

from .. import _trio
from .adoption import Adopter, adopt_current_task, end_waits, release_current_task
from .closing import CTRL_C, Closing, finish_trio_calls, go_through_phases
from .signals import give_default_ctrl_c_back, hearing_ctrl_c
from .turning import forget_stops, turn_until_done, turn_until_stopped

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

if TYPE_CHECKING:
    from types import TracebackType

    from ..loop import EventLoop


@asynccontextmanager
async def hosting(loop: EventLoop) -> AsyncIterator[None]:
    """Have nurseries for the hosts and for the loop's services, out of reach of scopes around the loop."""
    _trio.forget_run_in_forked_children()
    with trio.CancelScope(shield=True):
        async with trio.open_nursery() as services, trio.open_nursery() as nursery:
            loop.trio_asyncgen_hooks = tuple(sys.get_asyncgen_hooks())  # sys's own tuple is unknown to gc
            loop.services = services
            loop.hosts.open(nursery)
            adopter = Adopter(loop)
            trio.lowlevel.add_instrument(adopter)
            try:
                yield
            finally:
                trio.lowlevel.remove_instrument(adopter)
                loop.hosts.close()
                loop.services, loop.trio_asyncgen_hooks = None, ()
                give_default_ctrl_c_back()
                services.cancel_scope.cancel(reason="the loop has stopped")


# -- in a trio run of its own


def run_in_trio(loop: EventLoop, script: Callable[[], Awaitable[BaseException | None]]) -> None:
    """Start a trio run that hosts a loop for an async function, and raise what it returns."""
    if trio.lowlevel.in_trio_run():
        raise RuntimeError(
            "This thread is inside trio.run() already, and a loop cannot start another trio run there. "
            "Use `async with trioasync.open_loop():` to run asyncio code in a trio program."
        )
    ended_by = trio.run(live, loop, script, clock=loop._clock, instruments=loop._instruments)
    ended_by, loop.early_crash = ended_by or loop.early_crash, None
    if ended_by is not None:
        try:
            raise ended_by
        finally:
            del ended_by  # the traceback refers to this frame


@enable_ki_protection
async def live(loop: EventLoop, script: Callable[[], Awaitable[BaseException | None]]) -> BaseException | None:
    """Host a loop in the current trio task while an async function runs.

    Returns:
        the exception that interrupted the turning of the loop, if one did.
    """
    interrupted: BaseException | None = None
    try:
        async with hosting(loop):
            interrupted = await script()
            interrupted = await finish_trio_calls(loop) or interrupted
            if interrupted is not None:
                forget_stops(loop)
    except BaseExceptionGroup as group:
        if group.split(KeyboardInterrupt)[1] is not None:
            raise
        interrupted = KeyboardInterrupt()  # Ctrl-C has found the hosts' nursery at its end
    return interrupted


async def run_and_close(loop: EventLoop, main: asyncio.Task[Any]) -> BaseException | None:
    """Turn a loop until its main task is done, then go through the phases of closing."""
    interrupted = await turn_until_done(loop, main)
    return await go_through_phases(loop, Closing(loop)) or interrupted


# -- in a trio program


_loop_of_this_run: trio.lowlevel.RunVar[EventLoop | None] = trio.lowlevel.RunVar("the trioasync loop", default=None)


class Opening(AbstractAsyncContextManager["EventLoop"]):
    """Open a loop in a trio program, or give the one that is open already in this trio run."""

    def __init__(self, make_loop: Callable[[], EventLoop]) -> None:
        self._block = _open(make_loop)

    @enable_ki_protection
    async def __aenter__(self) -> EventLoop:
        return await self._block.__aenter__()

    @enable_ki_protection
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return await self._block.__aexit__(kind, error, traceback)


@asynccontextmanager
async def _open(make_loop: Callable[[], EventLoop]) -> AsyncIterator[EventLoop]:
    if not trio.lowlevel.in_trio_task():
        raise RuntimeError(
            "open_loop() opens a loop in a trio program, and this thread runs none. "
            "Start one with trio.run(), or run asyncio code with trioasync.run()."
        )
    already_open = _loop_of_this_run.get()
    if already_open is not None:
        yield already_open
        return
    loop = make_loop()
    visit = _Visit(loop)
    failure: BaseException | None = None
    async with trio.open_nursery() as nursery:
        adopt_current_task(loop)
        nursery.start_soon(visit.serve)
        try:
            await visit.begin()
            _loop_of_this_run.set(loop)
            with visit.body_scope:
                yield loop
        except BaseException as exc:
            failure = exc
        visit.end(failure, nursery.cancel_scope)
        release_current_task()
        await visit.wait_closed()
    _loop_of_this_run.set(None)
    loop.close()
    ending = visit.crash or failure
    if ending is not None:
        try:
            raise ending
        finally:
            del ending, failure, visit  # the traceback refers to this frame


class _Visit:
    """The time that a loop is open in a trio program."""

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop
        self._opener = trio.lowlevel.current_task()
        self._opened, self._closed = trio.Event(), trio.Event()
        # Set when the body has ended.
        self._closing: Closing | None = None
        self._watch: _Watch | None = None
        self.body_scope = trio.CancelScope()
        # A KeyboardInterrupt or SystemExit out of asyncio code, which ends the visit.
        self.crash: BaseException | None = None

    @enable_ki_protection
    async def serve(self) -> None:
        """Turn the loop until the body has ended, then close it."""
        loop = self._loop
        try:
            async with hosting(loop):
                self._opened.set()
                while self._closing is None:
                    self._note(await turn_until_stopped(loop))
                self._note(await go_through_phases(loop, self._closing))
                self._note(await finish_trio_calls(loop))
            self._note(loop.early_crash)
            end_waits(loop)
        finally:
            self._opened.set()
            self._closed.set()

    def _note(self, crash: BaseException | None) -> None:
        if crash is not None:
            self.crash = self.crash or crash
            self.body_scope.cancel(reason="asyncio code in the loop has raised an exception that ends the program")

    # -- in the task that has opened the loop

    async def begin(self) -> None:
        """Wait until the loop is running."""
        with trio.CancelScope(shield=True):  # a cancellation is the body's
            await self._opened.wait()

    def end(self, failure: BaseException | None, own_scope: trio.CancelScope) -> None:
        """Let the loop close: the body has ended."""
        self._watch = _Watch(self._opener, own_scope, self._cancel_again)
        self._closing = Closing(self._loop, self._watch.reason(self.crash or failure), in_trio_program=True)
        self._loop.stop()
        self._loop.wake()

    async def wait_closed(self) -> None:
        """Wait until the loop is closed, whatever happens; each Ctrl-C interrupts it."""
        assert self._watch is not None
        trio.lowlevel.add_instrument(self._watch)
        with hearing_ctrl_c(self._hear_ctrl_c):
            while not self._closed.is_set():
                try:
                    with trio.CancelScope(shield=True):
                        await self._closed.wait()
                except KeyboardInterrupt as ctrl_c:
                    self._loop.crash(ctrl_c)
        trio.lowlevel.remove_instrument(self._watch)

    def _hear_ctrl_c(self) -> None:
        """Pass a Ctrl-C on that only adds to what ends the program already.

        Trio raises it in its main task. If that is the opener, it is raised in `wait_closed`; if it cancels a nursery
        around the loop, the watch sees that.
        """
        assert self._closing is not None
        nursery = nursery_of_main(self._opener)
        if nursery is None or not nursery.cancel_scope.cancel_called:
            return
        if self._closing.waits_for_threads:
            self._loop.crash(KeyboardInterrupt())
        else:
            self._cancel_again(CTRL_C)

    def _cancel_again(self, reason: str) -> None:
        assert self._closing is not None
        self._closing.cancel_again(reason)


def nursery_of_main(task: trio.lowlevel.Task) -> trio.Nursery | None:
    """Return the nursery of trio's main task that a task has come from, if it has come from any."""
    root, nursery = trio.lowlevel.current_root_task(), task.parent_nursery
    while nursery is not None and nursery.parent_task is not root:
        outer = nursery.parent_task.parent_nursery
        if outer is not None and outer.parent_task is root:
            return nursery
        nursery = outer
    return None


class _Watch(trio.abc.Instrument):
    """Looks out for scopes around the open loop that are cancelled while the loop closes.

    Trio tells a task only once that it is cancelled: when a second scope around it is cancelled, it is told nothing. So
    the watch looks at the scopes each time that trio's run loop comes by.
    """

    def __init__(self, opener: trio.lowlevel.Task, innermost: trio.CancelScope, tell: Callable[[str], None]) -> None:
        self._opener, self._innermost, self._tell = opener, innermost, tell
        self._trio_token = trio.lowlevel.current_trio_token()
        self._seen = set(self._cancelled())

    def _cancelled(self) -> list[trio.CancelScope]:
        """Return the cancelled scopes, from the innermost out."""
        return [scope for scope in _trio.scopes_in_sight(self._opener, self._innermost) if scope.cancel_called]

    def reason(self, failure: BaseException | None) -> str | None:
        """Return why the host program ends what is in the loop, in trio's words; None if it does not."""
        if isinstance(failure, trio.Cancelled):
            return str(failure)
        if isinstance(failure, KeyboardInterrupt):
            return CTRL_C
        cancelled = self._cancelled()
        return _text(cancelled[-1]) if cancelled else None

    def before_io_wait(self, timeout: float) -> None:
        """Look at the scopes (trio.abc.Instrument)."""
        cancelled = [scope for scope in self._cancelled() if scope not in self._seen]
        if cancelled:
            self._seen.update(cancelled)
            # To be told in trio's next pass: trio has settled already how long it is going to wait.
            self._trio_token.run_sync_soon(self._tell, _text(cancelled[-1]))


def _text(cancelled: trio.CancelScope) -> str:
    """Return what trio says in a scope that is cancelled."""
    return str(outcome.capture(_trio.raiser_of(cancelled)).error)
