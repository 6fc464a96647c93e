"""The table of what becomes of each name of asyncio is complete, and right about this Python and this trioasync."""

import asyncio
import asyncio.subprocess
import functools
import inspect
import sys
import warnings

import pytest
import trio

import trioasync
from trioasync._tools.migrate.support import is_there, lookup, table

RUNNING = sys.version_info[:2]
TOP_LEVEL = [entry for name, entry in table().items() if name.startswith("asyncio.") and name.count(".") == 1]
ON_LOOPS = [entry for name, entry in table().items() if name.startswith("loop.")]
IN_CLASSES = [
    entry for name, entry in table().items() if name.count(".") == 2 and not name.startswith("asyncio.subprocess.")
]

# Attributes of exceptions that every exception or OSError has.
COMMON = set(dir(OSError)) | {"add_note"}


def named(entry):
    return entry.name


def version(text):
    return tuple(int(part) for part in text.split("."))


def on_this_python(entry):
    """Whether the table says that the running asyncio has a name."""
    since = version(entry.since) if entry.since else (3, 10)
    until = version(entry.until) if entry.until else (99,)
    return since <= RUNNING <= until and entry.platform in ("", sys.platform)


def public(owner):
    return {name for name in dir(owner) if not name.startswith("_")}


def has(module, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return hasattr(module, name)


# Complete


def test_every_public_name_of_the_running_asyncio_has_an_entry():
    """And what the table has on this Python is public there."""
    names = {entry.name.partition(".")[2] for entry in TOP_LEVEL if on_this_python(entry)}
    forgotten_by_asyncio = {"TaskGroup"} if RUNNING == (3, 11) else set()
    assert names - forgotten_by_asyncio == set(asyncio.__all__)


def test_every_method_of_the_loop_has_an_entry():
    """What the abstract loop of the running Python has, the table has, and no more."""
    names = {entry.name.partition(".")[2] for entry in ON_LOOPS if on_this_python(entry)}
    assert names == public(asyncio.AbstractEventLoop)


@pytest.mark.parametrize("name", sorted(asyncio.__all__))
def test_every_attribute_of_a_class_has_an_entry(name):
    """Of all public classes but loops, policies and watchers, whose methods programs call on the loop."""
    owner = getattr(asyncio, name)
    if not inspect.isclass(owner) or name.endswith(("EventLoop", "EventLoopPolicy", "ChildWatcher")):
        assert not any(entry.name.startswith(f"asyncio.{name}.") for entry in IN_CLASSES)
        return
    inherited = COMMON if issubclass(owner, BaseException) else set()
    names = {
        e.name.rpartition(".")[2] for e in IN_CLASSES if e.name.startswith(f"asyncio.{name}.") and on_this_python(e)
    }
    assert names == public(owner) - inherited


def test_what_programs_take_from_the_subprocess_module_has_an_entry():
    """The three constants, and what a process has."""
    names = {name.removeprefix("asyncio.subprocess.") for name in table() if name.startswith("asyncio.subprocess.")}
    constants = {name for name in names if name.isupper()}
    methods = {name.removeprefix("Process.") for name in names if name.startswith("Process.")}
    assert constants == {"PIPE", "STDOUT", "DEVNULL"}
    assert methods - {"stdin", "stdout", "stderr", "pid"} == public(asyncio.subprocess.Process)


# Right


@pytest.mark.parametrize("entry", TOP_LEVEL, ids=named)
def test_what_is_supported_is_there(entry):
    """A supported name is in trioasync wherever asyncio has it, and a newer one on every Python."""
    until = version(entry.until) if entry.until else (99,)
    expected = (entry.support != "no" and until >= RUNNING) or entry.name == "asyncio.coroutine"
    policies = RUNNING >= (3, 14) and entry.name.endswith("EventLoopPolicy") and entry.platform == ""
    assert has(trioasync, entry.name.partition(".")[2]) == (expected or policies)


@pytest.mark.parametrize("entry", ON_LOOPS, ids=named)
def test_what_is_supported_is_a_method_of_our_loop(entry):
    """Where asyncio's loop has it."""
    assert entry.support == "full"
    assert not on_this_python(entry) or hasattr(trioasync.EventLoop, entry.name.partition(".")[2])


@pytest.mark.parametrize("entry", IN_CLASSES, ids=named)
def test_what_is_supported_is_an_attribute_of_our_class(entry):
    """Where asyncio's class has it."""
    _, name, attribute = entry.name.split(".")
    assert not on_this_python(entry) or hasattr(getattr(trioasync, name), attribute)


@pytest.mark.parametrize("entry", table().values(), ids=named)
def test_an_entry_is_well_formed(entry):
    """It names one of the classes, and says why when something is not wholly supported."""
    assert entry.safety in ("A", "A/B", "B", "B/C", "C")
    assert entry.support in ("full", "partial", "no")
    assert (entry.support == "full") == (not entry.support_note)


@pytest.mark.parametrize(
    "entry",
    [e for e in table().values() if e.native.startswith("trio.") and "(" not in e.native and " " not in e.native],
    ids=named,
)
def test_what_takes_its_place_is_in_trio(entry):
    """A native name is one that trio has."""
    assert functools.reduce(getattr, entry.native.split(".")[1:], trio) is not None


# Looking up


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("asyncio.sleep", "asyncio.sleep"),
        ("trioasync.sleep", "asyncio.sleep"),
        ("asyncio.tasks.sleep", "asyncio.sleep"),
        ("asyncio.subprocess.PIPE", "asyncio.subprocess.PIPE"),
        ("asyncio.Event.clear", "asyncio.Event.clear"),
        ("loop.time", "loop.time"),
    ],
)
def test_a_name_is_found_wherever_it_was_imported_from(symbol, name):
    """trioasync's names and those of submodules are asyncio's."""
    assert lookup(symbol).name == name


@pytest.mark.parametrize("symbol", ["asyncio.nonsense", "loop.nonsense", "asyncio", "asyncio.tasks"])
def test_an_unknown_name_has_no_entry(symbol):
    """Nor has a module."""
    assert lookup(symbol) is None


@pytest.mark.parametrize(
    "symbol", ["asyncio", "asyncio.tasks", "asyncio.log.logger", "asyncio.staggered.staggered_race"]
)
def test_what_is_public_in_a_module_is_there(symbol):
    """The table has what asyncio names public itself; modules have more."""
    assert lookup(symbol) is None
    assert is_there(symbol)


@pytest.mark.parametrize(
    "symbol",
    ["asyncio.nonsense", "asyncio.tasks.nonsense", "asyncio.tasks._PyTask", "asyncio.windows_events.PipeServer"],
)
def test_what_is_private_or_for_windows_is_not_there(symbol):
    """As what nobody has."""
    assert not is_there(symbol)
