"""Making a program that fails smaller, as long as it fails."""

import time

from tests.fuzz.programs import Do, Program, Thing


def shrunk(program, fails, seconds=30):
    """Return a program that still fails and has no smaller one among those that are a step away.

    Args:
        program: a program that fails.
        fails: tells whether a program fails.
        seconds: how much time may be spent.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for smaller in _smaller_programs(program):
            if time.monotonic() > end:
                break
            if fails(smaller):
                program = smaller
                break
        else:
            break
    return program


def _smaller_programs(program):
    if len(program.mains) > 1:
        for at in range(len(program.mains)):
            yield program._replace(mains=program.mains[:at] + program.mains[at + 1 :])
    for mains in _with_one_smaller(program.mains):
        yield program._replace(mains=mains)
    for name, plain in Program._field_defaults.items():
        if getattr(program, name) not in (plain, "numbered"):  # without numbers a program may differ by chance
            yield program._replace(**{name: plain})


def _smaller(value):
    """Yield values like this one that are smaller, the smallest first."""
    if isinstance(value, Do):
        for arguments in _with_one_smaller(value.arguments):
            yield Do(value.name, arguments)
    elif isinstance(value, Thing):
        for argument in _smaller(value.argument):
            yield Thing(value.kind, argument)
        if value.kind == "spawned":
            yield Thing("coroutine", value.argument)
    elif isinstance(value, tuple):
        yield from _shorter(value)
        yield from _with_one_smaller(value)
    elif isinstance(value, bool):
        if value:
            yield False
    elif isinstance(value, float):
        if value >= 1 or value < 0:
            yield value % 1
    elif isinstance(value, int) and value > 0:
        yield 0


def _shorter(values):
    """Yield a body, or a row of bodies or Things, without a part, or with what is inside of a part in its place."""
    for size in (len(values) // 2, 1) if len(values) > 3 else (1,):
        for at in range(0, len(values), size):
            yield values[:at] + values[at + size :]
    for at, value in enumerate(values):
        if isinstance(value, Do):
            for inner in _bodies_in(value.arguments):
                yield values[:at] + inner + values[at + 1 :]


def _bodies_in(arguments):
    for argument in arguments:
        if isinstance(argument, Thing):
            argument = (argument.argument,)
        if isinstance(argument, tuple) and not isinstance(argument, Do) and argument:
            if isinstance(argument[0], Do):
                yield argument
            else:
                yield from _bodies_in(argument)


def _with_one_smaller(values):
    for at, value in enumerate(values):
        for smaller in _smaller(value):
            yield (*values[:at], smaller, *values[at + 1 :])
