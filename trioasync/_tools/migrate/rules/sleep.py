"""`asyncio.sleep` → `trio.sleep`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["Sleep"]


class Sleep(Rule):
    """Rewrites sleeps that are awaited in place and whose result nobody asks for."""

    name = "sleep"
    codes: ClassVar[Mapping[str, str]] = {
        "TAM200": "asyncio.sleep -> trio.sleep",
        "TAM201": "asyncio.sleep(0) -> trio.lowlevel.checkpoint",
    }
    safety: ClassVar[Mapping[str, Safety]] = {"TAM200": "A", "TAM201": "B"}
    uses = frozenset(["asyncio.sleep"])
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM200": ("await asyncio.sleep(delay)", "await trio.sleep(max(0, delay))"),
        "TAM201": ("await asyncio.sleep(0)", "await trio.lowlevel.checkpoint()"),
    }
    traps = (
        "A negative delay is an error in trio and none in asyncio: what is not a plain number gets max(0, ...).",
        "trio shuffles what is ready, so that sleep(0) does not let a certain other task go first.",
        "A test that needs the other tasks to be stuck says so with trio.testing.wait_all_tasks_blocked().",
    )

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every use of asyncio.sleep."""
        for _, node in ctx.uses_of("asyncio.sleep"):
            call = ctx.parent(node)
            if isinstance(call, ast.Call) and call.func is node:
                yield self._of_call(ctx, call)
            else:
                yield self.finding(
                    ctx, node, "asyncio.sleep is handed on", safety="C", help="call it where it is awaited"
                )

    def _of_call(self, ctx: Context, call: ast.Call) -> Finding:
        awaited = ctx.awaited(call)
        if awaited is None:
            return self.finding(
                ctx, call, "sleep is not awaited in place", safety="C", help="await it, or start a task"
            )
        if len(call.args) != 1 or call.keywords or isinstance(call.args[0], ast.Starred):
            return self.finding(
                ctx, call, "sleep with a result or with keywords", safety="C", help="take the result apart"
            )
        trio = ctx.needs("trio", call)
        if trio is None:
            return self.finding(ctx, call, "the name trio means something else here", safety="C")
        delay = call.args[0]
        if isinstance(delay, ast.Constant) and isinstance(delay.value, (int, float)):
            if delay.value == 0:
                edits = [ctx.replace(call, f"{trio}.lowlevel.checkpoint()")]
                if ctx.comments(*ctx.span(call)):
                    edits = [ctx.replace(call.func, f"{trio}.lowlevel.checkpoint"), _without(ctx, delay)]
                fix = ctx.fix("B", edits, needs=["trio"])
                return self.finding(ctx, call, "sleep(0) -> checkpoint", code="TAM201", fix=fix)
            fix = ctx.fix("A", [ctx.replace(call.func, f"{trio}.sleep")], needs=["trio"])
            return self.finding(ctx, call, "sleep -> trio.sleep", fix=fix)
        if ctx.resolve(delay) == "math.inf":
            edit = ctx.replace(call, f"{trio}.sleep_forever()")
            return self.finding(ctx, call, "sleep(inf) -> sleep_forever", fix=ctx.fix("A", [edit], needs=["trio"]))
        edits = [ctx.replace(call.func, f"{trio}.sleep"), ctx.replace(delay, f"max(0, {ctx.source_of(delay)})")]
        return self.finding(ctx, call, "sleep -> trio.sleep(max(0, ...))", fix=ctx.fix("B", edits, needs=["trio"]))


def _without(ctx: Context, argument: ast.expr) -> Edit:
    """Take an argument away, with its line if it has one to itself."""
    start, end = ctx.source.line_span(argument.lineno)
    alone = ctx.text[start:end].strip() == ctx.source_of(argument)
    return Edit(start, end, "") if alone else ctx.replace(argument, "")
