"""What is awaited after a cancellation: asyncio lets it run, a cancelled scope of trio's cancels it again."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rule import Rule
from trioasync._tools.migrate.rules._handlers import handler_of, reraises, unshielded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["CleanUp"]

_HELP = "put it into `with trio.CancelScope(shield=True):`, with a deadline where it may hang"


class CleanUp(Rule):
    """Puts what a handler of cancellations awaits into a shielded scope; reports the same in `finally`."""

    name = "clean_up"
    codes: ClassVar[Mapping[str, str]] = {
        "TAM262": "clean-up after a cancellation -> a shielded scope",
        "TAM321": "an await in a finally clause",
    }
    safety: ClassVar[Mapping[str, Safety]] = {"TAM262": "B", "TAM321": "C"}
    traps = (
        (
            "In a cancelled scope of trio every await is cancelled, the next one as well; Task.cancel() is heard once. "
            "So as soon as a timeout has become a scope, clean-up that awaits needs a shield."
        ),
        (
            "Nothing ends a shielded scope from outside: give clean-up that may hang a deadline, as in "
            "trio.move_on_after(5, shield=True)."
        ),
        "A finally clause also runs when nothing was cancelled, and then a shield delays a timeout: a person decides.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM262": (
            "try:\n    await work()\nexcept asyncio.CancelledError:\n    await connection.close()\n    raise",
            (
                "try:\n    await work()\nexcept asyncio.CancelledError:\n"
                "    with trio.CancelScope(shield=True):\n        await connection.close()\n    raise"
            ),
        ),
        "TAM321": (
            "try:\n    await work()\nfinally:\n    await close()",
            "try:\n    await work()\nfinally:\n    with trio.move_on_after(5, shield=True):\n        await close()",
        ),
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at handlers of cancellations that go on raising, and at finally clauses."""
        for name, node in ctx.uses_of("asyncio.CancelledError", "trio.Cancelled"):
            handler = handler_of(ctx, node)
            if handler is not None and reraises(ctx, handler) and unshielded(ctx, handler.body):
                yield self._of_handler(ctx, name, handler)
        for statement in ctx.nodes(ast.Try):
            assert isinstance(statement, ast.Try)
            if statement.finalbody and ctx.in_async(statement) and unshielded(ctx, statement.finalbody):
                message = "finally awaits, which a cancelled scope of trio's cancels"
                yield self.finding(ctx, statement.finalbody[0], message, code="TAM321", safety="C", help=_HELP)

    def _of_handler(self, ctx: Context, name: str, handler: ast.ExceptHandler) -> Finding:
        clean_up = handler.body[:-1]
        trio = ctx.needs("trio", handler)
        message = "clean-up after a cancellation awaits"
        if trio is None or ctx.has_yield(clean_up) or not ctx.layout.alone(clean_up[0], clean_up[-1]):
            return self.finding(ctx, clean_up[0], message, safety="C", symbol=name, help=_HELP)
        edits = ctx.layout.wrapped(f"with {trio}.CancelScope(shield=True):", clean_up[0], clean_up[-1])
        fix = ctx.fix("B", edits, needs=["trio"], region=ctx.layout.lines_span(clean_up[0], clean_up[-1]))
        return self.finding(ctx, clean_up[0], f"{message} -> a shielded scope", symbol=name, fix=fix)
