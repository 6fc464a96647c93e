"""A list of tasks or coroutines that is made for one `gather(*tasks)` alone: it may as well hold functions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rules._spawn import as_function, not_async

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trioasync._tools.migrate.context import Context

__all__ = ["NotCollected", "collected"]

_MAKERS = ("asyncio.create_task", "asyncio.ensure_future", "loop.create_task")
_PAUSES = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom)


class NotCollected(Exception):
    """The list may hold what runs already; the message says why."""


class _Element(NamedTuple):
    """What is put into the list: a call, and the call of `create_task` around it, if there is one."""

    call: ast.expr
    task: ast.Call | None


def collected(ctx: Context, gather: ast.Call, name: ast.Name) -> tuple[Sequence[Edit], frozenset[str]]:
    """Make the edits that turn a list's elements from `create_task(f(x))` or `f(x)` into `partial(f, x)`.

    Raises:
        NotCollected: the list is used for other things, or something may run before the gather.
    """
    variable = ctx.variable(name)
    bound = ctx.bound_nodes(variable) if variable is not None else ()
    if (
        variable is None
        or variable.scope is not ctx.function(gather)
        or len(bound) != 1
        or isinstance(bound[0], ast.arg)
    ):
        raise NotCollected(f"*{name.id} is a list of what is running already")
    elements: list[_Element] = []
    for reference in ctx.references(variable):
        if reference is not name:
            elements += _put(ctx, reference)
            _check_place(ctx, reference, gather, any(element.task for element in elements))
    if not elements:
        raise NotCollected(f"*{name.id} is empty, as far as can be seen")
    edits: list[Edit] = []
    needs: set[str] = set()
    for element in elements:
        reason = not_async(ctx, element.call)
        spawned = as_function(ctx, element.call) if not reason and isinstance(element.call, ast.Call) else None
        if spawned is None:
            raise NotCollected(f"*{name.id}: {ctx.source_of(element.call).splitlines()[0]} {reason or 'stays a call'}")
        edits += spawned.edits
        needs |= spawned.needs
        if element.task is not None:
            (start, end), (first, last) = ctx.span(element.task), ctx.span(element.call)
            edits += [Edit(start, first, ""), Edit(last, end, "")]
    return edits, frozenset(needs)


def _put(ctx: Context, reference: ast.Name) -> Iterator[_Element]:
    """Give what a line puts into the list: its first assignment, or `tasks.append(...)`."""
    above = ctx.parent(reference)
    statement = ctx.statement(reference)
    if isinstance(above, ast.Assign) and above.targets == [reference]:
        if isinstance(above.value, ast.List):
            for value in above.value.elts:
                yield _element(ctx, value)
            return
        if isinstance(above.value, ast.ListComp):
            yield _element(ctx, above.value.elt)
            return
    call = ctx.parent(above) if isinstance(above, ast.Attribute) and above.attr == "append" else None
    alone = isinstance(call, ast.Call) and ctx.parent(call) is statement and isinstance(statement, ast.Expr)
    if alone and isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords:
        yield _element(ctx, call.args[0])
        return
    raise NotCollected(f"*{reference.id}: the list is used for other things as well")


def _element(ctx: Context, value: ast.expr) -> _Element:
    if isinstance(value, ast.Call) and ctx.symbol(value) in _MAKERS:
        if len(value.args) != 1 or value.keywords:
            raise NotCollected("a task has a name or other options")
        return _Element(value.args[0], value)
    return _Element(value, None)


def _check_place(ctx: Context, reference: ast.Name, gather: ast.Call, running: bool) -> None:
    """Refuse a line that does not come before the gather each time, and tasks that may run before it."""
    around = [ctx.statement(reference), *(above for above in ctx.ancestors(reference) if isinstance(above, ast.stmt))]
    between: list[ast.AST] = []
    node: ast.AST | None = ctx.statement(gather)
    while isinstance(node, ast.stmt):
        block = ctx.block(node)
        first = next((statement for statement in around if statement in block), None)
        between += block[0 if first is None else block.index(first) : block.index(node)]
        if first is not None:
            if block.index(first) >= block.index(node):
                raise NotCollected(f"*{reference.id}: the list is used for other things as well")
            break
        node = ctx.parent(node)
        if not isinstance(node, (ast.Try, ast.With, ast.If)) or (isinstance(node, ast.Try) and block is not node.body):
            raise NotCollected(f"*{reference.id}: the list is made elsewhere")
        between += [part for part in ast.iter_child_nodes(node) if isinstance(part, (ast.expr, ast.withitem))]
    if running and ctx.contains(between, *_PAUSES):
        raise NotCollected(f"*{reference.id}: the tasks may run before they are gathered")
