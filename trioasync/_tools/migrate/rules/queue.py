"""`asyncio.Queue` → the two ends of a memory channel of trio."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rules import _ends
from trioasync._tools.migrate.rules._object_rule import ObjectRule, name_of, plain_arguments
from trioasync._tools.migrate.rules._objects import holder_of
from trioasync._tools.migrate.rules._statements import Refused, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Fix
    from trioasync._tools.migrate.rules._objects import Family, Use

__all__ = ["Queue"]

_NO_COUNTERPART = {
    "asyncio.LifoQueue": "a list and a trio.Condition",
    "asyncio.PriorityQueue": "heapq and a trio.Condition",
}
_METHODS = {
    "put": ("send", "send"),
    "put_nowait": ("send", "send_nowait"),
    "get": ("receive", "receive"),
    "get_nowait": ("receive", "receive_nowait"),
}


class Queue(ObjectRule):
    """Rewrites queues that are put into and taken from in one file and nothing else; one name becomes two."""

    name = "queue"
    codes: ClassVar[Mapping[str, str]] = {"TAM240": "asyncio.Queue -> trio.open_memory_channel"}
    uses = frozenset(["asyncio.Queue", *_NO_COUNTERPART])
    kinds = ("asyncio.Queue",)
    native = "trio.open_memory_channel"
    help = "open a memory channel, and give each task the end that it needs"
    traps = (
        "A queue of size 0 has no limit; a channel of size 0 keeps nothing, and send waits until somebody receives.",
        "QueueFull and QueueEmpty become trio.WouldBlock.",
        "What is sent goes at once to one who waits for it: the buffer's size does not count that, and qsize does.",
        "A channel hands an item over for good; a queue keeps what a cancelled task did not get to take.",
        "There is no join() and no task_done(): close the sending end and wait for the nursery.",
        "Closing the sending end ends `async for item in channel`; with several senders give each a clone().",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM240": (
            "queue = asyncio.Queue(10)\n...\nawait queue.put(item)\n...\nitem = await queue.get()\n",
            (
                "queue_send, queue_receive = trio.open_memory_channel(10)\n...\n"
                "await queue_send.send(item)\n...\nitem = await queue_receive.receive()\n"
            ),
        )
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every queue."""
        yield from super().check(ctx)
        for name, node in ctx.uses_of(*sorted(_NO_COUNTERPART)):
            message = f"{name.rpartition('.')[2]} has no counterpart in trio"
            yield self.finding(ctx, node, message, safety="C", help=_NO_COUNTERPART[name])

    def fix(self, ctx: Context, family: Family) -> Fix:
        """Make the fix that gives each use one of two names.

        Raises:
            Refused: one of the uses needs both, or there is no counterpart for it.
        """
        if family.entered or family.tests or family.deleted:
            raise Refused("the queue itself is asked for, entered or deleted")
        sides = _ends.sides(ctx, family)
        edits = [edit for node in family.stores for edit in _stored(ctx, family, node, sides)]
        for use in family.members:
            edits += _used(ctx, use)
        edits += _ends.handed(ctx, family, sides)
        edits += _errors(ctx, family)
        needs = ["trio", "math"] if any(edit.text.endswith("math.inf") for edit in edits) else ["trio"]
        return ctx.fix("B", edits, needs=needs)


def _stored(ctx: Context, family: Family, node: ast.expr, sides: _ends.Sides) -> Iterator[Edit]:
    """Give the edits where a name of a queue is assigned: the channel, or one or both ends of it."""
    statement = ctx.parent(node)
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
        raise Refused("it is not made in an assignment of its own")
    if isinstance(statement, ast.Assign) and len(statement.targets) > 1:
        raise Refused("it is not made in an assignment of its own")
    maker = statement.value
    if maker not in family.makers:
        target = holder_of(ctx, node)
        if target is None or holder_of(ctx, maker) is None or isinstance(statement, ast.AnnAssign):
            raise Refused("the name is used for other things, too")
        yield ctx.replace(node, _ends.ends(ctx, node, sides[target]))
        return
    assert isinstance(maker, ast.Call)
    item, names = "", _ends.ends(ctx, node, _ends.BOTH)
    if isinstance(statement, ast.AnnAssign):
        item = _ends.item(ctx, statement.annotation)
        yield Edit(ctx.span(node)[0], ctx.span(statement.annotation)[1], names)
    else:
        yield ctx.replace(node, names)
    yield ctx.replace(maker.func, f"{name_of(ctx, 'trio', maker)}.open_memory_channel{item and f'[{item}]'}")
    yield from _size(ctx, maker)


def _size(ctx: Context, maker: ast.Call) -> Iterator[Edit]:
    """Give the edits for the greatest number of items; zero means no limit to a queue, but not to a channel."""
    values = plain_arguments(maker, "maxsize")
    if not values:
        end = ctx.span(maker)[1] - 1
        yield Edit(end, end, f"{name_of(ctx, 'math', maker)}.inf")
        return
    if maker.keywords:
        yield Edit(ctx.span(maker.keywords[0])[0], ctx.span(values[0])[0], "")
    value = values[0]
    if not isinstance(value, ast.Constant):
        infinity = f"{name_of(ctx, 'math', maker)}.inf"
        if isinstance(value, (ast.Name, ast.Attribute)):
            text = one_line(ctx, value)
            yield ctx.replace(value, f"{text} if {text} > 0 else {infinity}")
        else:
            raise Refused("its size is computed")
    elif not isinstance(value.value, int):
        raise Refused("its size is no number")
    elif value.value <= 0:
        yield ctx.replace(value, f"{name_of(ctx, 'math', maker)}.inf")


def _used(ctx: Context, use: Use) -> Iterator[Edit]:
    """Give the edits for a method."""
    assert use.attribute is not None
    start, end = ctx.span(use.node)[1], ctx.span(use.attribute)[1]
    if use.member in _METHODS:
        side, method = _METHODS[use.member]
        if use.call is not None and use.call.keywords:
            raise Refused("put() is called with a keyword")
        if use.member == "get" and use.call is not None and ctx.awaited(use.call) is None:
            raise Refused("get() is handed on: a task that is cancelled could take an item with it")
        yield Edit(start, start, f"_{side}")
        yield Edit(end - len(use.member), end, method)
    elif use.member in ("qsize", "empty") and use.call is not None:
        count = "statistics().current_buffer_used"
        before, after = _asked(ctx, use.call, use.member, count)
        yield from before
        yield Edit(start, start, "_receive")
        yield Edit(end - len(use.member), ctx.span(use.call)[1], after)
    elif use.member in ("join", "task_done"):
        raise Refused("join() and task_done() count what has been done with the items")
    else:
        raise Refused(f"a memory channel has no {use.member}")


def _asked(ctx: Context, call: ast.Call, member: str, count: str) -> tuple[list[Edit], str]:
    """Give the edit before and the text behind the name, where the size is asked for."""
    start, above = ctx.span(call)[0], ctx.parent(call)
    if member == "qsize":
        return [], count
    if isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.Not):
        operator = ctx.span(above)[0]
        if ctx.text[operator:start].split() == ["not"]:
            return [Edit(operator, start, "")], f"{count} != 0"
    loose = isinstance(above, (ast.If, ast.While, ast.Return, ast.Assign, ast.BoolOp))
    if loose or (isinstance(above, ast.Call) and call in above.args):
        return [], f"{count} == 0"
    return [Edit(start, start, "(")], f"{count} == 0)"


def _errors(ctx: Context, family: Family) -> Iterator[Edit]:
    """Give the edits for the handlers of QueueEmpty and QueueFull around `get_nowait` and `put_nowait`.

    Raises:
        Refused: the error leaves the function, or could be another queue's.
    """
    own = {id(use.call) for use in family.members if use.call is not None}
    done: set[ast.AST] = set()
    for use in family.members:
        if use.member not in ("get_nowait", "put_nowait"):
            continue
        if use.member == "put_nowait" and all(_is_unlimited(maker) for maker in family.makers):
            continue
        if use.call is None:
            raise Refused(f"{use.member} is handed on")
        error = "asyncio.QueueEmpty" if use.member == "get_nowait" else "asyncio.QueueFull"
        node = _caught(ctx, use.call, error, own)
        if node not in done:
            done.add(node)
            yield ctx.replace(node, f"{name_of(ctx, 'trio', node)}.WouldBlock")


def _is_unlimited(maker: ast.Call) -> bool:
    return not maker.args and not maker.keywords


def _caught(ctx: Context, call: ast.Call, error: str, own: set[int]) -> ast.expr:
    """Give where the handler of a call's error names it."""
    inner: ast.AST = call
    for outer in ctx.ancestors(call):
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            break
        if isinstance(outer, ast.Try) and inner in outer.body:
            for handler in outer.handlers:
                classes = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
                for node in classes:
                    if node is not None and ctx.resolve(node) == error:
                        _check_others(outer, own)
                        return node
        inner = outer
    raise Refused(f"{error.rpartition('.')[2]} is not handled where the call is")


def _check_others(attempt: ast.Try, own: set[int]) -> None:
    for line in attempt.body:
        for node in ast.walk(line):
            other = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and id(node) not in own
            if other and node.func.attr in ("get_nowait", "put_nowait"):  # type: ignore[attr-defined]
                raise Refused("the handler of its errors is another queue's, too")
