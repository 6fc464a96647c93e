"""Calls: whether what is called is an `async def`, and how to hand a call over as a function with its arguments."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trioasync._tools.migrate.context import Context

__all__ = ["argument", "is_async", "spawned"]

# Functions of asyncio that are `async def`; `gather` and `shield` are not.
_NAMES = """
    asyncio.create_subprocess_exec asyncio.create_subprocess_shell asyncio.open_connection asyncio.open_unix_connection
    asyncio.sleep asyncio.start_server asyncio.start_unix_server asyncio.to_thread asyncio.wait asyncio.wait_for
    trio.run_process trio.sleep trio.sleep_forever trio.sleep_until trio.to_thread.run_sync
"""
_ASYNC = frozenset(_NAMES.split())

_ASYNC_METHODS = {
    "Event": {"wait"},
    "Lock": {"acquire"},
    "Semaphore": {"acquire"},
    "BoundedSemaphore": {"acquire"},
    "Condition": {"acquire", "wait", "wait_for"},
    "Queue": {"get", "put", "join"},
    "PriorityQueue": {"get", "put", "join"},
    "LifoQueue": {"get", "put", "join"},
    "Barrier": {"wait", "reset", "abort"},
    "StreamReader": {"read", "readline", "readexactly", "readuntil"},
}


def is_async(ctx: Context, function: ast.expr) -> bool | None:
    """Tell whether a function is an `async def` that is no generator; None if it is not known."""
    name = ctx.resolve(function)
    if name is not None:
        if name.split(".")[0] in ("asyncio", "trio"):
            return name in _ASYNC or None
        return ctx.project.is_async(name)
    if isinstance(function, ast.Name):
        variable = ctx.variable(function)
        bound = ctx.bound_nodes(variable) if variable else ()
        return _defined_async(ctx, bound[0]) if len(bound) == 1 else None
    if not isinstance(function, ast.Attribute):
        return None
    kind = ctx.kind(function.value)
    if kind is not None:
        return True if function.attr in _ASYNC_METHODS.get(kind.rpartition(".")[2], ()) else None
    owner = ctx.owner(function.value) or ctx.own_class(function.value)
    return None if owner is None else _method_async(ctx, owner, function.attr, set())


def _method_async(ctx: Context, owner: ast.ClassDef, name: str, seen: set[ast.ClassDef]) -> bool | None:
    """Look a method up in a class and in those of its bases that are in the same file."""
    if owner in seen:
        return None
    seen.add(owner)
    bound = ctx.bindings.binders(name).get(owner, [])
    if bound:
        return _defined_async(ctx, bound[0]) if len(bound) == 1 else None
    for base in owner.bases:
        variable = ctx.variable(base) if isinstance(base, ast.Name) else None
        for node in ctx.bound_nodes(variable) if variable else ():
            found = _method_async(ctx, node, name, seen) if isinstance(node, ast.ClassDef) else None
            if found is not None:
                return found
    return None


def _defined_async(ctx: Context, node: ast.AST) -> bool | None:
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    if any(not _harmless(decorator) for decorator in node.decorator_list):
        return None
    return isinstance(node, ast.AsyncFunctionDef) and not ctx.has_yield(node.body)


def _harmless(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Name) and decorator.id in ("staticmethod", "classmethod")


def spawned(ctx: Context, call: ast.Call, *, name: str | None = None) -> tuple[str, frozenset[str]] | None:
    """Give the text that hands a call to `start_soon` and its like: "f, x" for `f(x)`, with `partial` for keywords.

    Args:
        ctx: the file.
        call: what would have been called.
        name: text of a `name=` argument that is put behind, or None.

    Returns:
        The text and what it needs to be imported; None if a comment would be lost or `partial` has no name here.
    """
    if ctx.comments(*ctx.span(call)):
        return None
    arguments = [ctx.source_of(argument) for argument in call.args]
    arguments += [_keyword(ctx, keyword) for keyword in call.keywords]
    inside = ", ".join([ctx.source_of(call.func), *arguments])
    needs: frozenset[str] = frozenset()
    if call.keywords:
        partial = ctx.needs("functools:partial", call)
        if partial is None:
            return None
        inside, needs = f"{partial}({inside})", frozenset(["functools:partial"])
    return (inside if name is None else f"{inside}, name={name}"), needs


def _keyword(ctx: Context, keyword: ast.keyword) -> str:
    value = ctx.source_of(keyword.value)
    return f"**{value}" if keyword.arg is None else f"{keyword.arg}={value}"


def argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """Give an argument that may be given by position or by name; None if it is not given, or hidden in `*` or `**`."""
    if len(call.args) > position and not any(isinstance(given, ast.Starred) for given in call.args[: position + 1]):
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
