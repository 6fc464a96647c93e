"""Functions of one file, and what their calls hand to them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from trioasync._tools.migrate.rules._statements import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioasync._tools.migrate.context import Context

__all__ = [
    "Application",
    "application",
    "called",
    "calls",
    "default",
    "given",
    "in_other_files",
    "parameters",
    "positional",
]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Application(NamedTuple):
    """A function with arguments: a call, or what `nursery.start_soon(f, x)` and `partial(f, x)` make one of.

    Attributes:
        target: the expression that names the function.
        args: positional arguments.
        keywords: the others.
    """

    target: ast.expr
    args: Sequence[ast.expr]
    keywords: Sequence[ast.keyword]


def application(ctx: Context, call: ast.Call) -> Application:
    """Give what a call applies to what."""
    name = ctx.resolve(call.func)
    starts = isinstance(call.func, ast.Attribute) and call.func.attr in ("start_soon", "start") and name is None
    if not call.args or not (starts or name in ("functools.partial", "trio.run")):
        return Application(call.func, call.args, call.keywords)
    function, *args = call.args
    # start_soon(result.run, f, x) and start(cancellable, f, x) of the helpers
    if starts and args and _passes_on(ctx, function):
        function, *args = args
    return Application(function, args, call.keywords if name == "functools.partial" else ())


def _passes_on(ctx: Context, function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return (ctx.resolve(function) or "").endswith("helpers.cancellable")
    return isinstance(function, ast.Attribute) and function.attr == "run"


def called(ctx: Context, call: Application) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Give the function of this file that a call is for: `f(x)`, `self.f(x)` or `Class(x)`."""
    target = call.target
    if isinstance(target, ast.Name):
        variable = ctx.variable(target)
        bound = list(ctx.bound_nodes(variable)) if variable else []
        found = bound[0] if len(bound) == 1 else None
        if isinstance(found, ast.ClassDef) and not found.decorator_list:
            found = _method(ctx, found, "__init__")
    elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        owner = ctx.owner(target.value)
        found = None if owner is None else _method(ctx, owner, target.attr)
    else:
        found = None
    if not isinstance(found, _FUNCTIONS) or found.decorator_list:
        return None
    return found


def _method(ctx: Context, owner: ast.ClassDef, name: str) -> ast.AST | None:
    bound = ctx.bindings.binders(name).get(owner, [])
    return bound[0] if len(bound) == 1 else None


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Sequence[ast.arg]:
    """Give the parameters of a function that have names of their own at a call."""
    arguments = function.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def _own_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef, call: Application) -> Sequence[ast.arg]:
    """Give the positional parameters that a call's arguments are for, without the `self` of a bound method."""
    names = [*function.args.posonlyargs, *function.args.args]
    is_method = isinstance(call.target, ast.Attribute) or function.name == "__init__"
    return names[1:] if is_method else names


def positional(function: ast.FunctionDef | ast.AsyncFunctionDef, call: Application, node: ast.expr) -> str | None:
    """Give the name of the parameter that a positional argument is for, or None."""
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    if node not in call.args:
        return None
    index, names = call.args.index(node), _own_parameters(function, call)
    return names[index].arg if index < len(names) else None


def given(function: ast.FunctionDef | ast.AsyncFunctionDef, call: Application, name: str) -> ast.expr | None:
    """Give the argument that a call has for a parameter, or None.

    Raises:
        Refused: it is hidden in `*` or `**`.
    """
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(not k.arg for k in call.keywords):
        raise Refused("it comes from outside")
    for parameter, value in zip(_own_parameters(function, call), call.args, strict=False):
        if parameter.arg == name:
            return value
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def default(function: ast.FunctionDef | ast.AsyncFunctionDef, node: ast.arg) -> ast.expr | None:
    """Give the default of a parameter, or None."""
    arguments = function.args
    by_place = [*arguments.posonlyargs, *arguments.args]
    if node in by_place:
        index = by_place.index(node) - len(by_place) + len(arguments.defaults)
        return arguments.defaults[index] if index >= 0 else None
    return arguments.kw_defaults[arguments.kwonlyargs.index(node)]


def calls(ctx: Context, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Sequence[Application]:
    """Give all calls of a function.

    Raises:
        Refused: something else than a call refers to it, or another file may.
    """
    owner = ctx.parent(function)
    name = function.name
    if isinstance(owner, ast.ClassDef):
        if name == "__init__":
            name, variable = owner.name, ctx.bindings.lookup(owner.name, ctx.bindings.scope_of(owner))
            nodes: Sequence[ast.expr] = ctx.references(variable) if variable else ()
            if any(
                isinstance(node, ast.ClassDef) and owner is not node and _derives(node, owner)
                for node in ctx.nodes(ast.ClassDef)
            ):
                raise Refused("it is handed to a class that others derive from")
        else:
            nodes = ctx.attributes(name)
            if sum(isinstance(scope, ast.ClassDef) for scope in ctx.bindings.binders(name)) > 1:
                raise Refused("it is handed to a method that several classes have")
    else:
        variable = ctx.bindings.lookup(name, ctx.bindings.scope_of(function))
        nodes = ctx.references(variable) if variable else ()
    if in_other_files(ctx, name):
        raise Refused("it is handed to code that another file may call")
    found = []
    for node in nodes:
        call = ctx.parent(node)
        applied = application(ctx, call) if isinstance(call, ast.Call) else None
        if applied is not None and applied.target is node:
            found.append(applied)
        elif not _is_annotation(ctx, node):
            raise Refused("it is handed to code that is itself handed on")
    return found


def _derives(node: ast.ClassDef, base: ast.ClassDef) -> bool:
    return any(isinstance(parent, ast.Name) and parent.id == base.name for parent in node.bases)


def _is_annotation(ctx: Context, node: ast.expr) -> bool:
    inner: ast.AST = node
    for outer in ctx.ancestors(node):
        if isinstance(outer, (ast.arg, ast.AnnAssign)):
            return outer.annotation is inner
        if isinstance(outer, _FUNCTIONS):
            return outer.returns is inner
        if isinstance(outer, ast.stmt):
            return False
        inner = outer
    return False


def in_other_files(ctx: Context, name: str) -> bool:
    """Tell whether another file imports something that is defined here, or has an attribute of the name."""
    project = ctx.project
    if project.attribute_elsewhere(ctx.path, name):
        return True
    wanted = [f"{ctx.module}.{name}", f"{ctx.module}.*"] if ctx.module else []
    return any(project.imported_elsewhere(ctx.path, target) for target in wanted)
