"""A test that hangs is ended, and the tests after it find their thread as they should."""

import pytest

from tests.support import preloaded

HANGING = {
    "trio": "trio.run(trio.sleep_forever)",
    "a Task": "trioasync.run(asyncio.sleep(3600))",
    "a Task in trio": "trioasync.run(trio.sleep(3600))",
    "an open loop": "trio.run(in_an_open_loop)",
    "asyncio": "asyncio.run(asyncio.sleep(3600))",
}
PROGRAM = """
import asyncio, trio, trioasync
from tests.support.observation import TookTooLong, time_limit

async def in_an_open_loop():
    async with trioasync.open_loop():
        await asyncio.get_running_loop().create_future()

try:
    with time_limit(0.02):
        {hangs}
except TookTooLong as raised:
    kept = raised
print(kept)
print(trioasync.run(asyncio.sleep(0, "ran")), asyncio.run(asyncio.sleep(0, "ran")), flush=True)
"""


@pytest.mark.parametrize("program", HANGING)
def test_a_program_that_hangs_is_ended_and_the_next_one_runs(program):
    """Though somebody keeps the exception, no trio run and no running loop is left in the thread."""
    done = preloaded.run(PROGRAM.format(hangs=HANGING[program]), limit=60, warnings=None)
    assert done.stdout == "still running after 0.08 s\nran ran\n"
