"""Objects that a program makes once and keeps under one name: every use of the name is known, or nothing is rewritten.

A *holder* is a variable or an attribute. What is made by `asyncio.Event()` is kept in a holder; `self._event = event`
and calls `f(event)` of functions of the same file hand it to further holders. All of them together are a *family*. It
can be rewritten only as a whole, and only if nothing else is ever put into one of its holders, and if each use is one
that the rule has a word for.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from trioasync._tools.migrate.bind import Variable
from trioasync._tools.migrate.rules import _handed
from trioasync._tools.migrate.rules._statements import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trioasync._tools.migrate.context import Context

__all__ = [
    "Attribute",
    "Family",
    "Holder",
    "Use",
    "check_private",
    "families",
    "holder_of",
    "is_test",
    "loads_of",
    "stores_of",
]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Attribute(NamedTuple):
    """An attribute of the instances of a class and of the classes that it is related with; None: of any object."""

    name: str
    owner: ast.ClassDef | None


Holder = Variable | Attribute


class Use(NamedTuple):
    """One place where a holder is read.

    Attributes:
        node: the name or the attribute itself.
        holder: what it reads.
        member: the method that is called or handed on, "" if there is none.
        attribute: `node.member`.
        call: of the member, or None if the method is handed on.
    """

    node: ast.expr
    holder: Holder
    member: str = ""
    attribute: ast.Attribute | None = None
    call: ast.Call | None = None


class Family:
    """What is made in one place or several, and kept in holders that know each other.

    Attributes:
        kind: canonical name, "asyncio.Event".
        makers: the calls that make the objects.
        holders: the variables and attributes that hold them.
        members: uses of a method.
        entered: uses as `async with holder`.
        annotations: expressions in annotations that name the class.
        stores: the nodes that assign to a holder.
        handed: uses that give what is held to another holder, with that holder.
        tests: where it is only asked whether there is an object.
        deleted: where a holder is deleted.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.makers: list[ast.Call] = []
        self.holders: list[Holder] = []
        self.members: list[Use] = []
        self.entered: list[Use] = []
        self.annotations: list[ast.expr] = []
        self.stores: list[ast.expr] = []
        self.handed: list[tuple[Use, Holder]] = []
        self.tests: list[ast.expr] = []
        self.deleted: list[ast.expr] = []
        self.problem = ""


def families(ctx: Context, kind: str) -> Iterator[Family]:
    """Give the families of what `kind` makes in a file, each with its makers or with the problem that it has."""
    done: set[ast.Call] = set()
    for _, call in ctx.calls_of(kind):
        if call not in done:
            family = _Search(ctx, kind).search(call)
            done.update(family.makers)
            yield family


class _Search:
    """Finds a family, beginning with one of its makers.

    Args:
        ctx: the file.
        kind: canonical name of what makes the objects.
    """

    def __init__(self, ctx: Context, kind: str) -> None:
        self._ctx = ctx
        self._family = Family(kind)
        self._left: list[Holder] = []

    def search(self, maker: ast.Call) -> Family:
        """Look at everything that the object of a maker can come to."""
        family = self._family
        family.makers.append(maker)
        try:
            self._kept(maker)
            while self._left:
                holder = self._left.pop()
                check_private(self._ctx, holder)
                for node in stores_of(self._ctx, holder):
                    self._stored(node)
                for node in loads_of(self._ctx, holder):
                    self._used(node, holder)
        except Refused as problem:
            family.problem = str(problem)
        return family

    def _add(self, holder: Holder | None) -> Holder:
        if holder is None:
            raise Refused("where it is kept is not known")
        if holder not in self._family.holders:
            self._family.holders.append(holder)
            self._left.append(holder)
        return holder

    # What is put into a holder

    def _kept(self, maker: ast.expr) -> None:
        """Find the holders that the object of a maker is put into."""
        parent = self._ctx.parent(maker)
        if isinstance(parent, ast.Assign):
            targets = parent.targets
        elif isinstance(parent, (ast.AnnAssign, ast.NamedExpr)) and parent.value is maker:
            targets = [parent.target]
        else:
            raise Refused("it is not kept in one variable or attribute")
        for target in targets:
            self._add(holder_of(self._ctx, target))

    def _stored(self, node: ast.AST) -> None:
        """Look at what binds a holder."""
        parent = self._ctx.parent(node)
        if isinstance(node, ast.arg):
            self._annotated(node.annotation)
            self._parameter(node)
            return
        if not isinstance(node, (ast.Name, ast.Attribute)):
            raise Refused("the name is used for other things, too")
        if isinstance(node.ctx, ast.Del):
            self._family.deleted.append(node)
            return
        self._family.stores.append(node)
        if isinstance(parent, ast.AnnAssign) and parent.target is node:
            self._annotated(parent.annotation)
            values = [parent.value] if parent.value is not None else []
        elif isinstance(parent, ast.Assign) and node in parent.targets:
            values = [parent.value]
        elif isinstance(parent, ast.NamedExpr):
            if not is_test(self._ctx, parent):
                raise Refused("it is handed on")
            values = [parent.value]
        else:
            raise Refused("the name is used for other things, too")
        for value in values:
            self._value(value)

    def _value(self, value: ast.expr) -> None:
        """Look at a value that is put into a holder: a maker, None, or another holder."""
        ctx = self._ctx
        if isinstance(value, ast.Constant) and value.value is None:
            return
        if isinstance(value, ast.Call) and ctx.symbol(value) == self._family.kind:
            if value not in self._family.makers:
                self._family.makers.append(value)
                self._kept(value)
            return
        if isinstance(value, (ast.Name, ast.Attribute)):
            holder = holder_of(ctx, value)
            if holder is not None and _has_stores(ctx, holder):
                self._add(holder)
                return
        raise Refused("the name is used for other things, too")

    def _annotated(self, annotation: ast.expr | None) -> None:
        """Note where an annotation names the class."""
        if annotation is None:
            return
        for node in ast.walk(annotation):
            if isinstance(node, ast.Constant) and self._family.kind.rpartition(".")[2] in str(node.value):
                raise Refused("its class is named in an annotation that is a string")
            if isinstance(node, (ast.Name, ast.Attribute)) and self._ctx.resolve(node) == self._family.kind:
                self._family.annotations.append(node)

    # How a holder is read

    def _used(self, node: ast.expr, holder: Holder) -> None:
        family, ctx = self._family, self._ctx
        parent = ctx.parent(node)
        if isinstance(parent, ast.Attribute):
            above = ctx.parent(parent)
            call = above if isinstance(above, ast.Call) and above.func is parent else None
            if not isinstance(parent.ctx, ast.Load):
                raise Refused("one of its attributes is set")
            family.members.append(Use(node, holder, parent.attr, parent, call))
        elif isinstance(parent, ast.withitem) and parent.context_expr is node:
            if not isinstance(ctx.parent(parent), ast.AsyncWith):
                raise Refused("it is entered by a with that is not async")
            family.entered.append(Use(node, holder))
        elif is_test(ctx, node):
            family.tests.append(node)
        elif isinstance(parent, (ast.Assign, ast.AnnAssign)) and parent.value is node:
            self._assigned_on(parent, Use(node, holder))
        elif isinstance(parent, (ast.Call, ast.keyword)):
            target = self._parameter_of(node, parent)
            family.handed.append((Use(node, holder), target))
        else:
            raise Refused("it is handed on")

    def _assigned_on(self, statement: ast.Assign | ast.AnnAssign, use: Use) -> None:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            holder = holder_of(self._ctx, target)
            if holder is None:
                raise Refused("it is put into something")
            self._family.handed.append((use, self._add(holder)))

    def _parameter_of(self, node: ast.expr, parent: ast.Call | ast.keyword) -> Holder:
        """Give the parameter that an argument is for: of a function of this file that nothing but calls refers to."""
        call = parent if isinstance(parent, ast.Call) else self._ctx.parent(parent)
        assert isinstance(call, ast.Call)
        applied = _handed.application(self._ctx, call)
        function = _handed.called(self._ctx, applied)
        if function is None:
            raise Refused("it is handed to code that is not known")
        if isinstance(parent, ast.keyword):
            name = parent.arg if parent in applied.keywords else None
        else:
            name = _handed.positional(function, applied, node)
        if name is None or not any(arg.arg == name for arg in _handed.parameters(function)):
            raise Refused("it is handed to code that is not known")
        return self._add(Variable(function, name))

    def _parameter(self, node: ast.arg) -> None:
        """Look at what all the calls of a function put into one of its parameters."""
        ctx = self._ctx
        function = ctx.parent(ctx.parent(node))  # type: ignore[arg-type]
        if not isinstance(function, _FUNCTIONS) or node not in _handed.parameters(function):
            raise Refused("it comes from outside")
        default = _handed.default(function, node)
        if default is not None:
            self._value(default)
        calls = _handed.calls(ctx, function)
        if not calls:
            raise Refused("it comes from outside")
        for call in calls:
            given = _handed.given(function, call, node.arg)
            if given is not None:
                self._value(given)
            elif default is None:
                raise Refused("it comes from outside")


# Holders


def holder_of(ctx: Context, node: ast.AST) -> Holder | None:
    """Give the variable or attribute that a node reads or writes, where it is known which one that is."""
    if isinstance(node, ast.Name):
        variable = ctx.variable(node)
        if variable is not None and isinstance(variable.scope, ast.ClassDef):
            return Attribute(node.id, variable.scope)
        return variable
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        owner = ctx.owner(node.value)
        return None if owner is None else Attribute(node.attr, owner)
    return None


def _related(ctx: Context) -> Mapping[ast.ClassDef, int]:
    """Number the classes of a file so that those that share a base or a subclass in it have one number."""
    numbers: dict[ast.ClassDef, int] = {}
    by_name: dict[str, list[ast.ClassDef]] = defaultdict(list)
    classes = [node for node in ctx.nodes(ast.ClassDef) if isinstance(node, ast.ClassDef)]
    for number, node in enumerate(classes):
        numbers[node] = number
        by_name[node.name].append(node)
    for node in classes:
        for base in node.bases:
            name = base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else ""
            for other in by_name[name]:
                old, new = numbers[node], numbers[other]
                numbers = {key: new if value == old else value for key, value in numbers.items()}
    return numbers


def _of_holder(ctx: Context, holder: Attribute) -> Iterator[ast.expr]:
    """Give all the nodes that may mean an attribute: of its own class, of related ones, and of objects not known."""
    numbers = _related(ctx)
    for node in ctx.attributes(holder.name):
        owner = ctx.owner(node.value)
        if owner is None or holder.owner is None or numbers[owner] == numbers[holder.owner]:
            yield node
    for scope in ctx.bindings.binders(holder.name):
        if isinstance(scope, ast.ClassDef) and (holder.owner is None or numbers[scope] == numbers[holder.owner]):
            yield from ctx.references(Variable(scope, holder.name))


def stores_of(ctx: Context, holder: Holder) -> Sequence[ast.AST]:
    """Give all that binds a holder."""
    if isinstance(holder, Variable):
        return ctx.bound_nodes(holder)
    found: list[ast.AST] = [node for node in _of_holder(ctx, holder) if not _is_load(node)]
    for scope, binders in ctx.bindings.binders(holder.name).items():
        if scope is holder.owner:
            found += [node for node in binders if not isinstance(node, ast.Name)]
    return found


def _has_stores(ctx: Context, holder: Holder) -> bool:
    return bool(stores_of(ctx, holder))


def loads_of(ctx: Context, holder: Holder) -> Sequence[ast.expr]:
    """Give all that reads a holder."""
    nodes = ctx.references(holder) if isinstance(holder, Variable) else _of_holder(ctx, holder)
    return [node for node in nodes if _is_load(node)]


def _is_load(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Load)


def check_private(ctx: Context, holder: Holder) -> None:
    """Refuse what other files of the project use, or may come to use."""
    if isinstance(holder, Attribute):
        if ctx.project.attribute_elsewhere(ctx.path, holder.name):
            raise Refused("another file uses an attribute of this name")
    elif holder.scope is ctx.tree:
        if _is_in_all(ctx, holder.name):
            raise Refused("it is exported")
        if _handed.in_other_files(ctx, holder.name):
            raise Refused("another file uses it")


def _is_in_all(ctx: Context, name: str) -> bool:
    variable = ctx.bindings.lookup("__all__", ctx.tree)
    if variable is None:
        return False
    statements = [ctx.statement(node) for node in ctx.references(variable)]
    return any(isinstance(node, ast.Constant) and node.value == name for line in statements for node in ast.walk(line))


def is_test(ctx: Context, node: ast.expr) -> bool:
    """Tell whether it is only asked whether there is an object, or whether it is the same one."""
    parent = ctx.parent(node)
    if isinstance(parent, ast.Compare):
        return all(isinstance(op, (ast.Is, ast.IsNot)) for op in parent.ops)
    if isinstance(parent, (ast.If, ast.While, ast.IfExp, ast.Assert)):
        return parent.test is node
    if isinstance(parent, ast.BoolOp):
        return is_test(ctx, parent)
    return isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
