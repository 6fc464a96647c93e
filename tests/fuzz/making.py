"""How a random program is made from a number."""

import functools
import random
import sys
from itertools import accumulate

import tests.fuzz.blocks
import tests.fuzz.deeds
import tests.fuzz.operations  # noqa: F401 - these three register their words
from tests.fuzz.programs import Do, Program, Thing
from tests.fuzz.words import DEEDS, OPERATIONS

LARGEST = 50  # words in a program, about
DEEPEST = 5
FRACTIONS = 30  # bits: sums of such durations are exact, and no two are equal
ERRORS = ("ValueError", "KeyError", "TimeoutError", "CancelledError", "StopIteration", "Unusual", "Group")
ERROR_WEIGHTS = (8, 3, 3, 3, 1, 2, 2)
SINCE = sys.version_info


class _Choice:
    """Names with their weights."""

    def __init__(self, words):
        self.names = list(words)
        self.weights = list(accumulate(word.weight for word in words.values()))

    def draw(self, rng):
        return rng.choices(self.names, cum_weights=self.weights)[0]


def _leaves(words):
    return {name: word for name, word in words.items() if not word.has_bodies}


class _Vocabulary:
    """The words that a program may have: all but some."""

    def __init__(self, left_out):
        deeds, operations = (
            {name: words[name] for name in words if name not in left_out} for words in (DEEDS, OPERATIONS)
        )
        self.any, self.leaf, self.deed = (
            _Choice(deeds | operations),
            _Choice(_leaves(deeds | operations)),
            _Choice(deeds),
        )


_WORDS = DEEDS | OPERATIONS


@functools.cache
def _vocabulary(factory, debug):
    """Return the words that a program with such a loop may have."""
    left_out = set() if debug else {"set debug"}  # debug mode is slow
    if factory != "numbered":
        left_out.add("add to group")  # which of several tasks a group cancels first is left to a set
    if factory == "eager" and SINCE < (3, 15):
        # Our TaskGroup is that of asyncio 3.15, which treats a task that is done when it is added as any other.
        left_out |= {"task group", "cancel group"}
    return _Vocabulary(left_out)


class Maker:
    """Makes the program of a number. Its methods without underscore make what words take, at a depth."""

    def __init__(self, number):
        self._rng = random.Random(number)
        self._left = self._rng.choice((8, 16, 30, LARGEST))

    def program(self):
        rng = self._rng
        start = rng.choices(("run", "loop"), (4, 1))[0]
        factories, weights = ["stock", "numbered"], [6, 3]
        if SINCE >= (3, 12):
            factories.append("eager")
            weights.append(2)
        factory = rng.choices(factories, weights)[0]
        debug = rng.random() < 0.05
        self._several = factory == "numbered"  # in one task group: which of them it cancels first is left to a set
        self._vocabulary = _vocabulary(factory, debug)
        mains = tuple(self._main() for _ in range(rng.choice((1, 2, 3)) if start == "loop" else 1))
        handler = rng.choices(("none", "note", "fail"), (8, 2, 1))[0]
        return Program(mains, start, debug, factory, handler)

    def _main(self):
        """Return a body that begins some tasks and then goes on, whatever they and others do to it."""
        spawned = tuple(Do("spawn", (self.body(1),)) for _ in range(self._rng.randrange(4)))
        words = tuple(self._sturdy(self._word(0)) for _ in range(self._rng.choice((1, 3, 6))))
        return (*spawned, *words, self._sturdy(Do("sleep", (self.seconds(0),))))

    def _sturdy(self, do):
        if self._rng.random() < 0.3:
            return do
        return Do("try", ((Do("swallow", ((do,), self.flag(0), ())),),))

    def body(self, depth):
        return tuple(self._word(depth) for _ in range(self._rng.choice((1, 2, 3, 4))))

    def _word(self, depth):
        self._left -= 1
        choice = self._vocabulary.leaf if depth >= DEEPEST or self._left < 0 else self._vocabulary.any
        name = choice.draw(self._rng)
        return Do(name, tuple(getattr(self, kind)(depth + 1) for kind in _WORDS[name].kinds))

    def bodies(self, depth):
        """Bodies that are each run in a task of its own, in one task group."""
        return tuple(self.body(depth) for _ in range(self._rng.randrange(1, 4) if self._several else 1))

    def deeds(self, depth):
        """What a callback does."""
        drawn = []
        for _ in range(self._rng.choice((1, 1, 2))):
            self._left -= 1
            name = self._vocabulary.deed.draw(self._rng)
            kinds = DEEDS[name].kinds
            if not {"body", "deeds"} & {*kinds} or (depth < DEEPEST and self._left > 0):
                drawn.append(Do(name, tuple(getattr(self, kind)(depth + 1) for kind in kinds)))
        return tuple(drawn)

    def thing(self, depth):
        """Something to await."""
        if depth >= DEEPEST or self._left < 0:
            kinds = ("task", "future", "sleep")
        else:
            kinds = ("task", "future", "sleep", "event", "get", *["coroutine", "spawned"] * 3)
        return self._thing(self._rng.choice(kinds), depth)

    def _future(self, depth):
        """Something to await that is a future already."""
        deep = depth >= DEEPEST or self._left < 0
        return self._thing(self._rng.choice(("task", "future") + ("spawned",) * (not deep) * 3), depth)

    def _thing(self, kind, depth):
        if kind in ("task", "future"):
            return Thing(kind, self.index(depth))
        if kind in ("coroutine", "spawned"):
            return Thing(kind, self.body(depth))
        return Thing(kind, self.seconds(depth) if kind == "sleep" else None)

    def things(self, depth):
        return tuple(self.thing(depth) for _ in range(self._rng.choice((0, 1, 1, 2, 2, 3))))

    def futures(self, depth):
        return tuple(self._future(depth) for _ in range(self._rng.choice((0, 1, 1, 2, 2, 3))))

    # -- plain values

    def index(self, depth):
        return self._rng.randrange(6)

    def count(self, depth):
        return self._rng.randrange(1, 4)

    def flag(self, depth):
        return self._rng.random() < 0.5

    def message(self, depth):
        return self._rng.choice((None, None, "a", "b", 7))

    def error(self, depth):
        return self._rng.choices(ERRORS, ERROR_WEIGHTS)[0]

    def seconds(self, depth):
        return self._rng.choice((0, 0, 1, 1, 2, 3, 5)) + self._fraction()

    def delay(self, depth):
        """How much later a callback is called; it may be due already."""
        return self._rng.choice((-1, 0, 0, 1, 2, 4)) + self._fraction()

    def seconds_or_never(self, depth):
        return None if self._rng.random() < 0.4 else self.seconds(depth)

    def wait_timeout(self, depth):
        return None if self._rng.random() < 0.3 else self.delay(depth)

    def timeout(self, depth):
        """A timeout where 0 is a case of its own."""
        return self._rng.choice((None, 0, self.delay(depth), self.delay(depth), self.delay(depth)))

    def return_when(self, depth):
        return self._rng.choice(("ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION"))

    def odd(self, depth):
        return self._rng.choice(("number", "future", "foreign", "itself"))

    def _fraction(self):
        return (self._rng.getrandbits(FRACTIONS) | 1) / 2**FRACTIONS


def program_of(number):
    """Return the program of a number, which is the same whenever it is made on the same Python version."""
    return Maker(number).program()
