"""Which variable a name is: one walk over a module's tree, then scopes on demand.

A tree of 100,000 lines has nearly a million nodes, of which a few thousand concern asyncio. So the walk only files
nodes by their type and remembers parents; which scope a name belongs to is worked out for those somebody asks about.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from trioasync._tools.migrate.names import EXPORTED, canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Bindings", "Variable"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SKIPPED = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)


# Fields without nodes, or with such as nobody looks at.
_PLAIN_FIELDS = """
    arg attr conversion ctx id is_async is_lazy kind kwd_attrs level module n name op ops rest s simple str tag
    type_comment type_ignores
"""


def _child_fields() -> dict[type[ast.AST], tuple[str, ...]]:
    """Give for each class of nodes the fields that hold nodes, lists of nodes or None."""
    plain = set(_PLAIN_FIELDS.split())
    fields: dict[type[ast.AST], tuple[str, ...]] = {}
    for value in vars(ast).values():
        if isinstance(value, type) and issubclass(value, ast.AST) and not issubclass(value, _SKIPPED):
            is_alias_of_type = value.__name__ == "TypeAlias"
            fields[value] = tuple(
                name for name in value._fields if name not in plain or (is_alias_of_type and name == "name")
            )
    for leaf in (ast.Name, ast.Constant, ast.alias, ast.Global, ast.Nonlocal, ast.Pass, ast.Break, ast.Continue):
        fields[leaf] = ()
    return fields


_FIELDS = _child_fields()


class Variable(NamedTuple):
    """A name in the scope that binds it. Two names are the same variable when these are equal."""

    scope: ast.AST
    name: str


class Bindings:
    """The scopes of one module.

    Args:
        tree: the parsed module.
        package: dotted name of the package that the module is in, for relative imports.
    """

    def __init__(self, tree: ast.Module, package: str = "") -> None:
        self.tree = tree
        self.package = package
        self.parents: dict[ast.AST, ast.AST] = {}
        self.by_type: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        self.names: dict[str, list[ast.Name]] = defaultdict(list)
        self._walk()
        self._binders = self._collect_binders()
        self._scopes: dict[ast.AST, ast.AST] = {}
        self._variables: dict[ast.Name, Variable | None] = {}
        self._bound: dict[str, dict[ast.AST, list[ast.AST]]] = {}
        self._declared: dict[str, dict[ast.AST, type[ast.AST]]] | None = None

    def _walk(self) -> None:
        parents, by_type, names, fields = self.parents, self.by_type, self.names, _FIELDS
        stack: list[ast.AST] = [self.tree]
        pop, push = stack.pop, stack.append
        while stack:
            node = pop()
            kind = node.__class__
            if kind is ast.Name:
                names[node.id].append(node)  # type: ignore[attr-defined,arg-type]
                continue
            by_type[kind].append(node)
            for field in fields[kind]:
                value = getattr(node, field, None)
                if value.__class__ is list:
                    for child in value:
                        if child is not None:  # a key of {**x}
                            parents[child] = node
                            push(child)
                elif isinstance(value, ast.AST):
                    parents[value] = node
                    push(value)

    def _collect_binders(self) -> dict[str, list[ast.AST]]:
        """File what binds a name without being an `ast.Name`."""
        binders: dict[str, list[ast.AST]] = defaultdict(list)
        for kind in (
            ast.FunctionDef,
            ast.AsyncFunctionDef,
            ast.ClassDef,
            ast.ExceptHandler,
            ast.MatchAs,
            ast.MatchStar,
        ):
            for node in self.by_type[kind]:
                if node.name:  # type: ignore[attr-defined]
                    binders[node.name].append(node)  # type: ignore[attr-defined]
        for node in self.by_type[ast.arg]:
            binders[node.arg].append(node)  # type: ignore[attr-defined]
        for node in self.by_type[ast.MatchMapping]:
            if node.rest:  # type: ignore[attr-defined]
                binders[node.rest].append(node)  # type: ignore[attr-defined]
        for node in self.by_type[ast.alias]:
            binders[self.bound_by_alias(node)].append(node)  # type: ignore[arg-type]
        return binders

    @staticmethod
    def bound_by_alias(alias: ast.alias) -> str:
        """Give the name that an import binds."""
        return alias.asname or alias.name.split(".")[0]

    # Scopes

    def scope_of(self, node: ast.AST) -> ast.AST:
        """Give the module, class, function, lambda or comprehension in which `node` is evaluated."""
        inner: ast.AST | None = None
        child, parent = node, self.parents.get(node)
        while parent is not None and not isinstance(child, ast.stmt):
            if self._holds(parent, child, inner):
                return parent
            inner, child, parent = child, parent, self.parents.get(parent)
        return self.tree if parent is None else self._scope_of_statement(child)

    def _scope_of_statement(self, statement: ast.AST) -> ast.AST:
        """Give the scope of a whole statement: what is above it are blocks, up to a definition or the module."""
        if statement not in self._scopes:
            parent = self.parents[statement]
            while not isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)):
                parent = self.parents[parent]
            self._scopes[statement] = parent
        return self._scopes[statement]

    @staticmethod
    def _holds(scope: ast.AST, child: ast.AST, inner: ast.AST | None) -> bool:
        """Tell whether an expression that is part of `scope` is evaluated inside of it; `inner` is part of `child`."""
        if isinstance(scope, _FUNCTIONS):
            # Parameters are the function's, but their defaults, annotations and decorators the surroundings'.
            return isinstance(scope, ast.Lambda) and child is scope.body
        if isinstance(scope, _COMPREHENSIONS):
            return not (child is scope.generators[0] and inner is scope.generators[0].iter)
        return isinstance(scope, ast.Module)

    def _scope_bound_by(self, binder: ast.AST) -> ast.AST:
        """Give the scope in which a binder binds its name."""
        if isinstance(binder, ast.arg):
            return self.parents[self.parents[binder]]
        scope = self.scope_of(binder)
        if isinstance(binder, ast.Name) and isinstance(self.parents.get(binder), ast.NamedExpr):
            while isinstance(scope, _COMPREHENSIONS):
                scope = self.scope_of(scope)
        return scope

    def _declarations(self, name: str) -> dict[ast.AST, type[ast.AST]]:
        """Give the scopes that declare a name global or nonlocal."""
        if self._declared is None:
            self._declared = defaultdict(dict)
            for kind in (ast.Global, ast.Nonlocal):
                for node in self.by_type[kind]:
                    for declared in node.names:  # type: ignore[attr-defined]
                        self._declared[declared][self.scope_of(node)] = kind
        return self._declared.get(name, {})

    def binders(self, name: str) -> dict[ast.AST, list[ast.AST]]:
        """Give by scope the nodes that bind a name: stores and `del`, parameters, definitions, imports, handlers."""
        if name not in self._bound:
            declared = self._declarations(name)
            found: dict[ast.AST, list[ast.AST]] = defaultdict(list)
            stores = [node for node in self.names.get(name, []) if not isinstance(node.ctx, ast.Load)]
            elsewhere: list[tuple[ast.AST, ast.AST]] = []
            for binder in [*self._binders.get(name, []), *stores]:
                scope = self._scope_bound_by(binder)
                if scope in declared:
                    elsewhere.append((scope, binder))
                else:
                    found[scope].append(binder)
            for scope, binder in elsewhere:
                found[self._meant(scope, declared, found)].append(binder)
            self._bound[name] = dict(found)
        return self._bound[name]

    def _meant(
        self, scope: ast.AST, declared: dict[ast.AST, type[ast.AST]], bound: dict[ast.AST, list[ast.AST]]
    ) -> ast.AST:
        """Give the scope whose variable is meant where `scope` declares a name global or nonlocal."""
        if declared[scope] is ast.Global:
            return self.tree
        while scope is not self.tree and (scope in declared or scope not in bound or isinstance(scope, ast.ClassDef)):
            scope = self.scope_of(scope)
        return scope

    def variable(self, node: ast.Name) -> Variable | None:
        """Give the variable that a name means; None for a builtin, a star import's or one that nobody binds here."""
        if node not in self._variables:
            self._variables[node] = self.lookup(node.id, self.scope_of(node))
        return self._variables[node]

    def lookup(self, name: str, scope: ast.AST) -> Variable | None:
        """Give the variable that `name` means to code in `scope`."""
        bound = self.binders(name)
        declared = self._declarations(name)
        if scope in declared:
            scope = self._meant(scope, declared, bound)
        if scope in bound:
            return Variable(scope, name)
        while scope is not self.tree:
            scope = self.scope_of(scope)
            if scope in bound and not isinstance(scope, ast.ClassDef):
                return Variable(scope, name)
        return None

    def bound_nodes(self, variable: Variable) -> Sequence[ast.AST]:
        """Give what binds a variable, in the order of the text."""
        return sorted(self.binders(variable.name)[variable.scope], key=_position)

    def references(self, variable: Variable) -> Sequence[ast.Name]:
        """Give all names, read or written, that mean a variable, in the order of the text."""
        found = [node for node in self.names.get(variable.name, []) if self.variable(node) == variable]
        return sorted(found, key=_position)

    @cached_property
    def attributes(self) -> dict[str, list[ast.Attribute]]:
        """Every `something.name` by name."""
        found: dict[str, list[ast.Attribute]] = defaultdict(list)
        for node in self.by_type[ast.Attribute]:
            found[node.attr].append(node)  # type: ignore[attr-defined,arg-type]
        return found

    # Imports

    def import_target(self, alias: ast.alias) -> str:
        """Give the dotted name that an import binds its local name to."""
        statement = self.parents[alias]
        if isinstance(statement, ast.ImportFrom):
            return f"{self.import_source(statement)}.{alias.name}"
        return alias.name if alias.asname else alias.name.split(".")[0]

    def import_source(self, statement: ast.ImportFrom) -> str:
        """Give the module that a from-import reads, absolute as far as the package is known."""
        module = statement.module or ""
        if not statement.level:
            return module
        parts = self.package.split(".") if self.package else []
        if statement.level - 1 >= len(parts):
            return "." * statement.level + module
        base = parts[: len(parts) - statement.level + 1]
        return ".".join([*base, module] if module else base)

    def resolve(self, node: ast.AST) -> str | None:
        """Give the dotted name of what an expression means by way of imports, or None.

        A name counts only if everything that binds it imports the same thing; `name = None` in the handler of a failed
        import is passed over.
        """
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        target = self._resolve_name(node)
        return None if target is None else canonical(".".join([target, *reversed(parts)]))

    def _resolve_name(self, node: ast.Name) -> str | None:
        variable = self.variable(node)
        return self._from_star(node.id) if variable is None else self.imported_as(variable)

    def imported_as(self, variable: Variable) -> str | None:
        """Give the canonical name of what every binding of a variable imports, or None."""
        targets: set[str | None] = set()
        for binder in self.binders(variable.name)[variable.scope]:
            if isinstance(binder, ast.alias):
                targets.add(canonical(self.import_target(binder)))
            elif not self._is_placeholder(binder):
                targets.add(None)
        return targets.pop() if len(targets) == 1 else None

    def _is_placeholder(self, binder: ast.AST) -> bool:
        """Tell whether this is `name = None` in an except clause."""
        statement = self.parents.get(binder)
        if not isinstance(statement, ast.Assign) or not isinstance(self.parents.get(statement), ast.ExceptHandler):
            return False
        return isinstance(statement.value, ast.Constant) and statement.value.value is None

    def _from_star(self, name: str) -> str | None:
        if name not in EXPORTED or "*" not in self._binders:
            return None
        sources = {self.import_target(alias).rpartition(".")[0] for alias in self._binders["*"]}  # type: ignore[arg-type]
        return f"asyncio.{name}" if sources <= {"asyncio", "trioasync"} else None

    def imported_names(self, roots: Iterable[str]) -> dict[str, list[ast.alias]]:
        """Give the local names that imports of these top-level packages bind, with the imports."""
        wanted = frozenset(roots)
        found: dict[str, list[ast.alias]] = defaultdict(list)
        for node in self.by_type[ast.alias]:
            assert isinstance(node, ast.alias)
            if self.import_target(node).split(".")[0] in wanted:
                found[self.bound_by_alias(node)].append(node)
        return found


def _position(node: ast.AST) -> tuple[int, int]:
    return node.lineno, node.col_offset  # type: ignore[attr-defined]
