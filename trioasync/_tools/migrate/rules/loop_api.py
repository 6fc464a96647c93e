"""Methods of the loop and what belongs to it: the few that trio has under another name, and all the others."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rules._advice import Advice, AdviceRule, advice_for
from trioasync._tools.migrate.rules.loop_variable import LoopVariable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["LoopApi"]

_RESOLVERS = {"loop.getaddrinfo": "getaddrinfo", "loop.getnameinfo": "getnameinfo"}
_INSPECT = {"asyncio.iscoroutine": "iscoroutine", "asyncio.iscoroutinefunction": "iscoroutinefunction"}


class LoopApi(AdviceRule):
    """Rewrites look-ups of names and questions about coroutines; reports the rest of the loop."""

    name = "loop_api"
    codes: ClassVar[Mapping[str, str]] = {
        "TAM350": "the loop's own API: no counterpart in trio",
        "TAM290": "loop.getaddrinfo and getnameinfo -> trio.socket",
        "TAM292": "asyncio.iscoroutine and iscoroutinefunction -> inspect",
    }
    safety: ClassVar[Mapping[str, Safety]] = {"TAM350": "C", "TAM290": "B", "TAM292": "B"}
    traps = (
        "call_later(d, f) is a task that sleeps and calls; handle.cancel() is its scope's cancel().",
        (
            "trio shows what runs by instruments (trio.abc.Instrument); an error in a task is raised by its "
            "nursery, so that "
            "there is no exception handler."
        ),
        "asyncio.iscoroutinefunction also takes objects for coroutine functions that carry asyncio's own mark.",
        (
            "current_task() as the key of a dict may be trio.lowlevel.current_task(); its other attributes have no "
            "counterpart."
        ),
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM350": (
            "handle = loop.call_later(5, callback)\n...\nhandle.cancel()",
            (
                "async def later(seconds, callback, task_status=trio.TASK_STATUS_IGNORED):\n"
                "    with trio.CancelScope() as scope:\n        task_status.started(scope)\n"
                "        await trio.sleep(seconds)\n        callback()\n\n"
                "scope = await nursery.start(later, 5, callback)\n...\nscope.cancel()"
            ),
        ),
        "TAM290": ("await loop.getaddrinfo(host, port)", "await trio.socket.getaddrinfo(host, port)"),
        "TAM292": (
            "if asyncio.iscoroutine(found):\n    found = await found",
            "if inspect.iscoroutine(found):\n    found = await found",
        ),
    }
    advice: ClassVar[Mapping[str, Advice]] = {
        **advice_for(
            "asyncio.get_running_loop asyncio.get_event_loop", "{}", "rewrite what is called on it, and it goes"
        ),
        **advice_for(
            "asyncio.AbstractEventLoop", "{}: a loop that is handed on", "trio's loop is no object: drop the parameter"
        ),
        **advice_for(
            "loop.call_soon loop.call_later loop.call_at asyncio.Handle asyncio.TimerHandle",
            "{}: a callback later on",
            "a task of a nursery that sleeps and calls; cancel its scope instead of the handle",
        ),
        **advice_for(
            """loop.set_debug loop.get_debug loop.slow_callback_duration loop.set_exception_handler
            loop.get_exception_handler loop.default_exception_handler loop.call_exception_handler
            loop.set_task_factory loop.get_task_factory asyncio.eager_task_factory asyncio.create_eager_task_factory""",
            "{} belongs to asyncio's loop",
            "delete it; trio.abc.Instrument sees tasks, and nurseries raise errors",
        ),
        **advice_for("loop.set_default_executor", "{}", "pass a trio.CapacityLimiter to trio.to_thread.run_sync"),
        **advice_for("loop.getaddrinfo loop.getnameinfo", "{} is not awaited in place", "trio.socket has it, awaited"),
        **advice_for("asyncio.current_task", "{}", "trio.lowlevel.current_task() as a key; a scope for cancelling"),
        **advice_for("asyncio.all_tasks", "{}", "a nursery knows its tasks: nursery.child_tasks, and cancels them all"),
        **advice_for("asyncio.iscoroutine asyncio.iscoroutinefunction", "{}", "inspect has it"),
        **advice_for("asyncio.coroutine", "{}: generators as coroutines", "async def; asyncio dropped it in 3.11"),
        **advice_for(
            "asyncio.Barrier asyncio.BrokenBarrierError", "{}", "a counter and a trio.Event; rarely more is needed"
        ),
        **advice_for(
            """asyncio._get_running_loop asyncio._set_running_loop asyncio._enter_task asyncio._leave_task
            asyncio._register_task asyncio._unregister_task""",
            "{} is for makers of loops",
            "keep it on trioasync; trio.lowlevel.in_trio_task() asks whether trio runs",
        ),
        **advice_for(
            """asyncio.capture_call_graph asyncio.format_call_graph asyncio.print_call_graph asyncio.FrameCallGraphEntry
            asyncio.FutureCallGraph asyncio.future_add_to_awaited_by asyncio.future_discard_from_awaited_by""",
            "{} is for debugging",
            "trioasync.print_task_tree(), or the package stackscope",
        ),
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every use of these names."""
        unused = {finding.start for finding in LoopVariable().check(ctx)}
        for name, node in ctx.uses_of(*self.advice):
            found = None
            if name in _RESOLVERS:
                found = self._of_resolver(ctx, name, node)
            elif name in _INSPECT:
                found = self._of_inspect(ctx, name, node)
            elif ctx.span(node)[0] in unused or (name == "asyncio.get_event_loop" and not ctx.in_async(node)):
                continue  # the rules loop_variable and loop_boilerplate report it
            yield found or self._advised(ctx, name, node)

    def _of_resolver(self, ctx: Context, name: str, node: ast.expr) -> Finding | None:
        call, trio = ctx.parent(node), ctx.needs("trio", node)
        if not isinstance(call, ast.Call) or call.func is not node or ctx.awaited(call) is None or trio is None:
            return None
        fix = ctx.fix("B", [ctx.replace(node, f"{trio}.socket.{_RESOLVERS[name]}")], needs=["trio"])
        return self.finding(ctx, call, f"{name} -> trio.socket", code="TAM290", symbol=name, fix=fix)

    def _of_inspect(self, ctx: Context, name: str, node: ast.expr) -> Finding | None:
        inspect = ctx.needs("inspect", node)
        if inspect is None:
            return None
        fix = ctx.fix("B", [ctx.replace(node, f"{inspect}.{_INSPECT[name]}")], needs=["inspect"])
        return self.finding(ctx, node, f"{name} -> inspect", code="TAM292", symbol=name, fix=fix)
