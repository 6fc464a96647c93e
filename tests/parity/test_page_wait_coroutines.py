"""wait() given coroutines: accepted with a warning on 3.10, refused since."""

from tests.support.parity import by_python, parity

DEPRECATED = (
    "DeprecationWarning: The explicit passing of coroutine objects to asyncio.wait() is deprecated since Python 3.8,"
    " and scheduled for removal in Python 3.11."
)
FORBIDDEN = TypeError("Passing coroutines is forbidden, use tasks explicitly.")
NEVER_AWAITED = "RuntimeWarning: coroutine 'sleep' was never awaited"


@parity(
    returns=by_python({(3, 10): [1, 2], (3, 11): None}),
    raises=by_python({(3, 10): None, (3, 11): FORBIDDEN}),
    warned=by_python({(3, 10): [DEPRECATED], (3, 11): [NEVER_AWAITED] * 2}),
)
async def test_coroutines(aio):
    """Coroutines were scheduled as Tasks, which are returned; newer Pythons refuse them."""
    done, _ = await aio.wait([aio.sleep(0, 1), aio.sleep(0, 2)])
    return sorted(task.result() for task in done)


@parity(
    returns=by_python({(3, 10): 2, (3, 11): None}),
    raises=by_python({(3, 10): None, (3, 11): FORBIDDEN}),
    warned=by_python({(3, 10): [DEPRECATED], (3, 11): [NEVER_AWAITED]}),
)
async def test_a_coroutine_among_tasks(aio):
    """One coroutine beside a task is enough for that."""
    done, _ = await aio.wait([aio.create_task(aio.sleep(0)), aio.sleep(0)])
    return len(done)
