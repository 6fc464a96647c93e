"""What an expression holds, as far as assignments in the same file tell: an Event, a Queue, the loop, a Task."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trioasync._tools.migrate.names import KINDS, LOOP, LOOP_TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trioasync._tools.migrate.bind import Bindings, Variable

__all__ = ["Kinds"]

_TRIO_KINDS = frozenset(
    [
        "trio.CancelScope",
        "trio.CapacityLimiter",
        "trio.Condition",
        "trio.Event",
        "trio.Lock",
        "trio.Semaphore",
        "trio.StrictFIFOLock",
    ]
)


class Kinds:
    """Finds out kinds by looking at every assignment of a variable or attribute; they must agree.

    Args:
        bindings: the scopes of the file.
    """

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._variables: dict[Variable, str | None] = {}
        self._followed: set[ast.AST] = set()
        self._attributes: dict[tuple[ast.AST, str], str | None] = {}

    def kind(self, node: ast.AST) -> str | None:
        """Give the canonical class of what an expression holds ("asyncio.Event"), or None."""
        if isinstance(node, (ast.Await, ast.NamedExpr)):
            return None if isinstance(node, ast.Await) else self.kind(node.value)
        if isinstance(node, ast.Call):
            return self._of_call(node)
        if isinstance(node, ast.Name):
            variable = self._bindings.variable(node)
            return None if variable is None else self._of_variable(variable)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = self.class_behind(node.value)
            return None if owner is None else self._of_attribute(owner, node.attr)
        return None

    def _of_call(self, call: ast.Call) -> str | None:
        name = self._bindings.resolve(call.func)
        if name is not None:
            return KINDS.get(name) or (name if name in _TRIO_KINDS else None)
        if isinstance(call.func, ast.Attribute):
            if call.func.attr in LOOP_TASKS and self.kind(call.func.value) == LOOP:
                return LOOP_TASKS[call.func.attr]
            if call.func.attr == "create_task" and self.kind(call.func.value) == "asyncio.TaskGroup":
                return "asyncio.Task"
        return None

    def class_behind(self, name: ast.expr) -> ast.ClassDef | None:
        """Give the class whose instance `self` (or which `cls`) means here."""
        variable = self._bindings.variable(name) if isinstance(name, ast.Name) else None
        if variable is None or not isinstance(variable.scope, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return None
        function = variable.scope
        positional = [*function.args.posonlyargs, *function.args.args]
        owner = self._bindings.parents.get(function)
        static = any(isinstance(node, ast.Name) and node.id == "staticmethod" for node in function.decorator_list)
        if isinstance(owner, ast.ClassDef) and positional and positional[0].arg == variable.name and not static:
            return owner
        return None

    def _of_variable(self, variable: Variable) -> str | None:
        if variable not in self._variables:
            self._variables[variable] = None  # what is assigned from itself has no kind
            found = {
                kind
                for binder in self._bindings.bound_nodes(variable)
                for kind in self._of_binder(binder)
                if kind != ""
            }
            self._variables[variable] = found.pop() if len(found) == 1 else None
        return self._variables[variable]

    def _of_attribute(self, owner: ast.ClassDef, name: str) -> str | None:
        key = (owner, name)
        if key not in self._attributes:
            self._attributes[key] = None
            found = {kind for target in self.stores(owner, name) for kind in self._of_binder(target) if kind != ""}
            self._attributes[key] = found.pop() if len(found) == 1 else None
        return self._attributes[key]

    def stores(self, owner: ast.ClassDef, name: str) -> Iterator[ast.AST]:
        """Give what assigns an attribute of a class's instances: in methods by `self.name`, and in its own body."""
        for node in self._bindings.attributes.get(name, ()):
            if isinstance(node.ctx, ast.Store) and self.class_behind(node.value) is owner:
                yield node
        yield from self._bindings.binders(name).get(owner, [])

    def _of_binder(self, binder: ast.AST) -> Iterator[str | None]:
        """Give the kind of what is bound here: None for what is not known, "" for None itself."""
        parent = self._bindings.parents.get(binder)
        if isinstance(binder, ast.arg):
            yield self.annotated(binder.annotation)
        elif isinstance(parent, ast.AnnAssign):
            kind = self.annotated(parent.annotation)
            yield kind if kind is not None or parent.value is None else self._of_value(parent.value)
        elif isinstance(parent, (ast.Assign, ast.NamedExpr)):
            yield self._of_value(parent.value)
        elif isinstance(parent, ast.withitem):
            kind = self.kind(parent.context_expr)
            yield kind if kind in ("asyncio.TaskGroup", "asyncio.Timeout", "trio.CancelScope") else None
        elif isinstance(binder, (ast.Name, ast.Attribute)) and isinstance(binder.ctx, ast.Del):
            yield ""
        else:
            yield None

    def _of_value(self, value: ast.expr) -> str | None:
        if isinstance(value, ast.Constant) and value.value is None:
            return ""
        if isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or):  # loop or asyncio.get_running_loop()
            return self._of_value(value.values[-1])
        return self.kind(value)

    def own_class(self, node: ast.expr) -> ast.ClassDef | None:
        """Give the class of this file whose instance a variable or an attribute of `self` holds, or None."""
        targets: Iterable[ast.AST] = ()
        if isinstance(node, ast.Call):
            return self._defined(node.func)
        if isinstance(node, ast.Name):
            variable = self._bindings.variable(node)
            targets = self._bindings.bound_nodes(variable) if variable is not None else ()
        elif isinstance(node, ast.Attribute):
            owner = self.class_behind(node.value)
            targets = self.stores(owner, node.attr) if owner is not None else ()
        found = {self._class_bound(target) for target in targets}
        return found.pop() if len(found) == 1 else None

    def _class_bound(self, binder: ast.AST) -> ast.ClassDef | None:
        parent = self._bindings.parents.get(binder)
        if isinstance(binder, ast.arg):
            return self._defined(binder.annotation)
        if isinstance(parent, ast.AnnAssign):
            return self._defined(parent.annotation)
        if not isinstance(parent, ast.Assign) or parent in self._followed:
            return None
        self._followed.add(parent)  # what is assigned from itself has no class
        found = self.own_class(parent.value)
        self._followed.discard(parent)
        return found

    def _defined(self, name: ast.expr | None) -> ast.ClassDef | None:
        """Give the class that a name means, if nothing else binds it."""
        variable = self._bindings.variable(name) if isinstance(name, ast.Name) else None
        bound = self._bindings.bound_nodes(variable) if variable is not None else ()
        return bound[0] if len(bound) == 1 and isinstance(bound[0], ast.ClassDef) else None

    def annotated(self, annotation: ast.expr | None) -> str | None:
        """Give the kind that an annotation says: `asyncio.Event`, `Optional[...]`, `... | None`, a string of these."""
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            return self._annotated_by_text(annotation)
        if isinstance(annotation, ast.BinOp):
            sides = [
                side
                for side in (annotation.left, annotation.right)
                if not (isinstance(side, ast.Constant) and side.value is None)
            ]
            return self.annotated(sides[0]) if len(sides) == 1 else None
        if isinstance(annotation, ast.Subscript):
            if self._bindings.resolve(annotation.value) in ("typing.Optional", "typing.Annotated", "typing.Final"):
                inner = annotation.slice
                return self.annotated(inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner)
            return self.annotated(annotation.value)
        if annotation is None:
            return None
        name = self._bindings.resolve(annotation)
        if name == LOOP or name in _TRIO_KINDS:
            return name
        return KINDS.get(name or "") if name in KINDS.values() or name in KINDS else None

    def _annotated_by_text(self, annotation: ast.Constant) -> str | None:
        try:
            inner = ast.parse(str(annotation.value), mode="eval").body
        except SyntaxError:
            return None
        for node in ast.walk(inner):
            self._bindings.parents[node] = annotation
        return self.annotated(inner)
