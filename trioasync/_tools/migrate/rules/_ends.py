"""A queue becomes the two ends of a channel: which name gets which of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from trioasync._tools.migrate.bind import Variable
from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rules._object_rule import name_of
from trioasync._tools.migrate.rules._objects import Attribute, holder_of
from trioasync._tools.migrate.rules._statements import Refused, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.rules._objects import Family, Holder

__all__ = ["BOTH", "Sides", "ends", "handed", "item", "sides"]

BOTH = ("send", "receive")
Sides: TypeAlias = "Mapping[Holder, Sequence[str]]"

_SIDE = {"put": "send", "put_nowait": "send"}
_CLASSES = {"send": "MemorySendChannel", "receive": "MemoryReceiveChannel"}


def sides(ctx: Context, family: Family) -> Mapping[Holder, Sequence[str]]:
    """Give for each holder the ends that it needs: those that it uses, and those that it hands on.

    Raises:
        Refused: the new names are in use, or the old one is known to others.
    """
    needed: dict[Holder, set[str]] = {holder: set() for holder in family.holders}
    for use in family.members:
        needed[use.holder].add(_SIDE.get(use.member, "receive"))
    for maker in family.makers:
        statement = ctx.parent(maker)
        for target in getattr(statement, "targets", [getattr(statement, "target", None)]):
            holder = holder_of(ctx, target) if target is not None else None
            if holder is not None:
                needed[holder].update(BOTH)
    while True:
        before = sum(map(len, needed.values()))
        for use, target in family.handed:
            needed[use.holder] |= needed[target]
        if sum(map(len, needed.values())) == before:
            break
    for holder in family.holders:
        _check_name(ctx, holder)
        if not needed[holder]:
            raise Refused("it is handed to code that does nothing with it")
    return {holder: [side for side in BOTH if side in needed[holder]] for holder in family.holders}


def _check_name(ctx: Context, holder: Holder) -> None:
    if isinstance(holder, Attribute):
        if not holder.name.startswith("_"):
            raise Refused("it is a public attribute, and would get another name")
        if any(isinstance(node, ast.Constant) and node.value == holder.name for node in ctx.nodes(ast.Constant)):
            raise Refused("its name is written in a string")
    elif any(holder.name in node.names for node in ctx.nodes(ast.Global, ast.Nonlocal)):  # type: ignore[attr-defined]
        raise Refused("its name is declared global or nonlocal")
    for side in BOTH:
        name = f"{holder.name}_{side}"
        if not ctx.is_free(name) or ctx.attributes(name):
            raise Refused(f"the name {name} is in use")


def ends(ctx: Context, node: ast.expr, wanted: Sequence[str]) -> str:
    """Give the text for the ends in the place of a name."""
    text = one_line(ctx, node)
    return ", ".join(f"{text}_{side}" for side in wanted)


def item(ctx: Context, annotation: ast.expr) -> str:
    """Give the type of the items that an annotation names, "" if it names none."""
    if isinstance(annotation, ast.Subscript) and ctx.resolve(annotation.value) == "asyncio.Queue":
        return one_line(ctx, annotation.slice)
    if ctx.resolve(annotation) == "asyncio.Queue":
        return ""
    raise Refused("its annotation is not plain")


def handed(ctx: Context, family: Family, wanted: Mapping[Holder, Sequence[str]]) -> Iterator[Edit]:
    """Give the edits for arguments and parameters, and for what stands behind `=`."""
    for use, target in family.handed:
        parent = ctx.parent(use.node)
        if isinstance(parent, ast.keyword) and isinstance(target, Variable):
            text = one_line(ctx, use.node)
            yield ctx.replace(parent, ", ".join(f"{target.name}_{side}={text}_{side}" for side in wanted[target]))
        else:
            yield ctx.replace(use.node, ends(ctx, use.node, wanted[target]))
    for holder in family.holders:
        for node in ctx.bound_nodes(holder) if isinstance(holder, Variable) else ():
            if isinstance(node, ast.arg):
                yield ctx.replace(node, ", ".join(_parameter(ctx, node, side) for side in wanted[holder]))


def _parameter(ctx: Context, node: ast.arg, side: str) -> str:
    name = f"{node.arg}_{side}"
    if node.annotation is None:
        return name
    kind = item(ctx, node.annotation)
    return f"{name}: {name_of(ctx, 'trio', node)}.{_CLASSES[side]}[{kind or 'object'}]"
