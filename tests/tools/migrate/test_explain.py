"""`trioasync explain` and `trioasync rules`: what the codes mean, from the rules themselves."""

import ast
import json

import pytest

from trioasync._tools import cli
from trioasync._tools.migrate.catalogue import entries
from trioasync._tools.migrate.rules import all_rules
from trioasync._tools.migrate.support import table


def run(capsys, *arguments):
    status = cli.main(arguments)
    return status, capsys.readouterr().out


def whole(code):
    """Return a piece of code with what it takes to stand alone."""
    begin = "try:\n    pass\n" if code.startswith("except") else ""
    return begin + code + ("\n    pass" if code.rstrip().endswith(":") else "")


def code_named(entry):
    return entry.code


@pytest.mark.parametrize("entry", entries().values(), ids=code_named)
def test_a_code_is_explained(entry, capsys):
    """With its summary, its class, its example and its traps."""
    status, text = run(capsys, "explain", entry.code)
    assert status == 0
    assert text.startswith(f"{entry.code} ({entry.name}): {entry.summary}\n")
    assert f"class {entry.safety}" in text
    words = " ".join(text.split())
    for trap in entry.traps:
        assert " ".join(trap.split()) in words
    shown = text.splitlines()
    for code in entry.example:
        assert {f"    {line}" if line else "" for line in code.splitlines()} <= set(shown)


@pytest.mark.parametrize("entry", entries().values(), ids=code_named)
def test_a_code_says_what_it_does_in_one_line(entry):
    """Every code of every rule has a summary, and its rule a description."""
    assert entry.summary
    assert "\n" not in entry.summary
    assert entry.description


@pytest.mark.parametrize("entry", [e for e in entries().values() if e.safety != "C"], ids=code_named)
def test_what_the_tool_rewrites_has_an_example(entry):
    """Before and after are Python, and are not the same."""
    before, after = entry.example
    assert before != after
    assert ast.parse(whole(before)).body
    assert ast.parse(whole(after)) is not None


def test_no_two_rules_have_a_code_in_common():
    """A code says which rule it is of."""
    codes = [code for rule in all_rules() for code in rule.codes]
    assert len(set(codes)) == len(codes) == len(entries())


def test_a_code_may_be_in_small_letters(capsys):
    """And several may be asked for at once."""
    _, text = run(capsys, "explain", "tam200", "TAM400")
    assert text.startswith("TAM200 (sleep): ")
    assert "\n\nTAM400 (packages): " in text


def test_a_name_of_asyncio_is_explained(capsys):
    """By the table of all names: what trioasync has, and what trio has."""
    _, text = run(capsys, "explain", "asyncio.Queue.shutdown")
    assert text.splitlines() == [
        "asyncio.Queue.shutdown (in asyncio since 3.13)",
        "",
        "on trioasync: full",
        "in trio:      MemorySendChannel.close",
        "class:        B: with its Queue",
    ]
    assert run(capsys, "explain", "sleep") == run(capsys, "explain", "asyncio.sleep")


@pytest.mark.parametrize("name", [name for name in table() if table()[name].support != "full"])
def test_a_name_that_is_not_wholly_supported_says_why(name, capsys):
    """In the same line."""
    support = table()[name]
    assert f"on trioasync: {support.support}: {support.support_note}\n" in run(capsys, "explain", name)[1]


def test_an_unknown_code_is_status_2(capsys):
    """With a word where the codes are."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["explain", "TAM999"])
    assert ended.value.code == 2
    assert "there is no code or name TAM999: 'trioasync rules' lists all codes" in capsys.readouterr().err


def test_all_codes_are_listed(capsys):
    """In order, one line each."""
    _, text = run(capsys, "rules")
    assert [line.split()[0] for line in text.splitlines()] == sorted(entries())


def test_all_codes_are_listed_as_json(capsys):
    """With everything that there is to say about them."""
    _, text = run(capsys, "rules", "--format", "json")
    listed = json.loads(text)
    assert [rule["code"] for rule in listed] == sorted(entries())
    sleep = next(rule for rule in listed if rule["code"] == "TAM200")
    assert (sleep["name"], sleep["stage"], sleep["safety"]) == ("sleep", 2, "A")
    assert sleep["summary"] == entries()["TAM200"].summary
