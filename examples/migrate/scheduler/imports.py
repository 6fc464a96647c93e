"""A job scheduler in plain asyncio: jobs wait for others, run in threads and processes, time out, are tried again."""

import trioasync as asyncio
import hashlib
import sys
import time
from dataclasses import dataclass, field

SLOTS = 3
BEAT = 0.01


class JobError(Exception):
    """A job has failed as often as it may."""


@dataclass
class Job:
    """What to do, after which other jobs, how long at most (seconds) and how often."""

    name: str
    work: object
    after: tuple = ()
    limit: float = 10.0
    attempts: int = 1
    tried: int = 0
    result: object = None
    error: str = ""
    ended: asyncio.Event = field(default_factory=asyncio.Event)


# What jobs do


def digest(text, rounds):
    """Hash a text many times: work for a thread."""
    value = text.encode()
    for _ in range(rounds):
        value = hashlib.sha256(value).digest()
    return value.hex()[:8]


class Unreliable:
    """Work that fails the first times."""

    def __init__(self, failures):
        self.failures = failures

    def __call__(self):
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is busy")
        return "written"


async def in_thread(function, *arguments):
    """Run a function in a thread."""
    return await asyncio.to_thread(function, *arguments)


async def in_executor(function, *arguments):
    """Run a function in a thread, as older code does it."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, function, *arguments)


async def in_process(code):
    """Run Python code in another process and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    if process.returncode:
        raise JobError(errors.decode().splitlines()[-1])
    return output.decode().strip()


async def transaction(journal):
    """Write to a journal, and take it back when cancelled."""
    journal.append("begin")
    try:
        await asyncio.sleep(60)
        journal.append("commit")
    except asyncio.CancelledError:
        journal.append("rollback")
        raise


# The scheduler


class Scheduler:
    """Runs jobs, as many at a time as there are slots, each after those it waits for."""

    def __init__(self, jobs):
        self.jobs = {job.name: job for job in jobs}
        self.slots = asyncio.Semaphore(SLOTS)
        self.log_lock = asyncio.Lock()
        self.log = []
        self.beats = 0
        self.running = 0
        self.most = 0

    async def note(self, text):
        """Write to the log."""
        async with self.log_lock:
            self.log.append(text)

    async def beat(self):
        """Show that the scheduler is alive, until cancelled."""
        while True:
            self.beats += 1
            await asyncio.sleep(BEAT)

    async def wait_for_others(self, job):
        """Return when the jobs before this one have ended; raise if one of them has no result."""
        for name in job.after:
            before = self.jobs[name]
            await before.ended.wait()
            if before.error:
                raise JobError(f"{name} has failed")

    async def attempt(self, job):
        """Run a job once, in one of the slots."""
        async with self.slots:
            self.running += 1
            self.most = max(self.most, self.running)
            job.tried += 1
            try:
                job.result = await asyncio.wait_for(job.work(), timeout=job.limit)
            finally:
                self.running -= 1

    async def persist(self, job):
        """Run a job until it succeeds or has been tried often enough, with longer pauses each time."""
        for number in range(job.attempts):
            try:
                await self.attempt(job)
            except asyncio.TimeoutError:
                job.error = f"no result within {job.limit} s"
            except OSError as error:
                job.error = str(error)
            else:
                job.error = ""
                return
            await asyncio.sleep(BEAT * 2**number)

    async def run_job(self, job):
        """Run a job when it is its turn, and let others know how it ended."""
        try:
            await self.wait_for_others(job)
            await self.persist(job)
        except JobError as error:
            job.error = str(error)
        finally:
            job.ended.set()
            await self.note(job.name)

    async def run(self):
        """Run all jobs, with a heartbeat beside them."""
        heart = asyncio.create_task(self.beat())
        await asyncio.gather(*(self.run_job(job) for job in self.jobs.values()))
        heart.cancel()
        try:
            await heart
        except asyncio.CancelledError:
            pass


def plan(journal):
    """Return the jobs of this night."""
    unreliable = Unreliable(failures=2)
    return [
        Job("fetch", lambda: in_thread(digest, "source", 10)),
        Job("unpack", lambda: in_executor(digest, "package", 10), after=("fetch",)),
        Job("compile", lambda: in_process("print(6 * 7)"), after=("unpack",), limit=30),
        Job("lint", lambda: in_process("raise SystemExit('three complaints')"), after=("unpack",), limit=30),
        Job("write", lambda: in_thread(unreliable), after=("unpack",), attempts=4),
        Job("migrate", lambda: transaction(journal), after=("unpack",), limit=0.05, attempts=2),
        Job("release", lambda: in_thread(digest, "release", 10), after=("compile", "write")),
        Job("announce", lambda: in_thread(digest, "news", 10), after=("release", "lint")),
    ]


async def main():
    """Run the plan and print how each job ended."""
    journal = []
    scheduler = Scheduler(plan(journal))
    begun = time.monotonic()
    await scheduler.run()
    for job in scheduler.jobs.values():
        print(f"{job.name:<9} tried {job.tried}: {job.error or job.result}")
    print("journal:", ", ".join(journal))
    print("the first to end:", ", ".join(scheduler.log[:2]))
    print("at most", scheduler.most, "at a time, heart", "beating" if scheduler.beats > 1 else "silent")
    return 0 if time.monotonic() - begun < 60 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
