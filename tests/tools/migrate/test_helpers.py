"""The helpers that rewritten code may use, on trio alone and in a Task of trioasync."""

import ast
from functools import partial
from pathlib import Path

import pytest
import trio
import trio.testing

import trioasync
from trioasync._tools.migrate import helpers
from trioasync._tools.migrate.helpers import (
    IncompleteRead,
    LineReader,
    ResettableEvent,
    Result,
    cancellable,
    gather_results,
    gather_settled,
    race,
)


def on_trio(function):
    return trio.run(function, clock=trio.testing.MockClock(autojump_threshold=0))


def on_trioasync(function):
    return trioasync.run(function(), clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.fixture(params=[on_trio, on_trioasync], ids=["trio", "trioasync"])
def run(request):
    """Runs an async function on virtual time."""
    return request.param


async def after(seconds, value):
    await trio.sleep(seconds)
    if isinstance(value, BaseException):
        raise value
    return value


async def note_the_end(ended, name, seconds=60):
    try:
        await trio.sleep(seconds)
    finally:
        ended.append(name)


def test_the_helpers_can_be_copied_into_a_project_as_they_are():
    """The module imports trio and the standard library, and nothing of ours."""
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(ast.parse(Path(helpers.__file__).read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    assert imported == {"__future__", "trio", "typing", "collections"}


# gather_results


def test_gathered_results_come_in_the_order_of_the_arguments(run):
    """Whoever ends first."""

    async def main():
        began = trio.current_time()
        results = await gather_results(partial(after, 3, "a"), partial(after, 1, "b"), partial(after, 2, None))
        return results, trio.current_time() - began

    assert run(main) == (["a", "b", None], 3)


def test_the_first_failure_is_raised_as_it_is_and_the_others_are_cancelled(run):
    """The very object, with the cause that it had, and not in a group."""
    failure = ValueError("first")
    failure.__cause__ = cause = KeyError("cause")
    ended = []

    async def fail_in_clean_up():
        try:
            await trio.sleep(60)
        finally:
            raise KeyError("second")

    async def main():
        with pytest.raises(ValueError) as caught:
            await gather_results(partial(note_the_end, ended, "other"), fail_in_clean_up, partial(after, 1, failure))
        return caught.value

    assert run(main) is failure
    assert failure.__cause__ is cause
    assert ended == ["other"]


def test_a_cancelled_gathering_cancels_all(run):
    """A timeout around it is noticed by its own scope."""
    ended = []

    async def main():
        with trio.move_on_after(1) as scope:
            await gather_results(partial(note_the_end, ended, 1), partial(note_the_end, ended, 2))
        return scope.cancelled_caught

    assert run(main)
    assert sorted(ended) == [1, 2]


def test_a_function_that_needs_no_await_may_fail_before_the_others_begin(run):
    """Its error arrives all the same."""

    async def main():
        with pytest.raises(ValueError, match="at once"):
            await gather_results(partial(raise_at_once, ValueError("at once")), partial(after, 1, 1))

    async def raise_at_once(error):
        raise error

    run(main)


def test_gathering_nothing_gives_an_empty_list(run):
    """As asyncio's."""
    assert run(gather_results) == run(gather_settled) == []


# gather_settled


def test_settled_exceptions_stand_among_the_results(run):
    """The others are not cancelled."""
    failure = ValueError()

    async def main():
        return await gather_settled(partial(after, 1, failure), partial(after, 2, "b"))

    assert run(main) == [failure, "b"]


def test_a_settled_gathering_lets_cancellations_through(run):
    """They are no result."""

    async def main():
        with trio.move_on_after(1) as scope:
            await gather_settled(partial(after, 60, 1))
        return scope.cancelled_caught

    assert run(main)


# race


def test_the_first_to_end_wins_and_the_others_are_cancelled(run):
    """A result of None wins as well."""
    ended = []

    async def main():
        first = await race(partial(note_the_end, ended, "other"), partial(after, 1, "fast"), partial(after, 2, "slow"))
        return first, await race(partial(after, 1, None), partial(after, 2, "slow"))

    assert run(main) == ("fast", None)
    assert ended == ["other"]


def test_a_race_may_be_lost_by_all(run):
    """When the first to end has failed, its exception is the outcome."""

    async def main():
        with pytest.raises(ValueError, match="first"):
            await race(partial(after, 1, ValueError("first")), partial(after, 2, "late"))

    run(main)


def test_a_race_needs_runners(run):
    """Without one nobody could win."""
    with pytest.raises(ValueError, match="at least one"):
        run(race)


# Result, cancellable, ResettableEvent


def test_a_result_is_there_after_the_nursery(run):
    """And not before."""

    async def main():
        result = Result()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(result.run, after, 1, "x")
            with pytest.raises(RuntimeError, match="after the nursery's block"):
                _ = result.value
        return result.value

    assert run(main) == "x"


def test_a_cancellable_task_ends_alone(run):
    """Its scope is there at once, and the nursery goes on without it."""
    ended = []

    async def main():
        async with trio.open_nursery() as nursery:
            scope = await nursery.start(cancellable, note_the_end, ended, "beat")
            nursery.start_soon(note_the_end, ended, "other", 2)
            await trio.sleep(1)
            scope.cancel()

    run(main)
    assert ended == ["beat", "other"]


def test_a_resettable_event_wakes_all_who_waited_although_it_is_cleared_at_once(run):
    """As asyncio's; who waits afterwards waits for the next time."""

    async def main():
        event, woken = ResettableEvent(), []

        async def wait(name):
            woken.append((name, await event.wait()))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, "first")
            await trio.testing.wait_all_tasks_blocked()
            event.set()
            event.clear()
            nursery.start_soon(wait, "second")
            await trio.sleep(1)
            before = list(woken), event.is_set()
            event.set()
        return before, woken, event.is_set()

    assert on_trio(main) == (([("first", True)], False), [("first", True), ("second", True)], True)


# LineReader


async def reader_of(*chunks):
    """A LineReader of a stream that gives these pieces and then ends."""
    ours, theirs = trio.testing.lockstep_stream_one_way_pair()

    async def feed():
        for chunk in chunks:
            await ours.send_all(chunk)
        await ours.aclose()

    return LineReader(theirs, limit=10), feed


def read_in(run, chunks, read):
    """What `read(reader)` returns while the pieces arrive."""

    async def main():
        reader, feed = await reader_of(*chunks)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(feed)
            result = await read(reader)
            nursery.cancel_scope.cancel()
        return result

    return run(main)


def test_lines_come_whole_however_they_were_sent(run):
    """The last may lack its newline."""

    async def read(reader):
        return [line async for line in reader], reader.at_eof(), await reader.readline()

    chunks = [b"one\ntw", b"o\n", b"\nthree"]
    assert read_in(run, chunks, read) == ([b"one\n", b"two\n", b"\n", b"three"], True, b"")


def test_exact_counts_and_separators_split_what_has_come(run):
    """A separator may be sent in two parts."""

    async def read(reader):
        return [
            await reader.readexactly(3),
            await reader.readuntil(b"\r\n"),
            await reader.read(2),
            await reader.read(),
            await reader.read(5),
        ]

    assert read_in(run, [b"ab", b"cde\r", b"\nfgh", b"ij"], read) == [b"abc", b"de\r\n", b"fg", b"hij", b""]


def test_an_early_end_gives_what_had_come(run):
    """As asyncio's IncompleteReadError."""

    async def read(reader):
        with pytest.raises(IncompleteRead) as exact:
            await reader.readexactly(5)
        with pytest.raises(IncompleteRead) as until:
            await reader.readuntil(b";")
        return exact.value.partial, exact.value.expected, until.value.partial, until.value.expected

    assert read_in(run, [b"abc"], read) == (b"abc", 5, b"", None)


def test_a_line_beyond_the_limit_is_refused(run):
    """Before it has filled the memory; what has come can still be read."""

    async def read(reader):
        with pytest.raises(ValueError, match="10 bytes"):
            await reader.readline()
        return await reader.read(4)

    assert read_in(run, [b"0123456789", b"abcdef\n"], read) == b"0123"
    assert read_in(run, [b"0123456789ab\n"], read) == b"0123"


def test_an_empty_separator_is_refused(run):
    """It would be found everywhere."""

    async def read(reader):
        with pytest.raises(ValueError, match="at least one byte"):
            await reader.readuntil(b"")

    read_in(run, [b"x"], read)
