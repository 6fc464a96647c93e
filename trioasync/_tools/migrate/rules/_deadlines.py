"""Rewrites the `async with` of a timeout, for the rules that know what its deadline becomes."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

from trioasync._tools.migrate.calls import argument
from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rules._object_rule import name_of
from trioasync._tools.migrate.rules._statements import Refused, parentheses
from trioasync._tools.migrate.rules._timeouts import error_name, native_handler, scope_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Fix
    from trioasync._tools.migrate.rules._clock import Times

__all__ = ["Change", "limit_of", "rewritten", "times_fix"]

_HEADER = re.compile(r"async[\s\\]+with")
_STORED = "the timeout is used in a way that a cancel scope has no word for"


class Change(NamedTuple):
    """Edits, and what they need."""

    edits: Sequence[Edit]
    needs: Sequence[str]


def limit_of(call: ast.Call, name: str) -> ast.expr:
    """Give the only argument of a timeout.

    Raises:
        Refused: there are others, or it is hidden in `*` or `**`.
    """
    limit = argument(call, 0, name)
    if len(call.args) + len(call.keywords) != 1 or limit is None:
        raise Refused("its arguments are not plain")
    return limit


def rewritten(ctx: Context, call: ast.Call, suffix: str) -> Change:
    """Change all of a timeout but its argument.

    Args:
        ctx: the file.
        call: of `asyncio.timeout` or `asyncio.timeout_at`.
        suffix: "after" or "at", as trio's functions end.

    Raises:
        Refused: it is no block for itself, or it is used in other ways.
    """
    block, item = _block(ctx, call)
    trio = name_of(ctx, "trio", call)
    header = _HEADER.match(ctx.text, ctx.span(block)[0])
    if header is None:
        raise Refused("its layout is odd")
    edits = [Edit(*header.span(), "with"), *_scope_edits(ctx, block, item, trio)]
    needs = ["trio", "math"] if any(edit.text.endswith("math.inf") for edit in edits) else ["trio"]
    handler = native_handler(ctx, block, trio) if ctx.options.timeout_style == "native" else None
    if handler is not None:
        return Change([*edits, ctx.replace(call.func, f"{trio}.fail_{suffix}"), *handler.edits], needs)
    module = ctx.source_of(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    error, more = error_name(ctx, call, module)
    edits.append(ctx.replace(call.func, f"{trio}.move_on_{suffix}"))
    return Change([*edits, *_check_edits(ctx, block, item, call, error)], [*needs, *more])


def times_fix(ctx: Context, times: Times) -> Fix:
    """Make the fix for times of the loop's clock, and for the deadlines that are some of them.

    Raises:
        Refused: one of the deadlines cannot be rewritten.
    """
    edits = [ctx.replace(source, f"{name_of(ctx, 'trio', source)}.current_time()") for source in times.sources]
    needs = {"trio"}
    for call in times.deadlines:
        change = rewritten(ctx, call, "at")
        edits += change.edits
        needs.update(change.needs)
    return ctx.fix("B", edits, needs=needs)


def _block(ctx: Context, call: ast.Call) -> tuple[ast.AsyncWith, ast.withitem]:
    """Give the `async with` that a timeout has for itself."""
    item = ctx.parent(call)
    block = ctx.parent(item) if isinstance(item, ast.withitem) else None
    if not isinstance(item, ast.withitem) or not isinstance(block, ast.AsyncWith):
        raise Refused("it is not entered by an async with of its own")
    if len(block.items) > 1:
        raise Refused("other things are entered by the same async with")
    if ctx.has_yield(block.body):
        raise Refused("the block yields, which a cancel scope may not be open for")
    if not ctx.layout.alone(block):
        raise Refused("other code stands on the same line")
    return block, item


def _moment(ctx: Context, when: ast.expr, trio: str) -> str:
    """Translate a new deadline: `loop.time() + seconds` and nothing else."""
    later = isinstance(when, ast.BinOp) and isinstance(when.op, ast.Add) and ctx.symbol(when.left) == "loop.time"
    if later and not any(ctx.symbol(node) == "loop.time" for node in ast.walk(when.right)):  # type: ignore[attr-defined]
        middle = ctx.text[ctx.span(when.left)[1] : ctx.span(when)[1]]  # type: ignore[attr-defined]
        return f"{trio}.current_time(){middle}"
    raise Refused("whether the deadline is one of the loop's clock is not known")


def _scope_edits(ctx: Context, block: ast.AsyncWith, item: ast.withitem, trio: str) -> Iterator[Edit]:
    """Give the edits that make of a Timeout's methods a scope's attributes."""
    if item.optional_vars is None:
        return
    if not isinstance(item.optional_vars, ast.Name):
        raise Refused(_STORED)
    variable = ctx.variable(item.optional_vars)
    if variable is None or list(ctx.bound_nodes(variable)) != [item.optional_vars]:
        raise Refused("the name of the timeout is bound to other things, too")
    end = ctx.span(block)[1]
    for node in ctx.references(variable):
        if node is item.optional_vars:
            continue
        attribute = ctx.parent(node)
        call = ctx.parent(attribute) if isinstance(attribute, ast.Attribute) else None
        if not isinstance(attribute, ast.Attribute) or not isinstance(call, ast.Call) or call.func is not attribute:
            raise Refused(_STORED)
        if ctx.function(node) is not ctx.function(block):
            raise Refused(_STORED)
        if attribute.attr == "expired" and ctx.span(node)[0] > end:
            yield Edit(ctx.span(node)[1], ctx.span(call)[1], ".cancelled_caught")
        elif attribute.attr == "reschedule" and isinstance(ctx.parent(call), ast.Expr) and ctx.span(node)[0] < end:
            yield _rescheduled(ctx, node, call, trio)
        else:
            raise Refused(_STORED)


def _rescheduled(ctx: Context, node: ast.Name, call: ast.Call, trio: str) -> Edit:
    if len(call.args) != 1 or call.keywords:
        raise Refused(_STORED)
    when = call.args[0]
    if isinstance(when, ast.Constant) and when.value is None:
        text = f"{name_of(ctx, 'math', call)}.inf"
    else:
        text = _moment(ctx, when, trio)
    if "\n" in text or "\r" in text:
        raise Refused("the deadline goes over several lines: give it a name first")
    return Edit(ctx.span(node)[1], ctx.span(call)[1], f".deadline = {text}")


def _check_edits(ctx: Context, block: ast.AsyncWith, item: ast.withitem, call: ast.Call, error: str) -> Iterator[Edit]:
    """Give the edits that raise the error behind the block, where the deadline has passed."""
    indent, end = ctx.layout.indent(block), _end_of_block(ctx, block)
    if isinstance(block.body[-1], ast.Return):
        lines = f"{indent}raise {error}\n"
    else:
        name = item.optional_vars.id if isinstance(item.optional_vars, ast.Name) else scope_name(ctx, block)
        if item.optional_vars is None:
            after = parentheses(ctx, call)[1]
            yield Edit(after, after, f" as {name}")
        lines = f"{indent}if {name}.cancelled_caught:\n{indent}{ctx.layout.unit}raise {error}\n"
    if end and ctx.text[end - 1] not in "\r\n":
        lines = "\n" + lines[:-1]
    yield Edit(end, end, lines)


def _end_of_block(ctx: Context, block: ast.AsyncWith) -> int:
    """Give the offset behind a block and behind the comments below that are as far in as it is."""
    end = ctx.layout.lines_span(block)[1]
    number = (block.end_lineno or block.lineno) + 1
    indent = ctx.layout.indent(block)
    while number <= len(ctx.source.line_starts):
        line = ctx.source.line(number)
        inner = line.startswith(indent) and line[len(indent) :].lstrip() != line[len(indent) :]
        if line.strip() and not (inner and line.lstrip().startswith("#")):
            break
        if line.strip():
            end = ctx.source.line_span(number)[1]
        number += 1
    return end
