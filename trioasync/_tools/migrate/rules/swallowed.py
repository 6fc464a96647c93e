"""Cancellation that somebody swallows: legal in asyncio, a bug in trio."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rule import Rule
from trioasync._tools.migrate.rules._handlers import handler_of, is_suppressed, reraises

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["Swallowed"]

_NAMES = ("asyncio.CancelledError", "trio.Cancelled")
_HELP = "raise it again; what was cancelled on purpose ends in its own cancel scope"


class Swallowed(Rule):
    """Reports handlers that catch a cancellation and do not always raise it again."""

    name = "swallowed"
    codes: ClassVar[Mapping[str, str]] = {"TAM320": "a cancellation is swallowed"}
    safety: ClassVar[Mapping[str, Safety]] = {"TAM320": "C"}
    traps = (
        (
            "trio.Cancelled must reach the scope that was cancelled; who swallows it hangs at the next await, or ends "
            "later than others wait for."
        ),
        "`except BaseException` and a bare `except` around an await catch cancellations as well.",
        (
            "task.cancel(), then awaiting the task and catching CancelledError, is scope.cancel() alone: the "
            "nursery waits."
        ),
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM320": (
            "task.cancel()\ntry:\n    await task\nexcept asyncio.CancelledError:\n    pass",
            "scope.cancel()  # of: scope = await nursery.start(cancellable, beat)",
        )
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at handlers of cancellations by name, then at those that catch everything."""
        for name, node in ctx.uses_of(*_NAMES):
            handler = handler_of(ctx, node)
            if handler is None:
                if is_suppressed(ctx, node):
                    yield self.finding(ctx, node, "a cancellation is suppressed", symbol=name, help=_HELP)
            elif not reraises(ctx, handler):
                yield self.finding(ctx, node, _message(ctx, handler), symbol=name, help=_HELP)
        for clause in ctx.nodes(ast.ExceptHandler):
            assert isinstance(clause, ast.ExceptHandler)
            if _catches_all(clause) and _around_await(ctx, clause) and not _goes_on(ctx, clause):
                what = "except BaseException" if clause.type is not None else "a bare except"
                message = f"{what} around an await swallows cancellations"
                yield self.finding(ctx, clause, message, help="catch Exception, or raise it again")


def _message(ctx: Context, handler: ast.ExceptHandler) -> str:
    statement = ctx.parent(handler)
    body = statement.body if isinstance(statement, ast.Try) else []
    only = body[0] if len(body) == 1 else None
    value = only.value if isinstance(only, (ast.Expr, ast.Assign)) else None
    if isinstance(value, ast.Await) and isinstance(value.value, (ast.Name, ast.Attribute)):
        return "a task is cancelled and waited for: that is a cancel scope"
    return "the handler does not always raise the cancellation again"


def _catches_all(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id == "BaseException") for kind in kinds)


def _around_await(ctx: Context, handler: ast.ExceptHandler) -> bool:
    """Tell whether a cancellation may arrive here: the body awaits, and no clause above takes it."""
    statement = ctx.parent(handler)
    if not isinstance(statement, ast.Try) or not ctx.in_async(handler):
        return False
    for clause in statement.handlers[: statement.handlers.index(handler)]:
        kinds = clause.type.elts if isinstance(clause.type, ast.Tuple) else [clause.type]
        if any(kind is not None and ctx.resolve(kind) in _NAMES for kind in kinds):
            return False
    return ctx.contains(statement.body, ast.Await, ast.AsyncFor, ast.AsyncWith)


def _goes_on(ctx: Context, handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler raises the same exception again, by name perhaps."""
    last = handler.body[-1]
    if handler.name and isinstance(last, ast.Raise) and isinstance(last.exc, ast.Name) and last.exc.id == handler.name:
        return True
    return reraises(ctx, handler)
