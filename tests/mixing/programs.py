"""Random programs out of both worlds, as data: what hypothesis makes and shrinks, and how one is printed.

A program is a *body*, a tuple of operations. An operation is a tuple of a name, plain arguments and bodies;
`operations.py` says what each does. An operation is *bounded* if it ends by itself: shielded bodies and clean-up
contain no others, since nothing could end them.
"""

import functools
import random

from hypothesis import strategies as st

DEEPEST = 4

SECONDS = st.sampled_from([0, 0, 1, 1, 2, 3, 5])
TIMEOUT = st.sampled_from([0, 1, 1, 2, 3, 4, 7])
SECONDS_OR_NEVER = st.sampled_from([0, 0, 1, 1, 2, 3, 5, None, None, None, None])
INDEX = st.integers(0, 5)
MESSAGE = st.sampled_from([None, "message"])

# A body in the same task, one that ends by itself, and bodies each in a task of its own.
BODY, BOUNDED_BODY, BODIES, ONE_BODY = (
    "body",
    "bounded body",
    "bodies in tasks of their own",
    "body in a task of its own",
)

ARGUMENTS = {
    "yield": [],
    "asyncio sleep": [SECONDS],
    "checkpoint": [],
    "shielded checkpoint": [],
    "trio sleep": [SECONDS],
    "raise": [],
    "callback": [SECONDS_OR_NEVER],
    "cancel task": [INDEX, MESSAGE],
    "cancel scope": [INDEX],
    "move deadline": [INDEX, TIMEOUT],
    "no abort": [SECONDS],
    "future": [SECONDS_OR_NEVER],
    "trio event": [SECONDS_OR_NEVER],
    "put": [],
    "get": [],
    "send": [],
    "receive": [],
    "await child": [],
    "spawn": [ONE_BODY],
    "spawn eagerly": [ONE_BODY],
    "scope": [TIMEOUT, BODY],
    "trio shield": [BOUNDED_BODY],
    "fail after": [TIMEOUT, BODY],
    "timeout": [TIMEOUT, BODY],
    "catch": [BODY],
    "finally": [BODY, BOUNDED_BODY],
    "swallow": [BODY, BOUNDED_BODY],
    "shield": [ONE_BODY],
    "wait for": [TIMEOUT, ONE_BODY],
    "gather": [BODIES],
    "task group": [BODIES, BODY],
    "task group of one": [ONE_BODY, BODY],
    "nursery": [BODIES, BODY],
    "nursery start": [ONE_BODY, ONE_BODY],
    "lock": [INDEX, BODY],
    "semaphore": [BODY],
    "condition": [SECONDS_OR_NEVER, BODY],
    "trio lock": [INDEX, BODY],
    "limiter": [BODY],
    "trio condition": [SECONDS_OR_NEVER, BODY],
    "async generator": [BODY, BODY],
}  # the simplest first: hypothesis shrinks towards the beginning

# Each name with its weight.
BOUNDED = {"yield": 3, "asyncio sleep": 4, "cancel task": 3, "raise": 1, "spawn": 2, "gather": 2, "wait for": 2}
BOUNDED_IN_TRIO = {
    "checkpoint": 3, "shielded checkpoint": 2, "trio sleep": 4, "cancel scope": 3, "move deadline": 1, "no abort": 2,
    "scope": 5, "trio shield": 2, "fail after": 1, "nursery": 4, "nursery start": 1, "async generator": 1,
    "task group": 2,  # which of its children it cancels first is undefined, so asyncio alone has no trace of it
}  # fmt: skip
UNBOUNDED = {
    "future": 3, "put": 2, "get": 2, "await child": 2, "shield": 2, "lock": 3, "semaphore": 1, "condition": 2,
}  # fmt: skip
UNBOUNDED_IN_TRIO = {"trio event": 3, "send": 2, "receive": 2, "trio lock": 3, "limiter": 1, "trio condition": 1}
CLEAN_UP = {"catch": 1, "finally": 3, "swallow": 2}


def programs(*, clean_up=True):
    """Return a strategy for programs out of both worlds.

    Args:
        clean_up: whether a cancellation may be answered with clean-up, and swallowed.
    """
    bounded = BOUNDED | BOUNDED_IN_TRIO | {"timeout": 3, "spawn eagerly": 1} | (CLEAN_UP if clean_up else {})
    return bodies(_Vocabulary(bounded, bounded | UNBOUNDED | UNBOUNDED_IN_TRIO))


def asyncio_programs(*, timeouts, eager_tasks, task_groups):
    """Return a strategy for programs of asyncio's alone in which no two things happen at the same time by chance.

    Args:
        timeouts: whether the asyncio that they run on has `timeout`.
        eager_tasks: whether it has tasks that start at once.
        task_groups: whether it has the `TaskGroup` that trioasync has.
    """
    bounded = BOUNDED | CLEAN_UP | {"callback": 3, "async generator": 1}
    newer = [(timeouts, "timeout", 3), (eager_tasks, "spawn eagerly", 2), (task_groups, "task group of one", 2)]
    bounded |= {name: weight for has, name, weight in newer if has}
    return bodies(_Vocabulary(bounded, bounded | UNBOUNDED)).map(spread)


class _Vocabulary:
    """The strategies for the names of operations: `names[bounded][deepest]`."""

    def __init__(self, bounded, unbounded):
        self.names = [[_name(weights, deepest) for deepest in (False, True)] for weights in (unbounded, bounded)]


def _name(weights, deepest):
    names = [name for name in ARGUMENTS if name in weights and not (deepest and has_bodies(name))]
    return st.sampled_from([name for name in names for _ in range(weights[name])])


def has_bodies(name):
    return any(isinstance(kind, str) for kind in ARGUMENTS[name])


@functools.cache
def bodies(vocabulary, depth=0, bounded=False):
    """Return a strategy for bodies."""
    return st.lists(_operation(vocabulary, depth, bounded), min_size=1, max_size=4 - depth // 2).map(tuple)


@st.composite
def _operation(draw, vocabulary, depth, bounded):
    name = draw(vocabulary.names[bounded][depth >= DEEPEST])
    return (name, *[draw(_argument(kind, vocabulary, depth, bounded)) for kind in ARGUMENTS[name]])


@functools.cache
def _argument(kind, vocabulary, depth, bounded):
    if kind == BOUNDED_BODY:
        return bodies(vocabulary, depth + 2, True)
    if kind == BODIES:
        return st.lists(bodies(vocabulary, depth + 1, bounded), min_size=1, max_size=3).map(tuple)
    return bodies(vocabulary, depth + 1, bounded) if isinstance(kind, str) else kind


def spread(program):
    """Return a program like this one, in which no two durations are the same, nor any sums of them."""
    fractions = random.Random(0)

    def spread_argument(kind, argument):
        if kind == BODIES:
            return tuple(map(spread_body, argument))
        if isinstance(kind, str):
            return spread_body(argument)
        timed = kind in (SECONDS, TIMEOUT, SECONDS_OR_NEVER) and argument is not None
        return argument + fractions.random() if timed else argument

    def spread_body(body):
        return tuple((name, *map(spread_argument, ARGUMENTS[name], arguments)) for name, *arguments in body)

    return spread_body(program)


def shown(body, indent=1):
    """Return a program as text, one operation per line."""
    lines, space = [], "    " * indent
    for name, *arguments in body:
        of_kind = list(zip(ARGUMENTS[name], arguments, strict=True))
        lines.append(space + " ".join([name, *(repr(each) for kind, each in of_kind if not isinstance(kind, str))]))
        for kind, argument in of_kind:
            if isinstance(kind, str):
                for inner in argument if kind == BODIES else [argument]:
                    lines += [f"{space}  {ONE_BODY if kind == BODIES else kind}:", shown(inner, indent + 1)]
    return "\n".join(lines)
