"""Every fixture of every rule: what comes out, and that it does not depend on how the file is laid out or encoded."""

import os
import re
import sys

import pytest

from tests.tools.migrate import cases

CASES = [
    pytest.param(
        case,
        id=f"{case.rule}/{case.name}",
        marks=pytest.mark.skipif(sys.version_info < case.python, reason="its syntax is newer"),
    )
    for case in cases.all_cases()
]


@pytest.mark.parametrize("case", CASES)
def test_a_fixture_becomes_what_its_out_file_says(case):
    """Without an out file, nothing."""
    outcome = cases.rewrite(case.before.encode(), case.options)
    after = (outcome.after or case.before.encode()).decode()
    if os.environ.get("TRIOASYNC_REGEN") and after != case.after:
        case.out_path.write_bytes(after.encode())
    assert after == case.after


@pytest.mark.parametrize("case", CASES)
def test_a_second_run_changes_nothing(case):
    """What has been rewritten once is left alone, and so is what was left alone."""
    after = case.after.encode()
    assert cases.result(after, case.options) == after


@pytest.mark.parametrize("case", CASES)
def test_no_comment_of_a_fixture_is_lost(case):
    """All of the comments before are there after."""
    assert not cases.comments(case.before) - cases.comments(case.after)


@pytest.mark.parametrize("case", [param for param in CASES if "codes" in param.values[0].settings])
def test_a_fixture_gives_the_codes_that_its_settings_name(case):
    """Each as often as it is found, whether there is a fix or not."""
    found = cases.findings(case.before.encode(), case.options)
    assert sorted(finding.code for finding in found) == sorted(case.settings["codes"])


@pytest.mark.parametrize("case", [param for param in CASES if "blocked" in param.values[0].settings])
def test_a_fixture_s_blocked_fixes_are_not_made(case):
    """What is left in the end has a reason for it."""
    left = cases.rewrite(case.before.encode(), case.options).findings
    assert sorted(finding.code for finding in left if finding.blocked) == sorted(case.settings["blocked"])


def with_tabs(text):
    """Indent with tabs instead of four spaces."""
    return re.sub(r"(?m)^(?: {4})+", lambda match: "\t" * (len(match.group()) // 4), text)


VARIANTS = {
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "BOM": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "latin-1": lambda text: ("# -*- coding: latin-1 -*-\n# \xe9\xdf\n" + text).encode("latin-1"),
    "tabs": lambda text: with_tabs(text).encode(),
    "no final newline": lambda text: text.removesuffix("\n").encode(),
    "two spaces": lambda text: re.sub(r"(?m)^ +", lambda match: " " * (len(match.group()) // 2), text).encode(),
}


@pytest.mark.parametrize("rule", sorted({case.rule for case in cases.all_cases()}))
def test_form_feeds_stay_where_they_are(rule):
    """They are white space to Python, and no line ends there."""
    for case in cases.all_cases():
        if case.rule == rule and sys.version_info >= case.python:
            before = re.sub(r"(?m)^(?=async def|def|class)", "\x0c", case.before)
            after = cases.result(before.encode(), case.options).decode()
            assert after.replace("\x0c", "") == case.after, case.name
            assert after.count("\x0c") == before.count("\x0c"), case.name


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("rule", sorted({case.rule for case in cases.all_cases()}))
def test_the_result_is_the_same_however_the_file_is_written(rule, variant):
    """Newlines, byte order mark, encoding, tabs, form feeds and what the file ends with stay as they are."""
    convert = VARIANTS[variant]
    for case in cases.all_cases():
        if case.rule != rule or sys.version_info < case.python or variant in case.settings.get("not_as", ()):
            continue
        if variant == "latin-1" and not (case.before + case.after).isascii():
            continue
        result, expected = cases.result(convert(case.before), case.options), convert(case.after)
        if variant == "latin-1":  # blank lines behind a dropped import stay where the file begins with a comment
            result, expected = re.sub(rb"\n+", b"\n", result), re.sub(rb"\n+", b"\n", expected)
        assert result == expected, case.name
