"""`import asyncio` → `import trioasync as asyncio`: stage 1, in which nothing but imports changes."""

from __future__ import annotations

import ast
import importlib
import re
from typing import TYPE_CHECKING, ClassVar

import trioasync
from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.imports_edit import without_aliases
from trioasync._tools.migrate.names import EXPORTED, SUBMODULES
from trioasync._tools.migrate.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["Imports", "import_statements"]

# Where statements have blocks of statements, the last block first.
_BLOCKS: dict[type[ast.AST], tuple[str, ...]] = {
    kind: tuple(field for field in ("cases", "finalbody", "orelse", "handlers", "body") if field in kind._fields)
    for kind in vars(ast).values()
    if isinstance(kind, type)
    and issubclass(kind, (ast.stmt, ast.excepthandler, ast.match_case, ast.Module))
    and kind not in (ast.stmt, ast.excepthandler)
    and {"body", "cases"} & set(kind._fields)
}
_FROM = re.compile(r"(?:lazy\s+)?from(?:\s|\\\r?\n)*(asyncio)(?!\w)")


class Imports(Rule):
    """Rewrites every form of import of asyncio and of its submodules; the local names stay what they are."""

    name = "imports"
    stage = 1
    codes: ClassVar[Mapping[str, str]] = {
        "TAM100": "import of asyncio -> import of trioasync",
        "TAM101": "import of a part of asyncio that trioasync does not have",
    }
    safety: ClassVar[Mapping[str, Safety]] = {"TAM100": "A", "TAM101": "C"}
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM100": ("import asyncio", "import trioasync as asyncio"),
        "TAM101": ("from asyncio.tasks import _PyTask", "from trioasync import Task"),
    }
    traps = (
        "`import asyncio.subprocess` binds asyncio and becomes `import trioasync as asyncio`; submodules are in there.",
        "What is imported by a string, as by importlib or a mock, is not changed.",
    )

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every import statement."""
        if "asyncio" not in ctx.text:
            return
        bound: dict[int, set[str]] = {}
        for block, statement in import_statements(ctx.tree):
            if isinstance(statement, ast.ImportFrom):
                if not statement.level and _is_asyncio(statement.module or ""):
                    yield self._of_from(ctx, statement)
            elif any((alias.name, alias.asname) == ("trioasync", "asyncio") for alias in statement.names):
                bound.setdefault(block, set()).add("asyncio")
            if isinstance(statement, ast.Import) and any(_is_asyncio(alias.name) for alias in statement.names):
                yield self._of_import(ctx, statement, bound.setdefault(block, set()))

    def _of_from(self, ctx: Context, statement: ast.ImportFrom) -> Finding:
        missing = next((lack for alias in statement.names if (lack := _lack(statement.module or "", alias.name))), "")
        start = ctx.span(statement)[0]
        match = _FROM.match(ctx.text, start)
        if missing or match is None:
            return self._refused(ctx, statement, missing or "the import is written in an unusual way")
        edit = Edit(*match.span(1), "trioasync")
        message = f"from {statement.module} import -> from {_renamed(statement.module or '')} import"
        return self._made(ctx, statement, message, [edit])

    def _of_import(self, ctx: Context, statement: ast.Import, bound: set[str]) -> Finding:
        """Rewrite the names of one `import`; `bound` are the names that imports of asyncio before it in its block bind.

        trioasync has its submodules loaded, so `import asyncio.subprocess` is `import trioasync as asyncio` too; where
        that has been said already, the name goes.
        """
        edits: list[Edit] = []
        superfluous: list[ast.alias] = []
        bound |= (
            {"asyncio"} if any(alias.name == "asyncio" and not alias.asname for alias in statement.names) else set()
        )
        for alias in statement.names:
            if not _is_asyncio(alias.name):
                continue
            missing = _lack(alias.name, "")
            if missing:
                return self._refused(ctx, statement, missing)
            submodule = alias.name.partition(".")[2]
            if alias.asname is not None:
                start = ctx.span(alias)[0]
                edits.append(Edit(start, start + len("asyncio"), "trioasync"))
            elif submodule and not hasattr(trioasync, submodule):
                edits.append(ctx.replace(alias, f"{_renamed(alias.name)}, trioasync as asyncio"))
            elif submodule and "asyncio" in bound:
                superfluous.append(alias)
            else:
                edits.append(ctx.replace(alias, "trioasync as asyncio"))
                bound.add("asyncio")
        gone = without_aliases(ctx, statement, superfluous) if superfluous else []
        if gone is None:
            gone = [ctx.replace(alias, "trioasync as asyncio") for alias in superfluous]
        return self._made(ctx, statement, "import asyncio -> import trioasync", edits + gone)

    def _made(self, ctx: Context, statement: ast.stmt, message: str, edits: list[Edit]) -> Finding:
        fix = ctx.fix("A", edits)
        return self.finding(ctx, statement, message, symbol="asyncio", function="", fix=fix)

    def _refused(self, ctx: Context, statement: ast.stmt, why: str) -> Finding:
        return self.finding(
            ctx,
            statement,
            why,
            code="TAM101",
            safety="C",
            symbol="asyncio",
            function="",
            help="use the public name, or leave this import of asyncio: both modules work side by side",
        )


def import_statements(tree: ast.Module) -> Iterator[tuple[int, ast.Import | ast.ImportFrom]]:
    """Give the import statements of a module, wherever they are, in the order of the text, each with its block."""
    stack: list[tuple[int, ast.AST]] = [(0, tree)]
    while stack:
        block, node = stack.pop()
        fields = _BLOCKS.get(node.__class__)
        if fields is None:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                yield block, node
            continue
        for field in fields:
            statements = getattr(node, field)
            stack += [(id(statements), statement) for statement in reversed(statements)]


def _is_asyncio(module: str) -> bool:
    return module.split(".")[0] == "asyncio"


def _renamed(name: str) -> str:
    return "trioasync" + name[len("asyncio") :]


def _lack(module: str, name: str) -> str:
    """Say what of a module, or of a name in it, trioasync does not have; "" if it has it."""
    submodule = module.partition(".")[2]
    if submodule and submodule not in SUBMODULES:
        return f"trioasync has no module {submodule!r}"
    if not name or name == "*" or (not submodule and (name in EXPORTED or name in SUBMODULES)):
        return ""
    try:
        found = hasattr(importlib.import_module(_renamed(module)), name)
    except ImportError:
        return (
            "" if not name.startswith("_") else f"{module} is not there on this system, so nothing is known of {name!r}"
        )
    return "" if found else f"{_renamed(module)} has no {name!r}"
