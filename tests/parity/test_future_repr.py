"""repr() of a Future in each of its states."""

import functools
import types

from tests.support.parity import by_python, parity, stable


def a_callback(future):
    """Stand for any done callback."""


def another_callback(future):
    """Stand for any other done callback."""


def place_of(function):
    """Say where a function is defined, as asyncio does in a repr."""
    return f"{function.__qualname__}() at {function.__code__.co_filename}:{function.__code__.co_firstlineno}"


FIRST, SECOND = place_of(a_callback), place_of(another_callback)


@parity(
    returns=[
        "<Future pending>",
        "<Future finished result='r'>",
        "<Future finished exception=ValueError('x')>",
        "<Future cancelled>",
        "<Future finished result='long long lo...ng long long '>",
    ]
)
async def test_each_state_has_its_repr(aio):
    """A future prints as pending, finished with its result or exception, or cancelled."""
    futures = [aio.get_running_loop().create_future() for _ in range(5)]
    futures[1].set_result("r")
    futures[2].set_exception(ValueError("x"))
    futures[2].exception()
    futures[3].cancel("m")
    futures[4].set_result("long " * 20)
    return [repr(future) for future in futures]


@parity(
    returns=[
        f"<Future pending cb=[{FIRST}]>",
        f"<Future pending cb=[{FIRST}, {SECOND}]>",
        f"<Future pending cb=[{FIRST}, <1 more>, print()]>",
        f"<Future pending cb=[{FIRST}, <2 more>, {SECOND}]>",
    ]
)
async def test_up_to_two_callbacks_are_named(aio):
    """One or two callbacks are named with their place; of more, the first and the last."""
    future, texts = aio.get_running_loop().create_future(), []
    for callback in (a_callback, another_callback, print, another_callback):
        future.add_done_callback(callback)
        texts.append(repr(future))
    return texts


@parity(returns="<Future pending cb=[Task.task_wakeup()]>")
async def test_a_waiting_task_is_named_as_a_callback(aio):
    """The wake-up of a task that waits on the future is listed as `Task.task_wakeup()`."""
    future = aio.get_running_loop().create_future()

    async def waiter():
        await future

    task = aio.create_task(waiter())
    await aio.sleep(0)
    text = repr(future)
    future.set_result(None)
    await task
    return text


@parity(returns=f"<Future pending cb=[{FIRST.replace('()', '()()')}]>")
async def test_a_partial_shows_its_function(aio):
    """A partial as callback prints as the function under it, with the parentheses of both calls."""
    future = aio.get_running_loop().create_future()
    future.add_done_callback(functools.partial(a_callback))
    return repr(future)


@parity(
    returns=by_python(
        {
            (3, 10): "<Future finished result=[<Future finished result=...>]>",
            (3, 11): "<Future finished result=[...]>",
        }
    )
)
async def test_a_future_that_holds_itself_prints(aio):
    """A result that contains the future does not make repr() endless."""
    future = aio.get_running_loop().create_future()
    future.set_result([future])
    return repr(future)


@parity(returns="<Future pending created at test_future_repr.py:…>", debug=True)
async def test_debug_mode_says_where_the_future_was_made(aio):
    """In debug mode the repr ends with file and line of the creation."""
    return stable(repr(aio.Future()))


@parity(returns="<Promise pending>")
async def test_a_subclass_prints_under_its_own_name(aio):
    """The class name leads the repr."""
    promise_class = types.new_class("Promise", (aio.Future,))
    return repr(promise_class(loop=aio.get_running_loop()))


@parity(returns=[("PENDING", None, None), ("FINISHED", "r", None), ("CANCELLED", None, None)])
async def test_the_private_state_can_be_read(aio):
    """`_state`, `_result` and `_exception` hold what tests of libraries read there."""
    pending, finished, cancelled = (aio.get_running_loop().create_future() for _ in range(3))
    finished.set_result("r")
    cancelled.cancel()
    return [(future._state, future._result, future._exception) for future in (pending, finished, cancelled)]
