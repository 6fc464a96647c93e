"""The hunt for random programs that differ: how many are made, from which seed, and how one that differs is told."""

import gc

from tests.fuzz.making import program_of
from tests.fuzz.programs import shown
from tests.fuzz.running import Records, coin, difference
from tests.fuzz.shrinking import shrunk

NUMBERS_OF_A_SEED = 10**7
SHRINKING_LIMIT = 1  # seconds that a side may take with programs that are like one that has failed
FORGET_EVERY = 500  # programs: what caches keep need not be gone through after each program


def numbers(seed, programs):
    """Return the numbers of the programs that belong to a seed."""
    return range(seed * NUMBERS_OF_A_SEED, seed * NUMBERS_OF_A_SEED + programs)


def hunt(numbers, shrinking_seconds=30):
    """Yield the report on each program that differs, and None after each that does not.

    Args:
        numbers: the numbers of the programs.
        shrinking_seconds: how long to look for a smaller program.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for done, number in enumerate(numbers):
            if done % FORGET_EVERY == 0:
                gc.collect()
                gc.freeze()
            yield report(number, shrinking_seconds)
    finally:
        gc.unfreeze()
        gc.collect()
        gc.freeze()  # tests that come later collect again and again, and what pytest keeps is much
        if was_enabled:
            gc.enable()


def report(number, shrinking_seconds=30):
    """Run a program, and return what is to be told if it differs, otherwise None."""
    chance = coin(number)
    program = program_of(number)
    with Records() as records:
        if difference(program, chance, records) is None:
            return None
        program = shrunk(
            program, lambda smaller: difference(smaller, chance, records, SHRINKING_LIMIT), shrinking_seconds
        )
        found = difference(program, chance, records)
    command = f"python -m tests.fuzz --only {number}"
    return f"program {number} differs (again: {command})\n{found}\n{shown(program)}\n"
