"""What the programs of this folder tell of the loop that they run on."""

import asyncio
import os

import sniffio
import trio


async def wait_in_trio():
    """Wait in a nursery of trio's, and return whether that can be done here."""
    if not trio.lowlevel.in_trio_run():
        return False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 0.001)
    return True


async def what_it_runs_on():
    """Return the process, the class of the loop, whether trio can be awaited, and what sniffio says."""
    loop = type(asyncio.get_running_loop())
    return {
        "pid": os.getpid(),
        "loop": f"{loop.__module__}.{loop.__qualname__}",
        "trio": await wait_in_trio(),
        "library": sniffio.current_async_library(),
    }
