"""Streams over TCP and unix sockets."""

import asyncio
import contextlib
import gc
import socket
import struct

import pytest

from tests.network.peers import one_turn
from tests.network.ways import everywhere
from tests.support.parity import describe, told

MEGABYTE = 1 << 20


@contextlib.asynccontextmanager
async def connected(aio, serve, **options):
    """A connection over TCP to a server that is `await serve(reader, writer)`; the block is over when both ends are."""
    served = aio.get_running_loop().create_future()

    async def answer(reader, writer):
        try:
            await serve(reader, writer)
        finally:
            writer.close()
            served.set_result(None)

    async with await aio.start_server(answer, "127.0.0.1", 0, **options) as server:
        reader, writer = await aio.open_connection(*server.sockets[0].getsockname(), **options)
        try:
            yield reader, writer
        finally:
            writer.close()
            await served
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def echo(reader, writer):
    """Send back all that comes."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


@everywhere(returns=b"hello\n")
async def test_a_line_comes_back(aio):
    """open_connection and start_server, one line there and back."""
    async with connected(aio, echo) as (reader, writer):
        writer.write(b"hello\n")
        return await reader.readline()


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this platform has no unix sockets")
@everywhere(returns=[b"hello\n", b""])
async def test_streams_over_a_unix_socket(aio, tmp_path):
    """start_unix_server and open_unix_connection."""

    async def answer(reader, writer):
        writer.write(await reader.readline())
        writer.close()

    path = str(tmp_path / "socket")
    (tmp_path / "socket").unlink(missing_ok=True)
    async with await aio.start_unix_server(answer, path):
        reader, writer = await aio.open_unix_connection(path)
        writer.write(b"hello\n")
        answered = [await reader.readline(), await reader.read()]
        writer.close()
        await writer.wait_closed()
        return answered


@everywhere(returns=MEGABYTE * 4)
async def test_more_than_any_buffer_holds_goes_both_ways_at_once(aio):
    """drain() waits for the peer, and nothing is lost."""

    async with connected(aio, echo) as (reader, writer):

        async def send():
            for _ in range(64):
                writer.write(bytes(MEGABYTE // 16))
                await writer.drain()
            writer.write_eof()

        sending = asyncio.ensure_future(send())
        total = 0
        while data := await reader.read(MEGABYTE):
            total += len(data)
        await sending
        return total


@everywhere(returns=b"the whole request: 3 bytes", events=["the client has half-closed"])
async def test_a_half_closed_connection_still_answers(aio, log):
    """write_eof() ends one direction alone."""

    async def serve(reader, writer):
        request = await reader.read()
        log("the client has half-closed")
        writer.write(b"the whole request: %d bytes" % len(request))

    async with connected(aio, serve) as (reader, writer):
        writer.write(b"abc")
        assert writer.can_write_eof()
        writer.write_eof()
        return await reader.read()


INCOMPLETE = "asyncio.exceptions.IncompleteReadError('2 bytes read on a total of 5 expected bytes',)"


@everywhere(returns=[b"ab", b"c;", b"d e", INCOMPLETE, b""])
async def test_each_way_of_reading(aio):
    """read, readuntil, readexactly, and what is missing at the end."""

    async def serve(reader, writer):
        writer.write(b"abc;d ef!")

    async with connected(aio, serve) as (reader, writer):
        whole = [await reader.readexactly(2), await reader.readuntil(b";"), await reader.readexactly(3)]
        return [*whole, await told(reader.readexactly(5)), await reader.read()]


@everywhere(
    returns=[
        "asyncio.exceptions.LimitOverrunError('Separator is found, but chunk is longer than limit',)",
        "builtins.ValueError('Separator is found, but chunk is longer than limit',)",
    ]
)
async def test_a_line_longer_than_the_limit_is_an_error(aio):
    """readuntil raises LimitOverrunError, readline ValueError."""

    async def serve(reader, writer):
        writer.write(b"x" * 20 + b"\n" + b"x" * 20 + b"\n")

    async with connected(aio, serve, limit=8) as (reader, writer):
        return [await told(reader.readuntil()), await told(reader.readline())]


@everywhere(backported=(3, 13), returns=[b"a;", b"b\n"])
async def test_readuntil_takes_several_separators(aio):
    """The nearest one ends the chunk."""

    async def serve(reader, writer):
        writer.write(b"a;b\nc")

    async with connected(aio, serve) as (reader, writer):
        return [await reader.readuntil((b";", b"\n")), await reader.readuntil((b";", b"\n"))]


@everywhere(
    backported=(3, 13),
    returns=[
        [b"x=", b"=y\r\n"],
        "builtins.ValueError('Separator should contain at least one element',)",
        "builtins.ValueError('Separator should be at least one-byte string',)",
        "asyncio.exceptions.LimitOverrunError('Separator is found, but chunk is longer than limit',)",
        "asyncio.exceptions.LimitOverrunError('Separator is not found, and chunk exceed the limit',)",
        "asyncio.exceptions.IncompleteReadError('3 bytes read on a total of undefined expected bytes',)",
    ],
)
async def test_several_separators_keep_the_rules_of_one(aio):
    """The one that ends first counts, whichever is longer; the limit and the end of the stream are as ever."""
    reader = aio.StreamReader(limit=8)

    def fed(data):
        reader.feed_data(data)
        return told(reader.readuntil((b"\r\n", b"=", b"==y")))

    first = await fed(b"x==")
    reader.feed_data(b"y\r\n")
    seen = [[first, await reader.readuntil((b"\r\n", b"y\r\n"))]]
    seen += [await told(reader.readuntil(())), await told(reader.readuntil((b"", b"x")))]
    seen.append(await fed(b"123456789="))
    await reader.readexactly(10)
    seen.append(await fed(b"123456789abc"))
    await reader.readexactly(12)
    reader.feed_data(b"end")
    reader.feed_eof()
    seen.append(await told(reader.readuntil((b";", b"\n"))))
    return seen


@everywhere(backported=(3, 13), returns=b"a;")
async def test_the_output_of_a_process_is_such_a_reader(aio):
    """readuntil takes several separators there as well."""
    pipe = aio.subprocess.PIPE
    process = await aio.create_subprocess_exec("printf", "a;b", stdout=pipe)
    chunk = await process.stdout.readuntil((b";", b"\n"))
    await process.communicate()
    return chunk


@everywhere(returns=[b"1\n", b"2\n", b"3"])
async def test_a_reader_is_an_async_iterator_of_lines(aio):
    """The last line may lack its end."""

    async def serve(reader, writer):
        writer.writelines([b"1\n", b"2\n", b"3"])

    async with connected(aio, serve) as (reader, writer):
        return [line async for line in reader]


@everywhere(returns=[True, True, True, "127.0.0.1", None, True])
async def test_what_a_writer_knows_of_its_connection(aio):
    """The names of both ends, the socket, and whether it is closing."""
    async with connected(aio, echo) as (reader, writer):
        ours, theirs = writer.get_extra_info("sockname"), writer.get_extra_info("peername")
        its_socket = writer.get_extra_info("socket")
        known = [
            not writer.is_closing(),
            its_socket.getsockname() == ours,
            its_socket.getpeername() == theirs,
            ours[0],
            writer.get_extra_info("no such thing"),
        ]
        writer.close()
        return [*known, writer.is_closing()]


@everywhere(returns="ConnectionResetError")
async def test_a_peer_that_resets_is_an_error_at_the_read(aio):
    """Who reads from a connection that the peer has aborted gets ConnectionResetError."""

    async def serve(reader, writer):
        await reader.readline()
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async with connected(aio, serve) as (reader, writer):
        writer.write(b"go\n")
        try:
            await reader.read()
        except ConnectionError as error:
            return type(error).__name__


@everywhere(returns=describe(ConnectionResetError("Connection lost")))
async def test_a_drain_after_the_connection_is_lost_is_an_error(aio):
    """drain() raises ConnectionResetError."""

    async def serve(reader, writer):
        await reader.readline()

    async with connected(aio, serve) as (reader, writer):
        writer.write(b"go\n")
        await reader.read()
        writer.transport.abort()
        await one_turn()
        await one_turn()
        return await told(writer.drain())


@everywhere(returns=[b"", b"served"], events=["ZeroDivisionError"])
async def test_a_handler_that_fails_is_reported_and_the_server_goes_on(aio, log):
    """Its connection ends, the exception handler gets the exception, and the next client is served."""
    loop, failing = aio.get_running_loop(), True
    loop.set_exception_handler(lambda loop, context: log(type(context["exception"]).__name__))

    async def answer(reader, writer):
        nonlocal failing
        if failing:
            failing = False
            writer.close()
            raise ZeroDivisionError("in the handler")
        writer.write(b"served")
        writer.close()
        await writer.wait_closed()

    async with await aio.start_server(answer, "127.0.0.1", 0) as server:
        answers = []
        for _ in range(2):
            reader, writer = await aio.open_connection(*server.sockets[0].getsockname())
            answers.append(await reader.read())
            writer.close()
            await writer.wait_closed()
            gc.collect()  # up to 3.11 the report comes when the handler's task goes
        return answers


@everywhere(returns=sorted(b"client %d\n" % number for number in range(50)))
async def test_fifty_clients_at_once(aio):
    """Each gets its own line back."""

    async def answer(reader, writer):
        await echo(reader, writer)
        writer.close()

    async def talk(address, number):
        reader, writer = await aio.open_connection(*address)
        writer.write(b"client %d\n" % number)
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return line

    async with await aio.start_server(answer, "127.0.0.1", 0, backlog=100) as server:
        address = server.sockets[0].getsockname()
        return sorted(await aio.gather(*(talk(address, number) for number in range(50))))


@everywhere(returns=["TimeoutError", b"late\n"])
async def test_a_read_that_times_out_may_be_tried_again(aio):
    """wait_for cancels the read, and no data is lost."""
    go_on = aio.Event()

    async def serve(reader, writer):
        await go_on.wait()
        writer.write(b"late\n")

    async with connected(aio, serve) as (reader, writer):
        try:
            await aio.wait_for(reader.readline(), 0.01)
        except aio.TimeoutError as error:
            first = type(error).__name__
        go_on.set()
        return [first, await reader.readline()]
