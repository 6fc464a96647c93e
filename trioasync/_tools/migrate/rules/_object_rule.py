"""The frame of the rules for objects: Event, Lock, Semaphore, Condition, Queue."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rule import Rule
from trioasync._tools.migrate.rules._objects import families
from trioasync._tools.migrate.rules._statements import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Edit, Finding, Fix
    from trioasync._tools.migrate.rules._objects import Family, Use

__all__ = ["ObjectRule", "dropped", "name_of", "plain_arguments"]


# What to do about what stands in the way of any of them, by a part of the reason.
_ADVICE = {
    "handed": "rewrite it together with the code that it is handed to",
    "comes from outside": "rewrite it together with the code that it comes from",
    "another file": "rewrite it together with the other file's uses",
    "not kept in one": "keep it in a variable or attribute of its own first",
    "other things": "give the other things another name first",
    "something else here": "rename what has the name first",
    "annotation": "write the annotation without quotes",
}


class ObjectRule(Rule):
    """Rewrites objects of one class with all that is done to them, or none of it.

    Attributes:
        kinds: canonical names of the classes.
        native: what takes their place in trio.
        help: for a person, where a family cannot be rewritten.
    """

    kinds: ClassVar[tuple[str, ...]]
    native: ClassVar[str]
    help: ClassVar[str]

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every object of these classes, and at every other mention of them."""
        for kind in self.kinds:
            seen: set[ast.AST] = set()
            for family in families(ctx, kind):
                finding = self.alone(ctx, family.makers[0]) or self._of_family(ctx, family)
                seen.update(maker.func for maker in family.makers)
                seen.update(family.annotations)
                yield finding
            for _, node in ctx.uses_of(kind):
                if node not in seen:
                    message = f"{_short(kind)} is named here, not made"
                    yield self.finding(
                        ctx, node, message, safety="C", help=f"name {self.native} when all uses are trio's"
                    )

    def alone(self, ctx: Context, maker: ast.Call) -> Finding | None:
        """Give the finding for an object that needs no name, if it is one that the rule knows."""
        return None

    def _of_family(self, ctx: Context, family: Family) -> Finding:
        maker = family.makers[0]
        try:
            if family.problem:
                raise Refused(family.problem)
            fix = self.fix(ctx, family)
        except Refused as refused:
            advice = next((text for part, text in _ADVICE.items() if part in str(refused)), self.help)
            return self.finding(ctx, maker, f"{_short(family.kind)} stays: {refused}", safety="C", help=advice)
        return self.finding(ctx, maker, f"{_short(family.kind)} -> {self.native}, with all its uses", fix=fix)

    def fix(self, ctx: Context, family: Family) -> Fix:
        """Make the fix for a family that has no problem.

        Raises:
            Refused: one of its uses has no counterpart.
        """
        edits: list[Edit] = []
        for maker in family.makers:
            edits += self.made(ctx, maker, name_of(ctx, "trio", maker))
        for use in family.members:
            edits += self.used(ctx, use, family)
        for use in family.entered:
            self.check_entered(ctx, use)
        for node in family.annotations:
            edits.append(ctx.replace(node, f"{name_of(ctx, 'trio', node)}.{self.native.rpartition('.')[2]}"))
        return ctx.fix("B", edits, needs=["trio"])

    def made(self, ctx: Context, maker: ast.Call, trio: str) -> Iterator[Edit]:
        """Give the edits for the call that makes an object; here one without arguments."""
        if maker.args or maker.keywords:
            raise Refused("it is made with arguments")
        yield ctx.replace(maker.func, f"{trio}.{self.native.rpartition('.')[2]}")

    def used(self, ctx: Context, use: Use, family: Family) -> Iterator[Edit]:
        """Give the edits for a use of a method."""
        raise NotImplementedError

    def check_entered(self, ctx: Context, use: Use) -> None:
        """Refuse an `async with` that cannot stay; here any."""
        raise Refused("it is entered by an async with")


def _short(kind: str) -> str:
    return kind.rpartition(".")[2]


def name_of(ctx: Context, module: str, node: ast.AST) -> str:
    """Give the text that names a module at a node.

    Raises:
        Refused: its name means something else there.
    """
    text = ctx.needs(module, node)
    if text is None:
        raise Refused(f"the name {module} means something else here")
    return text


def plain_arguments(call: ast.Call, *names: str) -> list[ast.expr]:
    """Give the only argument of a call in a list, which is empty if there is none.

    Raises:
        Refused: there are others, or `*` or `**`.
    """
    if len(call.args) + len(call.keywords) > 1 or any(isinstance(node, ast.Starred) for node in call.args):
        raise Refused("its arguments are not plain")
    if any(keyword.arg not in names for keyword in call.keywords):
        raise Refused("its arguments are not plain")
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def dropped(ctx: Context, use: Use, *, elsewhere: bool = False) -> bool:
    """Tell whether a method is awaited in a statement of its own, so that nobody sees what it returns.

    Args:
        ctx: the file.
        use: of the method.
        elsewhere: also where `asyncio.wait_for` awaits it, perhaps in another task.
    """
    if use.call is None:
        return False
    node: ast.AST = use.call
    above = ctx.parent(node)
    if elsewhere and isinstance(above, ast.Call) and ctx.symbol(above) == "asyncio.wait_for" and above.args[0] is node:
        node, above = above, ctx.parent(above)
    return isinstance(above, ast.Await) and isinstance(ctx.parent(above), ast.Expr)
