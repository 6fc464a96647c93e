"""The examples run, and check their own results."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
PLAIN_ASYNCIO = ["crawler.py"]
TIME_LIMIT = 120


def run(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent), "PYTHONWARNINGS": "error"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", PLAIN_ASYNCIO)
def test_an_asyncio_program_prints_the_same_on_trio(name):
    """Unmodified, with `trioasync run`."""
    on_asyncio = run(EXAMPLES / name)
    on_trio = run("-m", "trioasync", "run", EXAMPLES / name)
    assert on_asyncio == on_trio
    assert on_trio[0] == 0
    assert on_trio[2] == ""


@pytest.mark.parametrize("name", PLAIN_ASYNCIO)
def test_an_asyncio_program_knows_nothing_of_trio(name):
    """Nothing but the explanation on top names it."""
    docstring, code = (EXAMPLES / name).read_text().removeprefix('"""').split('"""', 1)
    assert "trio" in docstring
    assert "trio" not in code


@pytest.mark.parametrize("name", sorted({path.name for path in EXAMPLES.glob("*.py")} - set(PLAIN_ASYNCIO)))
def test_a_program_of_both_worlds_runs(name):
    """It exits with status 0 if its result is what it expects."""
    status, out, err = run(EXAMPLES / name)
    assert (status, err) == (0, "")
    assert out
