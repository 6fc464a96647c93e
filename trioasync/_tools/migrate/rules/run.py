"""`asyncio.run` → `trio.run`, as the last step."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar, Literal

from trioasync._tools.migrate.rule import Rule
from trioasync._tools.migrate.rules._spawn import as_arguments, without

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["Run"]


class Run(Rule):
    """Rewrites `asyncio.run(main(x))` when neither the file nor what it imports has any asyncio left."""

    name = "run"
    codes: ClassVar[Mapping[str, str]] = {"TAM270": "asyncio.run -> trio.run"}
    safety: ClassVar[Mapping[str, Safety]] = {"TAM270": "B"}
    uses = frozenset(["asyncio.run"])
    gate: ClassVar[Literal["", "file", "program"]] = "program"
    traps = (
        (
            "On Ctrl-C asyncio (3.11 and newer) cancels the main task; trio raises KeyboardInterrupt in it. Closest is "
            "trio.run(main, restrict_keyboard_interrupt_to_checkpoints=True)."
        ),
        "asyncio.run cancels tasks that are left over; trio has none: what is started has ended before main returns.",
        "debug= has no counterpart and is dropped.",
        (
            "As long as something of asyncio is in reach, trioasync.run serves: it is a trio run with an asyncio "
            "loop in it."
        ),
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM270": (
            "asyncio.run(main(1))\nasyncio.run(main(1, verbose=True))",
            "trio.run(main, 1)\ntrio.run(partial(main, 1, verbose=True))",
        )
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every use of asyncio.run."""
        for _, node in ctx.uses_of("asyncio.run"):
            call = ctx.parent(node)
            if not isinstance(call, ast.Call) or call.func is not node:
                yield self.finding(ctx, node, "run is handed on", safety="C", help="call trio.run there")
                continue
            yield self._of_call(ctx, call)

    def _of_call(self, ctx: Context, call: ast.Call) -> Finding:
        inner = call.args[0] if len(call.args) == 1 else None
        if not isinstance(inner, ast.Call) or not ctx.is_async(inner.func):
            message = "run is not called with a call of a function known to be an async def"
            return self.finding(ctx, call, message, safety="C", help="trio.run takes the function and its arguments")
        for keyword in call.keywords:
            if keyword.arg != "debug" or not isinstance(keyword.value, ast.Constant):
                message = "run has options that trio.run has not"
                return self.finding(ctx, call, message, safety="C", help="a loop factory goes with the loop")
        trio, spawned = ctx.needs("trio", call), as_arguments(ctx, call)
        if trio is None or spawned is None:
            message = "trio or partial has no name here, or main is a sleep"
            return self.finding(ctx, call, message, safety="C", help="trio.run takes the function and its arguments")
        edits = [ctx.replace(call.func, f"{trio}.run"), *spawned.edits]
        edits += [without(ctx, call, keyword) for keyword in call.keywords]
        fix = ctx.fix("B", edits, needs=spawned.needs | {"trio"})
        dropped = " (debug is dropped)" if call.keywords else ""
        return self.finding(ctx, call, f"run -> trio.run{dropped}", fix=fix)
