"""`await asyncio.wait_for(f(), seconds)` → `await f()` in a cancel scope with a deadline."""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.calls import argument
from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rule import Rule
from trioasync._tools.migrate.rules._statements import Refused, lifted, reduced
from trioasync._tools.migrate.rules._timeouts import error_name, native_handler, scope_name, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Fix

__all__ = ["WaitFor"]

# What gives a future that lives on when the wait for it ends, or that others await, too.
_FUTURES = frozenset(
    f"asyncio.{name}" for name in ("shield", "create_task", "ensure_future", "wrap_future", "Future", "Task")
) | {"loop.create_task", "loop.create_future"}
_STATEMENTS = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return)
_REPEATED = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)
_NAME_IT = "assign the result in a statement of its own first"


class WaitFor(Rule):
    """Rewrites waits for a call that are a statement: the call alone, assigned or returned."""

    name = "wait_for"
    codes: ClassVar[Mapping[str, str]] = {"TAM210": "asyncio.wait_for -> trio.move_on_after, trio.fail_after"}
    uses = frozenset(["asyncio.wait_for"])
    traps = (
        (
            "The caller still sees TimeoutError. With --timeout-style native it is trio.TooSlowError, which is no "
            "TimeoutError: only done where the same function handles it."
        ),
        "trio takes no None and no negative number for a timeout.",
        "With a timeout of zero or less asyncio does not even begin the call; trio runs it up to its first checkpoint.",
        "Up to Python 3.11 asyncio runs the call in a task of its own, with a copy of the context variables.",
        "A task or a future outlives a trio scope around the wait for it, or is shared with others: a person decides.",
    )

    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM210": (
            "page = await asyncio.wait_for(fetch(url), 5)\n",
            (
                "with trio.move_on_after(5) as _scope:\n    page = await fetch(url)\n"
                "if _scope.cancelled_caught:\n    raise TimeoutError\n"
            ),
        )
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every use of asyncio.wait_for."""
        for _, node in ctx.uses_of("asyncio.wait_for"):
            call = ctx.parent(node)
            if not isinstance(call, ast.Call) or call.func is not node:
                yield self.finding(ctx, node, "wait_for is handed on", safety="C", help="call it where it is awaited")
                continue
            try:
                fix = self._fix(ctx, call)
            except Refused as refused:
                yield self.finding(ctx, call, f"wait_for stays: {refused}", safety="C", help=_help(ctx, call))
            else:
                yield self.finding(ctx, call, "wait_for -> a cancel scope with a deadline", fix=fix)

    def _fix(self, ctx: Context, call: ast.Call) -> Fix:
        inner, timeout = _arguments(ctx, call)
        awaited = ctx.awaited(call)
        if awaited is None:
            raise Refused("it is not awaited in place")
        statement = ctx.statement(call)
        _check_statement(ctx, statement, awaited)
        _check_order(ctx, inner, timeout)
        if isinstance(timeout, ast.Constant) and timeout.value is None:
            return ctx.fix("B", [ctx.replace(call, ctx.source_of(inner))], region=ctx.layout.lines_span(statement))
        limit = seconds(ctx, timeout)
        if not limit.positive and _is_literal(timeout):
            raise Refused("with a timeout of zero or less asyncio does not begin the call")
        trio = ctx.needs("trio", call)
        if trio is None:
            raise Refused("the name trio means something else here")
        handler = native_handler(ctx, statement, trio) if ctx.options.timeout_style == "native" else None
        indent, (first, last) = ctx.layout.indent(statement), ctx.layout.lines_span(statement)
        start = first + len(indent)
        newline = "" if ctx.text[first:last].endswith(("\n", "\r")) else "\n"
        body = reduced(ctx, statement, call, inner, ctx.layout.unit) + newline
        comments = lifted(ctx, ctx.span(call), [ctx.span(inner)], indent)[len(indent) :]
        above = f"{comments}{indent}" if comments else ""
        if handler is not None:
            text = f"{above}with {trio}.fail_after({limit.text}):\n{body}"
            edits = [Edit(start, last, _without(text, newline)), *handler.edits]
            return ctx.fix("B", edits, needs=["trio", *limit.needs], region=(first, last))
        module = ctx.source_of(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        error, needs = error_name(ctx, call, module)
        name = "" if isinstance(statement, ast.Return) else scope_name(ctx, statement)
        text = f"{above}with {trio}.move_on_after({limit.text}){name and f' as {name}'}:\n{body}"
        text += f"{indent}{_check(ctx, name, error, indent)}\n"
        edit = Edit(start, last, _without(text, newline))
        return ctx.fix("B", [edit], needs=["trio", *limit.needs, *needs], region=(first, last))


def _is_literal(node: ast.expr) -> bool:
    return isinstance(node.operand if isinstance(node, ast.UnaryOp) else node, ast.Constant)


def _check(ctx: Context, name: str, error: str, indent: str) -> str:
    """Give what follows the block: behind a `return` in it, which needs no named scope, only a timeout comes by."""
    if not name:
        return f"raise {error}"
    return f"if {name}.cancelled_caught:\n{indent}{ctx.layout.unit}raise {error}"


def _without(text: str, newline: str) -> str:
    """Take the last newline away where the file does not end with one."""
    return text[:-1] if newline else text


def _arguments(ctx: Context, call: ast.Call) -> tuple[ast.Call, ast.expr]:
    """Give what is waited for, a call, and the timeout."""
    names = [keyword.arg for keyword in call.keywords]
    if any(isinstance(node, ast.Starred) for node in call.args) or not {*names} <= {"fut", "timeout"}:
        raise Refused("its arguments are not plain")
    inner, timeout = argument(call, 0, "fut"), argument(call, 1, "timeout")
    if inner is None or timeout is None:
        raise Refused("its arguments are not plain")
    if not isinstance(inner, ast.Call) or ctx.symbol(inner) in _FUTURES:
        raise Refused("what it waits for is a task or a future, and not a call")
    return inner, timeout


def _check_statement(ctx: Context, statement: ast.stmt, awaited: ast.Await) -> None:
    if not isinstance(statement, _STATEMENTS):
        raise Refused("its result is used in the head of a block")
    if statement.value is not awaited:
        _check_expression(ctx, statement, awaited)
    if not ctx.in_async(awaited):
        raise Refused("it is not in an async function")
    if not ctx.layout.alone(statement):
        raise Refused("other code stands on the same line")


def _check_expression(ctx: Context, statement: ast.stmt, awaited: ast.Await) -> None:
    """Refuse an expression around the wait that does more than to use what comes of it."""
    around = set(itertools.takewhile(lambda node: node is not statement, ctx.ancestors(awaited)))
    if any(isinstance(node, _REPEATED) for node in around):
        raise Refused("it may be evaluated more than once")
    inside = set(ast.walk(awaited))
    for node in ast.walk(statement):
        if isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom)) and node not in inside:
            raise Refused("the statement awaits or yields something else, too")
        if isinstance(node, ast.Call) and node not in inside and node not in around and _is_before(node, awaited):
            raise Refused("the statement calls something else first")


def _is_before(node: ast.expr, other: ast.expr) -> bool:
    return (node.lineno, node.col_offset) < (other.lineno, other.col_offset)


def _check_order(ctx: Context, inner: ast.Call, timeout: ast.expr) -> None:
    """Refuse what would be evaluated in another order, or under the deadline and not before it."""
    parts = [inner.func, *inner.args, *(keyword.value for keyword in inner.keywords)]
    if ctx.contains(parts, ast.Await, ast.Yield, ast.YieldFrom):
        raise Refused("the arguments await something, which the timeout is not for")
    if ctx.contains([timeout], ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr):
        raise Refused("the timeout is not a plain expression")
    impure = any(isinstance(node, ast.Call) and not _only_reads(node) for node in ast.walk(timeout))
    if impure and any(ctx.contains([part], ast.Call, ast.NamedExpr) for part in parts):
        raise Refused("the timeout would be computed before the arguments of the call")


def _only_reads(call: ast.Call) -> bool:
    """Tell whether a call in a timeout is a clock's or a plain builtin's."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr in (
            "time",
            "monotonic",
            "perf_counter",
            "total_seconds",
            "get_running_loop",
            "get_event_loop",
        )
    return isinstance(call.func, ast.Name) and call.func.id in ("float", "int", "max", "min", "abs", "len", "round")


def _help(ctx: Context, call: ast.Call) -> str:
    if (
        not isinstance(argument(call, 0, "fut"), ast.Call)
        or ctx.symbol(call.args[0] if call.args else call) in _FUTURES
    ):
        return "give the task a nursery and a cancel scope of its own, or keep it on trioasync"
    if ctx.awaited(call) is None:
        return "await it in place, inside of trio.move_on_after"
    return _NAME_IT
