"""Random programs of asyncio alone do the same on asyncio and on trioasync, event for event.

TRIOASYNC_PROGRAMS sets how many programs there are, and TRIOASYNC_SEED which. A run with neither makes a few hundred,
the same each time; with a number alone the seed is a new one. The failure shows the program, made small, and the
command that runs it again.
"""

import faulthandler
import os
import time

import pytest

import trioasync
from tests.fuzz.hunting import hunt, numbers, report
from tests.fuzz.making import program_of
from tests.fuzz.programs import Do, Program, Thing
from tests.fuzz.running import Records, difference, trace_of
from tests.fuzz.words import DEEDS, OPERATIONS, Word
from tests.mixing.hunting import SEED
from tests.support.sides import STOCK, TRIO

PROGRAMS = int(os.environ.get("TRIOASYNC_PROGRAMS") or 600)


def test_random_programs_do_what_they_do_on_asyncio():
    """A random program of asyncio's alone has the same events, results, errors and log on both sides."""
    faulthandler.cancel_dump_traceback_later()  # each program has a limit of its own
    for found in hunt(numbers(SEED, PROGRAMS)):
        if found is not None:
            pytest.fail(found, pytrace=False)


def words_in(value):
    if isinstance(value, Do):
        yield value.name
    if isinstance(value, tuple):
        for each in value:
            yield from words_in(each)


def test_every_word_is_in_some_program():
    """A thousand programs have every word in them."""
    drawn = {name for number in numbers(0, 1000) for name in words_in(program_of(number))}
    assert drawn == {*DEEDS, *OPERATIONS}


def test_a_number_gives_one_program():
    """The same number makes the same program, and another number another one."""
    assert program_of(5) == program_of(5)
    assert program_of(5) != program_of(6)


def test_a_trace_has_what_the_program_did():
    """A trace tells when each task did what, what came of it, what was logged, and how the run ended."""
    program = Program(mains=((Do("call later", (1.5, (Do("raise", ("KeyError",)),))), Do("sleep", (2.5,))),))
    with Records() as records:
        for side in (STOCK, TRIO):
            *events, logged, slept, ends, outcome, clock = trace_of(program, side, records)
            assert events == [
                (0.0, 0, "begins"),
                (0.0, 0, "call later"),
                (0.0, 0, "sleep"),
                (1.5, 0, "called", 0, "later"),
                (1.5, 0, "raise"),
                (1.5, 0, "raise", "raises", "KeyError(0,)"),
            ]
            assert logged[:2] == ("logged", "ERROR")
            assert logged[2].startswith("Exception in callback <call of strand 0>(")
            assert (slept, ends) == ((2.5, 0, "sleep", "gives", "slept"), (2.5, 0, "ends", 0))
            assert (outcome, clock) == (("outcome", 0), ("time", 2.5))


def tell_the_side(world, strand):
    return world.aio is trioasync


def test_a_difference_is_found_and_made_small(monkeypatch):
    """A program that differs is told with its first difference, and without what the difference does not need."""
    monkeypatch.setitem(DEEDS, "tell the side", Word(tell_the_side, 0, (), True))
    differing = (Do("yield"), Do("try", ((Do("spawn", ((Do("yield"), Do("tell the side")),)), Do("sleep", (1.5,))),)))
    monkeypatch.setattr("tests.fuzz.hunting.program_of", lambda number: Program(mains=(differing,), debug=True))
    assert report(42) == (
        "program 42 differs (again: python -m tests.fuzz --only 42)\n"
        "event 2; before it: [(0.0, 0, 'begins'), (0.0, 0, 'tell the side')]\n"
        "asyncio:   (0.0, 0, 'tell the side', 'gives', False)\n"
        "asyncio:   (0.0, 0, 'ends', 0)\n"
        "asyncio:   ('outcome', 0)\n"
        "trioasync: (0.0, 0, 'tell the side', 'gives', True)\n"
        "trioasync: (0.0, 0, 'ends', 0)\n"
        "trioasync: ('outcome', 0)\n"
        "start=run debug=False factory=stock handler=none\n"
        "main:\n"
        "    tell the side\n"
    )


def hang(world, strand):
    if world.aio is trioasync:
        time.sleep(5)


def test_a_program_that_hangs_is_told(monkeypatch):
    """A program that takes too long on one side differs."""
    monkeypatch.setitem(DEEDS, "hang", Word(hang, 0, (), True))
    with Records() as records:
        assert "trioasync: hangs" in difference(Program(mains=((Do("hang"),),)), 0, records, limit=0.2)


def test_garbage_is_told_at_the_end():
    """What asyncio tells of a failed task that nobody has asked is in the trace, whenever it becomes garbage."""
    program = Program(mains=((Do("spawn", ((Do("raise", ("ValueError",)),),)), Do("await", (Thing("sleep", 1.5),))),))
    with Records() as records:
        stock, ours = (trace_of(program, side, records) for side in (STOCK, TRIO))
    assert stock == ours
    assert stock[-1][2].startswith("Task exception was never retrieved")
