"""Fixtures with layout noise in them: what comes out is the same program, or the fix is not made."""

import ast
import os
import random
import sys

import pytest

from tests.tools.migrate import cases, noise

ROUNDS = 20 if os.environ.get("TRIOASYNC_LONG") else 1
RULES = sorted({case.rule for case in cases.all_cases()})


def of_rule(rule):
    return [case for case in cases.all_cases() if case.rule == rule and sys.version_info >= case.python]


@pytest.mark.parametrize("rule", RULES)
def test_white_space_changes_nothing_but_white_space(rule):
    """With blank lines, line breaks, continuations and form feeds the result is the same program, or part of it."""
    for case in of_rule(rule):
        expected = cases.shape(case.after)
        for seed in range(ROUNDS):
            text = noise.noisy(case.before, random.Random(f"{case.name} {seed}"), comments=False)
            assert cases.shape(text) == cases.shape(case.before), text
            after = cases.result(text.encode(), case.options).decode()
            if after != text:
                assert_same_or_less(case, after, expected)
            assert cases.result(after.encode(), case.options).decode() == after, after


def assert_same_or_less(case, after, expected):
    """The result is the expected program, or some of the fixes were not made and the rest is."""
    if cases.shape(after) == expected:
        return
    again = cases.result(ast.unparse(ast.parse(after)).encode(), case.options).decode()
    assert plain(again) == plain(case.after), after


def plain(text):
    """A text's tree in which `not a == b` is `a != b`: a rule may write either."""

    class Plain(ast.NodeTransformer):
        def visit_UnaryOp(self, node):  # the name is ast's
            self.generic_visit(node)
            inner = node.operand
            if isinstance(node.op, ast.Not) and isinstance(inner, ast.Compare) and isinstance(inner.ops[0], ast.Eq):
                return ast.Compare(inner.left, [ast.NotEq()], inner.comparators)
            return node

    return ast.dump(Plain().visit(ast.parse(ast.unparse(ast.parse(text)))))


@pytest.mark.parametrize("rule", RULES)
def test_comments_anywhere_are_kept(rule):
    """Where one is in the way of a fix, the fix is not made."""
    for case in of_rule(rule):
        for seed in range(ROUNDS):
            text = noise.noisy(case.before, random.Random(f"{case.name} # {seed}"), comments=True)
            after = cases.result(text.encode(), case.options).decode()
            there = "\n".join(cases.comments(after).elements())  # two may have come to stand in one line
            lost = {found for found, count in cases.comments(text).items() if there.count(found) < count}
            assert not lost, after
            assert cases.result(after.encode(), case.options).decode() == after, after
