"""TLS on both sides, from the beginning and from the middle of a connection."""

import asyncio
import contextlib
import socket
import ssl

import pytest

from tests.network.certificate import client_context, server_context
from tests.network.peers import Told, listening, socket_pair
from tests.network.ways import everywhere

MEGABYTE = 1 << 20


@contextlib.asynccontextmanager
async def serving(loop, factory=lambda: Told(echo=True), **options):
    """The address of a TLS server on loopback; at the end the server is closed."""
    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=server_context(), **options)
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()
        await server.wait_closed()


@everywhere(returns=[b"hello", True, [(("commonName", "localhost"),)], True])
async def test_tls_on_both_sides(aio):
    """create_connection and create_server with ssl=; the transport knows certificate and cipher."""
    loop = aio.get_running_loop()
    async with serving(loop) as address:
        transport, protocol = await loop.create_connection(Told, *address, ssl=client_context())
        transport.write(b"hello")
        await protocol.has(5)
        known = [
            transport.get_extra_info("ssl_object").version() in ("TLSv1.2", "TLSv1.3"),
            list(transport.get_extra_info("peercert")["subject"]),
            transport.can_write_eof() is False,
        ]
        transport.close()
        await protocol.lost
        return [protocol.data, *known]


@everywhere(returns=MEGABYTE)
async def test_more_than_one_record_goes_both_ways(aio):
    """A megabyte comes back through TLS streams."""

    async def answer(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async with await aio.start_server(answer, "127.0.0.1", 0, ssl=server_context()) as server:
        reader, writer = await aio.open_connection(*server.sockets[0].getsockname(), ssl=client_context())

        async def send():
            for _ in range(16):
                writer.write(bytes(MEGABYTE // 16))
                await writer.drain()

        sending = asyncio.ensure_future(send())
        data = await reader.readexactly(MEGABYTE)
        await sending
        writer.close()
        await writer.wait_closed()
        return len(data)


@everywhere(returns=[b"plain", b"plain then secret", True])
async def test_start_tls_on_both_sides(aio):
    """loop.start_tls() upgrades the transports of a connection that has spoken plainly before."""
    loop = aio.get_running_loop()
    served = loop.create_future()

    def factory():
        served.set_result(Told())
        return served.result()

    async with await loop.create_server(factory, "127.0.0.1", 0) as server:
        transport, client = await loop.create_connection(Told, *server.sockets[0].getsockname())
        protocol = await served
        transport.write(b"plain")
        before = await protocol.has(5)
        theirs, ours = await asyncio.gather(
            loop.start_tls(protocol.transport, protocol, server_context(), server_side=True),
            loop.start_tls(transport, client, client_context(), server_hostname="localhost"),
        )
        protocol.transport = theirs
        ours.write(b" then secret")
        await protocol.has(17)
        encrypted = ours.get_extra_info("ssl_object").cipher() is not None
        ours.close()
        await client.lost
        await protocol.lost
        return [before, protocol.data, encrypted]


@everywhere(backported=(3, 11), returns=[b"ready\n", b"secret\n"])
async def test_start_tls_of_a_stream(aio):
    """StreamWriter.start_tls() on both sides."""

    async def answer(reader, writer):
        await reader.readline()
        writer.write(b"ready\n")
        await writer.drain()
        await writer.start_tls(server_context())
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    async with await aio.start_server(answer, "127.0.0.1", 0) as server:
        reader, writer = await aio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"STARTTLS\n")
        said = [await reader.readline()]
        await writer.start_tls(client_context(), server_hostname="localhost")
        writer.write(b"secret\n")
        said.append(await reader.readline())
        writer.close()
        await writer.wait_closed()
        return said


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this platform has no unix sockets")
@everywhere(returns=b"hello")
async def test_tls_over_a_unix_socket(aio, tmp_path):
    """create_unix_server and create_unix_connection with ssl=."""
    loop = aio.get_running_loop()
    path = tmp_path / "socket"
    path.unlink(missing_ok=True)
    async with await loop.create_unix_server(lambda: Told(echo=True), str(path), ssl=server_context()):
        transport, protocol = await loop.create_unix_connection(
            Told, str(path), ssl=client_context(), server_hostname="localhost"
        )
        transport.write(b"hello")
        await protocol.has(5)
        transport.close()
        await protocol.lost
        return protocol.data


@everywhere(returns=b"hello")
async def test_an_accepted_socket_speaks_tls(aio):
    """connect_accepted_socket(ssl=) is the server's side."""
    loop = aio.get_running_loop()
    with listening() as listener:

        async def accept():
            accepted, _ = await loop.sock_accept(listener)
            return await loop.connect_accepted_socket(Told, accepted, ssl=server_context())

        (transport, client), (_, server) = await asyncio.gather(
            loop.create_connection(Told, *listener.getsockname(), ssl=client_context()), accept()
        )
        transport.write(b"hello")
        transport.close()
        await client.lost
        await server.lost
        return server.data


# What may go wrong


@everywhere(returns=["SSLCertVerificationError", "CERTIFICATE_VERIFY_FAILED"])
async def test_a_certificate_that_nobody_trusts_is_refused(aio):
    """The client raises, and the server goes on."""
    loop = aio.get_running_loop()
    async with serving(loop) as address:
        try:
            await loop.create_connection(Told, *address, ssl=ssl.create_default_context())
        except ssl.SSLError as error:
            refused = [type(error).__name__, error.reason]
        transport, protocol = await loop.create_connection(Told, *address, ssl=client_context())
        transport.abort()
        await protocol.lost
        return refused


@everywhere(returns=["SSLCertVerificationError", "CERTIFICATE_VERIFY_FAILED"])
async def test_a_name_that_is_not_in_the_certificate_is_refused(aio):
    """server_hostname= is what the certificate must be for."""
    loop = aio.get_running_loop()
    async with serving(loop) as address:
        try:
            await loop.create_connection(Told, *address, ssl=client_context(), server_hostname="example.org")
        except ssl.SSLError as error:
            return [type(error).__name__, error.reason]


@everywhere(returns=b"hello")
async def test_garbage_in_place_of_a_handshake_ends_that_connection_alone(aio):
    """The server drops it without a word in the log, and serves the next one."""
    loop = aio.get_running_loop()
    async with serving(loop) as address:
        transport, garbage = await loop.create_connection(Told, *address)
        transport.write(b"GET / HTTP/1.0\r\n\r\n" * 20)
        await garbage.lost
        transport, protocol = await loop.create_connection(Told, *address, ssl=client_context())
        transport.write(b"hello")
        await protocol.has(5)
        transport.close()
        await protocol.lost
        return protocol.data


@everywhere(raises=ConnectionAbortedError("SSL handshake is taking longer than 0.05 seconds: aborting the connection"))
async def test_a_handshake_that_stalls_is_given_up(aio):
    """ssl_handshake_timeout= is in seconds."""
    loop = aio.get_running_loop()
    with listening() as silent:
        await loop.create_connection(Told, *silent.getsockname(), ssl=client_context(), ssl_handshake_timeout=0.05)


@everywhere(returns="ConnectionResetError")
async def test_a_peer_that_hangs_up_in_the_handshake_is_an_error(aio):
    """The client's create_connection raises."""
    loop = aio.get_running_loop()
    with listening() as listener:

        async def accept_and_close():
            accepted, _ = await loop.sock_accept(listener)
            await loop.sock_recv(accepted, MEGABYTE)
            accepted.close()

        closing = asyncio.ensure_future(accept_and_close())
        try:
            await loop.create_connection(Told, *listener.getsockname(), ssl=client_context())
        except (ConnectionError, ssl.SSLError) as error:
            await closing
            return type(error).__name__


@everywhere(returns="NotImplementedError")
async def test_tls_has_no_half_close(aio):
    """write_eof() is refused."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        (theirs, server), (ours, client) = await asyncio.gather(
            loop.connect_accepted_socket(Told, right, ssl=server_context()),
            loop.create_connection(Told, sock=left, ssl=client_context(), server_hostname="localhost"),
        )
        try:
            ours.write_eof()
        except NotImplementedError as error:
            refused = type(error).__name__
        ours.close()
        await client.lost
        await server.lost
        theirs.close()
        return refused


@everywhere(since=(3, 11), returns=[b"last words", "NoneType"])
async def test_close_sends_what_is_buffered_and_says_goodbye(aio):
    """The peer gets all of it and a clean end of file, within ssl_shutdown_timeout."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        (_, server), (ours, client) = await asyncio.gather(
            loop.connect_accepted_socket(Told, right, ssl=server_context(), ssl_shutdown_timeout=5),
            loop.create_connection(
                Told, sock=left, ssl=client_context(), server_hostname="localhost", ssl_shutdown_timeout=5
            ),
        )
        ours.write(b"last words")
        ours.close()
        await client.lost
        return [server.data, type(await server.lost).__name__]
