"""anyio: its asyncio backend in our Tasks, its trio backend in plain trio tasks, and which of them it chooses."""

import asyncio
import contextlib
import functools
import os
import signal
import sys
import threading

import pytest
import trio

import trioasync
from tests.libraries.ways import InTrio, OnTrioasync, every_way, needs, tasks_shown_after

anyio = needs("anyio")
sniffio = needs("sniffio")
needs("anyio.from_thread")
tls_streams = needs("anyio.streams.tls")

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup


class AnyioRun(OnTrioasync):
    """`anyio.run`, with our loop named in the options of its asyncio backend."""

    name = "anyio.run"

    def run(self, main):
        """Run `await main()` and return its result."""
        return anyio.run(main, backend_options={"loop_factory": trioasync.new_event_loop})


four_ways = every_way(also=[AnyioRun])


# Which backend


def chosen():
    """Return what sniffio says, and the backend that anyio chooses."""
    return sniffio.current_async_library(), type(anyio.create_task_group()).__module__.rpartition("._")[2]


async def chosen_after_each_kind_of_wait():
    """Return what is chosen at the beginning, after waits in either world, and after anyio's own."""
    seen = [chosen()]
    for wait in (lambda: asyncio.sleep(0), lambda: asyncio.sleep(0.001), lambda: trio.sleep(0.001)):
        await wait()
        seen.append(chosen())
    await trio.lowlevel.checkpoint()
    seen.append(chosen())
    await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0.001))
    seen.append(chosen())
    await anyio.sleep(0.001)
    seen.append(chosen())
    with anyio.move_on_after(0.001):
        await trio.sleep(1)
    seen.append(chosen())
    return set(seen)


ASYNCIO, TRIO = {("asyncio", "asyncio")}, {("trio", "trio")}


@pytest.mark.parametrize("run", [trioasync.run, lambda main: AnyioRun().run(lambda: main)], ids=["run", "anyio.run"])
def test_a_task_is_asyncio_whatever_it_has_awaited(run):
    """sniffio says asyncio in the main Task and in Tasks it starts, eager ones too."""

    async def main():
        task = asyncio.create_task(chosen_after_each_kind_of_wait())
        eager = trioasync.Task(chosen_after_each_kind_of_wait(), eager_start=True)
        return [await chosen_after_each_kind_of_wait(), await task, await eager]

    assert run(main()) == [ASYNCIO, ASYNCIO, ASYNCIO]


def test_a_plain_trio_task_is_trio_whatever_it_has_awaited():
    """sniffio says trio in the task that opened the loop, in tasks beside it, and when the loop is closed again."""

    async def main():
        seen = []

        async def child():
            seen.append(await chosen_after_each_kind_of_wait())

        async with trioasync.open_loop(), trio.open_nursery() as nursery:
            nursery.start_soon(child)
            seen.append(await chosen_after_each_kind_of_wait())
            seen.append(await asyncio.create_task(chosen_after_each_kind_of_wait()))
        return [*seen, {chosen()}]

    seen = trio.run(main)
    assert (seen.count(TRIO), seen.count(ASYNCIO)) == (3, 1)


@four_ways
async def test_a_child_of_a_nursery_in_a_task_is_a_plain_trio_task(way):
    """So sniffio says trio there; a child of anyio's task group is a task of the kind that it was started in."""
    seen = {}

    async def look(name):
        seen[name] = {chosen()} if not way.hosted else await chosen_after_each_kind_of_wait()

    async with way.crew() as start:
        start(look, "crew")
    async with anyio.create_task_group() as group:
        group.start_soon(look, "group")
    plain = way.name == "trio"
    assert seen == {"crew": TRIO if way.hosted else ASYNCIO, "group": TRIO if plain else ASYNCIO}


@pytest.mark.parametrize("way", [OnTrioasync(), AnyioRun(), InTrio()], ids=lambda way: way.name)
def test_a_callback_of_the_loop_is_asyncio(way):
    """Whoever has scheduled it, a Task or a plain trio task."""

    async def main():
        loop = asyncio.get_running_loop()
        seen = loop.create_future()
        loop.call_soon(lambda: seen.set_result(sniffio.current_async_library()))
        return await seen

    with tasks_shown_after(10):
        assert way.run(main) == "asyncio"


# Its structured concurrency, on the backend that it has chosen


@four_ways
async def test_a_failing_child_cancels_its_siblings(way):
    """The group raises the error alone; the siblings, waiting in either world, have cleaned up."""
    cleaned = []

    async def sibling(wait):
        try:
            await wait(60)
        finally:
            with anyio.CancelScope(shield=True):
                await way.pause()
                await anyio.sleep(0)
            cleaned.append(wait.__qualname__)

    async def fail():
        await way.pause(0.01)
        raise ValueError("failed")

    with pytest.raises(ExceptionGroup) as raised:
        async with anyio.create_task_group() as group:
            for wait in (asyncio.sleep, anyio.sleep, way.pause):
                group.start_soon(sibling, wait)
            group.start_soon(fail)
    assert [repr(error) for error in raised.value.exceptions] == ["ValueError('failed')"]
    assert len(cleaned) == 3


@four_ways
async def test_a_scope_cuts_off_waits_of_either_world(way):
    """`move_on_after` and `fail_after` end asyncio's waits and trio's, and the task goes on undisturbed."""
    loop = asyncio.get_running_loop()
    for wait in (asyncio.sleep, anyio.sleep, way.pause, lambda seconds: loop.create_future()):
        with anyio.move_on_after(0.01) as scope:
            await wait(60)
        assert scope.cancelled_caught
        with pytest.raises(TimeoutError), anyio.fail_after(0.01):
            await wait(60)
    await asyncio.sleep(0)
    await way.pause()
    await anyio.lowlevel.checkpoint()


@four_ways
async def test_the_scope_that_has_expired_is_the_one_that_catches(way):
    """Scopes of anyio, inside of the way's own limits and around them: the shorter one ends the wait, and it alone."""

    async def inner(seconds):
        with anyio.move_on_after(seconds) as scope:
            await asyncio.sleep(60)
        caught.append(scope.cancelled_caught)

    caught = []
    assert not await way.cut_off(30, inner, 0.01)
    assert await way.cut_off(0.01, inner, 30)
    assert caught == [True]
    with anyio.move_on_after(0.01) as scope:
        assert not await way.cut_off(30, asyncio.sleep, 60)
    assert scope.cancelled_caught
    with anyio.move_on_after(30) as scope:
        assert await way.cut_off(0.01, asyncio.sleep, 60)
    assert not scope.cancelled_caught


@four_ways
async def test_a_shield_holds(way):
    """A cancelled scope waits for what is shielded in it, in either world, and ends the first wait after it."""
    done = []
    with anyio.CancelScope() as outer:
        outer.cancel()
        with anyio.CancelScope(shield=True):
            await way.pause(0.01)
            await asyncio.sleep(0.01)
            await anyio.sleep(0.01)
            done.append("shielded")
        await way.pause(60)
        done.append("not shielded")
    assert done == ["shielded"]
    assert outer.cancelled_caught


@four_ways
async def test_a_child_says_when_it_has_started(way):
    """`TaskGroup.start` returns what the child gives, and the child lives on until the group is cancelled."""

    async def serve(*, task_status):
        await way.pause()
        task_status.started("ready")
        await way.pause(60)

    async with anyio.create_task_group() as group:
        assert await group.start(serve) == "ready"
        group.cancel_scope.cancel()


@four_ways
async def test_memory_streams_join_tasks_of_either_world(way):
    """What children of the way's own kind send, children of anyio's group receive, each item once."""
    send, receive = anyio.create_memory_object_stream(2)
    received = []

    async def produce(numbers):
        for number in numbers:
            await send.send(number)
            await way.pause(0)

    async def consume():
        async for number in receive:
            received.append(number)
            await anyio.sleep(0)

    async with anyio.create_task_group() as group:
        group.start_soon(consume)
        group.start_soon(consume)
        async with send, way.crew() as start:
            start(produce, range(20))
            start(produce, range(20, 40))
    receive.close()
    assert sorted(received) == list(range(40))


@four_ways
async def test_a_door_lets_through_as_many_as_it_says(way):
    """A lock, a semaphore or a limiter between children of the way's own kind and of anyio's group at once."""
    for door, allowed in [(anyio.Lock(), 1), (anyio.Semaphore(2), 2), (anyio.CapacityLimiter(3), 3)]:
        inside = []

        async def enter(door=door, inside=inside):
            async with door:
                inside.append(inside[-1] + 1 if inside else 1)
                await way.pause(0.001)
                inside.append(inside[-1] - 1)

        async with anyio.create_task_group() as group, way.crew() as start:
            for _ in range(5):
                group.start_soon(enter)
                start(enter)
        assert (max(inside), len(inside), inside[-1]) == (allowed, 20, 0)


# The rest of its world


@four_ways
async def test_a_tcp_server_echoes(way, certificates):
    """Plain and over TLS, to 20 clients at once."""

    async def echo(stream):
        async with stream:
            with contextlib.suppress(anyio.EndOfStream):
                while True:
                    await stream.send((await way.through(await stream.receive())).upper())

    async def talk(listener, n, **options):
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with await anyio.connect_tcp("127.0.0.1", port, **options) as stream:
            await stream.send(b"client %d" % n)
            answers.append(await stream.receive())

    answers = []
    plain = await anyio.create_tcp_listener(local_host="127.0.0.1")
    covered = await anyio.create_tcp_listener(local_host="127.0.0.1")
    secure = tls_streams.TLSListener(covered, ssl_context=certificates.server)
    tls = {"ssl_context": certificates.client, "tls_hostname": "localhost"}
    async with plain, secure, anyio.create_task_group() as servers:
        servers.start_soon(plain.serve, echo)
        servers.start_soon(secure.serve, echo)
        async with anyio.create_task_group() as clients:
            for n in range(10):
                clients.start_soon(talk, plain, n)
            for n in range(10, 20):
                clients.start_soon(functools.partial(talk, covered, n, **tls))
        servers.cancel_scope.cancel()
    assert sorted(answers) == sorted(b"CLIENT %d" % n for n in range(20))


@four_ways
async def test_threads_call_back(way):
    """A function in a worker thread waits for an async one, under anyio's limiter, and contexts go with it."""

    def work(n):
        anyio.from_thread.run(way.pause)
        return anyio.from_thread.run(way.through, n), anyio.from_thread.run_sync(threading.get_ident)

    results = [None] * 10

    async def call(n):
        results[n] = await anyio.to_thread.run_sync(work, n, limiter=limiter)

    limiter = anyio.CapacityLimiter(3)
    async with anyio.create_task_group() as group:
        for n in range(10):
            group.start_soon(call, n)
    assert results == [(n, threading.get_ident()) for n in range(10)]


@four_ways
async def test_a_thread_that_is_given_up_does_not_hold_its_caller(way):
    """With `abandon_on_cancel` the deadline ends the wait at once."""
    release = threading.Event()
    with anyio.move_on_after(0.01) as scope:
        await anyio.to_thread.run_sync(release.wait, 60, abandon_on_cancel=True)
    release.set()
    assert scope.cancelled_caught


@four_ways
async def test_a_portal_takes_work_from_other_threads(way):
    """A blocking portal runs async functions for a thread that knows nothing of the loop."""

    def ask(portal):
        future = portal.start_task_soon(way.through, "soon")
        return portal.call(way.through, "call"), future.result()

    async with anyio.from_thread.BlockingPortal() as portal:
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, ask, portal) == ("call", "soon")


@four_ways
async def test_processes_are_run(way):
    """Output, exit status and input of a child process come through."""
    program = "import sys; print(sys.stdin.read().upper()); sys.exit(3)"
    done = await anyio.run_process([sys.executable, "-c", program], input=b"text", check=False)
    assert (done.returncode, done.stdout) == (3, b"TEXT\n")
    async with await anyio.open_process([sys.executable, "-c", "print(input() * 2)"]) as process:
        await way.pause()
        await process.stdin.send(b"ab\n")
        assert b"".join([piece async for piece in process.stdout]) == b"abab\n"
        assert await process.wait() == 0


@four_ways
async def test_signals_are_received(way):
    """`open_signal_receiver` gives a signal that the process sends itself, and puts the old handler back."""
    before = signal.getsignal(signal.SIGUSR1)
    with anyio.open_signal_receiver(signal.SIGUSR1) as signals:
        os.kill(os.getpid(), signal.SIGUSR1)
        async for signum in signals:
            assert signum == signal.SIGUSR1
            break
    await way.pause()
    assert signal.getsignal(signal.SIGUSR1) == before


@four_ways
async def test_files_are_read_and_written(way, tmp_path):
    """anyio's files work in threads."""
    path = anyio.Path(tmp_path) / "file"
    await path.write_text("one\ntwo\n")
    async with await anyio.open_file(path) as file:
        assert [await way.through(line) async for line in file] == ["one\n", "two\n"]


# Programs of its own


def test_a_portal_of_its_own_thread_runs_on_trio():
    """`start_blocking_portal` makes the loop in another thread, by our factory."""

    async def work():
        await trio.sleep(0.001)
        return type(asyncio.get_running_loop()), sniffio.current_async_library(), threading.current_thread()

    options = {"loop_factory": trioasync.new_event_loop}
    with anyio.from_thread.start_blocking_portal(backend_options=options) as portal:
        loop, library, thread = portal.call(work)
    assert (loop, library) == (trioasync.EventLoop, "asyncio")
    assert thread is not threading.main_thread()


def test_an_installed_loop_is_what_anyio_run_gets():
    """After `install()` no option is needed."""

    async def main():
        await trio.sleep(0.001)
        await anyio.sleep(0.001)
        return type(asyncio.get_running_loop())

    with trioasync.install():
        assert anyio.run(main) is trioasync.EventLoop


def test_anyio_run_on_its_trio_backend_hosts_a_loop():
    """A program of anyio's that runs on trio opens a loop as any trio program does."""

    async def main():
        async with trioasync.open_loop(), anyio.create_task_group() as group:
            group.start_soon(asyncio.sleep, 0.001)
            return await asyncio.create_task(asyncio.sleep(0.001, chosen()))

    assert anyio.run(main, backend="trio") == ("trio", "trio")
