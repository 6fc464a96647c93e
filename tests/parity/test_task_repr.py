"""repr() of a Task in each of its states, and its stack."""

import contextlib
import io
import itertools
import traceback

import pytest

from tests.support.outcomes import outcome_of_await
from tests.support.parity import by_python, parity, stable


async def wait_for(future):
    """Await a future."""
    return await future


async def fail():
    """Fail."""
    raise ValueError("x")


def running(name="wait_for"):
    """Say how a coroutine that is not finished prints in a repr, with its place made stable."""
    return f"coro=<{name}() running at test_task_repr.py:…>"


def done(name="wait_for"):
    """Say how a finished coroutine prints in a repr, with its place made stable."""
    return f"coro=<{name}() done, defined at test_task_repr.py:…>"


@parity(
    returns=[
        f"<Task pending name='t' {running()}>",
        f"<Task pending name='t' {running()} wait_for=<Future pending cb=[Task.task_wakeup()]>>",
        f"<Task pending name='t' {running()} wait_for=<Future finished result='r'>>",
        f"<Task finished name='t' {done()} result='r'>",
    ]
)
async def test_a_task_prints_each_state_of_a_successful_life(aio):
    """A task prints as pending, as waiting for a future, about to be woken, and finished with its result."""
    future = aio.get_running_loop().create_future()
    task = aio.create_task(wait_for(future), name="t")
    texts = [repr(task)]
    await aio.sleep(0)
    texts.append(repr(task))
    future.set_result("r")
    texts.append(repr(task))
    await task
    return stable("\n".join([*texts, repr(task)])).split("\n")


@parity(returns=f"<Task finished name='t' {done('fail')} exception=ValueError('x')>")
async def test_a_failed_task_prints_its_exception(aio):
    """A failed task prints as finished with its exception."""
    task = aio.create_task(fail(), name="t")
    await outcome_of_await(task)
    return stable(repr(task))


@parity(
    returns=by_python(
        {
            (3, 10): [
                f"<Task pending name='t' {running()} wait_for=<Future cancelled>>",
                f"<Task cancelled name='t' {done()}>",
            ],
            (3, 11): [
                f"<Task cancelling name='t' {running()} wait_for=<Future cancelled>>",
                f"<Task cancelled name='t' {done()}>",
            ],
        }
    )
)
async def test_a_cancelled_task_prints_as_cancelling_and_then_as_cancelled(aio):
    """Between cancel() and the end the task prints as cancelling, from 3.11 on."""
    task = aio.create_task(wait_for(aio.get_running_loop().create_future()), name="t")
    await aio.sleep(0)
    task.cancel()
    first = stable(repr(task))
    await outcome_of_await(task)
    return [first, stable(repr(task))]


@parity(returns=[f"<Task cancelling name='t' {running()}>", f"<Task cancelled name='t' {done()}>"])
async def test_a_task_cancelled_before_its_first_step_prints_as_cancelling(aio):
    """The same for a task that never ran."""
    task = aio.create_task(wait_for(None), name="t")
    task.cancel()
    first = stable(repr(task))
    await outcome_of_await(task)
    return [first, stable(repr(task))]


@parity(returns=by_python({(3, 10): "pending", (3, 11): "cancelling"}))
async def test_a_task_that_swallowed_a_cancel_prints_as_that_python_prints_it(aio):
    """Up to 3.10 only an undelivered cancel shows; from 3.11 on every request that is still counted."""

    async def child():
        await outcome_of_await(aio.sleep(100))
        await aio.sleep(100)

    task = aio.create_task(child())
    await aio.sleep(1)
    task.cancel()
    await aio.sleep(1)
    text = repr(task)
    task.cancel()
    await outcome_of_await(task)
    return text.split()[1]


@parity(
    returns=(
        f"<Task pending name='outer' {running()} wait_for=<Task pending name='inner' {running()} "
        "wait_for=<Future pending cb=[Task.task_wakeup()]> cb=[Task.task_wakeup()]>>"
    )
)
async def test_a_task_that_waits_for_a_task_prints_both(aio):
    """wait_for= shows the task that is awaited, with what that one waits for."""
    future = aio.get_running_loop().create_future()
    inner = aio.create_task(wait_for(future), name="inner")
    outer = aio.create_task(wait_for(inner), name="outer")
    await aio.sleep(0)
    text = stable(repr(outer))
    future.set_result(None)
    await outer
    return text


@parity(returns=f"<Task pending name='t' {running()} cb=[print()]>")
async def test_done_callbacks_are_printed(aio):
    """cb= lists the callbacks as in the repr of a future."""
    task = aio.create_task(wait_for(aio.sleep(0)), name="t")
    task.add_done_callback(print)
    text = stable(repr(task))
    task.remove_done_callback(print)
    await task
    return text


@parity(returns=f"<Task pending name='t' {running('current')} cb=[Task.task_wakeup()]>")
async def test_a_task_prints_itself_while_it_runs(aio):
    """repr(current_task()) shows the line that runs."""

    async def current():
        return stable(repr(aio.current_task()))

    current.__qualname__ = "current"
    return await aio.create_task(current(), name="t")


@parity(returns=f"<Task pending name='t' {running()} created at test_task_repr.py:…>", debug=True)
async def test_debug_mode_says_where_a_task_was_made(aio):
    """In debug mode the repr ends with the place of the task's creation."""
    task = aio.get_running_loop().create_task(wait_for(aio.sleep(0)), name="t")
    text = stable(repr(task))
    await task
    return text


@parity(returns=f"<Special pending name='t' {running()}>")
async def test_a_subclass_of_task_prints_under_its_own_name(aio):
    """The class name leads the repr."""

    class Special(aio.Task):
        pass

    task = Special(wait_for(aio.sleep(0)), loop=aio.get_running_loop(), name="t")
    text = stable(repr(task))
    await task
    return text


def lines_of(stack):
    """List function name and line for each frame of a stack."""
    return [(frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno) for frame in stack]


@parity(returns=[[("wait_for", 0)], [("wait_for", 2)], []])
async def test_the_stack_of_a_task_is_where_its_coroutine_stands(aio):
    """get_stack() has one frame for a suspended task, at the line where it stands, and none once it is done."""
    future = aio.get_running_loop().create_future()
    task = aio.create_task(wait_for(future))
    stacks = [lines_of(task.get_stack())]
    await aio.sleep(0)
    stacks.append(lines_of(task.get_stack()))
    future.set_result(None)
    await task
    return [*stacks, lines_of(task.get_stack())]


async def fail_deeply(depth):
    """Fail in a nested call."""
    if depth:
        await fail_deeply(depth - 1)
    raise ValueError("x")


@pytest.mark.parametrize(("limit", "names"), [(None, 3), (0, 0), (1, 1), (2, 2), (10, 3)])
@parity(returns=True)
async def test_the_stack_of_a_failed_task_is_its_traceback(aio, limit, names):
    """get_stack(limit=) of a failed task gives the oldest frames of the traceback of its own coroutine."""
    task = aio.create_task(fail_deeply(2))
    await aio.wait([task])
    assert task.exception() is not None
    return [name for name, _ in lines_of(task.get_stack(limit=limit))] == ["fail_deeply"] * names


@parity(returns=[["wait_for"], [], ["wait_for"]])
async def test_the_limit_of_a_suspended_stack(aio):
    """get_stack(limit=) of a suspended task: none for 0, the one frame else."""
    future = aio.get_running_loop().create_future()
    task = aio.create_task(wait_for(future))
    await aio.sleep(0)
    stacks = [[name for name, _ in lines_of(task.get_stack(limit=limit))] for limit in (None, 0, 5)]
    future.set_result(None)
    await task
    return stacks


@parity(
    returns=f"""\
Stack for <Task pending name='t' {running()} wait_for=<Future pending cb=[Task.task_wakeup()]>> (most recent call last):
  File "…test_task_repr.py", line …, in wait_for
    return await future
"""
)
async def test_print_stack_of_a_suspended_task(aio):
    """print_stack(file=) writes the repr and the line where the task stands."""
    future, file = aio.get_running_loop().create_future(), io.StringIO()
    task = aio.create_task(wait_for(future), name="t")
    await aio.sleep(0)
    task.print_stack(file=file)
    future.set_result(None)
    await task
    return stable(file.getvalue())


@parity(
    returns=f"""\
Traceback for <Task finished name='t' {done("fail")} exception=ValueError('x')> (most recent call last):
  File "…test_task_repr.py", line …, in fail
    raise ValueError("x")
ValueError: x
"""
)
async def test_print_stack_of_a_failed_task(aio):
    """print_stack(file=) of a failed task writes its traceback and its exception."""
    task, file = aio.create_task(fail(), name="t"), io.StringIO()
    await aio.wait([task])
    assert task.exception() is not None
    task.print_stack(file=file)
    return stable(file.getvalue())


@parity(returns=f"No stack for <Task finished name='t' {done()} result=None>\n")
async def test_print_stack_of_a_finished_task(aio):
    """A finished task has no stack, and print_stack() says so; without file= on stdout."""

    async def nothing():
        return None

    task, file = aio.create_task(wait_for(nothing()), name="t"), io.StringIO()
    await task
    with contextlib.redirect_stdout(file):
        task.print_stack()
    return stable(file.getvalue())


@parity(returns=["inner", "outer", "test_a"])
async def test_a_traceback_inside_a_task_holds_no_frame_of_the_loop(aio):
    """The traceback of an exception caught in the awaiting task begins there and goes down through the tasks."""

    async def inner():
        raise ValueError

    async def outer():
        await aio.create_task(inner())

    try:
        await aio.create_task(outer())
    except ValueError as raised:
        names = [frame.name for frame in traceback.extract_tb(raised.__traceback__)]
    return [name[:6] for name, _ in itertools.groupby(reversed(names))]
