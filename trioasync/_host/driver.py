"""The driver: the coroutine between asyncio's Task and the user's coroutine.

To the Task it is the coroutine. It passes on what the coroutine yields for asyncio, which the Task judges by its own
rules, and takes what the coroutine yields for trio to the host (`host.py`).
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Coroutine, Generator
from types import FrameType
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import enable_ki_protection

from .._stdlib import CFuture
from .groups import as_cancellation
from .host import IDLE_NAME, TRAPS, Host

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

if TYPE_CHECKING:
    from ..tasks import Task
    from .pool import Hosts

_CHECKPOINT, _WAIT = TRAPS
_TRIO_CANCELLATIONS = (trio.Cancelled, BaseExceptionGroup)


@types.coroutine
def _yield(value: Any) -> Generator[Any, None, None]:
    yield value


@enable_ki_protection
async def drive(task: Task[Any], coro: Coroutine[Any, Any, Any], hosts: Hosts) -> Any:
    """Run a coroutine in the two lanes of a Task."""
    argument: Any = await _first_throw() if task.cancelled_early else None
    resume: Callable[[Any], Any] = coro.send if argument is None else coro.throw
    host = idle.pop() if (idle := hosts.idle) else hosts.new(task.get_name())
    host.task, host.coro, task._host = task, coro, host
    host.trio_task.name, host.trio_task.context = task.get_name(), task._context
    del task
    while True:
        before = (run_context := hosts.run_context).get("task")
        run_context["task"] = host.trio_task
        try:
            yielded = resume(argument)
        except StopIteration as stop:
            argument = None
            if host.cancelled or host.landing or hosts.watched:
                hosts.take_back_at_return(host)
            else:  # as take_back does, in a call less
                host.task, host.coro, host.trio_task.name = None, None, IDLE_NAME
                idle.append(host)
            return stop.value
        except BaseException as ending:
            hosts.take_back(host)
            del argument, resume  # the traceback keeps this frame
            if isinstance(ending, _TRIO_CANCELLATIONS):
                raise as_cancellation(ending) from None
            raise
        finally:
            if before is None:  # in the pump
                del run_context["task"]
            else:
                run_context["task"] = before
        argument = None
        if yielded is _CHECKPOINT or yielded.__class__ is _WAIT:
            host.enter_trio_lane(yielded)
            await _yield(host)
            resume = host.leave_trio_lane
            continue
        if not host.armed and not host.landing:
            host.rearm(yielded)
        try:
            if yielded.__class__ is CFuture and yielded._asyncio_future_blocking and not yielded.done():
                yielded._asyncio_future_blocking = False
                await yielded  # yields it once more, and needs less memory than a generator meanwhile
            else:
                await _yield(yielded)
        except GeneratorExit:
            hosts.abandon(host)
            coro.close()
            raise
        except BaseException as thrown:
            argument = host.thrown(without_our_frames(thrown))
        if host.interrupt is not None:
            argument = host.judge_interrupt(argument, bare=yielded is None)
        resume = coro.send if argument is None else coro.throw


async def _first_throw() -> BaseException | None:
    """Wait to be thrown a cancellation that came before the first step; None says that `uncancel` has undone it.

    The coroutine itself must get it. Thrown into a driver that has not begun, it would reach nothing.
    """
    try:
        await _yield(None)
    except GeneratorExit:
        raise  # the Task is destroyed; Python says itself that the coroutine was never awaited
    except BaseException as thrown:
        return without_our_frames(thrown)
    return None


_OUR_CODE = (drive, _yield, _first_throw, Host.leave_trio_lane)
_OUR_CODE_IDS = {id(function.__code__) for function in _OUR_CODE}  # the hash of a code object takes a microsecond


def is_ours(frame: FrameType) -> bool:
    """Tell whether a frame lies between a Task and the user's coroutine: a Task's stack leaves it out."""
    return id(frame.f_code) in _OUR_CODE_IDS


def without_our_frames(exc: BaseException) -> BaseException:
    """Cut the frames of drivers off the beginning of an exception's traceback."""
    traceback = exc.__traceback__
    while traceback is not None and id(traceback.tb_frame.f_code) in _OUR_CODE_IDS:
        traceback = traceback.tb_next
    exc.__traceback__ = traceback
    return exc
