"""The rules, one module each: every module here that defines a `Rule` is one, in the order that `ORDER` gives."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import TYPE_CHECKING

from trioasync._tools.migrate.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ORDER", "all_rules", "rule_of_code"]

# What is rewritten first. Where two fixes meet, the earlier rule's is made and the other waits for the next pass.
# Rules that are not named come last, by name.
_NAMES = """
    imports threads sleep clock wait_for timeout timeout_errors event lock semaphore condition queue taskgroup gather
    subprocess_ shield cancelled loop_boilerplate run
"""
ORDER = _NAMES.split()


@functools.cache
def all_rules() -> Sequence[Rule]:
    """Give one instance of each rule, in the order in which they are asked."""
    rules: list[Rule] = []
    for info in pkgutil.iter_modules(__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        rules += [
            value()
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, Rule) and value.__module__ == module.__name__
        ]
    return sorted(rules, key=lambda rule: (_place(rule.name), rule.name))


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def rule_of_code(code: str) -> Rule | None:
    """Give the rule that a code belongs to."""
    return next((rule for rule in all_rules() if code in rule.codes), None)
