"""What a rule is given: one file, its tree, its names, and the means to write edits."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from trioasync._tools.migrate import calls
from trioasync._tools.migrate.bind import Bindings, Variable
from trioasync._tools.migrate.findings import Edit, Fix
from trioasync._tools.migrate.imports_edit import local_name
from trioasync._tools.migrate.kinds import Kinds
from trioasync._tools.migrate.layout import Layout
from trioasync._tools.migrate.names import LOOP, LOOP_METHODS, LOOP_NAMES, use_name
from trioasync._tools.migrate.project import Asking

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from trioasync._tools.migrate.config import Options
    from trioasync._tools.migrate.findings import Safety
    from trioasync._tools.migrate.project import Project
    from trioasync._tools.migrate.source import Comment, Source

__all__ = ["Context"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Context:
    """One file, as rules see it. Nothing in here changes the file.

    Attributes:
        path: of the file, as it was given.
        source: the text with its lines, comments and tokens.
        text: the text itself; all offsets are into it.
        tree: what `ast` makes of it.
        options: what the run was asked for.
        known_imports: what `needs` has found to be imported already.

    Args:
        source: the file.
        tree: its tree.
        path: where it is.
        options: what the run was asked for.
        project: what is known of the other files.
        module: its dotted name; "" if it is not known.
        is_package: it is an `__init__.py`.
    """

    def __init__(
        self,
        source: Source,
        tree: ast.Module,
        *,
        path: str,
        options: Options,
        project: Project,
        module: str = "",
        is_package: bool = False,
    ) -> None:
        self.source = source
        self.text = source.text
        self.tree = tree
        self.path = path
        self.options = options
        self.module = module
        self._package = module if is_package else module.rpartition(".")[0]
        self.layout = Layout(source, tree)
        self.asked: set[tuple[str, str]] = set()
        self.known_imports: dict[str, Sequence[tuple[str, str]]] = {}
        self._qualnames: dict[ast.AST, str] = {}
        self._project = project

    # The tree

    @cached_property
    def bindings(self) -> Bindings:
        """Scopes and variables."""
        return Bindings(self.tree, self._package)

    @cached_property
    def _kinds(self) -> Kinds:
        return Kinds(self.bindings)

    @cached_property
    def uses(self) -> Mapping[str, Sequence[ast.expr]]:
        """Every use of asyncio's and trio's names by canonical name ("asyncio.sleep"), in the order of the text.

        Methods of the loop are in here as "loop.create_task", the node being the Attribute. Imports are not uses.
        """
        found: dict[str, list[ast.expr]] = {}
        names = self.bindings.imported_names(["asyncio", "trioasync", "trio"])
        candidates = list(names)
        if "*" in names:
            candidates = [*names, *(name for name in self.bindings.names if name not in names)]
        for name in candidates:
            for node in self.bindings.names.get(name, []):
                target = self.bindings.resolve(node) if isinstance(node.ctx, ast.Load) else None
                if target is not None and target.partition(".")[0] in ("asyncio", "trio"):
                    used, at = self._whole_use(node, target)
                    found.setdefault(used, []).append(at)
        for attribute in self._loop_attributes():
            found.setdefault(f"loop.{attribute.attr}", []).append(attribute)
        return {name: sorted(found[name], key=_position) for name in sorted(found)}

    def _whole_use(self, name: ast.expr, target: str) -> tuple[str, ast.expr]:
        """Go up from `asyncio` to `asyncio.subprocess.PIPE`, and not on to an attribute of that."""
        node = name
        while True:
            parent = self.bindings.parents.get(node)
            if not isinstance(parent, ast.Attribute):
                return target, node
            longer = self.bindings.resolve(parent) or target
            if longer.startswith("asyncio.") and use_name(longer) != longer:
                return use_name(longer), node
            node, target = parent, longer

    def _loop_attributes(self) -> Iterator[ast.Attribute]:
        for name, nodes in self.bindings.attributes.items():
            if name in LOOP_METHODS:
                yield from (node for node in nodes if self.is_loop(node.value))

    def is_loop(self, node: ast.AST) -> bool:
        """Tell whether an expression holds the event loop: by assignment, by annotation, else by its name."""
        kind = self.kind(node)
        if kind is not None:
            return kind == LOOP
        if isinstance(node, ast.Name):
            return node.id in LOOP_NAMES and self.resolve(node) is None
        return isinstance(node, ast.Attribute) and node.attr in LOOP_NAMES

    def uses_of(self, *names: str) -> Iterator[tuple[str, ast.expr]]:
        """Give the uses of these canonical names."""
        for name in names:
            for node in self.uses.get(name, ()):
                yield name, node

    def calls_of(self, *names: str) -> Iterator[tuple[str, ast.Call]]:
        """Give the calls of these canonical names."""
        for name, node in self.uses_of(*names):
            parent = self.parent(node)
            if isinstance(parent, ast.Call) and parent.func is node:
                yield name, parent

    def nodes(self, *kinds: type[ast.AST]) -> Sequence[ast.AST]:
        """Give all nodes of these exact types, in the order of the text."""
        found = [node for kind in kinds for node in self.bindings.by_type.get(kind, ())]
        return sorted(found, key=_position)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Give the node of which `node` is a part."""
        return self.bindings.parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Give the parent, its parent, and so on up to the module."""
        parent = self.parent(node)
        while parent is not None:
            yield parent
            parent = self.parent(parent)

    def definitions(self) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
        """Give all functions and methods, and whether each is an `async def`, in the order of the text."""
        for node in self.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
            assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            yield node, isinstance(node, ast.AsyncFunctionDef)

    def statement(self, node: ast.AST) -> ast.stmt:
        """Give the innermost statement that `node` is or belongs to."""
        while not isinstance(node, ast.stmt):
            node = self.bindings.parents[node]
        return node

    def function(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
        """Give the function whose body `node` is in; decorators and defaults are outside of theirs."""
        scope = self.bindings.scope_of(node)
        while not isinstance(scope, (*_FUNCTIONS, ast.ClassDef, ast.Module)):
            scope = self.bindings.scope_of(scope)
        return scope if isinstance(scope, _FUNCTIONS) else None

    def in_async(self, node: ast.AST) -> bool:
        """Tell whether `await` may stand where `node` is, whatever the kind of comprehension around it."""
        return isinstance(self.function(node), ast.AsyncFunctionDef)

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """Give the innermost class that `node` is in."""
        return next((above for above in self.ancestors(node) if isinstance(above, ast.ClassDef)), None)

    def qualname(self, node: ast.AST) -> str:
        """Give the qualified name of the function (or class) around a node: "Crawler.crawl"."""
        above = self.bindings.parents.get(node)
        while above is not None and not isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            above = self.bindings.parents.get(above)
        if above is None:
            return ""
        if above not in self._qualnames:
            around = self.qualname(above)
            self._qualnames[above] = f"{around}.{above.name}" if around else above.name
        return self._qualnames[above]

    def awaited(self, node: ast.AST) -> ast.Await | None:
        """Give the `await` that stands directly before an expression."""
        parent = self.parent(node)
        return parent if isinstance(parent, ast.Await) else None

    def block(self, statement: ast.stmt) -> Sequence[ast.stmt]:
        """Give the list of statements that a statement is in."""
        parent = self.bindings.parents[statement]
        for field in parent._fields:
            value = getattr(parent, field)
            if isinstance(value, list) and statement in value:
                return value
        raise ValueError("a statement is always in a block")

    def contains(self, statements: Iterable[ast.AST], *kinds: type[ast.AST]) -> bool:
        """Tell whether there is such a node in statements, leaving out functions and classes defined in there."""
        stack = list(statements)
        while stack:
            node = stack.pop()
            if isinstance(node, kinds):
                return True
            if not isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
                stack += ast.iter_child_nodes(node)
        return False

    def has_yield(self, statements: Iterable[ast.AST]) -> bool:
        """Tell whether statements yield: then no cancel scope and no nursery may be put around them."""
        return self.contains(statements, ast.Yield, ast.YieldFrom)

    # Names

    def resolve(self, node: ast.AST) -> str | None:
        """Give the canonical dotted name of what a Name or Attribute means by way of imports: "asyncio.sleep"."""
        return self.bindings.resolve(node)

    def symbol(self, node: ast.AST) -> str:
        """Give the canonical name that a node is, calls or awaits; "" if there is none."""
        if isinstance(node, ast.Await):
            node = node.value
        if isinstance(node, ast.Call):
            node = node.func
        return self.resolve(node) or (
            f"loop.{node.attr}" if isinstance(node, ast.Attribute) and self.is_loop(node.value) else ""
        )

    def kind(self, node: ast.AST) -> str | None:
        """Give the class of what an expression holds: "asyncio.Event", "asyncio.Task", "asyncio.AbstractEventLoop"."""
        return self._kinds.kind(node)

    def variable(self, node: ast.Name) -> Variable | None:
        """Give the variable that a name means."""
        return self.bindings.variable(node)

    def references(self, variable: Variable) -> Sequence[ast.Name]:
        """Give every name in the file that means this variable, in the order of the text."""
        return self.bindings.references(variable)

    def bound_nodes(self, variable: Variable) -> Sequence[ast.AST]:
        """Give everything that binds a variable: stores, parameters, definitions, imports, handlers."""
        return self.bindings.bound_nodes(variable)

    def attributes(self, name: str) -> Sequence[ast.Attribute]:
        """Give every `something.name` of the file, in the order of the text."""
        return sorted(self.bindings.attributes.get(name, ()), key=_position)

    def owner(self, node: ast.expr) -> ast.ClassDef | None:
        """Give the class whose instance an expression is, where it is a method's `self` (or `cls`)."""
        return self._kinds.class_behind(node) if isinstance(node, ast.Name) else None

    def own_class(self, node: ast.expr) -> ast.ClassDef | None:
        """Give the class of this file whose instance an expression holds, as far as assignments tell."""
        return self._kinds.own_class(node)

    def is_async(self, function: ast.expr) -> bool | None:
        """Tell whether what is called here is an `async def`: False if it is known not to be, None if nothing is."""
        return calls.is_async(self, function)

    @cached_property
    def project(self) -> Asking:
        """What is known of all files; where an answer turns out otherwise in the end, the file is looked at again."""
        return Asking(self._project, self.path, self.asked)

    def is_free(self, name: str) -> bool:
        """Tell whether a name is used nowhere in the file."""
        return not self.bindings.binders(name) and name not in self.bindings.names

    def fresh(self, name: str) -> str:
        """Give `name`, or `name_2` and so on, so that it is used nowhere in the file."""
        number, candidate = 1, name
        while not self.is_free(candidate):
            number += 1
            candidate = f"{name}_{number}"
        return candidate

    def needs(self, what: str, at: ast.AST | None = None) -> str | None:
        """Give the text by which code at a node names an import, or None where the name means something else there.

        The import itself is added when a fix that lists `what` in its `needs` is made.

        Args:
            what: "trio" for a module, "functools:partial" for a name in one, "helpers:race" for a helper function.
            at: where the text will stand.
        """
        return local_name(self, what, at)

    # Text

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Give the offsets of a node; a decorated definition begins at `def`, and parentheses are not part of it."""
        return self.source.span(node)

    def source_of(self, node: ast.AST) -> str:
        """Give the text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def comments(self, start: int, end: int) -> Sequence[Comment]:
        """Give the comments that begin between two offsets."""
        return self.source.comments(start, end)

    # Edits

    def replace(self, node: ast.AST, text: str) -> Edit:
        """Make an edit that replaces a node."""
        return Edit(*self.span(node), text)

    def fix(
        self,
        safety: Safety,
        edits: Iterable[Edit],
        *,
        needs: Iterable[str] = (),
        region: tuple[int, int] | None = None,
    ) -> Fix:
        """Make a fix of edits, which may come in any order."""
        return Fix(safety, tuple(sorted(edits)), frozenset(needs), region)


def _position(node: ast.AST) -> tuple[int, int]:
    return node.lineno, node.col_offset  # type: ignore[attr-defined]
