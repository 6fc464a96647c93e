"""The vocabulary of random programs: a word is a function, what its arguments are made of, and how often it comes."""

import sys
from collections.abc import Callable
from typing import NamedTuple


class Word(NamedTuple):
    """One word.

    `kinds` name the methods of `making.Maker` that make its arguments. A guarded word's errors are noted and go no
    further.
    """

    function: Callable
    weight: int
    kinds: tuple
    guarded: bool = False

    @property
    def has_bodies(self):
        return any(kind in BODY_KINDS for kind in self.kinds)


BODY_KINDS = ("body", "bodies")

DEEDS, OPERATIONS = {}, {}  # what callbacks and tasks do; what tasks alone can do, since it waits


def deed(weight, *kinds, since=(3, 10), guarded=True):
    """Register a plain function of a world and a strand, which tasks and callbacks may call.

    Args:
        weight: how often it comes.
        kinds: what its further arguments are.
        since: the first Python whose asyncio has what it uses.
        guarded: whether its errors go no further.
    """
    return _registering(DEEDS, weight, kinds, since, guarded)


def operation(weight, *kinds, since=(3, 10)):
    """Register an async function of a world and a strand; the arguments are those of `deed`."""
    return _registering(OPERATIONS, weight, kinds, since, False)


def _registering(words, weight, kinds, since, guarded):
    def register(function):
        if sys.version_info >= since:
            words[function.__name__.strip("_").replace("_", " ")] = Word(function, weight, kinds, guarded)
        return function

    return register
