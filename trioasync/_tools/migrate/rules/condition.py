"""`asyncio.Condition` → `trio.Condition`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rules import _held
from trioasync._tools.migrate.rules._object_rule import ObjectRule, dropped, plain_arguments
from trioasync._tools.migrate.rules._statements import Refused, lifted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.rules._objects import Family, Use

__all__ = ["Condition"]

_TIGHT = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant)


class Condition(ObjectRule):
    """Rewrites conditions that make their own lock and are used while it is seen to be held."""

    name = "condition"
    codes: ClassVar[Mapping[str, str]] = {"TAM233": "asyncio.Condition -> trio.Condition"}
    uses = frozenset(["asyncio.Condition"])
    kinds = ("asyncio.Condition",)
    native = "trio.Condition"
    help = "call wait() and notify() in an async with of the same condition"
    traps = (
        "In trio only the task that holds the lock may wait and notify; asyncio asks only that somebody holds it.",
        "There is no wait_for(): a while loop around wait() takes its place, and gives no value.",
        "wait() returns True in asyncio and None in trio.",
        "A task that is cancelled while it waits takes the lock again before it goes on, in both.",
        "If it was notified before, asyncio notifies the next one; trio does not.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM233": (
            (
                "changed = asyncio.Condition()\n...\nasync with changed:\n"
                "    await changed.wait_for(lambda: items)\n    changed.notify()\n"
            ),
            (
                "changed = trio.Condition()\n...\nasync with changed:\n"
                "    while not items:\n        await changed.wait()\n    changed.notify()\n"
            ),
        )
    }

    def used(self, ctx: Context, use: Use, family: Family) -> Iterator[Edit]:
        """Give the edit for `wait_for()`, and check the others."""
        if use.member == "acquire":
            _held.check_acquired(ctx, use)
        elif use.member == "release":
            _held.check_released(ctx, use)
        elif use.member in ("notify", "notify_all") and use.call is not None:
            _held.check_held(ctx, use)
        elif use.member in ("wait", "wait_for"):
            if not dropped(ctx, use):
                raise Refused(f"what {use.member}() returns is used, or it is awaited elsewhere")
            _held.check_held(ctx, use)
            if use.member == "wait_for":
                yield _loop(ctx, use)
        elif use.member != "locked":
            raise Refused(f"trio.Condition has no {use.member}")

    def check_entered(self, ctx: Context, use: Use) -> None:
        """Refuse a block that yields."""
        _held.check_block(ctx, use)


def _loop(ctx: Context, use: Use) -> Edit:
    """Make the edit that puts a loop around `wait()` in the place of `wait_for(predicate)`."""
    assert use.call is not None
    statement = ctx.statement(use.call)
    if not ctx.layout.alone(statement):
        raise Refused("other code stands on the line of a wait_for()")
    arguments = plain_arguments(use.call, "predicate")
    if not arguments:
        raise Refused("a wait_for() has no predicate")
    start, end = ctx.span(statement)
    indent = ctx.layout.indent(statement)
    comments = lifted(ctx, (start, end), [], indent)[len(indent) :]
    wait = f"{indent}{ctx.layout.unit}await {one_line(ctx, use.node)}.wait()"
    above = f"{comments}{indent}" if comments else ""
    return Edit(start, end, f"{above}while {_condition(ctx, arguments[0])}:\n{wait}")


def _condition(ctx: Context, node: ast.expr) -> str:
    """Give the text that asks for the opposite of a predicate: of a lambda's own expression, or of a call."""
    if isinstance(node, ast.Lambda):
        given = node.args
        if given.args or given.posonlyargs or given.kwonlyargs or given.vararg or given.kwarg:
            raise Refused("the predicate of a wait_for() has parameters")
        if ctx.contains([node.body], ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Await):
            raise Refused("the predicate of a wait_for() binds a name")
        if isinstance(node.body, ast.UnaryOp) and isinstance(node.body.op, ast.Not):
            return one_line(ctx, node.body.operand)
        text = one_line(ctx, node.body)
        return f"not {text}" if isinstance(node.body, _TIGHT) else f"not ({text})"
    if isinstance(node, (ast.Name, ast.Attribute)):
        return f"not {one_line(ctx, node)}()"
    raise Refused("the predicate of a wait_for() is computed")
