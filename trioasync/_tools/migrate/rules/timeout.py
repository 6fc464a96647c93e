"""`async with asyncio.timeout(seconds)` → `with` a cancel scope with a deadline."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rule import Rule
from trioasync._tools.migrate.rules._clock import Times
from trioasync._tools.migrate.rules._deadlines import limit_of, rewritten, times_fix
from trioasync._tools.migrate.rules._statements import Refused
from trioasync._tools.migrate.rules._timeouts import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Fix

__all__ = ["Timeout"]


class Timeout(Rule):
    """Rewrites blocks under a deadline that yield nothing and have the `async with` for themselves."""

    name = "timeout"
    codes: ClassVar[Mapping[str, str]] = {"TAM211": "asyncio.timeout -> trio.move_on_after, trio.fail_after"}
    uses = frozenset(["asyncio.timeout", "asyncio.timeout_at"])
    traps = (
        (
            "The caller still sees TimeoutError. With --timeout-style native it is trio.TooSlowError, which is no "
            "TimeoutError: only done where the same function handles it."
        ),
        "asyncio's error has a CancelledError as its cause, and is in the context of another error that leaves.",
        "Of two timeouts that pass at one time, only the outer scope has cancelled_caught; expired() is true for both.",
        "A cancel scope may not be open across a yield: such a block in an async generator is left to a person.",
        "trio's clock is not time.monotonic: an absolute deadline must come from trio.current_time().",
        "Code in the block that catches CancelledError and goes on is interrupted by trio at each of its awaits.",
    )

    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM211": (
            "async with asyncio.timeout(5):\n    page = await fetch(url)\n",
            (
                "with trio.move_on_after(5) as _scope:\n    page = await fetch(url)\n"
                "if _scope.cancelled_caught:\n    raise TimeoutError\n"
            ),
        )
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every use of asyncio.timeout and asyncio.timeout_at."""
        for name, node in ctx.uses_of("asyncio.timeout", "asyncio.timeout_at"):
            call = ctx.parent(node)
            short = name.rpartition(".")[2]
            if not isinstance(call, ast.Call) or call.func is not node:
                yield self.finding(ctx, node, f"{short} is handed on", safety="C", help="call it where it is entered")
                continue
            try:
                fix = self._at(ctx, call) if name == "asyncio.timeout_at" else self._after(ctx, call)
            except Refused as refused:
                help_ = "write with trio.move_on_after(...) or trio.fail_after(...) by hand"
                yield self.finding(ctx, call, f"{short} stays: {refused}", safety="C", help=help_)
            else:
                yield self.finding(ctx, call, f"{short} -> a cancel scope with a deadline", fix=fix)

    def _after(self, ctx: Context, call: ast.Call) -> Fix:
        limit = limit_of(call, "delay")
        text, needs = seconds(ctx, limit)[:2]
        start, end = ctx.span(call.keywords[0]) if call.keywords else ctx.span(limit)
        change = rewritten(ctx, call, "after")
        return ctx.fix("B", [*change.edits, Edit(start, end, text)], needs=[*change.needs, *needs])

    def _at(self, ctx: Context, call: ast.Call) -> Fix:
        when, times = limit_of(call, "when"), Times(ctx)
        if not call.args or not times.is_time(when):
            raise Refused("whether the deadline is one of the loop's clock is not known")
        times.follow(when)
        return times_fix(ctx, times)
