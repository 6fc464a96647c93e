"""Except clauses: which one an exception's name stands in, and whether it lets the exception go on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trioasync._tools.migrate.context import Context

__all__ = ["handler_of", "is_suppressed", "reraises", "unshielded"]

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def handler_of(ctx: Context, node: ast.expr) -> ast.ExceptHandler | None:
    """Give the except clause that names an exception, alone or in a tuple."""
    above = ctx.parent(node)
    if isinstance(above, ast.Tuple):
        above = ctx.parent(above)
    return above if isinstance(above, ast.ExceptHandler) and above.type is not None else None


def is_suppressed(ctx: Context, node: ast.expr) -> bool:
    """Tell whether an exception is an argument of `contextlib.suppress`."""
    call = ctx.parent(node)
    return isinstance(call, ast.Call) and node in call.args and ctx.symbol(call) == "contextlib.suppress"


def reraises(ctx: Context, handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler always ends in a bare `raise`: there is one at its end and no other way out."""
    last = handler.body[-1]
    if not isinstance(last, ast.Raise) or last.exc is not None:
        return False
    return not any(_leaves(handler.body))


def _leaves(statements: Sequence[ast.stmt], in_loop: bool = False) -> Iterator[bool]:
    """Give whether statements return, raise something else, or leave a loop around them."""
    for statement in statements:
        if isinstance(statement, _DEFINITIONS):
            continue
        if isinstance(statement, ast.Return) or (isinstance(statement, ast.Raise) and statement.exc is not None):
            yield True
        if isinstance(statement, (ast.Break, ast.Continue)) and not in_loop:
            yield True
        looping = in_loop or isinstance(statement, (ast.For, ast.AsyncFor, ast.While))
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(statement, field, [])
            yield from _leaves(inner, looping if field == "body" else in_loop)
        for clause in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
            yield from _leaves(clause.body, in_loop)


def unshielded(ctx: Context, statements: Sequence[ast.stmt]) -> bool:
    """Tell whether statements await something outside of `with trio.CancelScope(shield=True):`."""
    return any(
        ctx.contains([statement], ast.Await, ast.AsyncFor, ast.AsyncWith) and not _is_shield(ctx, statement)
        for statement in statements
    )


def _is_shield(ctx: Context, statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.With):
        return False
    return any(
        isinstance(item.context_expr, ast.Call)
        and ctx.symbol(item.context_expr) in ("trio.CancelScope", "trio.move_on_after", "trio.fail_after")
        and any(keyword.arg == "shield" for keyword in item.context_expr.keywords)
        for item in statement.items
    )
