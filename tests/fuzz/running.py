"""Running a random program on one side, and what differs between the two."""

import gc
import itertools
import logging
import random
import sys
import warnings

from trio._core import _run

from tests.fuzz.world import Trace, World, steady
from tests.support.observation import TookTooLong, time_limit
from tests.support.sides import STOCK, TRIO

LIMIT = 10  # seconds of real time after which a program counts as hanging
WHEN_COLLECTED = ("never retrieved", "was destroyed but it is pending", "never awaited")
STACKS = (" ", "Object created at", "source_traceback:", "context: ")  # beginnings of lines
SHOWN = 3  # events from the first difference on


class Records(logging.Handler):
    """Everything that is told to nobody in particular during a run, as events of its trace.

    What garbage tells is kept apart, since asyncio does not say when it is told.
    """

    def __init__(self):
        super().__init__(logging.WARNING)
        self.begin(Trace())

    def begin(self, trace):
        self._trace, self.late = trace, []

    def tell(self, *event):
        garbage = any(each in text for each in WHEN_COLLECTED for text in event if isinstance(text, str))
        (self.late if garbage else self._trace).append(event)

    def emit(self, record):
        # Where something was made is a stack, and that of the loop below is another one.
        lines = [line for line in record.getMessage().splitlines() if not line.startswith(STACKS)]
        error = record.exc_info[1] if record.exc_info else None
        self.tell("logged", record.levelname, steady("\n".join(lines)), error and self._trace.described(error))

    def handle_loop_error(self, loop, context):
        error = context.get("exception")
        self.tell("handled", steady(context["message"]), sorted(context), error and self._trace.described(error))

    def fail_on_loop_error(self, loop, context):
        self.handle_loop_error(loop, context)
        raise ValueError("in the handler")

    def _warn(self, message, category, *place):
        self.tell("warned", category.__name__, steady(str(message).partition("\n")[0]))  # a stack may follow

    def _unraisable(self, unraisable):
        self.tell("unraisable", unraisable.err_msg, self._trace.described(unraisable.exc_value))

    def __enter__(self):
        logger = logging.getLogger("asyncio")
        self._replaced = logger.propagate, sys.unraisablehook
        logger.propagate, sys.unraisablehook = False, self._unraisable
        logger.addHandler(self)
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        warnings.simplefilter("always")
        warnings.showwarning = self._warn
        return self

    def __exit__(self, *exc_info):
        logger = logging.getLogger("asyncio")
        self._warnings.__exit__(*exc_info)
        logger.removeHandler(self)
        logger.propagate, sys.unraisablehook = self._replaced


def _numbered(task_class):
    """Return a class of tasks that sets hold in an order that does not depend on addresses."""

    class NumberedTask(task_class):
        numbers = itertools.count()

        def __new__(cls, *args, **kwargs):
            task = super().__new__(cls)
            task.number = next(cls.numbers)
            return task

        def __hash__(self):
            return self.number

        def __eq__(self, other):
            return self is other

    return NumberedTask


_NUMBERED = {side.name: _numbered(side.module.Task) for side in (STOCK, TRIO)}


def _prepare(loop, program, side, records):
    if program.factory == "numbered":
        task_class = _NUMBERED[side.name]
        task_class.numbers = itertools.count()
        loop.set_task_factory(lambda loop, coro, **options: task_class(coro, loop=loop, **options))
    elif program.factory == "eager":
        loop.set_task_factory(side.module.eager_task_factory)
    if program.handler != "none":
        loop.set_exception_handler(
            records.handle_loop_error if program.handler == "note" else records.fail_on_loop_error
        )


def _run_at_once(program, world, side, namespace, records):
    """Run a program by `asyncio.run`."""

    async def main():
        loop = world.aio.get_running_loop()
        _prepare(loop, program, side, records)
        world.begin(loop)
        body = world.coroutine(program.mains[0], is_main=True)
        try:
            return await body
        finally:
            await world.settle()

    return namespace.run(main(), debug=program.debug)


def _run_on_loop(program, world, side, namespace, records):
    """Run a program on a loop that is turned for each of its main coroutines."""
    loop = namespace.new_event_loop()
    loop.set_debug(program.debug)
    _prepare(loop, program, side, records)
    world.begin(loop)
    try:
        for main in program.mains:
            _note_outcome(world, loop.run_until_complete, world.coroutine(main, is_main=True))
        _note_outcome(world, loop.run_until_complete, world.settle())
        _note_outcome(world, loop.run_until_complete, loop.shutdown_asyncgens())
    finally:
        loop.close()


def _note_outcome(world, function, *arguments):
    try:
        world.trace.append(("outcome", world.label(function(*arguments))))
    except TookTooLong:
        raise
    except BaseException as error:
        world.trace.append(("outcome", world.trace.described(error)))


def trace_of(program, side, records, limit=LIMIT):
    """Run a program on one side, and return everything that it did, as a list of events."""
    clock, namespace = side.virtual()
    world = World(side.module, stays_open=program.start == "loop")
    trace = world.trace
    records.begin(trace)
    try:
        with time_limit(limit):
            run = _run_at_once if program.start == "run" else _run_on_loop
            _note_outcome(world, run, program, world, side, namespace, records)
            trace.append(("time", clock.current_time()))
            del world, namespace, clock
            while gc.collect():  # what is garbage now is told of now
                pass
    except TookTooLong:
        trace.append("hangs")
        vars(_run.GLOBAL_RUN_CONTEXT).clear()  # trio does not know that this run is over
    return trace + sorted(records.late, key=repr)


def difference(program, chance, records, limit=LIMIT):
    """Run a program on both sides, and return the first difference as text, or None.

    Args:
        program: the program.
        chance: the seed of trio's own coin, by which it decides in which order it runs what is ready.
        records: the Records that are listening.
        limit: how many seconds a side may take.
    """
    _run._r.seed(chance)
    stock = trace_of(program, STOCK, records, limit)
    ours = trace_of(program, TRIO, records, limit)
    if stock == ours:
        return None
    pairs = itertools.zip_longest(stock, ours)
    at = next(at for at, (left, right) in enumerate(pairs) if left != right)
    return "\n".join(
        [f"event {at}; before it: {stock[max(at - 2, 0) : at]}"]
        + [f"asyncio:   {each}" for each in stock[at : at + SHOWN]]
        + [f"trioasync: {each}" for each in ours[at : at + SHOWN]]
    )


def coin(number):
    """Return the chance of a program's number."""
    return random.Random(number).randrange(2**32)
