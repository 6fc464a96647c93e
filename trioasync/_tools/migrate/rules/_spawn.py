"""Calls handed over as a function with its arguments: to `start_soon` as "f, x", to a helper as "partial(f, x)".

The edits stay within the call, so that what stands around it, comments included, stays as it is.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

from trioasync._tools.migrate.findings import Edit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioasync._tools.migrate.context import Context

__all__ = [
    "Spawned",
    "arguments_text",
    "as_arguments",
    "as_function",
    "comma_between",
    "function_text",
    "not_async",
    "opening",
    "without",
]

# Longer calls that were written over several lines are not put on one.
_ONE_LINE = 80
_COMMENT = re.compile(r"#[^\r\n]*")
_SPACE_AND_COMMA = re.compile(r"[ \t]*(?:,[ \t]*)?")
_BEFORE_PARENTHESIS = re.compile(r"(?:[\s)\\]|#[^\n]*\n)*")


class Spawned(NamedTuple):
    """How a call is handed over.

    Args:
        edits: inside the call.
        needs: what they use, as `Context.fix` takes it.
    """

    edits: Sequence[Edit]
    needs: frozenset[str]


class _Parts(NamedTuple):
    """A call as text: the function, its arguments by position, its arguments by name."""

    function: str
    positional: Sequence[str]
    named: Sequence[str]
    needs: frozenset[str]


def not_async(ctx: Context, call: ast.expr) -> str:
    """Say why an expression cannot be handed over as an `async def` with its arguments; "" if it can."""
    if not isinstance(call, ast.Call):
        return "is no call: it may be a task or a future"
    name = ctx.resolve(call.func) or ""
    if name == "asyncio.sleep":
        return "" if _parts(ctx, call) else "is a sleep with a result"
    if name.startswith("asyncio."):
        return f"is made by {name}: put it into an async function"
    if not ctx.is_async(call.func):
        return f"calls {ctx.source_of(call.func)}, which is not known to be an async def"
    return ""


def arguments_text(ctx: Context, call: ast.Call) -> tuple[str, frozenset[str]] | None:
    """Give the text "f, x" for `f(x)`, with `partial` for keywords, and what it needs."""
    parts = _parts(ctx, call)
    if parts is None or parts.named:
        return function_text(ctx, call)
    return ", ".join([parts.function, *parts.positional]), parts.needs


def function_text(ctx: Context, call: ast.Call) -> tuple[str, frozenset[str]] | None:
    """Give the text "partial(f, x)" for `f(x)`, "f" for `f()`, and what it needs."""
    parts = _parts(ctx, call)
    if parts is None:
        return None
    if not parts.positional and not parts.named:
        return parts.function, parts.needs
    partial = ctx.needs("functools:partial", call)
    if partial is None:
        return None
    inside = ", ".join([parts.function, *parts.positional, *parts.named])
    return f"{partial}({inside})", parts.needs | {"functools:partial"}


def as_arguments(ctx: Context, outer: ast.Call, before: str = "") -> Spawned | None:
    """Make the edits that turn `outer(f(x))` into `outer(f, x)`, with `before` before the arguments.

    A call with comments in it, or a long one of several lines, becomes `partial(f, x)` and keeps its layout.
    """
    call = outer.args[0]
    found = arguments_text(ctx, call) if isinstance(call, ast.Call) else None
    if found is None or not isinstance(call, ast.Call):
        return None
    text, needs = found
    start, end = ctx.span(call)
    if "(" in ctx.text[opening(ctx, outer) + 1 : start]:
        # In parentheses of its own, "f, x" would be a tuple.
        return None if before else as_function(ctx, call)
    if ctx.comments(start, end) or ("\n" in ctx.text[start:end] and len(text) > _ONE_LINE):
        return as_function(ctx, call, before)
    return Spawned([Edit(start, end, before + text)], needs)


def as_function(ctx: Context, call: ast.Call, before: str = "") -> Spawned | None:
    """Make the edits that turn `f(x)` into `partial(f, x)`, and `f()` into `f`, in its own layout."""
    parts = _parts(ctx, call)
    if parts is None:
        return None
    start, end = ctx.span(call)
    parenthesis = opening(ctx, call)
    edits = _sleep_edits(ctx, call, parts)
    if not parts.positional and not parts.named:
        if ctx.comments(parenthesis, end):
            return None
        return Spawned([Edit(start, start, before), *edits, Edit(parenthesis, end, "")], parts.needs)
    partial = ctx.needs("functools:partial", call)
    if partial is None:
        return None
    edits.append(Edit(start, start, f"{before}{partial}("))
    bare = call.args[0] if len(call.args) == 1 and not call.keywords else None
    if isinstance(bare, ast.GeneratorExp) and ctx.span(bare)[0] == parenthesis:
        edits += [Edit(parenthesis, parenthesis, ", "), Edit(end, end, ")")]
    else:
        edits.append(Edit(parenthesis, parenthesis + 1, "," if ctx.text[parenthesis + 1].isspace() else ", "))
    return Spawned(edits, parts.needs | {"functools:partial"})


def without(ctx: Context, call: ast.Call, keyword: ast.keyword) -> Edit:
    """Take `return_exceptions=True` away with a comma, and with its line if nothing else is on it."""
    start, end = ctx.span(keyword)
    behind = _SPACE_AND_COMMA.match(ctx.text, end)
    assert behind is not None
    line_start = ctx.source.line_span(ctx.source.position(start)[0])[0]
    alone = not ctx.text[line_start:start].strip() and ctx.text[behind.end() : behind.end() + 1] in ("\r", "\n")
    if alone:
        return Edit(line_start, ctx.source.line_span(ctx.source.position(behind.end())[0])[1], "")
    if "," not in behind.group():
        before = ctx.text[:start].rstrip()
        if before.endswith(",") and not ctx.comments(ctx.span(call)[0], start)[-1:]:
            return Edit(len(before) - 1, end, "")
    return Edit(start, behind.end() if "," in behind.group() else end, "")


def comma_between(ctx: Context, start: int, end: int) -> int:
    """Give the offset of the first comma that is in no comment, or -1."""
    found = _COMMENT.sub(lambda comment: " " * len(comment.group()), ctx.text[start:end]).find(",")
    return found if found < 0 else start + found


def opening(ctx: Context, call: ast.Call) -> int:
    """Give the offset of the parenthesis that opens a call's arguments."""
    found = _BEFORE_PARENTHESIS.match(ctx.text, ctx.span(call.func)[1])
    assert found is not None
    return found.end()


def _parts(ctx: Context, call: ast.Call) -> _Parts | None:
    if ctx.resolve(call.func) == "asyncio.sleep":
        return _sleep(ctx, call)
    positional = [ctx.source_of(argument) for argument in call.args]
    named = [
        f"**{ctx.source_of(keyword.value)}" if keyword.arg is None else f"{keyword.arg}={ctx.source_of(keyword.value)}"
        for keyword in call.keywords
    ]
    function = ctx.source_of(call.func)
    if not isinstance(call.func, (ast.Name, ast.Attribute)):
        function = f"({function})"
    return _Parts(function, positional, named, frozenset())


def _sleep(ctx: Context, call: ast.Call) -> _Parts | None:
    trio = ctx.needs("trio", call)
    if trio is None or len(call.args) != 1 or call.keywords or isinstance(call.args[0], ast.Starred):
        return None
    delay = call.args[0]
    needs = frozenset(["trio"])
    if isinstance(delay, ast.Constant) and isinstance(delay.value, (int, float)):
        if delay.value == 0:
            return _Parts(f"{trio}.lowlevel.checkpoint", [], [], needs)
        return _Parts(f"{trio}.sleep", [ctx.source_of(delay)], [], needs)
    return _Parts(f"{trio}.sleep", [f"max(0, {ctx.source_of(delay)})"], [], needs)


def _sleep_edits(ctx: Context, call: ast.Call, parts: _Parts) -> list[Edit]:
    if ctx.resolve(call.func) != "asyncio.sleep":
        return []
    edits = [ctx.replace(call.func, parts.function)]
    if parts.positional and parts.positional[0] != ctx.source_of(call.args[0]):
        edits.append(ctx.replace(call.args[0], parts.positional[0]))
    return edits
