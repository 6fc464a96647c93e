"""A statement of calls as a nursery's block, with the comments that stood among them."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, NamedTuple

from trioasync._tools.migrate.rules._spawn import arguments_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.source import Comment

__all__ = ["Unwritable", "free_name", "nursery_block"]


class Unwritable(Exception):
    """There is no place for a block; the message says why."""


class _Started(NamedTuple):
    """One argument: its place in the text, and the lines that start what it names, the deepest last."""

    start: int
    end: int
    lines: Sequence[str]


def nursery_block(ctx: Context, statement: ast.stmt, call: ast.Call) -> tuple[str, frozenset[str]]:
    """Give the text of a nursery that starts each argument of `call`, in place of `statement`, and what it needs.

    Raises:
        Unwritable: the statement shares its line, or a loop variable would leave its comprehension.
    """
    if not ctx.layout.alone(statement):
        raise Unwritable("other statements are on its line")
    if ctx.contains([statement], ast.Yield, ast.YieldFrom, ast.NamedExpr):
        raise Unwritable("its arguments yield or assign")
    trio = ctx.needs("trio", statement)
    if trio is None:
        raise Unwritable("the name trio means something else here")
    nursery = free_name(ctx, "nursery", statement)
    needs = {"trio"}
    started = [_argument(ctx, statement, argument, nursery, needs) for argument in call.args]
    header = f"async with {trio}.open_nursery() as {nursery}:"
    unit, indent = ctx.layout.unit, ctx.layout.indent(statement)
    lines = list(_with_comments(ctx, statement, header, started, unit))
    return f"\n{indent}".join(lines), frozenset(needs)


def _argument(ctx: Context, statement: ast.stmt, argument: ast.expr, nursery: str, needs: set[str]) -> _Started:
    headers: list[str] = []
    inner = argument
    if isinstance(argument, ast.Starred):
        inner = argument.value
        if not isinstance(inner, (ast.GeneratorExp, ast.ListComp)):
            raise Unwritable("an argument is a list")
        headers = list(_loops(ctx, statement, inner))
        inner = inner.elt
    found = arguments_text(ctx, inner) if isinstance(inner, ast.Call) else None
    if found is None:
        raise Unwritable("an argument cannot be handed over as a function with its arguments")
    text, more = found
    needs |= more
    unit = ctx.layout.unit
    lines = [unit * depth + header for depth, header in enumerate(headers)]
    return _Started(*ctx.span(argument), [*lines, f"{unit * len(headers)}{nursery}.start_soon({text})"])


def _loops(ctx: Context, statement: ast.stmt, comprehension: ast.GeneratorExp | ast.ListComp) -> Iterator[str]:
    """Give the loops and conditions of a comprehension as statements, without indentation."""
    for generator in comprehension.generators:
        for name in ast.walk(generator.target):
            if isinstance(name, ast.Name) and not _may_leak(ctx, name.id, statement):
                raise Unwritable(f"{name.id} means something outside of the comprehension")
        word = "async for" if generator.is_async else "for"
        yield f"{word} {_expression(ctx, generator.target)} in {_expression(ctx, generator.iter)}:"
        for condition in generator.ifs:
            yield f"if {_expression(ctx, condition)}:"


def _expression(ctx: Context, node: ast.expr) -> str:
    """Give the text of an expression so that it may stand in a statement of its own line."""
    text = ctx.source_of(node)
    return f"({text})" if "\n" in text else text


def _may_leak(ctx: Context, name: str, statement: ast.stmt) -> bool:
    """Tell whether a comprehension's variable may become one of the function: nothing else there has that name."""
    if ctx.bindings.lookup(name, ctx.bindings.scope_of(statement)) is not None:
        return False
    return not hasattr(builtins, name)


def free_name(ctx: Context, name: str, statement: ast.stmt) -> str:
    """Give `name`, or `name_2` and so on, so that no nursery around a statement and nothing else there has it."""
    number, candidate = 1, name
    while not _unused(ctx, candidate, statement):
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def _unused(ctx: Context, name: str, statement: ast.stmt) -> bool:
    variable = ctx.bindings.lookup(name, ctx.bindings.scope_of(statement))
    if variable is None:
        return True
    if variable.scope is not ctx.function(statement):
        return False
    around = set(ctx.ancestors(statement))
    # A name of other nurseries of the same function serves again, where none of them is around.
    return all(
        isinstance(item := ctx.parent(node), ast.withitem)
        and ctx.symbol(item.context_expr) == "trio.open_nursery"
        and ctx.parent(item) not in around
        for node in ctx.bound_nodes(variable)
    )


def _with_comments(
    ctx: Context, statement: ast.stmt, header: str, started: Sequence[_Started], unit: str
) -> Iterator[str]:
    """Give the lines of the block, each comment at the line of what it stood at, else on a line of its own."""
    start, end = ctx.span(statement)
    comments = list(ctx.comments(start, end))
    yield header + _at_line_of(ctx, comments, start, started[0].start)
    for index, argument in enumerate(started):
        limit = started[index + 1].start if index + 1 < len(started) else end
        above = [comment.text for comment in _taken(comments, argument.end)]
        behind = "" if limit == end and _comment_behind(ctx, end) else _at_line_of(ctx, comments, argument.end, limit)
        if limit == end:
            above += [comment.text for comment in _taken(comments, end)]
        *headers, last = argument.lines
        yield from (unit + line for line in [*above, *headers])
        yield unit + last + behind


def _comment_behind(ctx: Context, end: int) -> bool:
    """Tell whether the line on which a statement ends has a comment, which will follow the block's last line."""
    return "#" in ctx.text[end : ctx.source.line_span(ctx.source.position(end)[0])[1]]


def _taken(comments: list[Comment], before: int) -> Iterator[Comment]:
    while comments and comments[0].start < before:
        yield comments.pop(0)


def _at_line_of(ctx: Context, comments: list[Comment], offset: int, before: int) -> str:
    """Take the comment that stands on the line of an offset, behind it."""
    if not comments or not offset <= comments[0].start < before:
        return ""
    if ctx.source.position(comments[0].start)[0] != ctx.source.position(offset)[0]:
        return ""
    return f"  {comments.pop(0).text}"
