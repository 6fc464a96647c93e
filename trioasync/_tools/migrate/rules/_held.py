"""Locks have owners in trio: who takes one gives it back. Here is how that is seen in a text."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trioasync._tools.migrate.rules._statements import Refused

if TYPE_CHECKING:
    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.rules._objects import Use

__all__ = ["check_acquired", "check_block", "check_held", "check_released"]

_OTHER_TASK = "it may be released by another task than its owner"


def check_block(ctx: Context, use: Use) -> None:
    """Refuse an `async with` that is left in another task than it was entered in: it yields."""
    item = ctx.parent(use.node)
    block = ctx.parent(item) if item is not None else None
    if not isinstance(block, ast.AsyncWith) or ctx.has_yield(block.body):
        raise Refused("it is held across a yield, and may be released by another task than its owner")


def check_acquired(ctx: Context, use: Use) -> None:
    """Refuse an `acquire()` that is no statement, or is not followed by `try: ... finally: release()`."""
    statement = ctx.statement(use.node)
    awaited = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(awaited, ast.Await) or awaited.value is not use.call:
        raise Refused("what acquire() returns is used, or it is awaited elsewhere")
    block = ctx.block(statement)
    index = list(block).index(statement) + 1
    following = block[index] if index < len(block) else None
    if not isinstance(following, ast.Try) or not any(_releases(ctx, line, use) for line in following.finalbody):
        raise Refused(_OTHER_TASK)
    if ctx.has_yield([following]):
        raise Refused("it is held across a yield, and may be released by another task than its owner")


def check_released(ctx: Context, use: Use) -> None:
    """Refuse a `release()` that does not end the `try` behind an `acquire()`."""
    statement = ctx.statement(use.node)
    attempt = ctx.parent(statement)
    if not isinstance(attempt, ast.Try) or statement not in attempt.finalbody or not _releases(ctx, statement, use):
        raise Refused(_OTHER_TASK)
    block = list(ctx.block(attempt))
    before = block[block.index(attempt) - 1] if block.index(attempt) else None
    if not isinstance(before, ast.Expr) or not isinstance(before.value, ast.Await):
        raise Refused(_OTHER_TASK)
    call = before.value.value
    same = f"{ctx.source_of(use.node)}.acquire()"
    if not isinstance(call, ast.Call) or ast.unparse(call) != ast.unparse(ast.parse(same, mode="eval")):
        raise Refused(_OTHER_TASK)


def _releases(ctx: Context, statement: ast.stmt, use: Use) -> bool:
    if not isinstance(statement, ast.Expr):
        return False
    return ast.unparse(statement.value) == f"{ast.unparse(use.node)}.release()"


def check_held(ctx: Context, use: Use) -> None:
    """Refuse a use outside of an `async with` of the same object in the same function."""
    function, text = ctx.function(use.node), ast.unparse(use.node)
    for outer in ctx.ancestors(use.node):
        if outer is function:
            break
        if isinstance(outer, ast.AsyncWith) and any(ast.unparse(item.context_expr) == text for item in outer.items):
            return
    raise Refused(f"{use.member}() is called where it is not seen that the task holds the lock")
