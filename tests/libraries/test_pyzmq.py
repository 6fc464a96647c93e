"""pyzmq's asyncio sockets, whose descriptor tells of changes only (it is edge-triggered)."""

import asyncio
import contextlib
import functools

import pytest

from tests.libraries.limits import both_at_once, every_limit, interrupted
from tests.libraries.ways import every_way, needs

zmq = needs("zmq", "pyzmq")
zmq_asyncio = needs("zmq.asyncio", "pyzmq")


class Sockets(contextlib.ExitStack):
    """Makes sockets of one context, which end with the block; each bound one listens on a free port."""

    def __enter__(self):
        self._context = self.enter_context(zmq_asyncio.Context())
        return self

    def bound(self, kind):
        """Return a new socket and the address that it listens at."""
        socket = self._new(kind)
        return socket, f"tcp://127.0.0.1:{socket.bind_to_random_port('tcp://127.0.0.1')}"

    def connected(self, kind, address):
        """Return a new socket that is connected to an address."""
        socket = self._new(kind)
        socket.connect(address)
        return socket

    def _new(self, kind):
        socket = self._context.socket(kind)
        self.callback(socket.close, linger=0)
        return socket


@contextlib.asynccontextmanager
async def in_background(function):
    """Run an async function in a Task during the block."""
    task = asyncio.ensure_future(function())
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@every_way()
async def test_requests_are_answered_in_turn(way):
    with Sockets() as sockets:
        server, address = sockets.bound(zmq.REP)
        client = sockets.connected(zmq.REQ, address)

        async def serve():
            while True:
                question = await server.recv_json()
                await way.pause(0)
                await server.send_json({"answer": await way.through(question["number"]) * 2})

        async with in_background(serve):
            for number in range(50):
                await client.send_json({"number": number})
                assert await client.recv_json() == {"answer": number * 2}


@every_way()
async def test_what_is_published_arrives_in_order_at_whoever_has_asked_for_it(way):
    with Sockets() as sockets:
        publisher, address = sockets.bound(zmq.XPUB)

        async def listen(topic):
            socket = sockets.connected(zmq.SUB, address)
            socket.subscribe(topic)
            heard = []
            while (message := await socket.recv_multipart())[1] != b"end":
                heard.append(int(await way.through(message[1])))
            return heard

        async def publish():
            assert sorted([await publisher.recv(), await publisher.recv()]) == [b"\x01", b"\x01even"]
            for number in range(200):
                await publisher.send_multipart([b"odd" if number % 2 else b"even", b"%d" % number])
            await publisher.send_multipart([b"even", b"end"])

        heard = await way.together(functools.partial(listen, b""), functools.partial(listen, b"even"), publish)
        assert heard == [list(range(200)), list(range(0, 200, 2)), None]


@every_way()
async def test_work_is_pushed_to_several_workers_and_collected(way):
    with Sockets() as sockets:
        work, work_address = sockets.bound(zmq.PUSH)
        results, results_address = sockets.bound(zmq.PULL)

        async def labour():
            todo = sockets.connected(zmq.PULL, work_address)
            done = sockets.connected(zmq.PUSH, results_address)
            while True:
                number = int(await todo.recv())
                await way.pause()
                await done.send(b"%d" % (number * number))

        async with in_background(labour), in_background(labour), in_background(labour):

            async def give():
                for number in range(100):
                    await work.send(b"%d" % number)

            async def take():
                return [int(await results.recv()) for _ in range(100)]

            _, squares = await way.together(give, take)
        assert sorted(squares) == [number * number for number in range(100)]


@every_way()
async def test_two_tasks_that_wait_on_one_socket_both_get_a_message(way):
    """One change of the descriptor tells of two messages; the second waiter must not wait for another change."""
    with Sockets() as sockets:
        server, address = sockets.bound(zmq.PULL)
        client = sockets.connected(zmq.PUSH, address)

        async def send_both():
            await way.pause()
            await asyncio.gather(client.send(b"one"), client.send(b"two"))

        first, second, _ = await way.together(server.recv, server.recv, send_both)
        assert sorted([first, second]) == [b"one", b"two"]


@every_way()
async def test_one_task_sends_while_another_receives_on_the_same_socket(way):
    with Sockets() as sockets:
        router, address = sockets.bound(zmq.ROUTER)
        dealer = sockets.connected(zmq.DEALER, address)

        async def answer():
            while True:
                sender, part = await router.recv_multipart()
                await router.send_multipart([sender, part.upper()])

        async def ask():
            for number in range(300):
                await dealer.send(b"m%d" % number)

        async def hear():
            return [await dealer.recv() for _ in range(300)]

        async with in_background(answer):
            _, heard = await way.together(ask, hear)
        assert heard == [b"M%d" % number for number in range(300)]


@every_way()
async def test_a_poller_tells_which_socket_has_a_message_and_times_out(way):
    with Sockets() as sockets:
        first, _ = sockets.bound(zmq.PULL)
        second, address = sockets.bound(zmq.PULL)
        client = sockets.connected(zmq.PUSH, address)
        poller = zmq_asyncio.Poller()
        poller.register(first, zmq.POLLIN)
        poller.register(second, zmq.POLLIN)
        assert await poller.poll(timeout=10) == []

        async def send_later():
            await way.pause(0.01)
            await client.send(b"x")

        events, _ = await way.together(functools.partial(poller.poll, 20_000), send_later)
        assert events == [(second, zmq.POLLIN)]
        assert await second.recv() == b"x"
        assert await second.poll(timeout=10) == 0


@every_way()
async def test_a_receive_that_is_given_up_by_any_limit_takes_no_message(way):
    with Sockets() as sockets:
        server, address = sockets.bound(zmq.PULL)
        client = sockets.connected(zmq.PUSH, address)
        rounds = 0
        async for _ in every_limit(way, server.recv):
            rounds += 1
            await client.send(b"%d" % rounds)
            assert await server.recv() == b"%d" % rounds
        server.rcvtimeo = 10
        with pytest.raises(zmq.Again):
            await server.recv()


@every_way()
async def test_a_receive_that_two_limits_give_up_at_once_takes_no_message(way):
    with Sockets() as sockets:
        server, address = sockets.bound(zmq.PULL)
        client = sockets.connected(zmq.PUSH, address)
        async for _ in both_at_once(way, server.recv):
            await client.send(b"next")
            assert await server.recv() == b"next"


@every_way()
async def test_a_send_that_is_given_up_by_any_limit_sends_nothing(way):
    with Sockets() as sockets:
        client, address = sockets.bound(zmq.PUSH)  # nobody is there to take a message
        async for _ in every_limit(way, functools.partial(client.send, b"lost")):
            pass
        server = sockets.connected(zmq.PULL, address)
        await client.send(b"first")
        assert await server.recv() == b"first"


@every_way()
async def test_requests_that_are_interrupted_at_any_moment_do_not_disturb_the_next(way):
    with Sockets() as sockets:
        server, address = sockets.bound(zmq.REP)

        async def serve():
            while True:
                await server.send(await server.recv())

        async def ask(number):
            client = sockets.connected(zmq.REQ, address)
            try:
                for part in range(5):
                    await client.send(b"%d-%d" % (number, part))
                    assert await client.recv() == b"%d-%d" % (number, part)
            finally:
                client.close(linger=0)

        async with in_background(serve):
            async for number in interrupted(way, ask):
                await ask(1000 + number)
