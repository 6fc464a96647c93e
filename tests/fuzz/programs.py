"""Random programs as data, and as text."""

from typing import NamedTuple


class Do(NamedTuple):
    """A word with its arguments: plain values, bodies (tuples of Do), and things to wait for."""

    name: str
    arguments: tuple = ()


class Thing(NamedTuple):
    """Something that can be waited for; `World.thing` says what each kind is."""

    kind: str
    argument: object = None


class Program(NamedTuple):
    """A program: the bodies of its main coroutines, which run one after another on one loop, and what the loop is like.

    Attributes:
        mains: the bodies.
        start: "run" for `asyncio.run` of the first main coroutine, "loop" for a loop turned by hand.
        debug: whether the loop is in debug mode.
        factory: "stock", "eager", or "numbered" for tasks that sets hold in an order that is the same in each run.
        handler: what the loop's exception handler does: "none", "note" or "fail".
    """

    mains: tuple
    start: str = "run"
    debug: bool = False
    factory: str = "stock"
    handler: str = "none"


def shown(program):
    """Return a program as text, one word per line."""
    head = f"start={program.start} debug={program.debug} factory={program.factory} handler={program.handler}"
    return "\n".join([head, *(line for main in program.mains for line in ["main:", *_shown_body(main, 1)])])


def _shown_body(body, indent):
    for name, arguments in body:
        plain = [repr(each) for each in arguments if not isinstance(each, tuple)]
        yield "    " * indent + " ".join([name, *plain])
        for argument in arguments:
            if isinstance(argument, tuple):
                yield from _shown_argument(argument, indent)


def _shown_argument(argument, indent):
    space = "    " * indent + "  "
    if isinstance(argument, Thing):
        inner = argument.argument
        if isinstance(inner, tuple):
            yield f"{space}{argument.kind}:"
            yield from _shown_body(inner, indent + 1)
        else:
            yield f"{space}{argument.kind} {inner!r}"
    elif argument and isinstance(argument[0], Do):
        yield f"{space}body:"
        yield from _shown_body(argument, indent + 1)
    elif argument:
        for each in argument:
            yield from _shown_argument(each, indent)
    else:
        yield f"{space}nothing"
