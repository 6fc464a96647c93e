"""A test that hangs is ended, and the tests after it find their thread as they should."""

import asyncio

import pytest
import trio

import trioasync
from tests.support.observation import TookTooLong, time_limit


async def in_an_open_loop():
    async with trioasync.open_loop():
        await asyncio.get_running_loop().create_future()


HANGING = {
    "trio": lambda: trio.run(trio.sleep_forever),
    "a Task": lambda: trioasync.run(asyncio.sleep(3600)),
    "a Task in trio": lambda: trioasync.run(trio.sleep(3600)),
    "an open loop": lambda: trio.run(in_an_open_loop),
    "asyncio": lambda: asyncio.run(asyncio.sleep(3600)),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("program", HANGING)
def test_a_program_that_hangs_is_ended_and_the_next_one_runs(program):
    """Though somebody keeps the exception, no trio run and no running loop is left in the thread."""
    with pytest.raises(TookTooLong) as kept, time_limit(0.02):
        HANGING[program]()
    assert kept.value.args == ("still running after 0.08 s",)
    assert trioasync.run(asyncio.sleep(0, "ran")) == "ran"
    assert asyncio.run(asyncio.sleep(0, "ran")) == "ran"
