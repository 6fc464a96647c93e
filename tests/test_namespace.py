"""`import trioasync as asyncio`: the same names, as far as the running Python has them or they can be had."""

import asyncio
import importlib
import inspect
import pkgutil
import subprocess
import sys
import textwrap
import types
import warnings

import pytest

import trioasync
from tests.namespace_names import ADDED, ALWAYS, INTERNAL, KEPT, OURS, SINCE, UNTIL, WARNED

running = sys.version_info[:2]
always = set(ALWAYS.split())
MODULES = sorted(module.name for module in pkgutil.iter_modules(asyncio.__path__) if not module.name.startswith("_"))
ON_WINDOWS = {"windows_events", "windows_utils"}


def in_a_new_process(program):
    """Run a program with every warning an error and return what it printed."""
    arguments = [sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# -- the package


def test_all_names_of_the_running_asyncio_are_there():
    """`__all__` has what asyncio's has, and names nothing twice and nothing that is missing."""
    assert set(asyncio.__all__) <= set(trioasync.__all__)
    assert len(set(trioasync.__all__)) == len(trioasync.__all__)
    assert [name for name in trioasync.__all__ if not hasattr(trioasync, name)] == []


def test_the_table_tells_what_the_running_asyncio_has():
    """The table that the other tests go by is right about this Python."""
    since = {name for name, first in SINCE.items() if first <= running}
    until = {name for name, last in (UNTIL | KEPT).items() if running <= last}
    forgotten_by_asyncio = {"TaskGroup"} if running == (3, 11) else set()
    assert set(asyncio.__all__) == (always | since | until) - forgotten_by_asyncio


def test_the_namespace_is_the_table():
    """Every name of 3.10 to 3.15 is there, but those that CPython removed, which are there as long as it has them."""
    until = {name for name, last in UNTIL.items() if running <= last}
    assert set(trioasync.__all__) == always | set(SINCE) | until | set(KEPT) | ADDED


@pytest.mark.parametrize("name", sorted(UNTIL))
def test_a_removed_name_is_removed_here_too(name):
    """What CPython removed is there exactly on the Pythons that have it, child watchers and policies for instance."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert hasattr(trioasync, name) == hasattr(asyncio, name) == (running <= UNTIL[name] or name in WARNED)


@pytest.mark.parametrize("name", sorted(WARNED))
def test_a_policy_comes_with_the_warning_that_asyncio_gives(name):
    """From 3.14 on a policy is given on request, with asyncio's warning, which blames the line that asked."""
    told = []
    for module in (asyncio, trioasync):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            policy = getattr(module, name)
        told.append((policy, [(each.category, str(each.message), each.filename) for each in caught]))
    assert told[0] == told[1]
    assert [filename for _, _, filename in told[1][1]] == [__file__] * (running >= WARNED[name])


def test_an_unknown_name_is_an_attribute_error():
    """What asyncio does not have is not there, and the error names the package."""
    with pytest.raises(AttributeError, match="module 'trioasync' has no attribute 'nonsense'"):
        trioasync.nonsense  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize("name", sorted(set(trioasync.__all__) & set(dir(asyncio))))
def test_a_name_is_asyncios_own_object_unless_told_otherwise(name):
    """`trioasync.NAME is asyncio.NAME`, but for the list that gives a reason for each name."""
    last, _reason = OURS.get(name, ((0,), ""))
    assert (getattr(trioasync, name) is getattr(asyncio, name)) == (running > last)


def test_every_name_of_our_own_has_a_reason():
    """The list of names that are ours has no name that asyncio never had."""
    assert set(OURS) <= always | set(SINCE)


def test_star_import():
    """`from trioasync import *` gives all names."""
    namespace = {}
    exec("from trioasync import *", namespace)
    assert set(trioasync.__all__) <= set(namespace)


# -- the modules


@pytest.mark.parametrize("name", [name for name in MODULES if name not in ON_WINDOWS])
def test_a_module_of_asyncio_is_a_module_here(name):
    """Every public module of asyncio can be imported from trioasync, with the same public objects."""
    stock = importlib.import_module(f"asyncio.{name}")
    ours = importlib.import_module(f"trioasync.{name}")
    for public in public_names(stock) - INTERNAL.get(name, set()):
        if running > OURS.get(public, ((0,), ""))[0]:
            assert getattr(ours, public) is getattr(stock, public)
        else:
            assert getattr(ours, public) is getattr(trioasync, public)


@pytest.mark.parametrize("name", sorted(ON_WINDOWS))
def test_a_module_for_windows_raises_asyncios_error_elsewhere(name):
    """Importing what is for Windows fails as it does from asyncio."""
    with pytest.raises(ImportError) as of_asyncio:
        importlib.import_module(f"asyncio.{name}")
    with pytest.raises(ImportError) as of_trioasync:
        importlib.import_module(f"trioasync.{name}")
    assert str(of_trioasync.value) == str(of_asyncio.value)


@pytest.mark.parametrize("name", [name for name in MODULES if hasattr(asyncio, name)])
def test_a_module_can_be_reached_as_an_attribute(name):
    """`trioasync.streams` is there after `import trioasync`, as with asyncio, and is ours."""
    module = getattr(trioasync, name)
    assert inspect.ismodule(module)
    assert module.__name__ == f"trioasync.{name}"


@pytest.mark.parametrize("name", ["graph", "taskgroups", "timeouts"])
def test_newer_modules_are_there_on_every_python(name):
    """Modules that asyncio got after 3.10 are there on 3.10."""
    assert importlib.import_module(f"trioasync.{name}").__all__


def public_names(module):
    """Return the names of a module that are in its `__all__`, or are made there: classes, functions and constants."""
    made_there = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (name.isupper() or getattr(value, "__module__", None) == module.__name__)
        and not isinstance(value, types.ModuleType)
    }
    return made_there | {name for name in getattr(module, "__all__", ()) if not name.startswith("_")}


# -- the import


def test_importing_gives_no_warnings():
    """`import trioasync` and a star import are silent, with every warning an error."""
    assert in_a_new_process("import trioasync\nfrom trioasync import *") == ""


def test_importing_patches_nothing():
    """No attribute of an asyncio module, or of a class in it, is another one after `import trioasync`."""
    program = """
        import asyncio, importlib, pkgutil, threading, signal
        for module in pkgutil.iter_modules(asyncio.__path__):
            if not module.name.startswith(("_", "windows")):
                importlib.import_module("asyncio." + module.name)
        import trio

        def attributes():
            modules = [asyncio, *(getattr(asyncio, name) for name in dir(asyncio))]
            found = {}
            for module in modules:
                if isinstance(module, type(asyncio)) and module.__name__.startswith("asyncio"):
                    found[module.__name__] = dict(vars(module))
                    classes = [value for value in vars(module).values() if isinstance(value, type)]
                    found.update({(module.__name__, each.__qualname__): dict(vars(each)) for each in classes})
            return found

        before, switch = attributes(), signal.getsignal(signal.SIGINT)
        import trioasync
        after = attributes()
        def differences():
            for place, names in before.items():
                for name in names.keys() | after[place].keys():
                    if name not in ("__warningregistry__", "_iscoroutine_typecache"):
                        if names.get(name) is not after[place].get(name):
                            yield place, name
        print(sorted(map(str, differences())), switch is signal.getsignal(signal.SIGINT))
    """
    assert in_a_new_process(program) == "[] True\n"
