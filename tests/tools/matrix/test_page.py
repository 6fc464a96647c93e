"""The table of the page "Coroutines and Tasks" is whole: every test in one place, every name in a test."""

import ast
import functools
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.parity.page import SECTIONS, behind
from tests.support.matrix_rows import in_order

ROOT = Path(__file__).parents[3]
FILES = sorted(file.relative_to(ROOT).as_posix() for file in (ROOT / "tests" / "parity").glob("test_page_*.py"))


def test_each_test_of_the_page_is_in_one_section():
    """None is forgotten, none stands twice, and none is named that does not exist."""
    placed = Counter(name for section in SECTIONS for name in behind(section))
    assert set(placed) == {name for file in FILES for name in in_order(file)}
    assert max(placed.values()) == 1


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_each_name_of_a_section_is_used_by_its_tests(section):
    """What the page documents is called, or raised, or looked at, by a test of that section."""
    text = "\n".join(source(name) for name in behind(section))
    used = {name: bool(re.search(rf"\.{name.split('.')[-1]}\b", text)) for name in section.names.split()}
    assert [name for name in used if not used[name]] == []


def source(name):
    """Return the text of a test's function, and of what stands in its file for all tests to call."""
    file, _, function = name.partition("::")
    return "\n".join(text for each, text in definitions(file) if each == function or not each.startswith("test_"))


@functools.cache
def definitions(file):
    """Return the name, "" where it has none, and the text of each piece of a file."""
    text = (ROOT / file).read_text()
    return [(getattr(node, "name", ""), ast.get_source_segment(text, node)) for node in ast.parse(text).body]
