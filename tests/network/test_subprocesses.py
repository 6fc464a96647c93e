"""Processes that a loop starts and waits for."""

import asyncio
import os
import pathlib
import signal
import subprocess
import sys

import pytest
import trio

import trioasync
from tests.network.ways import everywhere

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows' selector loop starts no processes")

PIPE, DEVNULL, STDOUT = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT

CAT = "import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"
SLEEP = "import time; print('ready', flush=True); time.sleep(60)"


def python(code):
    """The command line of a Python that runs `code`, quickly."""
    return [sys.executable, "-S", "-c", code]


@everywhere(returns=[b"hello", None, 0])
async def test_a_process_that_is_talked_to(aio):
    """create_subprocess_exec and communicate()."""
    process = await aio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE)
    output, errors = await process.communicate(b"hello")
    return [output, errors, process.returncode]


@everywhere(returns=[b"out\n", b"err\n", 3])
async def test_a_shell_command(aio):
    """create_subprocess_shell, with both streams and an exit code."""
    process = await aio.create_subprocess_shell("echo out; echo err >&2; exit 3", stdout=PIPE, stderr=PIPE)
    output, errors = await process.communicate()
    return [output, errors, process.returncode]


@everywhere(returns=[b"ONE\n", b"TWO\n", b"", 0])
async def test_a_conversation_line_by_line(aio):
    """The process answers as it is asked."""
    code = "import sys\nfor line in sys.stdin: print(line.strip().upper(), flush=True)"
    process = await aio.create_subprocess_exec(*python(code), stdin=PIPE, stdout=PIPE)
    answers = []
    for line in (b"one\n", b"two\n"):
        process.stdin.write(line)
        await process.stdin.drain()
        answers.append(await process.stdout.readline())
    process.stdin.close()
    return [*answers, await process.stdout.read(), await process.wait()]


@everywhere(returns=[1 << 20, 0])
async def test_a_megabyte_through_a_process(aio):
    """communicate() writes and reads at the same time."""
    process = await aio.create_subprocess_exec(*python(CAT), stdin=PIPE, stdout=PIPE)
    output, _ = await process.communicate(bytes(1 << 20))
    return [len(output), process.returncode]


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [("terminate", (), signal.SIGTERM), ("kill", (), signal.SIGKILL), ("send_signal", (signal.SIGINT,), signal.SIGINT)],
)
@everywhere(returns=[b"ready\n", True])
async def test_signals_to_a_process(aio, method, arguments, expected):
    """terminate(), kill() and send_signal(): the return code tells the signal."""
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)\n" + SLEEP
    process = await aio.create_subprocess_exec(*python(code), stdout=PIPE)
    said = await process.stdout.readline()
    getattr(process, method)(*arguments)
    return [said, await process.wait() == -expected]


@everywhere(returns=[*range(12)])
async def test_many_processes_at_once(aio):
    """Each exit finds its process."""

    async def one(number):
        process = await aio.create_subprocess_exec("sh", "-c", f"exit {number}")
        return await process.wait()

    return await aio.gather(*map(one, range(12)))


@everywhere(returns=[b"both\nboth\n", True])
async def test_one_stream_for_output_and_errors(aio, tmp_path):
    """stderr=STDOUT, cwd= and env= go to the process."""
    code = "import os, sys; os.write(1, b'both\\n'); os.write(2, b'both\\n'); open(os.environ['NAME'], 'w')"
    process = await aio.create_subprocess_exec(
        *python(code), stdout=PIPE, stderr=STDOUT, cwd=tmp_path, env=os.environ | {"NAME": "made"}
    )
    output, _ = await process.communicate()
    return [output, pathlib.Path(tmp_path, "made").exists()]


@everywhere(returns="FileNotFoundError")
async def test_a_program_that_does_not_exist(aio):
    """create_subprocess_exec raises."""
    try:
        await aio.create_subprocess_exec("/no/such/program")
    except OSError as error:
        return type(error).__name__


@everywhere(returns=["TimeoutError", -signal.SIGKILL])
async def test_a_wait_that_times_out_leaves_the_process_alone(aio):
    """wait_for cancels the wait, and the process can be killed and waited for afterwards."""
    process = await aio.create_subprocess_exec(*python(SLEEP), stdout=PIPE)
    await process.stdout.readline()
    try:
        await aio.wait_for(process.wait(), 0.01)
    except aio.TimeoutError as error:
        timed_out = type(error).__name__
    process.kill()
    return [timed_out, await process.wait()]


class Watching(asyncio.SubprocessProtocol):
    """A protocol that logs what the loop tells it of a process: the pipes, the process, and the end of both."""

    def __init__(self):
        self.pipes, self.process = [], []
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.process.append("made")

    def pipe_data_received(self, fd, data):
        self.pipes.append((fd, data))

    def pipe_connection_lost(self, fd, exc):
        self.pipes.append((fd, exc))

    def process_exited(self):
        self.process.append("exited")

    def connection_lost(self, exc):
        self.process.append(exc)
        self.over.set_result(None)


@pytest.mark.parametrize("method", ["subprocess_exec", "subprocess_shell"])
@everywhere(returns=[[(1, b"out\n"), (1, None)], ["made", "exited", None], 2, True])
async def test_the_callbacks_of_a_subprocess_protocol(aio, method):
    """loop.subprocess_exec and loop.subprocess_shell: data and end of each pipe, the exit, and the end of all."""
    loop, command = aio.get_running_loop(), "echo out; exit 2"
    if method == "subprocess_exec":
        transport, protocol = await loop.subprocess_exec(Watching, "sh", "-c", command, stdin=DEVNULL, stderr=None)
    else:
        transport, protocol = await loop.subprocess_shell(Watching, command, stdin=DEVNULL, stderr=None)
    await protocol.over
    transport.close()
    known = [transport.get_returncode(), transport.get_pipe_transport(0) is None]
    return [protocol.pipes, protocol.process, *known]


@everywhere(returns=-signal.SIGKILL)
async def test_closing_the_transport_kills_the_process(aio):
    """A process nobody waits for any more."""
    loop = aio.get_running_loop()
    transport, protocol = await loop.subprocess_exec(Watching, *python(SLEEP), stdin=None, stderr=None)
    transport.close()
    await protocol.over
    return transport.get_returncode()


def test_processes_of_trio_and_of_asyncio_beside_each_other():
    """Each library finds its own exit codes."""

    async def by_trio(number, codes):
        done = await trio.run_process(["sh", "-c", f"exit {number}"], check=False)
        codes.append(("trio", done.returncode))

    async def by_asyncio(number, codes):
        process = await asyncio.create_subprocess_exec("sh", "-c", f"exit {number}")
        codes.append(("asyncio", await process.wait()))

    async def main():
        codes = []
        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(by_trio, number, codes)
                nursery.start_soon(by_asyncio, number, codes)
        return sorted(codes)

    assert trioasync.run(main()) == sorted((name, number) for name in ("trio", "asyncio") for number in range(5))
