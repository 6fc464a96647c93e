"""`loop.time()` → `trio.current_time()`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rule import Rule
from trioasync._tools.migrate.rules._clock import Times, is_source
from trioasync._tools.migrate.rules._deadlines import times_fix
from trioasync._tools.migrate.rules._statements import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding

__all__ = ["Clock"]


class Clock(Rule):
    """Rewrites times that only meet times of the same clock, all of them at once."""

    name = "clock"
    codes: ClassVar[Mapping[str, str]] = {"TAM202": "loop.time -> trio.current_time"}
    uses = frozenset(["loop.time"])
    traps = (
        "asyncio's clock is time.monotonic; trio's begins at a random number: never compare the two.",
        "trio.current_time() works only inside of trio.run.",
        "A test that patches loop.time uses trio.testing.MockClock instead.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM202": (
            "start = loop.time()\n...\nprint(loop.time() - start)\n",
            "start = trio.current_time()\n...\nprint(trio.current_time() - start)\n",
        )
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every use of the loop's clock."""
        for _, node in ctx.uses_of("loop.time"):
            call = ctx.parent(node)
            if not isinstance(call, ast.Call) or call.func is not node or not is_source(ctx, call):
                yield self.finding(ctx, node, "the loop's clock is handed on", safety="C", help="trio.current_time")
                continue
            times = Times(ctx)
            try:
                times.follow(call)
                fix = times_fix(ctx, times)
            except Refused as refused:
                help_ = "use trio.current_time() wherever such times meet"
                yield self.finding(ctx, call, f"loop.time stays: {refused}", safety="C", help=help_)
            else:
                yield self.finding(ctx, call, "loop.time -> trio.current_time", fix=fix)
