"""What a call or an await came to, as a comparable value: its result, or type name and arguments of its exception."""


def outcome_of(function, *args, **kwargs):
    """Call `function` and return its result, or ("ValueError", ("text",)) for what it raised."""
    try:
        return function(*args, **kwargs)
    except BaseException as raised:
        return type(raised).__name__, raised.args


async def outcome_of_await(awaitable):
    """Await and return the result, or ("ValueError", ("text",)) for what was raised."""
    try:
        return await awaitable
    except BaseException as raised:
        return type(raised).__name__, raised.args
