"""What made a loop, ran something in it and closed it → `trio.run`, as the last step."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rules._advice import Advice, AdviceRule, advice_for
from trioasync._tools.migrate.rules._spawn import as_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["LoopBoilerplate"]

_TRY = re.compile(r"\s*try\s*:\s*")
_FINALLY = re.compile(r"\s*finally\s*:\s*")
_MAKERS = ("asyncio.get_event_loop", "asyncio.new_event_loop")


class _Refused(Exception):
    """This loop stays; the message says why."""


class _Program(NamedTuple):
    """All that is done with one loop: the one call that runs the program, and statements that can go."""

    run: ast.Call
    gone: list[ast.stmt]


class LoopBoilerplate(AdviceRule):
    """Rewrites a loop that is made, runs one async function and is closed, once nothing else of asyncio is left."""

    name = "loop_boilerplate"
    codes: ClassVar[Mapping[str, str]] = {"TAM271": "new_event_loop and run_until_complete -> trio.run"}
    safety: ClassVar[Mapping[str, Safety]] = {"TAM271": "B"}
    gate: ClassVar[Literal["", "file", "program", "project"]] = "program"
    traps = (
        (
            "A loop that runs several functions keeps their tasks in between; trio.run leaves nothing behind, "
            "so only a loop "
            "that runs one is rewritten."
        ),
        (
            "get_event_loop() gives a loop that others may hold as well; it is taken for the program's own "
            "where nothing but "
            "run_until_complete and close is called on it."
        ),
        "run_forever has no counterpart: main() waits for what ends the program, and its nursery holds what runs.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM271": (
            (
                "loop = asyncio.new_event_loop()\n"
                "asyncio.set_event_loop(loop)\n"
                "try:\n    result = loop.run_until_complete(main(1))\nfinally:\n    loop.close()"
            ),
            "result = trio.run(main, 1)",
        )
    }
    advice: ClassVar[Mapping[str, Advice]] = {
        **advice_for("loop.run_until_complete", "{} stays", "trio.run(main) for the program's one entry point"),
        **advice_for(
            "loop.run_forever loop.stop", "{} has no counterpart", "let main() wait for an Event that ends it"
        ),
        **advice_for(
            "loop.close loop.is_closed loop.is_running loop.shutdown_asyncgens loop.shutdown_default_executor",
            "{} has nothing to do in a trio program",
            "it goes with the loop",
        ),
        **advice_for("asyncio.Runner", "{} keeps a loop between calls", "call trio.run, each time a run of its own"),
        **advice_for(
            "asyncio.get_event_loop asyncio.new_event_loop asyncio.set_event_loop",
            "{} stays",
            "it goes with what is called on the loop",
        ),
        **advice_for(
            """asyncio.get_event_loop_policy asyncio.set_event_loop_policy asyncio.AbstractEventLoopPolicy
            asyncio.DefaultEventLoopPolicy asyncio.WindowsSelectorEventLoopPolicy asyncio._DefaultEventLoopPolicy
            asyncio.WindowsProactorEventLoopPolicy asyncio._WindowsSelectorEventLoopPolicy
            asyncio._WindowsProactorEventLoopPolicy""",
            "{}: trio has no policies",
            "it goes when trio.run comes",
        ),
        **advice_for(
            """asyncio.AbstractChildWatcher asyncio.SafeChildWatcher asyncio.FastChildWatcher asyncio.get_child_watcher
            asyncio.MultiLoopChildWatcher asyncio.PidfdChildWatcher asyncio.ThreadedChildWatcher
            asyncio.set_child_watcher""",
            "{}: trio watches child processes by itself",
            "it goes when trio.run comes; asyncio dropped it in 3.14",
        ),
        **advice_for(
            """asyncio.SelectorEventLoop asyncio.EventLoop asyncio.BaseEventLoop asyncio.ProactorEventLoop
            asyncio.IocpProactor""",
            "{}: trio's loop is no object",
            "it goes with what is called on the loop",
        ),
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at each loop as a whole, then at every use that is in none."""
        done: set[ast.AST] = set()
        refused: dict[ast.AST, str] = {}
        for _, call in ctx.calls_of("loop.run_until_complete"):
            trio = ctx.needs("trio", call)
            try:
                program, parts = _whole(ctx, call)
                if trio is None:
                    raise _Refused("the name trio means something else here")
                edits, needs, region = _edits(ctx, program, trio)
            except _Refused as reason:
                refused[call.func] = f"run_until_complete stays: {reason}"
                continue
            fix = ctx.fix("B", edits, needs=needs | {"trio"}, region=region)
            yield self.finding(ctx, call, "run_until_complete -> trio.run", fix=fix)
            done |= parts
        for name, node in ctx.uses_of(*self.advice):
            # In an async function get_event_loop is get_running_loop, which the rule loop_api looks at.
            in_program = name != "asyncio.get_event_loop" or not ctx.in_async(node)
            if node not in done and in_program:
                message, what_to_do = self.advice[name]
                message = refused.get(node, message)
                yield self.finding(ctx, node, message, safety="C", symbol=name, help=what_to_do)


def _whole(ctx: Context, run: ast.Call) -> tuple[_Program, set[ast.AST]]:
    """Give all that is done with the loop that `run` is called on, and the uses of asyncio in it."""
    inner = run.args[0] if len(run.args) == 1 and not run.keywords else None
    if not isinstance(inner, ast.Call) or not ctx.is_async(inner.func):
        raise _Refused("its argument is no call of a function known to be an async def")
    if ctx.in_async(run):
        raise _Refused("it is called in an async function")
    assert isinstance(run.func, ast.Attribute)
    loop = run.func.value
    if isinstance(loop, ast.Call):
        if ctx.symbol(loop) not in _MAKERS or loop.args:
            raise _Refused("the loop is not made by asyncio itself")
        return _Program(run, []), {run.func, loop.func}
    variable = ctx.variable(loop) if isinstance(loop, ast.Name) else None
    bound = ctx.bound_nodes(variable) if variable is not None else []
    made = ctx.parent(bound[0]) if len(bound) == 1 else None
    if variable is None or not isinstance(made, ast.Assign) or len(made.targets) != 1:
        raise _Refused("its loop is not a name that is assigned once")
    if not isinstance(made.value, ast.Call) or ctx.symbol(made.value) not in _MAKERS or made.value.args:
        raise _Refused("the loop is not made by asyncio itself")
    program = _Program(run, [made])
    parts: set[ast.AST] = {run.func, made.value.func}
    for name in ctx.references(variable):
        if name is not bound[0] and name is not loop:
            _use(ctx, name, program, parts)
    for call in _forgets(ctx, run):
        parts.add(call.func)
        program.gone.append(ctx.statement(call))
    if variable.scope is ctx.tree and ctx.module and ctx.project.attribute_elsewhere(ctx.path, variable.name):
        raise _Refused("other files may use its loop")
    return program, parts


def _forgets(ctx: Context, run: ast.Call) -> Iterator[ast.Call]:
    """Give the statements `asyncio.set_event_loop(None)` of the same function."""
    for _, call in ctx.calls_of("asyncio.set_event_loop"):
        no_loop = call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value is None
        if no_loop and ctx.function(call) is ctx.function(run) and isinstance(ctx.parent(call), ast.Expr):
            yield call


def _use(ctx: Context, name: ast.Name, program: _Program, parts: set[ast.AST]) -> None:
    """Look at a use of the loop that is not the one that runs the program: it must be a statement that can go."""
    statement = ctx.statement(name)
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call):
        raise _Refused("its loop is used for other things, too")
    if ctx.symbol(call) == "asyncio.set_event_loop" and call.args == [name]:
        methods: list[ast.expr] = [call.func]
    else:
        methods = list(_housekeeping(call, name.id))
    parts.update(methods)
    if statement not in program.gone:
        program.gone.append(statement)


def _housekeeping(call: ast.Call, loop: str) -> Iterator[ast.expr]:
    """Give the methods in a call that has nothing to do in a program of trio's."""
    methods = {
        node.attr: node
        for node in ast.walk(call)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == loop
    }
    outer = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    inner = [name for name in methods if name != outer]
    shutdown = inner in (["shutdown_asyncgens"], ["shutdown_default_executor"])
    if (outer in ("close", "set_debug") and not inner) or (outer == "run_until_complete" and shutdown):
        yield from methods.values()
    elif outer == "run_until_complete":
        raise _Refused("its loop runs more than one function")
    else:
        raise _Refused("its loop is used for other things, too")


def _edits(ctx: Context, program: _Program, trio: str) -> tuple[list[Edit], frozenset[str], tuple[int, int] | None]:
    """Make the edits for a program: what they need and what they rely on."""
    spawned = as_arguments(ctx, program.run)
    if spawned is None:
        raise _Refused("partial has no name here")
    edits = [ctx.replace(program.run.func, f"{trio}.run"), *spawned.edits]
    region = None
    left = list(program.gone)
    while left:
        block, parent = ctx.block(left[0]), ctx.parent(left[0])
        gone = [statement for statement in left if statement in block]
        left = [statement for statement in left if statement not in block]
        if not all(ctx.layout.alone(statement) for statement in gone):
            raise _Refused("statements about its loop share their lines with others")
        if len(gone) < len(block):
            edits += [ctx.layout.removed(statement) for statement in gone]
        elif isinstance(parent, ast.Try) and block is parent.finalbody and region is None:
            edits += _without_finally(ctx, parent)
            region = ctx.layout.lines_span(parent)
        else:
            raise _Refused("nothing would be left where its loop is closed")
    return edits, spawned.needs, region


def _without_finally(ctx: Context, statement: ast.Try) -> Sequence[Edit]:
    """Take the `finally` clause away, and the whole `try` where nothing else is left of it."""
    first, final = statement.body[0], statement.finalbody
    last = (statement.orelse or (statement.handlers[-1].body if statement.handlers else statement.body))[-1]
    between = range((last.end_lineno or last.lineno) + 1, ctx.layout.first_line(final[0]))
    keyword = [number for number in between if _FINALLY.fullmatch(ctx.source.line(number))]
    if len(keyword) != 1 or not _TRY.fullmatch(ctx.source.line(statement.lineno)):
        raise _Refused("its try statement is of an unusual layout")
    clause = Edit(ctx.source.line_span(keyword[0])[0], ctx.layout.lines_span(final[-1])[1], "")
    if statement.handlers:
        return [clause]
    dedented = ctx.layout.dedented(first, statement.body[-1])
    if dedented is None:
        raise _Refused("its try statement is of an unusual layout")
    header = Edit(*ctx.source.line_span(statement.lineno), "")
    around = [*range(statement.lineno + 1, ctx.layout.first_line(first)), *range(between.start, keyword[0])]
    return [header, *_comments_dedented(ctx, first, around), *dedented, clause]


def _comments_dedented(ctx: Context, first: ast.stmt, lines: Sequence[int]) -> Iterator[Edit]:
    """Take one step of indentation from comments that stand as deep as a statement."""
    inner = ctx.layout.indent(first)
    for number in lines:
        if ctx.source.line(number).startswith(inner):
            end = ctx.source.line_span(number)[0] + len(inner)
            yield Edit(end - len(ctx.layout.unit), end, "")
