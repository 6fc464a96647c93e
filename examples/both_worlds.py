"""trio and asyncio in the same functions: a Task may await either, with nothing in between.

python examples/both_worlds.py
"""

import trio

import trioasync as asyncio


async def thermometer(send: trio.abc.SendChannel) -> None:
    """A trio task: it knows nothing of asyncio."""
    async with send:
        for temperature in (19, 20, 21):
            await trio.sleep(0.01)
            await send.send(temperature)


async def collect(temperatures: asyncio.Queue, count: int) -> list[int]:
    """An asyncio function: it knows nothing of trio."""
    return [await temperatures.get() for _ in range(count)]


async def main() -> list[str]:
    """A Task that has a foot in either world."""
    temperatures = asyncio.Queue(maxsize=1)
    collecting = asyncio.create_task(collect(temperatures, 3))
    send, receive = trio.open_memory_channel(0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(thermometer, send)
        async for temperature in receive:
            await temperatures.put(temperature)
    seen = [f"collected {await collecting}"]

    # A trio scope ends a wait in asyncio ...
    with trio.move_on_after(0.05) as scope:
        await asyncio.gather(asyncio.sleep(60), asyncio.Event().wait())
    seen.append(f"trio ended a wait in asyncio: {scope.cancelled_caught}")

    # ... and an asyncio timeout ends a wait in trio.
    try:
        async with asyncio.timeout(0.05):
            await trio.sleep_forever()
    except asyncio.TimeoutError:
        seen.append("asyncio ended a wait in trio: True")
    return seen


EXPECTED = [
    "collected [19, 20, 21]",
    "trio ended a wait in asyncio: True",
    "asyncio ended a wait in trio: True",
]

if __name__ == "__main__":
    lines = asyncio.run(main())
    print("\n".join(lines))
    raise SystemExit(lines != EXPECTED)
