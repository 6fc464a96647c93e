"""What a program leaves behind: descriptors that are open, Tasks that have not ended."""

import asyncio
import os

NOTHING = (0, 0)


def open_descriptors():
    """How many descriptors are open; no test opens anything like a thousand."""
    return sum(map(_is_open, range(1000)))


def _is_open(descriptor):
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def held():
    """How many descriptors are open, and how many Tasks have not ended."""
    return open_descriptors(), len(asyncio.all_tasks())


def grown(before):
    """How many more there are than `before`."""
    return tuple(now - then for now, then in zip(held(), before, strict=True))


async def settled(before):
    """How many more there are than `before`, when what is being closed has been closed."""
    for _ in range(100):
        if grown(before) == NOTHING:
            break
        await asyncio.sleep(0.01)
    return grown(before)
