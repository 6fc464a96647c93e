"""`asyncio.to_thread` and `loop.run_in_executor(None, ...)` → `trio.to_thread.run_sync`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rule import Rule
from trioasync._tools.migrate.rules._statements import following, parentheses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Fix, Safety

__all__ = ["Threads"]

_ABANDON = ", abandon_on_cancel=True"
_BRIDGES = {
    "asyncio.run_coroutine_threadsafe": (
        "run_coroutine_threadsafe has no counterpart for threads that trio has not started",
        "in a thread of trio.to_thread.run_sync call trio.from_thread.run(f, x); elsewhere hand it a trio_token",
    ),
    "loop.call_soon_threadsafe": (
        "call_soon_threadsafe needs the token of the trio run",
        "keep trio.lowlevel.current_trio_token() and call its run_sync_soon(callback)",
    ),
}


class Threads(Rule):
    """Rewrites calls in the default thread pool that are awaited in place."""

    name = "threads"
    codes: ClassVar[Mapping[str, str]] = {
        "TAM250": "asyncio.to_thread, loop.run_in_executor -> trio.to_thread.run_sync",
        "TAM251": "calls into the loop from other threads",
    }
    safety: ClassVar[Mapping[str, Safety]] = {"TAM250": "A", "TAM251": "C"}
    uses = frozenset(["asyncio.to_thread", "loop.run_in_executor", *_BRIDGES])
    traps = (
        "abandon_on_cancel=True keeps what asyncio does: the cancelled goes on, and the thread ends alone.",
        "Without it trio waits for the thread.",
        "asyncio.run waits for such threads before it returns; trio.run does not, and they end with the process.",
        "trio runs 40 threads at a time, asyncio's default pool 32 at most.",
        "trio hands the context variables to the thread, as to_thread does and run_in_executor does not.",
    )

    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM250": (
            (
                "page = await asyncio.to_thread(read, path, encoding='utf-8')\n"
                "text = await loop.run_in_executor(None, read, path)\n"
            ),
            (
                "page = await trio.to_thread.run_sync(partial(read, path, encoding='utf-8'), abandon_on_cancel=True)\n"
                "text = await trio.to_thread.run_sync(read, path, abandon_on_cancel=True)\n"
            ),
        ),
        "TAM251": (
            "# in another thread\nloop.call_soon_threadsafe(callback)\n",
            (
                "token = trio.lowlevel.current_trio_token()  # in a task, before the thread starts\n"
                "...\n"
                "token.run_sync_soon(callback)  # in the thread\n"
            ),
        ),
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every call that goes to a thread, and at those that come from one."""
        for name, node in ctx.uses_of(*sorted(self.uses)):
            call = ctx.parent(node)
            called = isinstance(call, ast.Call) and call.func is node
            if name in _BRIDGES:
                message, help_ = _BRIDGES[name]
                yield self.finding(ctx, call if called else node, message, code="TAM251", safety="C", help=help_)  # type: ignore[arg-type]
            elif not called:
                message = f"{name.rpartition('.')[2]} is handed on"
                yield self.finding(ctx, node, message, safety="C", help="call it where it is awaited")
            elif name == "asyncio.to_thread":
                yield self._of_to_thread(ctx, call)  # type: ignore[arg-type]
            else:
                yield self._of_executor(ctx, call)  # type: ignore[arg-type]

    def _of_to_thread(self, ctx: Context, call: ast.Call) -> Finding:
        if not call.args or isinstance(call.args[0], ast.Starred):
            help_ = "write trio.to_thread.run_sync(function, ...)"
            return self.finding(ctx, call, "to_thread without a plain function", safety="C", help=help_)
        fix = _fix(ctx, call, call.args, "A" if ctx.awaited(call) else "B")
        if fix is None:
            message = "the names trio and partial mean something else here"
            return self.finding(ctx, call, message, safety="C", help="rename what has them")
        return self.finding(ctx, call, "to_thread -> trio.to_thread.run_sync", fix=fix)

    def _of_executor(self, ctx: Context, call: ast.Call) -> Finding:
        help_ = "call trio.to_thread.run_sync with a CapacityLimiter of the pool's size"
        if len(call.args) < 2 or call.keywords or any(isinstance(node, ast.Starred) for node in call.args[:2]):
            return self.finding(ctx, call, "run_in_executor without a plain function", safety="C", help=help_)
        executor = call.args[0]
        if not isinstance(executor, ast.Constant) or executor.value is not None:
            return self.finding(ctx, call, "run_in_executor with an executor of its own", safety="C", help=help_)
        if ctx.awaited(call) is None:
            message = "the future of run_in_executor is kept"
            help_ = "await trio.to_thread.run_sync in a task of a nursery"
            return self.finding(ctx, call, message, safety="C", help=help_)
        fix = _fix(ctx, call, call.args[1:], "B")
        if fix is None:
            message = "the name trio means something else here"
            return self.finding(ctx, call, message, safety="C", help="rename what has it")
        return self.finding(ctx, call, "run_in_executor -> trio.to_thread.run_sync", fix=fix)


def _fix(ctx: Context, call: ast.Call, arguments: list[ast.expr], safety: Safety) -> Fix | None:
    """Make the fix that calls `arguments[0]` with the others, and with the keywords, in a thread of trio's."""
    trio = ctx.needs("trio", call)
    if trio is None:
        return None
    edits, needs = [ctx.replace(call.func, f"{trio}.to_thread.run_sync")], ["trio"]
    first = parentheses(ctx, arguments[0])[0]
    if arguments[0] is not call.args[0]:
        edits.append(_without_executor(ctx, call.args[0], first))
    parts: list[ast.expr | ast.keyword] = [*arguments, *call.keywords]
    end = max(_end(ctx, part) for part in parts)
    if call.keywords:
        partial = ctx.needs("functools:partial", call)
        if partial is None:
            return None
        needs.append("functools:partial")
        edits += _partial(ctx, call, f"{partial}(", (first, end))
    else:
        edits += _behind(ctx, call, (first, end))
    return ctx.fix(safety, edits, needs=needs)


def _behind(ctx: Context, call: ast.Call, arguments: tuple[int, int]) -> Iterator[Edit]:
    """Give the edits that put an argument behind the others: on a line of its own if the parenthesis is on one.

    Args:
        ctx: the file.
        call: with the parenthesis.
        arguments: the offsets of the others.
    """
    last, line = arguments[1], _last_line(ctx, call, arguments)
    if not line:
        yield Edit(last, last, _ABANDON)
        return
    yield from _line_behind(ctx, last, f"{_indent(ctx, line)}{_ABANDON[2:]},")


def _partial(ctx: Context, call: ast.Call, opening: str, arguments: tuple[int, int]) -> Iterator[Edit]:
    """Give the edits that put arguments into a `partial`, and one step further in if they have lines of their own."""
    first, last = arguments
    begin, end = ctx.source.position(first)[0], _last_line(ctx, call, arguments)
    indent = _indent(ctx, begin)
    if not end or ctx.text[ctx.source.line_span(begin)[0] : first].strip():
        yield Edit(first, first, opening)
        yield Edit(last, last, f"){_ABANDON}")
        return
    yield Edit(first, first, f"{opening}\n{indent}{ctx.layout.unit}")
    for number in range(begin + 1, end + 1):
        if ctx.source.line(number).strip() and number not in ctx.source.lines_inside_strings:
            start = ctx.source.line_span(number)[0]
            yield Edit(start, start, ctx.layout.unit)
    yield from _line_behind(ctx, last, f"{indent}),\n{indent}{_ABANDON[2:]},")


def _last_line(ctx: Context, call: ast.Call, arguments: tuple[int, int]) -> int:
    """Give the line that the last argument and its comma end on; 0 unless arguments have lines of their own."""
    comma = _comma(ctx, arguments[1])
    first, line = (ctx.source.position(at)[0] for at in arguments)
    close = ctx.source.position(ctx.span(call)[1] - 1)[0]
    if close == line or ctx.source.line(close).strip()[:1] != ")" or (comma and ctx.source.position(comma)[0] != line):
        return 0
    return line if line > first or comma else 0


def _comma(ctx: Context, last: int) -> int:
    """Give the offset of the comma behind the last argument, 0 if there is none."""
    token = following(ctx, last)
    return token.start if token is not None and token.text == "," else 0


def _line_behind(ctx: Context, last: int, text: str) -> Iterator[Edit]:
    """Give the edits that put lines below the last argument's line, which then ends with a comma."""
    line = ctx.source.position(last)[0]
    end = ctx.source.line_span(line)[0] + len(ctx.source.line(line))
    comma = "" if _comma(ctx, last) else ","
    if last == end:
        yield Edit(end, end, f"{comma}\n{text}")
        return
    if comma:
        yield Edit(last, last, comma)
    yield Edit(end, end, f"\n{text}")


def _indent(ctx: Context, line: int) -> str:
    text = ctx.source.line(line)
    return text[: len(text) - len(text.lstrip())]


def _end(ctx: Context, part: ast.expr | ast.keyword) -> int:
    """Give the offset behind an argument and its parentheses."""
    return parentheses(ctx, part.value if isinstance(part, ast.keyword) else part)[1]


def _without_executor(ctx: Context, executor: ast.expr, following: int) -> Edit:
    """Make the edit that takes the executor and its comma away, and leaves a comment behind it."""
    start, end = parentheses(ctx, executor)
    end = _comma(ctx, end) + 1
    comments = ctx.comments(end, following)
    return Edit(start, comments[0].start if comments else following, "")
