"""What `wait_for` and `timeout` have in common: seconds for trio, the error that callers see, handlers of it."""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING, NamedTuple

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rules._statements import Refused, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trioasync._tools.migrate.context import Context

__all__ = ["Handler", "Seconds", "error_name", "native_handler", "scope_name", "seconds"]

# Calls of builtins that give a number, and those of them that give none below zero.
_NUMBERS = frozenset(["float", "int", "round", "max", "min", "sum", "abs", "len"])
_NOT_NEGATIVE = frozenset(["abs", "len"])
# Handlers that would catch a TimeoutError under another name; trio.TooSlowError would pass them.
_BROADER = frozenset(
    ["OSError", "IOError", "EnvironmentError", "Exception", "BaseException", "socket.error", "socket.timeout"]
)
_TIMEOUTS = frozenset(["TimeoutError", "asyncio.TimeoutError", "asyncio.exceptions.TimeoutError"])


class Seconds(NamedTuple):
    """A timeout as trio takes it: a number, never None, never negative."""

    text: str
    needs: tuple[str, ...] = ()
    positive: bool = False


def seconds(ctx: Context, node: ast.expr) -> Seconds:
    """Give the text for a timeout of asyncio, which may be None and may be negative.

    Raises:
        Refused: the expression would have to be evaluated twice to find out.
    """
    if isinstance(node, ast.Constant):
        return _constant(ctx, node)
    if isinstance(node, ast.IfExp):
        return _conditional(ctx, node)
    if _is_number(ctx, node):
        if _is_positive(ctx, node):
            return Seconds(one_line(ctx, node), positive=True)
        if _is_builtin_call(ctx, node, _NOT_NEGATIVE):
            return Seconds(one_line(ctx, node))
        return Seconds(f"{_builtin(ctx, node, 'max')}(0, {one_line(ctx, node)})")
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return _alternative(ctx, node)
    if _is_simple(node):
        text, infinity = one_line(ctx, node), _infinity(ctx, node)
        return Seconds(f"{infinity} if {text} is None else {_builtin(ctx, node, 'max')}(0, {text})", ("math",))
    raise Refused("the timeout may be None, and finding out would evaluate it twice: give it a name first")


def _constant(ctx: Context, node: ast.Constant) -> Seconds:
    if node.value is None:
        return Seconds(_infinity(ctx, node), ("math",), positive=True)
    if isinstance(node.value, (int, float)):
        return Seconds(ctx.source_of(node), positive=node.value > 0)
    raise Refused("the timeout is no number")


def _conditional(ctx: Context, node: ast.IfExp) -> Seconds:
    first, second = seconds(ctx, node.body), seconds(ctx, node.orelse)
    body = f"({first.text})" if " if " in first.text else first.text
    text = f"{body} if {one_line(ctx, node.test)} else {second.text}"
    return Seconds(text, (*first.needs, *second.needs), first.positive and second.positive)


def _alternative(ctx: Context, node: ast.BoolOp) -> Seconds:
    """Translate `a or b`: only the last operand can be None in the end."""
    last = node.values[-1]
    if not _is_number(ctx, last) and not (isinstance(last, ast.Constant) and last.value is None):
        raise Refused("the timeout may be None, and finding out would evaluate it twice: give it a name first")
    start = ctx.span(node)[0]
    before = ctx.text[start : ctx.span(last)[0]]
    if "\n" in before or "\r" in before:
        raise Refused("the timeout goes over several lines: give it a name first")
    end = seconds(ctx, last)
    return Seconds(f"{_builtin(ctx, node, 'max')}(0, {before}{end.text})", end.needs)


def _infinity(ctx: Context, node: ast.AST) -> str:
    math = ctx.needs("math", node)
    if math is None:
        raise Refused("the name math means something else here")
    return f"{math}.inf"


def _builtin(ctx: Context, node: ast.AST, name: str) -> str:
    if ctx.bindings.lookup(name, ctx.bindings.scope_of(node)) is not None:
        raise Refused(f"the name {name} means something else here")
    return name


def _is_builtin_call(ctx: Context, node: ast.expr, names: frozenset[str]) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return False
    return node.func.id in names and ctx.variable(node.func) is None


def _is_number(ctx: Context, node: ast.expr, seen: frozenset[str] = frozenset()) -> bool:
    """Tell whether an expression can be no other thing than a number."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
    if isinstance(node, (ast.BinOp, ast.UnaryOp)):
        return not isinstance(node.op, (ast.Not, ast.BitOr, ast.BitAnd))
    if _is_builtin_call(ctx, node, _NUMBERS):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in ("total_seconds", "time", "monotonic", "perf_counter") and not node.args
    if isinstance(node, ast.Name) and node.id not in seen:
        return all(value is not None and _is_number(ctx, value, seen | {node.id}) for value in _values(ctx, node))
    return False


def _is_positive(ctx: Context, node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float)) and node.value > 0
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mult, ast.Div)):
        return _is_positive(ctx, node.left) and _is_positive(ctx, node.right)
    if isinstance(node, ast.Name):
        variable = ctx.variable(node)
        changed = variable and any(isinstance(ctx.parent(it), ast.AugAssign) for it in ctx.bound_nodes(variable))
        values = [] if changed else list(_values(ctx, node))
        return bool(values) and all(isinstance(it, ast.Constant) and _is_positive(ctx, it) for it in values)
    return False


def _values(ctx: Context, name: ast.Name) -> Iterator[ast.expr | None]:
    """Give all that a variable is ever set to by `=`; None for anything else."""
    variable = ctx.variable(name)
    if variable is None or isinstance(variable.scope, ast.ClassDef):
        yield None
        return
    for binder in ctx.bound_nodes(variable):
        statement = ctx.parent(binder)
        if (isinstance(statement, ast.Assign) and binder in statement.targets) or (
            isinstance(statement, (ast.AnnAssign, ast.AugAssign)) and statement.target is binder and statement.value
        ):
            yield statement.value
        else:
            yield None


def _is_simple(node: ast.expr) -> bool:
    """Tell whether an expression may be evaluated twice: names, attributes, constant subscripts."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and _is_simple(node.value)
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and _is_simple(node.value))


def scope_name(ctx: Context, statement: ast.stmt) -> str:
    """Give a name for a cancel scope that no scope around the statement or in it has.

    It is the more deeply nested, the higher the number: `_scope`, `_scope_2` in there.
    """
    depth = 1 + sum(
        _is_deadline(ctx, item) for outer in ctx.ancestors(statement) for item in getattr(outer, "items", ())
    )
    base = next(name for name in _bases() if not any(_is_taken(ctx, used, name) for used in ctx.bindings.names))
    return base if depth == 1 else f"{base}_{depth}"


def _bases() -> Iterator[str]:
    yield "_scope"
    yield from (f"_scope{number}" for number in itertools.count())


def _is_taken(ctx: Context, used: str, base: str) -> bool:
    """Tell whether a name of the file is one of those that a base stands for, and means something else."""
    if used != base and not (used.startswith(f"{base}_") and used[len(base) + 1 :].isdigit()):
        return False
    return not all(_is_our_scope(ctx, node) for node in ctx.bindings.names[used])


def _is_deadline(ctx: Context, item: ast.AST) -> bool:
    return isinstance(item, ast.withitem) and ctx.symbol(item.context_expr).startswith(
        ("asyncio.timeout", "trio.move_on_", "trio.fail_")
    )


def _is_our_scope(ctx: Context, node: ast.AST) -> bool:
    """Tell whether a name is that of `with trio.move_on_after(...) as name:`, or stands in the `if` below."""
    parent = ctx.parent(node)
    if isinstance(parent, ast.withitem):
        return ctx.symbol(parent.context_expr).startswith("trio.move_on_")
    return isinstance(parent, ast.Attribute) and isinstance(ctx.parent(parent), ast.If)


def error_name(ctx: Context, node: ast.AST, module: str = "") -> tuple[str, tuple[str, ...]]:
    """Give the text for the error that a timeout raises, and what must be imported for it.

    Up to Python 3.10 asyncio has a class of its own: it is raised as long as anything in the program knows it.

    Raises:
        Refused: the names mean something else here.
    """
    visible = ctx.bindings.lookup("TimeoutError", ctx.bindings.scope_of(node))
    own = any(isinstance(use, ast.Name) and use.id == "TimeoutError" for _, use in ctx.uses_of("asyncio.TimeoutError"))
    if ctx.options.python < (3, 11) and _is_known(ctx):
        if own:
            return "TimeoutError", ()
        if module:
            return f"{module}.TimeoutError", ()
        name = ctx.needs("asyncio", node)
        if name is None:
            raise Refused("the name asyncio means something else here")
        return f"{name}.TimeoutError", ("asyncio",)
    if visible is not None and not own:
        raise Refused("the name TimeoutError means something else here")
    return "TimeoutError", ()


def _is_known(ctx: Context) -> bool:
    """Tell whether asyncio.TimeoutError is named anywhere in the program."""
    name = "asyncio.TimeoutError"
    return name in ctx.uses or ctx.project.uses_elsewhere(ctx.path, name)


class Handler(NamedTuple):
    """What must change so that the handler around a statement also knows trio.TooSlowError."""

    edits: tuple[Edit, ...]


# A handler of other errors: the next one is asked.
_ELSE = Handler((Edit(-1, -1, ""),))


def native_handler(ctx: Context, statement: ast.stmt, trio: str) -> Handler | None:
    """Give the handler of TimeoutError that a timeout in a statement reaches in its own function.

    None: there is none, or it would notice that the error is another one: it raises it again, or an `except OSError` is
    nearer.
    """
    inner: ast.AST = statement
    for outer in ctx.ancestors(statement):
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.With, ast.AsyncWith)):
            # A context manager may look at the exception, too; contextlib.suppress does.
            return None
        if type(outer).__name__ == "TryStar":
            return None
        if isinstance(outer, ast.Try) and inner in outer.body:
            for handler in outer.handlers:
                verdict = _judged(ctx, handler, trio)
                if verdict is not _ELSE:
                    return verdict
        inner = outer
    return None


def _judged(ctx: Context, handler: ast.ExceptHandler, trio: str) -> Handler | None:
    """Give what to do about one handler; None if it stands in the way, `_ELSE` if it handles other things."""
    if handler.type is None:
        return None
    classes = list(handler.type.elts) if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {ctx.resolve(node) or (node.id if isinstance(node, ast.Name) else "") for node in classes}
    if "trio.TooSlowError" in names:
        return Handler(())
    if names & _BROADER:
        return None
    if not names & _TIMEOUTS:
        return _ELSE
    if any(isinstance(node, ast.Raise) and node.exc is None for line in handler.body for node in ast.walk(line)):
        return None
    if handler.name and any(
        isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name) and node.exc.id == handler.name
        for line in handler.body
        for node in ast.walk(line)
    ):
        return None
    start = ctx.span(classes[0])[0]
    if isinstance(handler.type, ast.Tuple):
        return Handler((Edit(start, start, f"{trio}.TooSlowError, "),))
    return Handler((ctx.replace(handler.type, f"({trio}.TooSlowError, {ctx.source_of(handler.type)})"),))
