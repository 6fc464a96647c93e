"""`asyncio.TaskGroup` → a nursery of trio."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rule import Rule
from trioasync._tools.migrate.rules._spawn import as_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["TaskGroup"]

_HELP = "open a nursery, and hand its start_soon to whoever starts tasks"


class _Refused(Exception):
    """This group stays; the message says why."""


class _Change(NamedTuple):
    edits: list[Edit]
    needs: set[str]


class TaskGroup(Rule):
    """Rewrites groups whose tasks are all started by `tg.create_task(f(x))`, results dropped or read afterwards."""

    name = "taskgroup"
    codes: ClassVar[Mapping[str, str]] = {"TAM220": "asyncio.TaskGroup -> trio.open_nursery"}
    safety: ClassVar[Mapping[str, Safety]] = {"TAM220": "B"}
    uses = frozenset(["asyncio.TaskGroup"])
    traps = (
        "Both raise an ExceptionGroup, also for a single error, and both cancel the others at the first error.",
        (
            "A child that raises KeyboardInterrupt or SystemExit ends the program at once with a TaskGroup; "
            "from a nursery it arrives in a BaseExceptionGroup."
        ),
        (
            "Where the block is cancelled from outside and a child fails in its clean-up, a TaskGroup raises errors "
            "alone; a nursery's group holds the cancellation as well, which its scope takes out."
        ),
        "A TaskGroup swallows a CancelledError that a child raises by itself; a nursery passes it on.",
        "Children start in the order of start_soon with asyncio, and in any order with trio.",
        "No nursery may be open where an async generator yields.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM220": (
            (
                "async with asyncio.TaskGroup() as tg:\n"
                "    tg.create_task(fetch(url))\n"
                "    page = tg.create_task(fetch(first, retries=2), name='first')\n"
                "print(page.result())"
            ),
            (
                "async with trio.open_nursery() as tg:\n"
                "    tg.start_soon(fetch, url)\n"
                "    page = Result()\n"
                "    tg.start_soon(page.run, partial(fetch, first, retries=2), name='first')\n"
                "print(page.value)"
            ),
        )
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every use of asyncio.TaskGroup."""
        for _, node in ctx.uses_of("asyncio.TaskGroup"):
            call = ctx.parent(node)
            item = ctx.parent(call) if isinstance(call, ast.Call) and call.func is node else None
            if not isinstance(item, ast.withitem) or item.context_expr is not call:
                yield self.finding(ctx, node, "TaskGroup outside of an `async with`", safety="C", help=_HELP)
                continue
            try:
                change = _group(ctx, item)
            except _Refused as reason:
                yield self.finding(ctx, call, f"TaskGroup stays: {reason}", safety="C", help=_HELP)
            else:
                fix = ctx.fix("B", change.edits, needs=change.needs)
                yield self.finding(ctx, call, "TaskGroup -> trio.open_nursery", fix=fix)


def _group(ctx: Context, item: ast.withitem) -> _Change:
    statement = ctx.parent(item)
    call = item.context_expr
    trio = ctx.needs("trio", call)
    if not isinstance(statement, ast.AsyncWith) or not isinstance(call, ast.Call) or call.args or call.keywords:
        raise _Refused("it is not opened by a plain `async with`")
    if trio is None:
        raise _Refused("the name trio means something else here")
    if ctx.has_yield(statement.body):
        raise _Refused("its block yields")
    change = _Change([ctx.replace(call, f"{trio}.open_nursery()")], {"trio"})
    if item.optional_vars is not None:
        for use in _uses(ctx, item.optional_vars, statement):
            _task(ctx, use, statement, change)
    return change


def _uses(ctx: Context, target: ast.expr, statement: ast.AsyncWith) -> list[ast.Name]:
    """Give where the group's name is read in its block."""
    variable = ctx.variable(target) if isinstance(target, ast.Name) else None
    if variable is None:
        raise _Refused("it is kept in something that is no local name")
    bound = ctx.bound_nodes(variable)
    blocks = [span for span in (_opens_group(ctx, node) for node in bound) if span is not None]
    if len(blocks) < len(bound):
        raise _Refused("its name means other things as well")
    start, end = ctx.span(statement)
    used = []
    for name in ctx.references(variable):
        if name in bound:
            continue
        at = ctx.span(name)[0]
        if start <= at < end:
            used.append(name)
        elif not any(first <= at < last for first, last in blocks):
            raise _Refused("its name is used after its block")
    return used


def _opens_group(ctx: Context, node: ast.AST) -> tuple[int, int] | None:
    """Give the span of the `async with` that binds a name to a group or a nursery; None if it is something else."""
    item = ctx.parent(node)
    opened = item.context_expr if isinstance(item, ast.withitem) else None
    if isinstance(opened, ast.Call) and ctx.resolve(opened.func) in ("asyncio.TaskGroup", "trio.open_nursery"):
        return ctx.span(ctx.statement(opened))
    return None


def _task(ctx: Context, group: ast.Name, statement: ast.AsyncWith, change: _Change) -> None:
    """Turn one `tg.create_task(f(x))` into `tg.start_soon(f, x)`."""
    method = ctx.parent(group)
    create = ctx.parent(method) if isinstance(method, ast.Attribute) else None
    if not isinstance(method, ast.Attribute) or not isinstance(create, ast.Call) or create.func is not method:
        raise _Refused(f"{group.id} is passed on")
    if method.attr != "create_task":
        raise _Refused(f"{group.id}.{method.attr}")
    if len(create.args) != 1 or not isinstance(create.args[0], ast.Call):
        raise _Refused("a task is made of something that is no call")
    if any(keyword.arg != "name" for keyword in create.keywords):
        raise _Refused("create_task has options that start_soon has not")
    made_by = ctx.resolve(create.args[0].func) or ""
    if made_by.startswith("asyncio.") and made_by != "asyncio.sleep":
        raise _Refused(f"a task is made by {made_by}: put it into an async function")
    before = ""
    if _dropped(ctx, create):
        change.edits.append(ctx.replace(method, f"{group.id}.start_soon"))
    else:
        before = _kept(ctx, create, group, statement, change)
    spawned = as_arguments(ctx, create, before)
    if spawned is None:
        raise _Refused("a task cannot be handed over as a function with its arguments")
    change.needs.update(spawned.needs)
    change.edits.extend(spawned.edits)


def _dropped(ctx: Context, create: ast.Call) -> bool:
    """Tell whether nobody asks for the task: a statement of its own, or a comprehension that is one."""
    parent = ctx.parent(create)
    if isinstance(parent, ast.ListComp) and parent.elt is create:
        parent = ctx.parent(parent)
    return isinstance(parent, ast.Expr)


def _kept(ctx: Context, create: ast.Call, group: ast.Name, statement: ast.AsyncWith, change: _Change) -> str:
    """Turn `t = tg.create_task(...)`, of which only `t.result()` after the block is used, into a Result.

    Returns:
        What stands before the function in the arguments.
    """
    assign = ctx.parent(create)
    target = assign.targets[0] if isinstance(assign, ast.Assign) and len(assign.targets) == 1 else None
    variable = ctx.variable(target) if isinstance(target, ast.Name) else None
    if assign is None or not isinstance(target, ast.Name) or variable is None:
        raise _Refused("a task is kept")
    plain = ctx.span(create)[0] == ctx.span(create.func)[0] and ctx.layout.alone(ctx.statement(create))
    if not plain or len(ctx.bound_nodes(variable)) != 1 or variable.scope is not ctx.bindings.scope_of(statement):
        raise _Refused(f"the task in {target.id} is not assigned once and for all")
    start = ctx.span(assign)[0]
    if ctx.comments(start, ctx.span(create.func)[1]):
        raise _Refused("a comment would be lost")
    if len(ctx.references(variable)) == 1:
        change.edits.append(Edit(start, ctx.span(create.func)[1], f"{group.id}.start_soon"))
        return ""
    result = ctx.needs("helpers:Result", create)
    if result is None:
        raise _Refused(f"the result of the task in {target.id} is asked for, and helper functions are not wanted")
    header = f"{target.id} = {result}()\n{ctx.layout.indent(ctx.statement(create))}{group.id}.start_soon"
    change.edits.append(Edit(start, ctx.span(create.func)[1], header))
    change.needs.add("helpers:Result")
    end = ctx.span(statement)[1]
    for name in ctx.references(variable):
        if name is not target:
            change.edits.append(_value(ctx, name, end))
    return f"{target.id}.run, "


def _value(ctx: Context, name: ast.Name, end: int) -> Edit:
    """Turn `t.result()` behind the block into `t.value`."""
    method = ctx.parent(name)
    call = ctx.parent(method) if isinstance(method, ast.Attribute) else None
    if (
        not isinstance(method, ast.Attribute)
        or method.attr != "result"
        or not isinstance(call, ast.Call)
        or call.func is not method
        or ctx.span(name)[0] < end
    ):
        raise _Refused(f"the task in {name.id} is used otherwise than for its result after the block")
    return ctx.replace(call, f"{name.id}.value")
