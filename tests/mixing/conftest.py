"""Tells the seed of the random programs."""

from tests.mixing.hunting import PROGRAMS, SEED


def pytest_terminal_summary(terminalreporter):
    """Say from which seed the random programs came, whether they failed or not."""
    terminalreporter.write_line(f"random programs: TRIOASYNC_PROGRAMS={PROGRAMS} TRIOASYNC_SEED={SEED}")
