"""A pipeline: sensors are read, the readings are smoothed, checked and stored in batches."""

from functools import partial
from statistics import fmean

import trio
from _trio_helpers import gather_results

SENSORS = {
    "boiler": [71.0, 72.5, 99.0, 73.0, 72.0, 71.5],
    "cellar": [12.0, 12.1, 12.0, 11.9, None, 12.2],
    "garden": [18.0, 18.5, 19.0, 19.5, 20.0, 20.5],
}
LIMITS = {"boiler": 90.0, "cellar": 30.0, "garden": 45.0}
PERIOD = 0.01
PATIENCE = 0.5
BATCH = 4


class Sensor:
    """A thermometer on a slow line; where its table says None, it does not answer."""

    def __init__(self, name, values):
        self.name = name
        self.values = iter(values)
        self.line = trio.Lock()

    async def read(self):
        """Return the next temperature."""
        async with self.line:
            value = next(self.values)
            if value is None:
                await trio.sleep(3600)
            await trio.sleep(max(0, PERIOD))
            return value


class Alarm:
    """Rings once, when a limit is passed."""

    def __init__(self):
        self.rung = trio.Event()
        self.reason = None

    def ring(self, reason):
        """Ring, unless it rings already."""
        if not self.rung.is_set():
            self.reason = reason
            self.rung.set()


class Store:
    """A data base that takes two writers at a time, and is read while it is written."""

    def __init__(self):
        self.rows = []
        self.writers = trio.Semaphore(2, max_value=2)
        self.grown = trio.Condition()

    async def write(self, rows):
        """Store some rows, in a thread as data bases want it, and tell who waits for them."""
        async with self.writers:
            stored = await trio.to_thread.run_sync(sorted, rows, abandon_on_cancel=True)
            async with self.grown:
                self.rows.extend(stored)
                self.grown.notify_all()

    async def wait_for_rows(self, count):
        """Return when there are so many rows."""
        async with self.grown:
            while not (len(self.rows) >= count):
                await self.grown.wait()


async def poll(sensor, count, readings_send):
    """Read a sensor so many times; a reading that takes too long is skipped."""
    skipped = 0
    for number in range(count):
        try:
            with trio.fail_after(PATIENCE):
                value = await sensor.read()
        except (trio.TooSlowError, TimeoutError):
            skipped += 1
            continue
        await readings_send.send((sensor.name, number, value))
        await trio.sleep(max(0, PERIOD))
    return skipped


async def smooth(readings_receive, smoothed_send):
    """Pass on the mean of the last three readings of each sensor, until there are no more."""
    recent = {}
    while True:
        reading = await readings_receive.receive()
        if reading is None:
            break
        name, number, value = reading
        window = [*recent.get(name, []), value][-3:]
        recent[name] = window
        await smoothed_send.send((name, number, value, round(fmean(window), 2)))
    await smoothed_send.send(None)


async def check(smoothed_receive, store, alarm):
    """Look at the limits, and store what comes in batches."""
    batch = []
    while True:
        row = await smoothed_receive.receive()
        if row is None:
            break
        name, _number, value, _mean = row
        if value > LIMITS[name]:
            alarm.ring(f"{name} at {value}")
        batch.append(row)
        if len(batch) == BATCH:
            await store.write(batch)
            batch = []
    if batch:
        await store.write(batch)


async def poll_all(readings_send):
    """Poll every sensor at the same time, then say that there are no more readings."""
    skipped = await gather_results(
        *(partial(poll, Sensor(name, values), len(values), readings_send) for name, values in SENSORS.items())
    )
    await readings_send.send(None)
    return dict(zip(SENSORS, skipped, strict=True))


async def watch(alarm, store):
    """Report the alarm while the pipeline works, and the first rows."""
    await alarm.rung.wait()
    print("alarm:", alarm.reason)
    await store.wait_for_rows(BATCH)
    print("the first batch is stored")


async def stages(store, alarm):
    """Run all stages of the pipeline, each in a task of its own, and return how many readings were skipped."""
    readings_send, readings_receive = trio.open_memory_channel(5)
    smoothed_send, smoothed_receive = trio.open_memory_channel(5)
    skipped, *_ = await gather_results(
        partial(poll_all, readings_send),
        partial(smooth, readings_receive, smoothed_send),
        partial(check, smoothed_receive, store, alarm),
        partial(watch, alarm, store),
    )
    return skipped


async def main():
    """Run the pipeline with a limit on its time, and print what it stored."""
    store, alarm = Store(), Alarm()
    try:
        with trio.fail_after(10):
            skipped = await stages(store, alarm)
    except (trio.TooSlowError, TimeoutError):
        print("the pipeline is stuck")
        return
    for name in SENSORS:
        rows = sorted(row for row in store.rows if row[0] == name)
        means = ", ".join(str(mean) for _, _, _, mean in rows)
        print(f"{name}: {len(rows)} readings, {skipped[name]} skipped, means {means}")


if __name__ == "__main__":
    trio.run(main)
