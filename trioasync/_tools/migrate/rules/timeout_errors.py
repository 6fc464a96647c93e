"""`asyncio.TimeoutError` → `TimeoutError`, which it is from Python 3.11 on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar, Literal

from trioasync._tools.migrate.imports_edit import without_aliases
from trioasync._tools.migrate.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["TimeoutErrors"]


class TimeoutErrors(Rule):
    """Gives the error of timeouts its own name, where the oldest Python that is supported has only one such class."""

    name = "timeout_errors"
    codes: ClassVar[Mapping[str, str]] = {"TAM212": "asyncio.TimeoutError -> TimeoutError"}
    safety: ClassVar[Mapping[str, Safety]] = {"TAM212": "A"}
    uses = frozenset(["asyncio.TimeoutError"])
    traps: ClassVar[tuple[str, ...]] = (
        "On Python 3.10 asyncio.TimeoutError is a class of its own: say in pyproject.toml which Python is the oldest.",
        "trio.TooSlowError, which trio.fail_after raises, is no TimeoutError: a handler of both names both.",
    )

    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM212": (
            "try:\n    await answer()\nexcept asyncio.TimeoutError:\n    pass\n",
            "try:\n    await answer()\nexcept TimeoutError:\n    pass\n",
        )
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every use of asyncio.TimeoutError."""
        if ctx.options.python >= (3, 11):
            yield from self.renamed(ctx, "A")

    def renamed(self, ctx: Context, safety: Literal["A", "B"]) -> Iterator[Finding]:
        """Rewrite every use of asyncio.TimeoutError."""
        for _, node in ctx.uses_of("asyncio.TimeoutError"):
            if isinstance(node, ast.Name) and node.id == "TimeoutError":
                yield self._of_import(ctx, node, safety)
            elif ctx.bindings.lookup("TimeoutError", ctx.bindings.scope_of(node)) is not None:
                message = "the name TimeoutError means something else here"
                yield self.finding(ctx, node, message, safety="C", help="rename the other one")
            else:
                fix = ctx.fix(safety, [ctx.replace(node, "TimeoutError")])
                yield self.finding(ctx, node, "asyncio.TimeoutError -> TimeoutError", fix=fix)

    def _of_import(self, ctx: Context, node: ast.Name, safety: Literal["A", "B"]) -> Finding:
        """Judge a use of `from asyncio import TimeoutError`: the name is right already, only its import goes."""
        message = "TimeoutError is imported from asyncio and need not be"
        variable = ctx.variable(node)
        bound = ctx.bound_nodes(variable) if variable is not None and variable.scope is ctx.tree else ()
        alias = bound[0] if len(bound) == 1 else None
        statement = ctx.parent(alias) if isinstance(alias, ast.alias) else None
        if isinstance(alias, ast.alias) and isinstance(statement, ast.ImportFrom):
            edits = without_aliases(ctx, statement, [alias])
            if edits is not None:
                return self.finding(ctx, node, message, fix=ctx.fix(safety, edits))
        return self.finding(ctx, node, message, safety="C", help="take it out of the import")
