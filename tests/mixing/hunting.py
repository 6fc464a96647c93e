"""The hunt for a random program that has problems: how many are made, from which seed, and how one is shrunk."""

import contextlib
import faulthandler
import gc
import logging
import os
import random
import sys

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.mixing.programs import shown
from tests.support.observation import logged_records

_NUMBER = os.environ.get("TRIOASYNC_PROGRAMS")
PROGRAMS = int(_NUMBER or 300)
SEED = int(os.environ.get("TRIOASYNC_SEED") or (random.SystemRandom().randrange(10**9) if _NUMBER else 0))
LIMIT = 5  # seconds of real time after which a program counts as hanging
SHRINKING_LIMIT = 1  # the same for programs that are like one that has failed
ATTEMPTS = 5  # at a program that is like one that has failed: some of the order in a program depends on addresses


def hunt(strategy, problems_of):
    """Make programs until one has problems, and fail with the smallest of its kind.

    Args:
        strategy: what makes the programs.
        problems_of: a function that runs a program with a number for chance, for as many seconds at the most, and
            returns what was wrong, as text.
    """
    attempts, limit = 1, LIMIT
    faulthandler.cancel_dump_traceback_later()  # each program has a limit of its own
    gc.unfreeze()  # hypothesis asks who refers to its random generators, which the collector does not know when frozen

    @hypothesis.seed(SEED)
    @hypothesis.settings(
        max_examples=PROGRAMS,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
    )
    @hypothesis.given(strategy, st.integers(0, 999))
    def every_program_is_right(program, chance):
        nonlocal attempts, limit
        forget_programs()
        gc.freeze()  # what hypothesis keeps need not be gone through after each program
        for each in range(chance, chance + attempts):
            if found := problems_of(program, each, limit):
                attempts, limit = ATTEMPTS, SHRINKING_LIMIT
                pytest.fail("\n".join([f"seed {SEED}, chance {each}", *found, "", shown(program)]), pytrace=False)

    try:
        every_program_is_right()
    finally:
        gc.unfreeze()
        forget_programs()
        gc.freeze()  # tests that come later collect again and again, and what pytest keeps is much


def forget_programs():
    """Collect what is left of programs that have been judged: those that hang leave much."""
    with logged_records([]), unraisable_errors([]):
        gc.collect()


class TrioLog(logging.Handler):
    """Appends to `texts` what trio logs in a block, such as an error in an instrument, and keeps it from others."""

    def __init__(self, texts):
        super().__init__()
        self._texts, self._logger = texts, logging.getLogger("trio")

    def emit(self, record):
        self._texts.append(f"{record.getMessage()} {record.exc_info and record.exc_info[1]!r}")

    def __enter__(self):
        self._logger.addHandler(self)
        self._logger.propagate = False

    def __exit__(self, *exc_info):
        self._logger.propagate = True
        self._logger.removeHandler(self)


@contextlib.contextmanager
def unraisable_errors(texts):
    """Append what goes wrong in finalizers to `texts`."""
    hook = sys.unraisablehook
    sys.unraisablehook = lambda unraisable: texts.append(repr(unraisable.exc_value))
    try:
        yield
    finally:
        sys.unraisablehook = hook
