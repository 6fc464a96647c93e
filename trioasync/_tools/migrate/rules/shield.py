"""`await asyncio.shield(f())` → the same in a shielded scope of trio, as a late step and only when it is selected."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar, Literal

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rule import Rule
from trioasync._tools.migrate.rules._spawn import comma_between, opening

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["Shield"]

_CODE = "TAM261"
_HELP = "start it in a nursery that outlives the caller, and wait for its outcome here"


class Shield(Rule):
    """Rewrites `await shield(f())` that is a statement, an assignment or a return; only with `--select TAM261`."""

    name = "shield"
    codes: ClassVar[Mapping[str, str]] = {_CODE: "asyncio.shield -> trio.CancelScope(shield=True)"}
    safety: ClassVar[Mapping[str, Safety]] = {_CODE: "B"}
    uses = frozenset(["asyncio.shield"])
    gate: ClassVar[Literal["", "file", "program", "project"]] = "project"
    traps = (
        (
            "asyncio gives a cancelled caller up at once and leaves the shielded function running, owned by "
            "nobody; trio's "
            "caller stays until the function has ended, and is cancelled then. Hence this is made only when it "
            "is selected."
        ),
        "Task.cancel() passes through a scope of trio's to what asyncio awaits in it, so asyncio must be gone first.",
        "Under a timeout around it the program therefore waits longer than the timeout.",
        "What is a Task already cannot be shielded in trio: start it in a nursery that outlives the caller.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        _CODE: ("await asyncio.shield(save(data))", "with trio.CancelScope(shield=True):\n    await save(data)")
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every use of asyncio.shield."""
        for _, node in ctx.uses_of("asyncio.shield"):
            call = ctx.parent(node)
            if not isinstance(call, ast.Call) or call.func is not node:
                yield self.finding(ctx, node, "shield is handed on", safety="C", help=_HELP)
                continue
            reason = _reason(ctx, call)
            trio = ctx.needs("trio", call)
            if reason or trio is None:
                reason = reason or "the name trio means something else here"
                yield self.finding(ctx, call, f"shield stays: {reason}", safety="C", help=_HELP)
            elif _CODE not in ctx.options.select:
                message = "shield(f()) -> a shielded scope, in which the caller waits until f() has ended"
                yield self.finding(ctx, call, message, safety="C", help=f"if that is right, --select {_CODE} makes it")
            else:
                statement = ctx.statement(call)
                edits = _outside(
                    ctx.layout.wrapped(f"with {trio}.CancelScope(shield=True):", statement), _bare(ctx, call)
                )
                fix = ctx.fix("B", edits, needs=["trio"], region=ctx.layout.lines_span(statement))
                yield self.finding(ctx, call, "shield -> trio.CancelScope(shield=True)", fix=fix)


def _reason(ctx: Context, call: ast.Call) -> str:
    """Say why a shield stays; "" if it need not."""
    inner = call.args[0] if len(call.args) == 1 and not call.keywords else None
    if not isinstance(inner, ast.Call):
        return "its argument is no call: it may be a task"
    if (ctx.resolve(inner.func) or "").startswith("asyncio.") or not ctx.is_async(inner.func):
        return f"{ctx.source_of(inner.func)} is not known to be an async def"
    awaited, statement = ctx.awaited(call), ctx.statement(call)
    if awaited is None:
        return "it is not awaited in place"
    is_whole = isinstance(statement, (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return)) and statement.value is awaited
    if not is_whole or not ctx.layout.alone(statement):
        return "it is a part of a larger statement, or shares its line"
    if ctx.has_yield([statement]):
        return "its arguments yield"
    return ""


def _bare(ctx: Context, call: ast.Call) -> Sequence[Edit]:
    """Make the edits that leave of `shield(f())` only `f()`, in parentheses if there are comments in them."""
    (start, end), (first, last) = ctx.span(call), ctx.span(call.args[0])
    if not ctx.comments(start, first) and not ctx.comments(last, end) and _stands_alone(ctx.source_of(call.args[0])):
        return [Edit(start, first, ""), Edit(last, end, "")]
    edits = [Edit(start, opening(ctx, call), "")]
    comma = comma_between(ctx, last, end)
    if comma >= 0:
        edits.append(Edit(comma, comma + 1, ""))
    return edits


def _stands_alone(text: str) -> bool:
    """Tell whether an expression needs no parentheses around it: its lines hang together by themselves."""
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return False
    return len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Call)


def _outside(edits: Sequence[Edit], others: Sequence[Edit]) -> Sequence[Edit]:
    """Join edits, leaving out those that would indent a line that others take away."""
    kept = [edit for edit in edits if not any(other.start < edit.start < other.end for other in others)]
    return [*kept, *others]
