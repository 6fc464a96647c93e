"""The exception handler of a loop: set, get, the default one, and handlers that fail."""

import asyncio
import contextvars

from tests.support.outcomes import outcome_of
from tests.support.parity import by_python, parity, stable

var = contextvars.ContextVar("var", default="default")


def fail():
    """Fail, as a callback."""
    raise ValueError("in a callback")


@parity(returns=[None, True, None])
async def test_the_handler_is_none_until_it_is_set(aio):
    """get_exception_handler() gives what set_exception_handler() got; None stands for the default one."""
    loop = aio.get_running_loop()

    def handler(loop, context):
        pass

    seen = [loop.get_exception_handler()]
    loop.set_exception_handler(handler)
    seen.append(loop.get_exception_handler() is handler)
    loop.set_exception_handler(None)
    return [*seen, loop.get_exception_handler()]


@parity(returns=("TypeError", ("A callable object or None is expected, got 42",)))
async def test_a_handler_must_be_callable(aio):
    """set_exception_handler(42) is a TypeError."""
    return outcome_of(aio.get_running_loop().set_exception_handler, 42)


@parity(events=[(True, ["exception", "handle", "message"], "Exception in callback fail() at test_loop_reports.py:…")])
async def test_a_failing_callback_is_told_to_the_handler(aio, log):
    """The handler gets the loop and a context with message, exception and handle."""
    loop = aio.get_running_loop()
    loop.set_exception_handler(
        lambda its_loop, context: log(its_loop is loop, sorted(context), stable(context["message"]))
    )
    loop.call_soon(fail)
    await aio.sleep(0)


@parity(logged=["ERROR Exception in callback fail() at test_loop_reports.py:…"])
async def test_the_default_handler_logs_an_error(aio):
    """Without a handler a failing callback is one ERROR record, with handle and exception."""
    aio.get_running_loop().call_soon(fail)
    await aio.sleep(0)


@parity(
    logged=[
        "ERROR Unhandled exception in event loop",
        "ERROR a message",
        "ERROR with everything",
        "ERROR Unhandled exception in event loop",
    ]
)
async def test_call_exception_handler_can_be_called_by_anybody(aio):
    """The default handler writes the message and a line for each further key of the context."""
    loop = aio.get_running_loop()
    loop.call_exception_handler({})
    loop.call_exception_handler({"message": "a message"})
    loop.call_exception_handler({"message": "with everything", "key": "value", "exception": ValueError("x")})
    loop.default_exception_handler({"message": ""})


@parity(events=["first handler", "second handler"])
async def test_the_handler_of_the_moment_is_asked(aio, log):
    """A handler that is replaced is not asked any more."""
    loop = aio.get_running_loop()
    for name in ("first handler", "second handler"):
        loop.set_exception_handler(lambda loop, context, name=name: log(name))
        loop.call_soon(fail)
        await aio.sleep(0)


@parity(events=["handler"], logged=["ERROR Exception in callback fail() at test_loop_reports.py:…"])
async def test_a_handler_may_pass_on_to_the_default_one(aio, log):
    """default_exception_handler(context) inside a handler logs as usual."""
    loop = aio.get_running_loop()

    def handler(loop, context):
        log("handler")
        loop.default_exception_handler(context)

    loop.set_exception_handler(handler)
    loop.call_soon(fail)
    await aio.sleep(0)


@parity(logged=["ERROR Unhandled error in exception handler"], events=["the loop goes on"])
async def test_a_handler_that_fails_is_logged(aio, log):
    """An exception out of the handler is logged by the default one, and the loop goes on."""
    loop = aio.get_running_loop()

    def handler(loop, context):
        raise ZeroDivisionError("in the handler")

    loop.set_exception_handler(handler)
    loop.call_soon(fail)
    loop.call_soon(log, "the loop goes on")
    await aio.sleep(0)


@parity(logged=["ERROR Exception in default exception handler"])
def test_a_default_handler_that_fails_is_logged(aio):
    """An overridden default handler that fails is logged too."""
    loop = aio.new_event_loop()

    def default_exception_handler(context):
        raise ZeroDivisionError("in the default handler")

    loop.default_exception_handler = default_exception_handler
    loop.call_soon(fail)
    loop.run_until_complete(aio.sleep(0))
    loop.close()


@parity(events=["task", "future", "callback"])
async def test_one_handler_hears_of_everything(aio, log):
    """Failing callbacks, forgotten futures and forgotten tasks all go to the handler."""
    loop = aio.get_running_loop()
    kinds = {"Task": "task", "Future": "future", "Exception": "callback"}
    loop.set_exception_handler(lambda loop, context: log(kinds[context["message"].split()[0]]))

    async def child():
        raise ValueError

    aio.create_task(child())
    await aio.sleep(0)
    await aio.sleep(0)
    loop.create_future().set_exception(ValueError())
    loop.call_soon(fail)
    await aio.sleep(0)


@parity(returns=by_python({(3, 10): ["default", "in the callback"], (3, 12): ["in the callback", "in the callback"]}))
async def test_the_handler_runs_in_the_context_of_what_failed(aio):
    """From 3.12 on the handler runs in the context of the handle or task; before, in that of whoever called it."""
    seen = []
    loop = aio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: seen.append(var.get()))

    def failing():
        var.set("in the callback")
        raise ValueError

    context = contextvars.copy_context()
    loop.call_soon(failing, context=context)
    await aio.sleep(0)
    seen.append(context[var])
    return seen


@parity(debug=True, returns=[["exception", "handle", "message", "source_traceback"], True])
async def test_debug_mode_adds_where_the_callback_was_scheduled(aio):
    """In debug mode the context holds source_traceback, which ends in the caller of call_soon."""
    loop, contexts = aio.get_running_loop(), []
    loop.set_exception_handler(lambda loop, context: contexts.append(context))
    loop.call_soon(fail)
    await aio.sleep(0)
    name = test_debug_mode_adds_where_the_callback_was_scheduled.__name__
    return [sorted(contexts[0]), contexts[0]["source_traceback"][-1].name == name]


@parity(logged=["ERROR patched"])
async def test_the_handler_can_be_overridden_in_a_subclass_or_on_the_instance(aio):
    """call_exception_handler set on the loop is what futures and handles call."""
    loop = aio.get_running_loop()
    original = loop.call_exception_handler
    loop.call_exception_handler = lambda context: original({"message": "patched"})
    loop.call_soon(fail)
    await aio.sleep(0)
    del loop.call_exception_handler


@parity(logged=["ERROR unhandled exception during asyncio.run() shutdown"])
def test_a_task_that_fails_in_the_closing_of_run_is_reported(aio):
    """A task that answers its cancellation at the end of run() with an exception is reported with it."""

    async def stubborn():
        try:
            await aio.sleep(100)
        except asyncio.CancelledError:
            raise ValueError("refuses") from None

    async def main():
        aio.create_task(stubborn())
        await aio.sleep(0)

    aio.run(main())
