"""The README says what is true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), flags=re.M | re.S)


def test_set_up_takes_two_commands():
    """One runs a real program, one runs the tests: `.ci/run` executes these very lines."""
    first, second = (block.splitlines() for block in blocks("sh"))
    assert len(first) == len(second) == 1
    assert first[0].endswith("trioasync run examples/crawler.py")
    assert second[0].endswith("-m pytest")


@pytest.mark.parametrize("program", blocks("python"))
def test_its_programs_run(program, tmp_path):
    """Each as a program of its own."""
    environment = {"PYTHONPATH": str(README.parent), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "from asyncio\n"


def test_its_links_into_the_checkout_lead_somewhere():
    """Every relative link names a file."""
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", README.read_text()) if "://" not in target]
    assert targets
    assert [target for target in targets if not (README.parent / target).exists()] == []
