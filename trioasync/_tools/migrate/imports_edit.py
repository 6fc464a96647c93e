"""Imports that fixes need, and imports of asyncio that nothing needs any more."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from trioasync._tools.migrate.bind import Variable
from trioasync._tools.migrate.findings import Edit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trioasync._tools.migrate.config import Options
    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.discover import Place
    from trioasync._tools.migrate.source import Source

__all__ = ["HELPERS", "added", "bound_by", "dropped", "local_name", "used_imports", "without_aliases"]

# The module of the helper functions: a copy in the project, or the one in here.
HELPERS = "_trio_helpers"
# What rewrites take the last use away from: asyncio, and what they add or replace themselves.
_DROPPABLE = ("asyncio", "trioasync", "trio", "functools", "math", "subprocess", "time", HELPERS)
_OWN_HELPERS = "trioasync._tools.migrate.helpers"


def local_name(ctx: Context, what: str, at: ast.AST | None) -> str | None:
    """Give the text by which code at a node names an import; see `Context.needs`."""
    module, _, name = what.partition(":")
    if module == "helpers" and ctx.options.helpers == "none":
        return None
    scope = ctx.tree if at is None else ctx.bindings.scope_of(at)
    if what not in ctx.known_imports:
        ctx.known_imports[what] = list(_existing(ctx, module, name))
    for bound, text in ctx.known_imports[what]:
        variable = ctx.bindings.lookup(bound, scope)
        if variable is not None and variable.scope is ctx.tree:
            return text
    wanted = name or module.partition(".")[0]
    return None if ctx.bindings.lookup(wanted, scope) is not None else name or module


def _existing(ctx: Context, module: str, name: str) -> Iterator[tuple[str, str]]:
    """Give the names of top-level imports that have it already, each with the text that means it."""
    for statement in ctx.tree.body:
        for alias in statement.names if isinstance(statement, (ast.Import, ast.ImportFrom)) else ():
            bound = ctx.bindings.bound_by_alias(alias)
            target = ctx.bindings.import_target(alias)
            if _gives(target, module, name):
                if ctx.bindings.imported_as(Variable(ctx.tree, bound)) is not None:
                    yield bound, bound if alias.asname or name else module
            elif name and isinstance(statement, ast.Import) and alias.name == module:
                yield bound, f"{alias.asname or module}.{name}"


def _gives(target: str, module: str, name: str) -> bool:
    if module == "helpers":
        head, _, last = target.rpartition(".")
        return last == name and (head == _OWN_HELPERS or head.rpartition(".")[2] == HELPERS)
    return target == (f"{module}.{name}" if name else module)


# Adding


def added(source: Source, tree: ast.Module, needs: Iterable[str], options: Options, place: Place) -> list[Edit]:
    """Make the edits that import what is needed and not there yet, at the top of the module."""
    lines = [_statement(what, options, place) for what in sorted(needs) if not _is_there(tree, what)]
    if not lines:
        return []
    last = _import_to_follow(tree)
    at = _after_first_comments(source) if last is None else source.line_span(_last_line(source, tree, last))[1]
    text = "".join(f"{line}\n" for line in lines)
    if not isinstance(last, (ast.Import, ast.ImportFrom)):
        text = f"\n{text}" if last else text
        if at < len(source.text) and source.text[at] not in "\r\n":
            text = f"{text}\n\n"
    if at and source.text[at - 1] not in "\r\n":
        return [Edit(at, at, "\n" + text[:-1])]
    return [Edit(at, at, text)]


def _is_there(tree: ast.Module, what: str) -> bool:
    module, _, name = what.partition(":")
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            if any(alias.name == module for alias in statement.names):
                return True
        elif isinstance(statement, ast.ImportFrom) and name:
            source = "." * statement.level + (statement.module or "")
            if any(_gives(f"{source}.{alias.name}", module, name) for alias in statement.names):
                return True
    return False


def _statement(what: str, options: Options, place: Place) -> str:
    module, _, name = what.partition(":")
    if module == "helpers":
        vendored = "." * place.depth + HELPERS
        module = vendored if options.helpers == "vendor" else _OWN_HELPERS
    return f"from {module} import {name}" if name else f"import {module}"


def _import_to_follow(tree: ast.Module) -> ast.stmt | None:
    """Give what imports are put behind: the first of asyncio, else the last of the first imports or the docstring."""
    last: ast.stmt | None = None
    for index, statement in enumerate(tree.body):
        docstring = index == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            last = statement
            if _imports_asyncio(statement):
                break
        elif docstring:
            last = statement
        elif last is not None and any(isinstance(later, ast.ImportFrom) for later in tree.body[index:]):
            continue
        else:
            break
    return last


def _imports_asyncio(statement: ast.Import | ast.ImportFrom) -> bool:
    names = [statement.module or ""] if isinstance(statement, ast.ImportFrom) else [a.name for a in statement.names]
    return any(name.partition(".")[0] in ("asyncio", "trioasync") for name in names)


def _last_line(source: Source, tree: ast.Module, statement: ast.stmt) -> int:
    """Give the last line of a statement and of those that begin on it after `;`."""
    line = statement.end_lineno or statement.lineno
    for other in tree.body:
        if other.lineno <= line < (other.end_lineno or 0):
            line = other.end_lineno or line
    while source.line(line).endswith("\\") and line < len(source.line_starts):
        line += 1
    return line


def _after_first_comments(source: Source) -> int:
    line = 1
    while line <= len(source.line_starts) and source.line(line).startswith("#"):
        line += 1
    return source.line_span(line)[0] if line <= len(source.line_starts) else len(source.text)


# Dropping


def used_imports(ctx: Context) -> frozenset[tuple[str, str]]:
    """Give the imports that are used and that rewrites may change that of: the function they are in, and the name."""
    return frozenset((ctx.qualname(alias), bound) for alias, bound, loads in _droppable_imports(ctx) if loads)


def bound_by(lines: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Give the same for import statements that were added to the module."""
    return frozenset(("", line.split()[-1].partition(".")[0]) for line in lines if line)


def _droppable_imports(ctx: Context) -> Iterator[tuple[ast.alias, str, int]]:
    for bound, aliases in ctx.bindings.imported_names(_DROPPABLE).items():
        for alias in aliases:
            variable = ctx.bindings.lookup(bound, ctx.bindings.scope_of(alias))
            names = ctx.references(variable) if variable else ()
            yield alias, bound, sum(isinstance(name.ctx, ast.Load) for name in names)


def dropped(ctx: Context, before: frozenset[tuple[str, str]], trio_is_new: bool) -> list[Edit]:
    """Make the edits that drop imports that were used before and are used no more.

    Args:
        ctx: the file as it is now.
        before: what `used_imports` gave in the beginning, and what was added since.
        trio_is_new: `import trio` was added; it may stand where `import asyncio` was.
    """
    if ctx.source.text and ctx.path.endswith("__init__.py"):
        return []
    unused: dict[ast.stmt, list[ast.alias]] = {}
    for alias, bound, loads in _droppable_imports(ctx):
        statement = ctx.parent(alias)
        if loads or (ctx.qualname(alias), bound) not in before or alias.asname == alias.name or bound == "*":
            continue
        if isinstance(statement, (ast.Import, ast.ImportFrom)) and not _is_spoken_of(ctx, bound):
            unused.setdefault(statement, []).append(alias)
    edits: list[Edit] = []
    for statement, aliases in unused.items():
        assert isinstance(statement, (ast.Import, ast.ImportFrom))
        swapped = _swapped(ctx, statement, aliases) if trio_is_new else None
        trio_is_new = trio_is_new and swapped is None
        edits += swapped or without_aliases(ctx, statement, aliases) or []
    return edits


def _is_spoken_of(ctx: Context, name: str) -> bool:
    """Tell whether a string names it: in `__all__`, in an annotation, for a mock."""
    word = re.compile(rf"(?:\A{re.escape(name)}\Z)|(?<!\w){re.escape(name)}\.\w")
    return any(
        isinstance(node.value, str) and word.search(node.value)  # type: ignore[attr-defined]
        for node in ctx.bindings.by_type[ast.Constant]
        if not isinstance(ctx.parent(node), ast.Expr)
    )


def _swapped(ctx: Context, statement: ast.Import | ast.ImportFrom, aliases: Sequence[ast.alias]) -> list[Edit] | None:
    """Make the edits that put the new `import trio` in the place of `import asyncio`."""
    whole = isinstance(statement, ast.Import) and len(aliases) == len(statement.names) and _imports_asyncio(statement)
    line = _added_import(ctx)
    if not whole or line is None or ctx.parent(statement) is not ctx.tree or not ctx.layout.alone(statement):
        return None
    return [ctx.replace(statement, "import trio"), ctx.layout.removed(line)]


def without_aliases(
    ctx: Context, statement: ast.Import | ast.ImportFrom, aliases: Sequence[ast.alias]
) -> list[Edit] | None:
    """Make the edits that take names out of an import, and its lines if all are; None where they cannot go.

    They cannot where a comment would go with them, and where the import is the only statement of its block.
    """
    if len(aliases) == len(statement.names):
        span = ctx.layout.lines_span(statement)
        if not ctx.layout.alone(statement) or len(ctx.block(statement)) == 1 or ctx.comments(*span):
            return None
        return [Edit(span[0], _end_with_blank_line(ctx, statement, span[1]), "")]
    gone = {statement.names.index(alias) for alias in aliases}
    edits: list[Edit] = []
    for index in sorted(gone):
        start, end = ctx.span(statement.names[index])
        if index + 1 < len(statement.names):
            edits.append(Edit(start, ctx.span(statement.names[index + 1])[0], ""))
        else:
            kept = max(other for other in range(index) if other not in gone)
            edits = [edit for edit in edits if edit.start < ctx.span(statement.names[kept])[1]]
            edits.append(Edit(ctx.span(statement.names[kept])[1], end, ""))
    return None if any(ctx.comments(edit.start, edit.end) for edit in edits) else edits


def _end_with_blank_line(ctx: Context, statement: ast.stmt, end: int) -> int:
    """Give where to remove up to: blank lines behind go, too, where nothing is in front but the block's beginning."""
    first = ctx.block(statement)[0] is statement and (
        ctx.parent(statement) is not ctx.tree or not ctx.span(statement)[0]
    )
    while first and end < len(ctx.text):
        start, stop = ctx.source.line_span(ctx.source.position(end)[0])
        if ctx.text[start:stop].strip(" \t\r\n"):
            break
        end = stop
    return end


def _added_import(ctx: Context) -> ast.stmt | None:
    """Give the line `import trio`."""
    for statement in ctx.tree.body:
        if isinstance(statement, ast.Import) and [(a.name, a.asname) for a in statement.names] == [("trio", None)]:
            return (
                statement
                if ctx.layout.alone(statement) and not ctx.comments(*ctx.layout.lines_span(statement))
                else None
            )
    return None
