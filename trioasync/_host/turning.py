"""Turning a loop in the current trio task: until it is stopped, or until a future is done.

Exceptions are returned rather than raised on the way from the pump to the caller of `trio.run`: each frame that they
pass through would show in the user's traceback, and each that keeps one would be kept alive by it.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import trio

from .._stdlib import set_running_loop
from .pump import Pump

if TYPE_CHECKING:
    from ..loop import EventLoop


async def turn_until_stopped(loop: EventLoop, *, borrow: bool = True) -> BaseException | None:
    """Turn a loop, as asyncio's running loop, until `loop.stop()`.

    Args:
        loop: the loop.
        borrow: whether the pump may wait in place of trio, so that trio's run loop makes no pass meanwhile.

    Returns:
        what interrupted the turning, if anything did.
    """
    pump = start_running(loop, borrow=borrow)
    try:
        await pump.run()
    except BaseException as exc:
        # Whoever turns the loop again may be interrupted again at once, by a descriptor that stays ready, for example.
        await trio.lowlevel.cancel_shielded_checkpoint()
        return exc
    finally:
        stop_running(loop)
    return None


async def turn_until_done(
    loop: EventLoop, future: asyncio.Future[Any], *, borrow: bool = True, heed_stop: bool = True
) -> BaseException | None:
    """Turn a loop until a future is done, as `loop.run_until_complete` does.

    Args:
        loop: the loop.
        future: the future.
        borrow: as for `turn_until_stopped`.
        heed_stop: whether `loop.stop()` ends the turning, with a RuntimeError.
    """
    stop = loop.stop_callback
    future.add_done_callback(stop)
    interrupted = await turn_until_stopped(loop, borrow=borrow)
    while interrupted is None and not future.done() and not heed_stop:
        interrupted = await turn_until_stopped(loop, borrow=borrow)
    future.remove_done_callback(stop)
    if interrupted is not None:
        forget_stops(loop)
        if future.done() and not future.cancelled():
            future.exception()  # it may be what has interrupted
    elif not future.done():
        return RuntimeError("Event loop stopped before Future completed.")
    return interrupted


def forget_stops(loop: EventLoop) -> None:
    """Cancel the calls by which futures stop a loop, if it has not come to them: the loop may be turned again."""
    for item in loop._ready:
        if item.__class__ is not tuple and item._callback is loop.stop_callback:
            (future,) = item._args
            if not future.cancelled():
                future.exception()  # retrieved, as the call would have
            item.cancel()


def start_running(loop: EventLoop, *, borrow: bool = True) -> Pump:
    """Make a loop the running loop of this thread."""
    loop.pump = pump = Pump(loop, borrow=borrow)
    if loop.early_crash is not None:
        early_crash, loop.early_crash = loop.early_crash, None
        pump.crash(early_crash)
    loop._set_coroutine_origin_tracking(loop._debug)
    loop._thread_id = threading.get_ident()
    set_running_loop(loop)
    return pump


def stop_running(loop: EventLoop) -> None:
    """Undo `start_running`."""
    loop._stopping = False
    loop.pump = loop._thread_id = None
    set_running_loop(None)
    loop._set_coroutine_origin_tracking(False)
