"""grpc.aio: servers and clients on grpc's own poller, which wakes the loop through a socket."""

import asyncio
import contextlib
import threading
from pathlib import Path

import pytest
import trio

import trioasync
from tests.libraries.ways import every_way, needs, whole_program

grpc = needs("grpc", "grpcio")
aio = needs("grpc.aio", "grpcio")

KINDS = {
    "unary": (grpc.unary_unary_rpc_method_handler, "unary_unary"),
    "stream_out": (grpc.unary_stream_rpc_method_handler, "unary_stream"),
    "stream_in": (grpc.stream_unary_rpc_method_handler, "stream_unary"),
    "stream_both": (grpc.stream_stream_rpc_method_handler, "stream_stream"),
}


class Calls:
    """The methods of the service that is served, as calls of a channel."""

    def __init__(self, channel, methods):
        for name in methods:
            setattr(self, name, getattr(channel, KINDS[name][1])(f"/tests.Service/{name}"))


@contextlib.asynccontextmanager
async def service(tls=None, grace=1, **methods):
    """Serve the methods, whose names say what kind they are, and give the calls of a channel to it."""
    server = aio.server()
    handlers = {name: KINDS[name][0](method) for name, method in methods.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tests.Service", handlers),))
    if tls is None:
        port = server.add_insecure_port("127.0.0.1:0")
        channel = aio.insecure_channel(f"127.0.0.1:{port}")
    else:
        pem = Path(tls.key_and_chain).read_bytes()
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(pem, pem)]))
        trusted = grpc.ssl_channel_credentials(Path(tls.authority).read_bytes())
        channel = aio.secure_channel(f"localhost:{port}", trusted)
    await server.start()
    try:
        async with channel:
            yield Calls(channel, methods)
    finally:
        await server.stop(grace)


@every_way()
async def test_100_calls_at_the_same_time(way):
    """All are in their handlers together, and each gets its own answer."""
    inside, all_inside = 0, asyncio.Event()

    async def unary(request, context):
        nonlocal inside
        inside += 1
        if inside == 100:
            all_inside.set()
        await all_inside.wait()
        return await way.through(request.upper())

    async with service(unary=unary) as calls:
        answers = await way.together(*[lambda n=n: calls.unary(b"call %d" % n) for n in range(100)])
    assert answers == [b"CALL %d" % n for n in range(100)]


@every_way()
async def test_streams_flow_in_each_direction(way):
    """Out, in, and both ways at once, with waits between the messages on either side."""

    async def stream_out(request, context):
        for n in range(int(request)):
            await way.pause()
            yield b"%d" % n

    async def stream_in(requests, context):
        return b"".join([await way.through(request) async for request in requests])

    async def stream_both(requests, context):
        async for request in requests:
            await way.pause()
            yield request.upper()

    async def letters():
        for letter in (b"a", b"b", b"c"):
            await way.pause()
            yield letter

    async with service(stream_out=stream_out, stream_in=stream_in, stream_both=stream_both) as calls:
        assert [answer async for answer in calls.stream_out(b"5")] == [b"0", b"1", b"2", b"3", b"4"]
        assert await calls.stream_in(letters()) == b"abc"
        assert [answer async for answer in calls.stream_both(letters())] == [b"A", b"B", b"C"]
        call = calls.stream_both()
        for word in (b"one", b"two"):
            await call.write(word)
            assert await call.read() == word.upper()
        await call.done_writing()
        assert await call.read() is aio.EOF


@every_way()
async def test_errors_have_their_status(way):
    """An abort, an exception and a method that is not there."""

    async def unary(request, context):
        await way.pause()
        if request == b"abort":
            await context.abort(grpc.StatusCode.NOT_FOUND, "nothing there")
        raise ValueError("failed")

    async def status(call):
        with pytest.raises(aio.AioRpcError) as raised:
            await call
        return raised.value.code(), raised.value.details()

    async with service(unary=unary) as calls:
        assert await status(calls.unary(b"abort")) == (grpc.StatusCode.NOT_FOUND, "nothing there")
        code, details = await status(calls.unary(b"raise"))
        assert (code, "failed" in details) == (grpc.StatusCode.UNKNOWN, True)


@every_way()
async def test_a_call_that_is_given_up_is_cancelled_at_the_server(way):
    """By a deadline of its own or of the way's, or by its caller: the handler's wait ends in `CancelledError`."""
    ended = asyncio.Queue()

    async def unary(request, context):
        try:
            await way.pause(60)
        except asyncio.CancelledError:
            ended.put_nowait(request)
            raise

    async def call(request):
        await calls.unary(request)

    async with service(unary=unary, grace=None) as calls:
        with pytest.raises(aio.AioRpcError) as raised:
            await calls.unary(b"deadline", timeout=0.1)
        assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert await ended.get() == b"deadline"
        assert await way.cut_off(0.1, call, b"cut off")
        assert await ended.get() == b"cut off"
        task = asyncio.ensure_future(call(b"cancelled"))
        await way.pause(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await ended.get() == b"cancelled"


@every_way()
async def test_a_secure_channel(way, certificates):
    """TLS with certificates of an authority that the client trusts."""

    async def unary(request, context):
        await way.pause()
        return context.auth_context()["transport_security_type"][0]

    async with service(tls=certificates, unary=unary) as calls:
        assert await calls.unary(b"") == b"ssl"


async def call_once(pause):
    """Serve one call from the running loop to itself."""

    async def unary(request, context):
        await pause(0.001)
        return request.upper()

    async with service(unary=unary) as calls:
        return await calls.unary(b"call")


@whole_program
def test_one_loop_after_the_other(way):
    """grpc follows from loop to loop of one thread."""
    assert [asyncio.run(call_once(way.pause)) for _ in range(3)] == [b"CALL"] * 3


def test_loops_of_both_kinds_in_one_process():
    """Stock loops and ours, one after the other in this thread and at the same time in another."""

    async def on_trio():
        async with trioasync.open_loop():
            return await call_once(trio.sleep)

    results = []
    beside = threading.Thread(target=lambda: results.append(trioasync.run(call_once(trio.sleep))))
    beside.start()
    results.append(asyncio.run(call_once(asyncio.sleep)))
    results.append(trio.run(on_trio))
    beside.join()
    results.append(asyncio.run(call_once(asyncio.sleep)))
    assert results == [b"CALL"] * 4
