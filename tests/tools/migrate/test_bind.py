"""Which variable a name is, and what of asyncio it means."""

import ast
import textwrap

import pytest

from trioasync._tools.migrate.config import Options
from trioasync._tools.migrate.context import Context
from trioasync._tools.migrate.project import Project
from trioasync._tools.migrate.source import Source


def context(text, **place):
    source = Source(textwrap.dedent(text))
    return Context(source, ast.parse(source.text), path="case.py", options=Options(), project=Project(), **place)


def uses(text):
    """The lines on which each name of asyncio is used."""
    return {name: [node.lineno for node in nodes] for name, nodes in context(text).uses.items()}


IMPORTS = {
    "import asyncio; asyncio.sleep": ["asyncio.sleep"],
    "import trioasync as asyncio; asyncio.sleep": ["asyncio.sleep"],
    "import asyncio as aio; aio.sleep": ["asyncio.sleep"],
    "from asyncio import sleep; sleep": ["asyncio.sleep"],
    "from asyncio import sleep as s; s": ["asyncio.sleep"],
    "from asyncio.tasks import sleep as s; s": ["asyncio.sleep"],
    "import asyncio.tasks; asyncio.tasks.sleep; asyncio.run": ["asyncio.run", "asyncio.sleep"],
    "import asyncio.tasks as t; t.sleep": ["asyncio.sleep"],
    "from asyncio import tasks; tasks.sleep": ["asyncio.sleep"],
    "from trioasync.exceptions import CancelledError as C; C": ["asyncio.CancelledError"],
    "from asyncio import *; sleep; sorted": ["asyncio.sleep"],
    "import asyncio.subprocess as sp; sp.PIPE": ["asyncio.subprocess.PIPE"],
    "import asyncio; asyncio.subprocess.PIPE.real": ["asyncio.subprocess.PIPE"],
    "import asyncio; asyncio.Task.all_tasks()": ["asyncio.Task"],
    "import asyncio; x = asyncio": ["asyncio"],
    "import trio; trio.lowlevel.checkpoint": ["trio.lowlevel.checkpoint"],
    "import anything; anything.sleep; asyncio.sleep": [],
    "import asyncio; self.asyncio.sleep": [],
    "import asyncio; asyncio = 1; asyncio.sleep": [],
    "import asyncio\ndel asyncio\nasyncio.sleep": [],
    "from .asyncio import sleep; sleep": [],
    "from . import asyncio; asyncio.sleep": [],
    "from asyncio import *\nfrom trio import *\nsleep": [],
    "try:\n import asyncio\nexcept ImportError:\n asyncio = None\nasyncio.sleep": ["asyncio.sleep"],
    "try:\n import uvloop as asyncio\nexcept ImportError:\n import asyncio\nasyncio.sleep": [],
    "try:\n from asyncio import timeout\nexcept ImportError:\n from async_timeout import timeout\ntimeout": [],
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n import asyncio\nx: asyncio.Event": ["asyncio.Event"],
}


@pytest.mark.parametrize("text", IMPORTS)
def test_a_name_means_what_its_imports_say(text):
    """By whatever form of import, and only if all of them agree."""
    assert list(context(text).uses) == IMPORTS[text]


def test_scopes_shadow_as_python_s_do():
    """Parameters, locals, classes, comprehensions, lambdas, handlers, global and nonlocal."""
    assert uses("""
        import asyncio
        def parameter(asyncio): asyncio.run
        def local():
            asyncio.run
            asyncio = 1
        def default(x=asyncio.run, *, y: asyncio.run = 1) -> asyncio.run: pass
        class Class:
            asyncio = 1
            asyncio.run
            def method(self): asyncio.run
        [asyncio.run for asyncio in asyncio.run]
        [asyncio.run for x in x]
        lambda asyncio: asyncio.run
        lambda x=asyncio.run: asyncio.run
        def handler():
            try: pass
            except E as asyncio: asyncio.run
        def declared():
            global asyncio
            asyncio.run
        def outer():
            import os as asyncio
            def inner():
                nonlocal asyncio
                asyncio.run
            def innermost():
                global asyncio
                asyncio.run
        def loop():
            for asyncio in x: asyncio.run
        def with_():
            with x as asyncio: asyncio.run
        def walrus():
            [asyncio := 1 for x in y]
            asyncio.run
        def match_():
            match x:
                case [asyncio, *y]: asyncio.run
    """) == {"asyncio.run": [7, 7, 7, 11, 12, 13, 15, 15, 21, 29]}  # fmt: skip


def test_an_import_in_a_function_is_the_function_s():
    """Elsewhere the name is unknown."""
    assert uses("""
        def one():
            import asyncio
            def inner(): asyncio.run
        def two(): asyncio.run
    """) == {"asyncio.run": [4]}


def test_references_of_a_variable_are_found_through_scopes():
    """And those of others of the same name are not."""
    ctx = context("""
        def function():
            task = make()
            def inner():
                return task
            def other(task):
                return task
            task.cancel()
        task = 1
    """)
    variable = ctx.variable(ctx.bindings.names["task"][0])
    every = {ctx.variable(name) for name in ctx.bindings.names["task"]}
    assert len(every) == 3
    first = next(v for v in every if getattr(v.scope, "name", "") == "function")
    assert [name.lineno for name in ctx.references(first)] == [3, 5, 8]
    assert variable in every


def test_relative_imports_are_made_absolute():
    """By the module's own package."""
    ctx = context("from . import a\nfrom ..b import c\nfrom .d.e import f\na; c; f", module="top.sub.mod")
    names = [ctx.resolve(ctx.bindings.names[name][0]) for name in "acf"]
    assert names == ["top.sub.a", "top.b.c", "top.sub.d.e.f"]


KINDS = {
    "x = asyncio.Event()": "asyncio.Event",
    "x: asyncio.Event = make()": "asyncio.Event",
    "x: 'asyncio.Event | None' = None": "asyncio.Event",
    "x: Optional[asyncio.Queue[int]] = None": "asyncio.Queue",
    "x = None\nx = asyncio.Lock()": "asyncio.Lock",
    "x = asyncio.Lock()\nx = asyncio.Event()": None,
    "x = asyncio.Lock()\nx = make()": None,
    "x = asyncio.get_running_loop()": "asyncio.AbstractEventLoop",
    "x = loop or asyncio.get_event_loop()": "asyncio.AbstractEventLoop",
    "x = asyncio.create_task(f())": "asyncio.Task",
    "x = asyncio.get_running_loop().create_future()": "asyncio.Future",
    "async def f():\n async with asyncio.TaskGroup() as x: pass": "asyncio.TaskGroup",
    "x = y\ny = x": None,
    "x = trio.Event()": "trio.Event",
}


@pytest.mark.parametrize("text", KINDS)
def test_the_kind_of_a_variable_is_what_all_assignments_agree_on(text):
    """Or what an annotation says."""
    ctx = context("import asyncio, trio\nfrom typing import Optional\n" + text)
    assert ctx.kind(ctx.bindings.names["x"][0]) == KINDS[text]


def test_the_kind_of_an_attribute_is_found_through_self():
    """In the class that sets it."""
    ctx = context("""
        import asyncio
        class One:
            lock: asyncio.Lock
            def __init__(self, loop: asyncio.AbstractEventLoop):
                self.event = asyncio.Event()
                self.loop = loop
            def use(this):
                this.event
                this.loop
                this.lock
        class Two:
            def use(self):
                self.event
    """)
    kinds = {(node.lineno, node.attr): ctx.kind(node) for node in ctx.nodes(ast.Attribute) if node.lineno > 7}
    assert kinds == {
        (9, "event"): "asyncio.Event",
        (10, "loop"): "asyncio.AbstractEventLoop",
        (11, "lock"): "asyncio.Lock",
        (14, "event"): None,
    }


def test_methods_of_the_loop_are_uses():
    """Of what is known to be a loop, and of what is called one."""
    assert uses("""
        import asyncio
        def f(loop, other):
            loop.create_task(x)
            other.create_task(x)
            asyncio.get_event_loop().call_soon(x)
            self._loop.time()
    """) == {"asyncio.get_event_loop": [6], "loop.call_soon": [6], "loop.create_task": [4], "loop.time": [7]}


def test_whether_a_callee_is_async_is_known_where_it_is_defined():
    """Functions, methods, inherited ones; generators and decorated ones are not what `async def` says."""
    ctx = context("""
        import asyncio
        async def one(): pass
        def two(): pass
        async def three(): yield
        @decorated
        async def four(): pass
        class Base:
            async def inherited(self): pass
        class Class(Base):
            def __init__(self, given: Base):
                self.base = Base()
                self.given = given
                self.either = Base() if given else given
            @staticmethod
            async def static(): pass
            async def method(self):
                one(); two(); three(); four(); five()
                self.inherited(); self.static(); self.method(); self.nothing()
                self.base.inherited(); self.given.inherited(); self.either.inherited(); Base().inherited()
                asyncio.sleep(); asyncio.gather(); asyncio.Event().wait()
    """)
    found = {}
    for call in ctx.nodes(ast.Call):
        found[ctx.source_of(call.func)] = ctx.is_async(call.func)
    inherited = {f"{owner}.inherited" for owner in ("self", "self.base", "self.given", "Base()")}
    others = {"one", "self.static", "self.method", "asyncio.sleep", "asyncio.Event().wait"}
    assert {name for name, known in found.items() if known} == inherited | others
    assert {name for name, known in found.items() if known is False} == {"two", "three"}
