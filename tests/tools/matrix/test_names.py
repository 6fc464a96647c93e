"""What became of each public name of asyncio on this Python: the evidence behind the matrix's table of names."""

import asyncio
import sys
import warnings

import pytest

import trioasync
from tests.namespace_names import ALWAYS, KEPT, OURS, SINCE, UNTIL, WARNED

running = sys.version_info[:2]
MISSING = object()


def of(module, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return getattr(module, name, MISSING)


def found(name):
    """Return what a look at both modules says of a name."""
    stock, ours = of(asyncio, name), of(trioasync, name)
    if stock is MISSING:
        return "absent" if ours is MISSING else "backported"
    return "missing" if ours is MISSING else "identical" if ours is stock else "differs"


def told(name):
    """Return what the tables say of a name on this Python, and why it is not identical."""
    if name in WARNED and running >= WARNED[name]:
        return "identical", "asyncio gives it with a DeprecationWarning"
    if name in UNTIL and running > UNTIL[name]:
        return "absent", f"asyncio has removed it after {version(UNTIL[name])}"
    if name in KEPT and running > KEPT[name]:
        return "backported", f"asyncio has removed it after {version(KEPT[name])}"
    if name in SINCE and running < SINCE[name]:
        return "backported", f"asyncio has it since {version(SINCE[name])}"
    if name in OURS and running <= OURS[name][0]:
        return "differs", OURS[name][1]
    return "identical", ""


def version(pair):
    return "{}.{}".format(*pair)


@pytest.mark.parametrize("name", sorted({*ALWAYS.split(), *SINCE, *UNTIL, *KEPT}))
def test_what_became_of_a_name(name, record_property):
    """A name is asyncio's own object, or ours, or what this Python lacks, or gone as CPython has removed it."""
    expected, why = told(name)
    assert found(name) == expected
    record_property("status", expected)
    if why:
        record_property("why", why)


def test_each_status_is_found():
    """The look at both modules tells its four answers apart."""
    assert found("sleep") == "identical"
    assert found("Task") == "differs"
    assert found("open_loop") == "backported"
    assert found("no such name") == "absent"
