"""`asyncio.gather` → a nursery of trio where nobody asks for the results, else a helper function."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rule import Rule
from trioasync._tools.migrate.rules._collected import NotCollected, collected
from trioasync._tools.migrate.rules._nursery import Unwritable, nursery_block
from trioasync._tools.migrate.rules._spawn import as_function, not_async, without

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Fix, Safety

__all__ = ["Gather"]

_HELP = "call async functions in a nursery; what is a task already belongs into the nursery from its start"


class _Refused(Exception):
    """This gather stays; the message says why."""


class Gather(Rule):
    """Rewrites gathers that are awaited in place and whose arguments all call functions known to be `async def`."""

    name = "gather"
    codes: ClassVar[Mapping[str, str]] = {"TAM221": "asyncio.gather -> a nursery, or gather_results and gather_settled"}
    safety: ClassVar[Mapping[str, Safety]] = {"TAM221": "B"}
    uses = frozenset(["asyncio.gather"])
    traps = (
        (
            "After the first error asyncio leaves the others running; a nursery cancels them and waits until they "
            "have ended."
        ),
        (
            "A nursery raises an ExceptionGroup. So where an except clause or a suppress() is around, and where "
            "results are "
            "asked for, the helper is used: it raises the first error itself."
        ),
        "asyncio starts the functions in the order of the arguments, trio in any order.",
        (
            "A list that is made for `gather(*tasks)` alone is made of functions instead, if nothing is awaited from "
            "create_task to the gather; the tasks then start in the gather."
        ),
        (
            "trio calls the function: one that returns a Future instead of being an async def fails with a "
            "TypeError, so that "
            "only functions are rewritten whose definition the tool has seen."
        ),
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM221": (
            (
                "await asyncio.gather(fetch(1), fetch(2))\n"
                "await asyncio.gather(*(fetch(url) for url in urls))\n"
                "first, second = await asyncio.gather(fetch(1), fetch(2))\n"
                "settled = await asyncio.gather(fetch(1), fetch(2), return_exceptions=True)\n"
                "tasks = [asyncio.create_task(fetch(url)) for url in urls]\nawait asyncio.gather(*tasks)"
            ),
            (
                "async with trio.open_nursery() as nursery:\n"
                "    nursery.start_soon(fetch, 1)\n"
                "    nursery.start_soon(fetch, 2)\n"
                "async with trio.open_nursery() as nursery:\n"
                "    for url in urls:\n"
                "        nursery.start_soon(fetch, url)\n"
                "first, second = await gather_results(partial(fetch, 1), partial(fetch, 2))\n"
                "settled = await gather_settled(partial(fetch, 1), partial(fetch, 2))\n"
                "tasks = [partial(fetch, url) for url in urls]\nawait gather_results(*tasks)"
            ),
        )
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every use of asyncio.gather."""
        for _, node in ctx.uses_of("asyncio.gather"):
            call = ctx.parent(node)
            if not isinstance(call, ast.Call) or call.func is not node:
                yield self.finding(ctx, node, "gather is handed on", safety="C", help=_HELP)
                continue
            try:
                settled = _settled(call)
                _check_shape(ctx, call)
                fix, what = _rewrite(ctx, call, settled)
            except (_Refused, Unwritable, NotCollected) as reason:
                yield self.finding(ctx, call, f"gather stays: {reason}", safety="C", help=_HELP)
            else:
                yield self.finding(ctx, call, f"gather -> {what}", fix=fix)


def _settled(call: ast.Call) -> bool:
    """Tell whether exceptions are asked for as results."""
    settled = False
    for keyword in call.keywords:
        constant = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if keyword.arg != "return_exceptions" or not isinstance(constant, bool):
            raise _Refused("it has an option that is no constant return_exceptions")
        settled = constant
    return settled


def _check_shape(ctx: Context, call: ast.Call) -> None:
    if ctx.awaited(call) is None or not ctx.in_async(call):
        raise _Refused("it is not awaited in place")
    if not call.args:
        raise _Refused("it gathers nothing")
    for argument in call.args:
        inner: ast.expr = argument
        if isinstance(argument, ast.Starred):
            inner = argument.value
            if isinstance(inner, ast.Name):
                continue  # a list: _collected looks at it
            if not isinstance(inner, (ast.GeneratorExp, ast.ListComp)):
                raise _Refused(f"*{ctx.source_of(inner)} is a list of what is running already")
            inner = inner.elt
        reason = not_async(ctx, inner)
        if reason:
            raise _Refused(f"{ctx.source_of(inner).splitlines()[0]} {reason}")


def _rewrite(ctx: Context, call: ast.Call, settled: bool) -> tuple[Fix, str]:
    awaited = ctx.awaited(call)
    statement = ctx.statement(call)
    if not settled and isinstance(statement, ast.Expr) and statement.value is awaited and not _handled(ctx, statement):
        try:
            text, needs = nursery_block(ctx, statement, call)
        except Unwritable:
            if ctx.options.helpers == "none":
                raise
        else:
            return ctx.fix("B", [ctx.replace(statement, text)], needs=needs), "a nursery"
    helper = "gather_settled" if settled else "gather_results"
    return _by_helper(ctx, call, helper), helper


def _handled(ctx: Context, statement: ast.stmt) -> bool:
    """Tell whether something in the same function looks at the type of an exception raised here."""
    child: ast.AST = statement
    for above in ctx.ancestors(statement):
        if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return False
        if isinstance(above, ast.Try) and child in above.body and above.handlers:
            return True
        if isinstance(above, ast.With) and any(_catches(item.context_expr) for item in above.items):
            return True
        child = above
    return False


def _catches(opened: ast.expr) -> bool:
    """Tell whether a context manager is of the kind that catches exceptions by type, as `suppress` or `raises`."""
    function = opened.func if isinstance(opened, ast.Call) else opened
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return "raises" in name.lower() or "suppress" in name.lower()


def _by_helper(ctx: Context, call: ast.Call, helper: str) -> Fix:
    """Turn `gather(f(x), g())` into `gather_results(partial(f, x), g)`, in its own layout."""
    name = ctx.needs(f"helpers:{helper}", call)
    if name is None:
        raise _Refused("helper functions are not wanted, or their names are taken")
    edits = [ctx.replace(call.func, name)]
    needs = {f"helpers:{helper}"}
    for argument in call.args:
        inner = argument.value if isinstance(argument, ast.Starred) else argument
        if isinstance(inner, ast.Name):
            more, names = collected(ctx, call, inner)
            edits.extend(more)
            needs |= names
            continue
        inner = inner.elt if isinstance(inner, (ast.GeneratorExp, ast.ListComp)) else inner
        spawned = as_function(ctx, inner) if isinstance(inner, ast.Call) else None
        if spawned is None:
            raise _Refused("partial has no name here, or a comment would be lost")
        edits.extend(spawned.edits)
        needs |= spawned.needs
    edits += [without(ctx, call, keyword) for keyword in call.keywords]
    return ctx.fix("B", edits, needs=needs)
