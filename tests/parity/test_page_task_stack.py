"""Task.get_stack() and print_stack()."""

import io

from tests.support.parity import parity, stable


def names(frames):
    """Return the function names of `frames`."""
    return [frame.f_code.co_name for frame in frames]


def printed(task, **options):
    """Return the lines of print_stack() without what differs from file to file."""
    file = io.StringIO()
    task.print_stack(file=file, **options)
    return [stable(line.strip()) for line in file.getvalue().splitlines() if set(line.strip()) - set("~^")]


async def outer(aio):
    """Suspend two coroutines deep."""
    await inner(aio)


async def inner(aio):
    """Suspend."""
    await aio.sleep(3600)


async def failing_outer():
    """Fail two coroutines deep."""
    await failing_inner()


async def failing_inner():
    """Fail."""
    raise ValueError("x")


async def ended(aio, coro):
    """Return a task that has run `coro` to its end."""
    task = aio.create_task(coro)
    await aio.wait([task])
    if not task.cancelled():
        task.exception()
    return task


@parity(returns=[["outer"], ["outer"]])
async def test_a_suspended_coroutine(aio):
    """Only one stack frame is returned for a suspended coroutine, and for one that has not started."""
    task = aio.create_task(outer(aio))
    before = names(task.get_stack())
    await aio.sleep(0)
    suspended = names(task.get_stack())
    task.cancel()
    return [before, suspended]


@parity(returns=[[], []])
async def test_a_completed_or_cancelled_task(aio):
    """A task that completed successfully or was cancelled has an empty list."""
    cancelled = aio.create_task(outer(aio))
    await aio.sleep(0)
    cancelled.cancel()
    await aio.wait([cancelled])
    return [(await ended(aio, aio.sleep(0))).get_stack(), cancelled.get_stack()]


@parity(returns=["failing_outer", "failing_inner"])
async def test_the_frames_of_a_traceback(aio):
    """A task that was terminated by an exception has the frames of the traceback, from oldest to newest."""
    return names((await ended(aio, failing_outer())).get_stack())


@parity(returns=["failing_outer"])
async def test_the_limit_of_a_traceback(aio):
    """limit= returns the oldest frames of a traceback."""
    return names((await ended(aio, failing_outer())).get_stack(limit=1))


@parity(returns=[["outer"], []])
async def test_the_limit_of_a_stack(aio):
    """limit= returns the newest frames of a stack."""
    task = aio.create_task(outer(aio))
    await aio.sleep(0)
    answers = [names(task.get_stack(limit=1)), names(task.get_stack(limit=0))]
    task.cancel()
    return answers


@parity(returns="test_the_running_task")
async def test_the_running_task(aio):
    """The newest frame of the running task is its own coroutine's."""
    return names(aio.current_task().get_stack())[-1]


@parity(returns=["iterate"])
async def test_a_suspended_generator(aio):
    """An asynchronous generator in which the coroutine waits is not in its stack."""

    async def generator():
        await inner(aio)
        yield

    async def iterate():
        async for _ in generator():
            pass

    task = aio.create_task(iterate())
    await aio.sleep(0)
    frames = names(task.get_stack())
    task.cancel()
    return frames


@parity(
    returns=[
        (
            "Stack for <Task pending name='job' coro=<outer() running at test_page_task_stack.py:…>"
            " wait_for=<Future pending cb=[Task.task_wakeup()]>> (most recent call last):"
        ),
        'File "…test_page_task_stack.py", line …, in outer',
        "await inner(aio)",
    ]
)
async def test_print_stack(aio):
    """print_stack() prints the stack as the traceback module does."""
    task = aio.create_task(outer(aio), name="job")
    await aio.sleep(0)
    lines = printed(task)
    task.cancel()
    return lines


@parity(
    returns=[
        (
            "Traceback for <Task finished name='job' coro=<failing_outer() done, defined at test_page_task_stack.py:…>"
            " exception=ValueError('x')> (most recent call last):"
        ),
        'File "…test_page_task_stack.py", line …, in failing_outer',
        "await failing_inner()",
        'File "…test_page_task_stack.py", line …, in failing_inner',
        'raise ValueError("x")',
        "ValueError: x",
    ]
)
async def test_print_traceback(aio):
    """For a task that failed it prints the traceback and the exception."""
    task = await ended(aio, failing_outer())
    task.set_name("job")
    return printed(task)


@parity(returns=["failing_outer"])
async def test_the_limit_is_passed_on(aio):
    """The limit is passed to get_stack()."""
    lines = printed(await ended(aio, failing_outer()), limit=1)
    return [line.rpartition(" ")[2] for line in lines if line.startswith("File")]


@parity(returns="No stack for <Task finished name='job' coro=<sleep() done, defined at tasks.py:…> result=None>\n")
async def test_print_no_stack(aio):
    """A task without a stack says so."""
    task = await ended(aio, aio.sleep(0))
    task.set_name("job")
    file = io.StringIO()
    task.print_stack(file=file)
    return stable(file.getvalue())


@parity(
    printed="No stack for <Task finished name='job' coro=<test_print_to_stdout.<locals>.child() done,"
    " defined at test_page_task_stack.py:…> result=None>\n"
)
async def test_print_to_stdout(aio):
    """Without a file the output goes to the standard output stream."""

    async def child():
        """Do nothing."""

    task = await ended(aio, child())
    task.set_name("job")
    task.print_stack()
