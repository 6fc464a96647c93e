"""Tasks: who owns them is for a person to say; one that its own function awaits can become a nursery's on request."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rule import Rule
from trioasync._tools.migrate.rules._nursery import free_name
from trioasync._tools.migrate.rules._spawn import arguments_text, not_async

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Fix, Safety

__all__ = ["CreateTask"]

_MAKERS = ("asyncio.create_task", "asyncio.ensure_future", "loop.create_task")
_STORED = "TAM301"
_OWNER = "give what owns the task a nursery (an `async with` in its run()), and call nursery.start_soon there"
_JUMPS = (ast.Return, ast.Break, ast.Continue, ast.Yield, ast.YieldFrom, ast.Raise)


class _Awaited(NamedTuple):
    """A task that the same block makes and awaits."""

    assign: ast.Assign
    task: str
    last: ast.stmt
    wait: ast.Await


class CreateTask(Rule):
    """Reports tasks, by who keeps them; with `--select TAM301` those become a nursery's that their function awaits."""

    name = "create_task"
    codes: ClassVar[Mapping[str, str]] = {
        "TAM300": "a task that nobody keeps",
        _STORED: "a task that is kept: it needs a nursery of its owner's",
    }
    safety: ClassVar[Mapping[str, Safety]] = {"TAM300": "C", _STORED: "C"}
    uses = frozenset([*_MAKERS, "asyncio.Task"])
    traps = (
        "A nursery waits for its tasks and passes their errors on; a task of asyncio's that nobody keeps does neither.",
        (
            "In a function that is not async there is no nursery to open: it takes one as an argument, or its "
            "caller opens it."
        ),
        "A task is cancelled by a scope of its own: scope = await nursery.start(cancellable, f), then scope.cancel().",
        "ensure_future may be given a future, and then gives that back.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM300": (
            "class Client:\n    def connect(self):\n        asyncio.create_task(self.listen())",
            (
                "class Client:\n"
                "    async def run(self):\n        async with trio.open_nursery() as self.nursery:\n            ...\n\n"
                "    def connect(self):\n        self.nursery.start_soon(self.listen)"
            ),
        ),
        _STORED: (
            "task = asyncio.create_task(fetch(url))\nprepare()\npage = await task",
            (
                "async with trio.open_nursery() as nursery:\n"
                "    task = Result()\n    nursery.start_soon(task.run, fetch, url)\n    prepare()\npage = task.value"
            ),
        ),
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at what makes tasks, and at the name of their class."""
        for name, node in ctx.uses_of(*_MAKERS):
            call = ctx.parent(node)
            if not isinstance(call, ast.Call) or call.func is not node:
                message = f"{name} is handed on"
                yield self.finding(ctx, node, message, code=_STORED, safety="C", symbol=name, help=_OWNER)
                continue
            yield self._of_call(ctx, name, call)
        for _, node in ctx.uses_of("asyncio.Task"):
            message = "asyncio.Task: a task is named by its class"
            what_to_do = "a trio.CancelScope where it is cancelled, a Result where its outcome is read"
            yield self.finding(ctx, node, message, code=_STORED, safety="C", help=what_to_do)

    def _of_call(self, ctx: Context, name: str, call: ast.Call) -> Finding:
        statement, above = ctx.statement(call), ctx.parent(call)
        where = "" if ctx.in_async(call) else ", in a function that is not async"
        if isinstance(above, ast.Expr):
            message = f"{name}: nobody keeps this task{where}"
            return self.finding(ctx, call, message, code="TAM300", safety="C", symbol=name, help=_OWNER)
        awaited = _awaited(ctx, call)
        if awaited is not None:
            fix = _fix(ctx, call, awaited) if _STORED in ctx.options.select else None
            message = f"{name}: the task is awaited further down: a nursery could hold it"
            what_to_do = f"--select {_STORED} writes the nursery; an error then arrives in a group"
            return self.finding(
                ctx, call, message, code=_STORED, safety="B" if fix else "C", symbol=name, fix=fix, help=what_to_do
            )
        message = f"{name}: the task {_kept(statement, above)}{where}"
        return self.finding(ctx, call, message, code=_STORED, safety="C", symbol=name, help=_OWNER)


def _kept(statement: ast.stmt, above: ast.AST | None) -> str:
    if isinstance(above, (ast.Assign, ast.AnnAssign)):
        targets = above.targets if isinstance(above, ast.Assign) else [above.target]
        return "is kept in a local name" if isinstance(targets[0], ast.Name) else "is kept in an object"
    if isinstance(above, (ast.Call, ast.keyword)):
        return "is handed to a call"
    if isinstance(statement, ast.Return):
        return "is returned"
    if isinstance(above, ast.Await):
        return "is awaited at once: await the function itself"
    return "is kept in a collection"


def _awaited(ctx: Context, call: ast.Call) -> _Awaited | None:
    """Give where a task is awaited, if that is the one use of it, in the same block, with no way out in between."""
    assign = ctx.parent(call)
    target = assign.targets[0] if isinstance(assign, ast.Assign) and len(assign.targets) == 1 else None
    variable = ctx.variable(target) if isinstance(target, ast.Name) else None
    if variable is None or not isinstance(assign, ast.Assign) or not isinstance(target, ast.Name):
        return None
    uses = [name for name in ctx.references(variable) if name is not target]
    if len(ctx.bound_nodes(variable)) != 1 or len(uses) != 1 or variable.scope is not ctx.function(call):
        return None
    wait = ctx.awaited(uses[0])
    block = ctx.block(assign)
    last = ctx.statement(wait) if wait is not None else None
    if wait is None or last is None or last not in block or ctx.function(wait) is not ctx.function(call):
        return None
    between = block[block.index(assign) + 1 : block.index(last)]
    if (
        ctx.contains(between, *_JUMPS)
        or not ctx.in_async(call)
        or not isinstance(last, (ast.Expr, ast.Assign, ast.Return))
    ):
        return None
    return _Awaited(assign, target.id, last, wait) if last.value is wait else None


def _fix(ctx: Context, call: ast.Call, found: _Awaited) -> Fix | None:
    """Write a nursery around what is between the start of a task and its await."""
    inner = call.args[0] if len(call.args) == 1 and not call.keywords else None
    if not isinstance(inner, ast.Call) or not_async(ctx, inner):
        return None
    asked = not isinstance(found.last, ast.Expr)
    text, trio = arguments_text(ctx, inner), ctx.needs("trio", call)
    result = ctx.needs("helpers:Result", call) if asked else ""
    if text is None or result is None or trio is None or not ctx.layout.alone(found.assign):
        return None
    nursery = free_name(ctx, "nursery", found.assign)
    unit, indent = ctx.layout.unit, ctx.layout.indent(found.assign)
    lines = [f"async with {trio}.open_nursery() as {nursery}:"]
    lines += [f"{unit}{found.task} = {result}()"] if asked else []
    lines.append(f"{unit}{nursery}.start_soon({found.task + '.run, ' if asked else ''}{text[0]})")
    edits = [ctx.replace(found.assign, f"\n{indent}".join(lines)), *_between(ctx, found)]
    if asked:
        edits.append(ctx.replace(found.wait, f"{found.task}.value"))
    elif ctx.layout.alone(found.last):
        edits.append(ctx.layout.removed(found.last))
    else:
        return None
    region = ctx.layout.lines_span(found.assign, found.last)
    return ctx.fix("B", edits, needs=text[1] | {"trio"} | ({"helpers:Result"} if asked else set()), region=region)


def _between(ctx: Context, found: _Awaited) -> Sequence[Edit]:
    """Make the edits that put what is done meanwhile, with the comments above it, into the nursery's block."""
    block = ctx.block(found.assign)
    between = block[block.index(found.assign) + 1 : block.index(found.last)]
    if not between:
        return []
    lines = range((found.assign.end_lineno or found.assign.lineno) + 1, ctx.layout.first_line(between[0]))
    starts = [ctx.source.line_span(number)[0] for number in lines if ctx.source.line(number).strip()]
    return [*(Edit(start, start, ctx.layout.unit) for start in starts), *ctx.layout.indented(between[0], between[-1])]
