"""For the tests of the backports: each body runs on the backport and, where this Python has it, on asyncio's own."""

import asyncio
import sys

import pytest
import trio.testing

import trioasync


def beside_asyncio(name, backport, *, since, until=(99,)):
    """Return a fixture that gives the backport, then what asyncio has by that name, from one Python to another."""
    implementations = [pytest.param(backport, id="backport")]
    if since <= sys.version_info[:2] <= until:
        implementations.append(pytest.param(getattr(asyncio, name), id="asyncio"))

    @pytest.fixture(params=implementations)
    def implementation(request):
        return request.param

    return implementation


def run(main, *args):
    """Run `main(*args)` in virtual time."""
    return trioasync.run(main(*args), clock=trio.testing.MockClock(autojump_threshold=0))
