"""`asyncio.Semaphore`, `asyncio.BoundedSemaphore` → `trio.Semaphore`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rules._object_rule import ObjectRule, dropped, plain_arguments
from trioasync._tools.migrate.rules._statements import Refused, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.rules._objects import Family, Use

__all__ = ["Semaphore"]

_BOUNDED = "asyncio.BoundedSemaphore"
# Around a call that stands here, a comparison needs no parentheses.
_LOOSE = (
    ast.If,
    ast.While,
    ast.IfExp,
    ast.Return,
    ast.Assign,
    ast.AnnAssign,
    ast.NamedExpr,
    ast.BoolOp,
    ast.keyword,
    ast.Assert,
    ast.UnaryOp,
)


class Semaphore(ObjectRule):
    """Rewrites semaphores whose every use is in the same file."""

    name = "semaphore"
    codes: ClassVar[Mapping[str, str]] = {"TAM232": "asyncio.Semaphore, asyncio.BoundedSemaphore -> trio.Semaphore"}
    uses = frozenset(["asyncio.Semaphore", _BOUNDED])
    kinds = ("asyncio.Semaphore", _BOUNDED)
    native = "trio.Semaphore"
    help = "trio.Semaphore(n), trio.Semaphore(n, max_value=n), or trio.CapacityLimiter(n) where tasks own their share"
    traps = (
        "trio's semaphore must be told its first value, and the value must be an int.",
        "acquire() returns True in asyncio and None in trio.",
        "locked() becomes value == 0; asyncio also says locked while others wait and the value is above zero.",
        "Those who wait get it in the order in which they came; those who get it at one time run in any order.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM232": (
            "limit = asyncio.Semaphore(3)\npool = asyncio.BoundedSemaphore(5)\n...\nif not limit.locked(): ...\n",
            "limit = trio.Semaphore(3)\npool = trio.Semaphore(5, max_value=5)\n...\nif not limit.value == 0: ...\n",
        )
    }

    def made(self, ctx: Context, maker: ast.Call, trio: str) -> Iterator[Edit]:
        """Give the edits that state the first value, and the greatest for a bounded semaphore."""
        values = plain_arguments(maker, "value")
        bounded = ctx.symbol(maker) == _BOUNDED
        yield ctx.replace(maker.func, f"{trio}.Semaphore")
        if not values:
            end = ctx.span(maker)[1] - 1
            yield Edit(end, end, "1, max_value=1" if bounded else "1")
            return
        if maker.keywords:
            yield Edit(ctx.span(maker.keywords[0])[0], ctx.span(values[0])[0], "")
        if bounded:
            if any(isinstance(node, (ast.Call, ast.Await, ast.NamedExpr)) for node in ast.walk(values[0])):
                raise Refused("its value would be computed twice")
            end = ctx.span(values[0])[1]
            yield Edit(end, end, f", max_value={one_line(ctx, values[0])}")

    def used(self, ctx: Context, use: Use, family: Family) -> Iterator[Edit]:
        """Give the edit for `locked()`, and check the others."""
        if use.member == "acquire":
            if not dropped(ctx, use, elsewhere=True):
                raise Refused("what acquire() returns (True in asyncio, None in trio) is used or handed on")
        elif use.member == "locked" and use.call is not None and use.attribute is not None:
            above = ctx.parent(use.call)
            loose = isinstance(above, _LOOSE) or (isinstance(above, ast.Call) and use.call in above.args)
            start = ctx.span(use.call)[0]
            at = ctx.span(use.attribute)[1] - len("locked")
            if not loose:
                yield Edit(start, start, "(")
            yield Edit(at, ctx.span(use.call)[1], "value == 0" if loose else "value == 0)")
        elif use.member != "release":
            raise Refused(f"trio.Semaphore has no {use.member}")

    def check_entered(self, ctx: Context, use: Use) -> None:
        """Let every `async with` stay: a semaphore has no owner."""
