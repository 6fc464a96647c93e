"""Times of the loop's clock: where they come from, where they are kept, what they are compared with.

asyncio's clock is `time.monotonic`, trio's begins somewhere else. So a time of the one must never meet a time of the
other: all times that meet are found, and all their sources are rewritten, or none.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trioasync._tools.migrate.rules._objects import Attribute, check_private, holder_of, is_test, loads_of, stores_of
from trioasync._tools.migrate.rules._statements import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.rules._objects import Holder

__all__ = ["Times", "is_source"]

_EXTREMES = ("max", "min")


def is_source(ctx: Context, node: ast.AST) -> bool:
    """Tell whether an expression is `loop.time()`."""
    return isinstance(node, ast.Call) and not node.args and not node.keywords and ctx.symbol(node) == "loop.time"


class Times:
    """All times that meet one of them.

    Attributes:
        sources: the calls of `loop.time`.
        deadlines: the calls of `asyncio.timeout_at` that get one of the times.

    Args:
        ctx: the file.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.sources: list[ast.Call] = []
        self.deadlines: list[ast.Call] = []
        self._seen: set[ast.AST] = set()
        self._holders: set[Holder] = set()

    def follow(self, node: ast.expr) -> None:
        """Add a time and everything that it meets.

        Raises:
            Refused: it meets something that is no time of the loop's clock, or leaves what can be seen.
        """
        if isinstance(node, (ast.Name, ast.Attribute)):
            holder = holder_of(self._ctx, node)
            assert holder is not None
            self._add(holder)
        elif isinstance(node, ast.BinOp):
            for side in (node.left, node.right):
                if self.is_time(side):
                    self.follow(side)
        elif isinstance(node, ast.NamedExpr):
            self.follow(node.value)
        elif is_source(self._ctx, node):
            assert isinstance(node, ast.Call)
            self._used(node)
        elif isinstance(node, ast.Call):
            for argument in node.args:
                self.follow(argument)

    def is_time(self, node: ast.AST | None, seen: frozenset[Holder] = frozenset()) -> bool:
        """Tell whether an expression is a time of the loop's clock, as far as this file shows."""
        if isinstance(node, (ast.Name, ast.Attribute)):
            holder = holder_of(self._ctx, node)
            if holder is None or holder in seen:
                return False
            return any(self.is_time(value, seen | {holder}) for value in self._values(holder))
        if isinstance(node, ast.BinOp):
            left, right = self.is_time(node.left, seen), self.is_time(node.right, seen)
            return (isinstance(node.op, ast.Add) and left != right) or (
                isinstance(node.op, ast.Sub) and left and not right
            )
        if isinstance(node, ast.NamedExpr):
            return self.is_time(node.value, seen)
        if self._is_extreme(node):
            return all(self.is_time(argument, seen) for argument in node.args)  # type: ignore[union-attr]
        return node is not None and is_source(self._ctx, node)

    def _is_extreme(self, node: ast.AST | None) -> bool:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.keywords:
            return False
        return node.func.id in _EXTREMES and self._ctx.variable(node.func) is None and len(node.args) > 1

    def _values(self, holder: Holder) -> Iterator[ast.expr]:
        for node in stores_of(self._ctx, holder):
            statement = self._ctx.parent(node)
            if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and statement.value is not None:
                yield statement.value

    # Holders

    def _add(self, holder: Holder) -> None:
        if holder in self._holders:
            return
        self._holders.add(holder)
        if isinstance(holder, Attribute) and not holder.name.startswith("_"):
            raise Refused("it is kept in a public attribute")
        check_private(self._ctx, holder)
        for node in stores_of(self._ctx, holder):
            self._stored(node)
        for node in loads_of(self._ctx, holder):
            self._used(node)

    def _stored(self, node: ast.AST) -> None:
        statement = self._ctx.parent(node)
        if isinstance(statement, ast.AugAssign) and isinstance(statement.op, (ast.Add, ast.Sub)):
            if self.is_time(statement.value):
                raise Refused("a time is added to another")
            return
        plain = isinstance(statement, ast.Assign) and node in statement.targets
        if not plain and not isinstance(statement, (ast.AnnAssign, ast.NamedExpr)):
            raise Refused("a time is kept where other things are")
        value = statement.value  # type: ignore[union-attr]
        if value is None or self._is_no_time(value):
            return
        if not self.is_time(value):
            raise Refused("a time is kept where other things are")
        self.follow(value)

    def _is_no_time(self, value: ast.expr) -> bool:
        """Tell whether a value stands for "never" or "not yet" with any clock."""
        if isinstance(value, ast.Constant):
            return value.value is None
        return self._ctx.resolve(value) == "math.inf"

    # Uses

    def _used(self, node: ast.expr) -> None:
        """Look at what is done to a time."""
        if node in self._seen:
            return
        self._seen.add(node)
        if is_source(self._ctx, node):
            assert isinstance(node, ast.Call)
            self._check_place(node)
            self.sources.append(node)
        parent = self._ctx.parent(node)
        if isinstance(parent, ast.BinOp):
            self._computed(node, parent)
        elif isinstance(parent, ast.Compare):
            self._compared(parent)
        elif isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and parent.value is node:
            self._kept(parent)
        elif isinstance(parent, ast.Call) and self._is_extreme(parent):
            if not self.is_time(parent):
                raise Refused("it meets what is not seen to be a time of the loop's clock")
            for argument in parent.args:
                self.follow(argument)
            self._used(parent)
        elif (
            isinstance(parent, ast.Call) and self._ctx.symbol(parent) == "asyncio.timeout_at" and parent.args == [node]
        ):
            self.deadlines.append(parent)
        elif not isinstance(parent, ast.Expr) and not is_test(self._ctx, node):
            raise Refused("it is handed on")

    def _computed(self, node: ast.expr, parent: ast.BinOp) -> None:
        other = parent.right if parent.left is node else parent.left
        if self.is_time(other):
            if not isinstance(parent.op, ast.Sub):
                raise Refused("a time is added to another")
            self.follow(other)
        elif self.is_time(parent):
            self._used(parent)
        else:
            raise Refused("it meets what is not seen to be a time of the loop's clock")

    def _compared(self, parent: ast.Compare) -> None:
        for operand in (parent.left, *parent.comparators):
            if self.is_time(operand):
                self.follow(operand)
            elif not self._is_no_time(operand):
                raise Refused("it meets what is not seen to be a time of the loop's clock")

    def _kept(self, statement: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> None:
        for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
            holder = holder_of(self._ctx, target)
            if holder is None:
                raise Refused("it is kept where it is not seen")
            self._add(holder)
        if isinstance(statement, ast.NamedExpr):
            self._used(statement)

    def _check_place(self, source: ast.Call) -> None:
        """Refuse a place that may run outside of a trio run, where there is no current time."""
        if self._ctx.in_async(source):
            return
        receiver = source.func.value  # type: ignore[attr-defined]
        if self._ctx.symbol(receiver) == "asyncio.get_running_loop":
            return
        variable = self._ctx.variable(receiver) if isinstance(receiver, ast.Name) else None
        for node in self._ctx.bound_nodes(variable) if variable is not None else ():
            statement = self._ctx.parent(node)
            if isinstance(statement, ast.Assign) and self._ctx.symbol(statement.value) == "asyncio.get_running_loop":
                return
        raise Refused("it may be asked for outside of a trio run")
