"""`except asyncio.CancelledError` that goes on raising → `except trio.Cancelled`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar, Literal

from trioasync._tools.migrate.rule import Rule
from trioasync._tools.migrate.rules._handlers import handler_of, is_suppressed, reraises, unshielded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["Cancelled"]


class Cancelled(Rule):
    """Rewrites handlers that end in a bare `raise`, once nothing of asyncio is left in the project."""

    name = "cancelled"
    codes: ClassVar[Mapping[str, str]] = {"TAM260": "except asyncio.CancelledError -> except trio.Cancelled"}
    safety: ClassVar[Mapping[str, Safety]] = {"TAM260": "B"}
    uses = frozenset(["asyncio.CancelledError"])
    gate: ClassVar[Literal["", "file", "program", "project"]] = "project"
    traps = (
        (
            "As long as a Task can be cancelled by Task.cancel(), its handlers must catch asyncio.CancelledError: "
            "what trio scopes cancel arrives as both. So the handlers stay until the project has no asyncio left."
        ),
        "What a handler awaits must stand in a shielded scope: TAM262 puts it there.",
        "trio.Cancelled must always be raised again; a handler that ends otherwise is reported as TAM320.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM260": (
            "try:\n    await work()\nexcept asyncio.CancelledError:\n    log('cancelled')\n    raise",
            "try:\n    await work()\nexcept trio.Cancelled:\n    log('cancelled')\n    raise",
        )
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every use of asyncio.CancelledError that no handler swallows."""
        for _, node in ctx.uses_of("asyncio.CancelledError"):
            handler = handler_of(ctx, node)
            if handler is None:
                if not is_suppressed(ctx, node):
                    yield self._of_other(ctx, node)
            elif reraises(ctx, handler):
                yield self._of_handler(ctx, node, handler)

    def _of_other(self, ctx: Context, node: ast.expr) -> Finding:
        above = ctx.parent(node)
        if isinstance(above, ast.Raise) or (isinstance(above, ast.Call) and isinstance(ctx.parent(above), ast.Raise)):
            message = "CancelledError is raised by hand, and trio.Cancelled cannot be"
            return self.finding(
                ctx, node, message, safety="C", help="cancel a scope, or raise an exception of your own"
            )
        message = "CancelledError is asked about outside of an except clause"
        return self.finding(ctx, node, message, safety="C", help="ask the scope: scope.cancelled_caught")

    def _of_handler(self, ctx: Context, node: ast.expr, handler: ast.ExceptHandler) -> Finding:
        trio = ctx.needs("trio", node)
        if trio is None:
            return self.finding(ctx, node, "the name trio means something else here", safety="C")
        if ctx.has_yield(handler.body):
            message = "the handler yields, which no shielded scope may stand around"
            return self.finding(ctx, node, message, safety="C", help="clean up in the caller")
        if _has_trio(ctx, handler):
            message = "the handler names trio.Cancelled as well"
            return self.finding(ctx, node, message, safety="C", help="take CancelledError out when no Task is left")
        if unshielded(ctx, handler.body):
            message = "the handler awaits, which a cancelled scope of trio's cancels again"
            return self.finding(ctx, node, message, safety="C", help="put what it awaits into a shielded scope: TAM262")
        fix = ctx.fix("B", [ctx.replace(node, f"{trio}.Cancelled")], needs=["trio"])
        return self.finding(ctx, node, "except CancelledError -> except trio.Cancelled", fix=fix)


def _has_trio(ctx: Context, handler: ast.ExceptHandler) -> bool:
    return any(
        isinstance(node, (ast.Name, ast.Attribute)) and ctx.resolve(node) == "trio.Cancelled"
        for node in ast.walk(handler.type or handler)
    )
