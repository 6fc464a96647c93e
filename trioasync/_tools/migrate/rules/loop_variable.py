"""`loop = asyncio.get_running_loop()`, of which nothing is asked any more → nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["LoopVariable"]


class LoopVariable(Rule):
    """Removes variables for the running loop that no other line of an async function reads."""

    name = "loop_variable"
    codes: ClassVar[Mapping[str, str]] = {"TAM203": "loop = asyncio.get_running_loop(), not used"}
    safety: ClassVar[Mapping[str, Safety]] = {"TAM203": "A"}
    uses = frozenset(["asyncio.get_running_loop", "asyncio.get_event_loop"])
    traps = (
        "The line goes when loop.time() and loop.run_in_executor() have been rewritten and nothing else asks the loop.",
        "get_running_loop() raises where no loop runs, which never happens in an async function of asyncio.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM203": (
            "async def main():\n    loop = asyncio.get_running_loop()\n    await serve()\n",
            "async def main():\n    await serve()\n",
        )
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every variable that the running loop is put into."""
        for _, call in ctx.calls_of(*sorted(self.uses)):
            statement = ctx.parent(call)
            if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is not call:
                continue
            if call.args or call.keywords or not ctx.in_async(call) or not _is_unused(ctx, statement):
                continue
            fix = ctx.fix("A", [_removed(ctx, statement)], region=ctx.span(statement))
            yield self.finding(ctx, call, "the variable for the loop is not used", fix=fix)


def _is_unused(ctx: Context, statement: ast.Assign | ast.AnnAssign) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    if len(targets) != 1 or not isinstance(targets[0], ast.Name):
        return False
    variable = ctx.variable(targets[0])
    if variable is None or variable.scope is not ctx.function(statement):
        return False
    return list(ctx.references(variable)) == targets == list(ctx.bound_nodes(variable))


def _removed(ctx: Context, statement: ast.stmt) -> Edit:
    """Make the edit that removes a statement: its line, or its part of a line; `pass` is left where it was alone."""
    block = list(ctx.block(statement))
    start, end = ctx.span(statement)
    if len(block) == 1:
        return Edit(start, end, "pass")
    if ctx.layout.alone(statement):
        first, behind = ctx.layout.first_line(statement), (statement.end_lineno or statement.lineno) + 1
        between = behind < len(ctx.source.line_starts) and not ctx.source.line(behind).strip()
        if between and not ctx.source.line(first - 1).strip():
            return Edit(ctx.source.line_span(first)[0], ctx.source.line_span(behind)[1], "")
        return ctx.layout.removed(statement)
    index = block.index(statement)
    if index + 1 < len(block) and block[index + 1].lineno == statement.end_lineno:
        return Edit(start, ctx.span(block[index + 1])[0], "")
    return Edit(start, end, "pass")
