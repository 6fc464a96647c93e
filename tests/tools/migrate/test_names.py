"""Every public name of asyncio 3.10 to 3.15, and every method of the loop: some rule says what becomes of it."""

import textwrap

import pytest

from tests.tools.migrate import cases
from trioasync._tools.migrate.config import Options
from trioasync._tools.migrate.rules import all_rules, rule_of_code
from trioasync._tools.migrate.support import table

# Names in the table that are no uses by themselves: attributes of objects, which belong to the use of their class.
NAMES = [
    name for name in table() if name.startswith("loop.") or name.count(".") == 1 or name.endswith(("PIPE", "STDOUT"))
]


def found(name):
    """What the rules say of a function that hands a name on."""
    source = f"import asyncio\nimport asyncio.subprocess\n\n\nasync def main(loop, use):\n    use({name})\n"
    return [finding for finding in cases.findings(source.encode(), Options(safety="B")) if finding.symbol == name]


@pytest.mark.parametrize("name", NAMES)
def test_some_rule_says_what_becomes_of_a_name(name):
    """Once, with the class that the rule states for it, and with what a person does where the tool does nothing."""
    (finding,) = found(name)
    assert rule_of_code(finding.code).name == finding.name
    assert finding.fix is not None or (finding.safety == "C" and finding.help)


@pytest.mark.parametrize("name", NAMES)
def test_the_tool_rewrites_no_more_than_the_table_says(name):
    """What the table leaves to a person has no fix."""
    if table()[name].best == "C":
        assert all(finding.fix is None for finding in found(name))


def test_no_code_belongs_to_two_rules():
    """A code names one rule."""
    codes = [code for rule in all_rules() for code in rule.codes]
    assert sorted(set(codes)) == sorted(codes)


@pytest.mark.parametrize("code", [code for rule in all_rules() for code in rule.codes if code in rule.examples])
def test_the_examples_of_a_code_are_python(code):
    """Before and after, as they would stand in an async function; templates for a person as well."""
    for text in rule_of_code(code).examples[code]:
        compile("async def example():\n" + textwrap.indent(text, "    ") + "\n    pass", code, "exec")
