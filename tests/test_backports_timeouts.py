"""Timeouts of 3.11 and later, on every Python."""

import asyncio
import pickle
import sys

import pytest

from tests.backports import beside_asyncio, run
from trioasync._backports import timeouts

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup

timeout = beside_asyncio("timeout", timeouts.timeout, since=(3, 13))
timeout_at = beside_asyncio("timeout_at", timeouts.timeout_at, since=(3, 13))


def test_a_timeout_ends_its_body_with_timeout_error(timeout):
    """What takes too long is cancelled, the cancellation becomes a TimeoutError, and none is left over."""

    async def main():
        with pytest.raises(asyncio.TimeoutError) as caught:
            async with timeout(2) as entered:
                await asyncio.sleep(5)
        assert isinstance(caught.value.__cause__, asyncio.CancelledError)
        assert asyncio.get_running_loop().time() == pytest.approx(2)
        return entered.expired(), asyncio.current_task().cancelling()

    assert run(main) == (True, 0)


def test_a_body_that_is_quick_enough_is_left_alone(timeout):
    """Nothing is cancelled, not even after the deadline."""

    async def main():
        async with timeout(2) as entered:
            await asyncio.sleep(1)
        await asyncio.sleep(5)
        return entered.expired(), entered.when()

    assert run(main) == (False, pytest.approx(2))


def test_both_spellings_of_timeout_error_catch_it(timeout):
    """On 3.10 asyncio's TimeoutError is not the builtin one; either catches."""

    async def expire():
        async with timeout(0):
            await asyncio.sleep(5)

    for kind in (TimeoutError, asyncio.TimeoutError):
        with pytest.raises(kind) as caught:
            run(expire)
        assert (type(caught.value).__module__, type(caught.value).__name__) == (
            asyncio.TimeoutError.__module__,
            "TimeoutError",
        )
        assert type(pickle.loads(pickle.dumps(caught.value))) is asyncio.TimeoutError


def test_none_never_expires(timeout):
    """A timeout of None lets the body take as long as it likes."""

    async def main():
        async with timeout(None) as entered:
            await asyncio.sleep(10**6)
        return entered.when(), entered.expired()

    assert run(main) == (None, False)


def test_a_deadline_can_be_moved(timeout_at):
    """`reschedule` moves the deadline, or takes it away."""

    async def main():
        now = asyncio.get_running_loop().time()
        async with timeout_at(now + 1) as moved:
            moved.reschedule(now + 4)
            await asyncio.sleep(2)
            moved.reschedule(None)
            await asyncio.sleep(9)
        with pytest.raises(asyncio.TimeoutError):
            async with timeout_at(None) as moved:
                moved.reschedule(now)
                await asyncio.sleep(9)
        return moved.when() == now

    assert run(main)


def test_the_cancellation_of_the_task_goes_through(timeout):
    """A cancellation from outside that meets the expiry of the timeout is not turned into a TimeoutError."""

    async def main():
        async def body():
            async with timeout(1):
                try:
                    await asyncio.sleep(5)
                except asyncio.CancelledError:
                    asyncio.current_task().cancel()
                    raise

        task = asyncio.create_task(body())
        await asyncio.wait([task])
        return task.cancelled()

    assert run(main)


def test_the_innermost_expired_timeout_raises(timeout):
    """Of two timeouts that expire together the inner one raises, and the outer one does too."""

    async def main():
        with pytest.raises(asyncio.TimeoutError):
            async with timeout(1) as outer:
                with pytest.raises(asyncio.TimeoutError):
                    async with timeout(1) as inner:
                        await asyncio.sleep(5)
                await asyncio.sleep(5)
        return inner.expired(), outer.expired(), asyncio.current_task().cancelling()

    assert run(main) == (True, True, 0)


@pytest.mark.parametrize("grouped", [False, True], ids=["alone", "in a group"])
def test_another_error_in_an_expired_body_shows_the_timeout_as_its_context(timeout, grouped):
    """The cancellation that an error was raised in the handling of is shown as the TimeoutError that it was."""

    async def main():
        try:
            async with timeout(1):
                try:
                    await asyncio.sleep(5)
                except asyncio.CancelledError:
                    failure = ValueError("while cleaning up")
                    raise (ExceptionGroup("errors", [failure]) if grouped else failure) from None
        except Exception as raised:
            return raised

    raised = run(main)
    assert isinstance(raised.__context__, TimeoutError)
    assert isinstance(raised.__context__.__cause__, asyncio.CancelledError)


def test_a_timeout_tells_what_it_is_used_wrongly_for(timeout_at):
    """Using it twice, moving it outside of its body and using it outside of a task are errors with asyncio's words."""

    async def main():
        fresh = timeout_at(None)
        told = [repr(fresh)]
        with pytest.raises(RuntimeError) as before:
            fresh.reschedule(1)
        async with fresh:
            told.append(repr(fresh))
            with pytest.raises(RuntimeError) as twice:
                await fresh.__aenter__()
        with pytest.raises(RuntimeError) as after:
            fresh.reschedule(1)
        return [*told, repr(fresh), *(str(each.value) for each in (before, twice, after))]

    assert run(main) == [
        "<Timeout [created]>",
        "<Timeout [active] when=None>",
        "<Timeout [finished]>",
        "Timeout has not been entered",
        "Timeout has already been entered",
        "Cannot change state of finished Timeout",
    ]


def test_a_timeout_belongs_in_a_task(timeout):
    """Entering a timeout in a callback is an error."""

    async def main():
        loop = asyncio.get_running_loop()
        refused = loop.create_future()

        def callback():
            entering = timeout(1).__aenter__()
            try:
                entering.send(None)
            except RuntimeError as error:
                refused.set_result(str(error))

        loop.call_soon(callback)
        return await refused

    assert run(main) == "Timeout should be used inside a task"
