"""aiosmtpd, in the program's loop and in a thread with a loop of its own; aiosmtplib and smtplib are its clients."""

import asyncio
import contextlib
import email.message
import functools
import smtplib
import threading

import pytest

from tests.libraries.limits import every_limit, interrupted
from tests.libraries.servers import free_port
from tests.libraries.ways import every_way, needs, whole_program

needs("aiosmtpd")
controller = needs("aiosmtpd.controller", "aiosmtpd")
SMTP = needs("aiosmtpd.smtp", "aiosmtpd").SMTP
aiosmtplib = needs("aiosmtplib")

HOST = "127.0.0.1"


def letter(subject, lines=3):
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = "ann@example.com", "bob@example.com", subject
    message.set_content("\n".join(f"line {number}" for number in range(lines)))
    return message


class Mailbox:
    """What answers the server's commands, with a wait in each; it knows the letters and the thread they came in."""

    def __init__(self, way):
        self._way = way
        self.subjects, self.threads = [], set()

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd calls it so
        await self._way.pause()
        if not address.endswith("@example.com"):
            return "550 not here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd calls it so
        message = email.message_from_bytes(await self._way.through(envelope.content))
        if message["Subject"] == "slow":
            await self._way.pause(1000)
        self.subjects.append(message["Subject"])
        self.threads.add(threading.current_thread())
        return "250 taken"


@contextlib.asynccontextmanager
async def serving(mailbox, **options):
    """Serve in the running loop on a free port, which is given."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, loop=loop, **options), HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def send(port, subject):
    """Send one letter over its own connection; a client in `async with` would wait for an answer to its goodbye."""
    client = aiosmtplib.SMTP(hostname=HOST, port=port)
    await client.connect()
    try:
        await client.send_message(letter(f"{subject}"))
    finally:
        client.close()


@every_way()
async def test_letters_come_in_over_many_connections_at_once(way):
    mailbox = Mailbox(way)
    async with serving(mailbox) as port:

        async def send(number):
            async with aiosmtplib.SMTP(hostname=HOST, port=port) as client:
                await client.send_message(letter(f"{number} a", lines=500))
                await way.pause()
                await client.send_message(letter(f"{number} b"))

        await way.together(*(functools.partial(send, number) for number in range(20)))
    assert sorted(mailbox.subjects) == sorted(f"{number} {part}" for number in range(20) for part in "ab")
    assert mailbox.threads == {threading.current_thread()}


@every_way()
async def test_a_blocking_client_in_a_thread_talks_to_a_server_in_the_loop(way):
    mailbox = Mailbox(way)

    def send(port):
        with smtplib.SMTP(HOST, port, timeout=20) as client:
            client.send_message(letter("from a thread"))
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                client.sendmail("ann@example.com", "bob@elsewhere", b"")

    async with serving(mailbox) as port:
        await asyncio.to_thread(send, port)
    assert mailbox.subjects == ["from a thread"]


@every_way()
async def test_a_connection_goes_over_to_tls(way, certificates):
    mailbox = Mailbox(way)
    async with serving(mailbox, tls_context=certificates.server, require_starttls=True) as port:
        client = aiosmtplib.SMTP(hostname=HOST, port=port, start_tls=True, tls_context=certificates.client)
        async with client:
            await client.send_message(letter("secret"))
        async with aiosmtplib.SMTP(hostname=HOST, port=port, start_tls=False) as client:
            with pytest.raises(aiosmtplib.SMTPException, match="STARTTLS"):
                await client.send_message(letter("open"))
    assert mailbox.subjects == ["secret"]


@every_way()
async def test_letters_that_are_given_up_by_any_limit_do_not_disturb_the_server(way):
    mailbox = Mailbox(way)
    async with serving(mailbox) as port:
        rounds = 0
        async for _ in every_limit(way, functools.partial(send, port, "slow")):
            rounds += 1
            await send(port, f"{rounds}")
    assert mailbox.subjects == ["1", "2", "3", "4", "5"]


@every_way()
async def test_letters_that_are_interrupted_at_any_moment_come_whole_or_not_at_all(way):
    mailbox = Mailbox(way)
    async with serving(mailbox) as port:
        async for number in interrupted(way, functools.partial(send, port), times=30, longest=0.02):
            await send(port, f"after {number}")
    assert len(mailbox.subjects) == len(set(mailbox.subjects))
    assert {f"after {number}" for number in range(30)} <= set(mailbox.subjects)


@every_way(install=True)
async def test_a_controller_serves_in_a_thread_with_a_loop_of_its_own(way):
    """With trioasync installed the thread's loop is a trio run of its own, and its handlers may wait in trio."""
    mailbox = Mailbox(way)
    server = controller.Controller(mailbox, hostname=HOST, port=free_port())
    await asyncio.to_thread(server.start)
    try:
        async with aiosmtplib.SMTP(hostname=HOST, port=server.port) as client:
            await client.send_message(letter("one"))
            await way.pause()
            await client.send_message(letter("two"))
    finally:
        await asyncio.to_thread(server.stop)
    assert mailbox.subjects == ["one", "two"]
    (thread,) = mailbox.threads
    assert thread is not threading.current_thread()
    assert not thread.is_alive()


@whole_program
def test_a_blocking_program_has_a_controller(way, tmp_path):
    mailbox = Mailbox(way)
    server = controller.UnixSocketController(mailbox, unix_socket=str(tmp_path / "socket"))
    with pytest.raises(FileNotFoundError):
        smtplib.LMTP(str(tmp_path / "socket"))
    tcp = controller.Controller(mailbox, hostname=HOST, port=free_port())
    tcp.start()
    server.start()
    try:
        for number in range(3):
            with smtplib.SMTP(HOST, tcp.port, timeout=20) as client:
                client.send_message(letter(f"{number}"))
    finally:
        server.stop()
        tcp.stop()
    assert mailbox.subjects == ["0", "1", "2"]
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP(HOST, tcp.port, timeout=20)


@whole_program
def test_a_program_turns_the_loop_of_an_unthreaded_controller_itself(way):
    mailbox = Mailbox(way)
    loop = asyncio.new_event_loop()
    server = controller.UnthreadedController(mailbox, hostname=HOST, port=free_port(), loop=loop)
    server.begin()

    async def send():
        async with aiosmtplib.SMTP(hostname=HOST, port=server.port) as client:
            await client.send_message(letter("one"))

    loop.run_until_complete(send())
    loop.run_until_complete(send())
    server.end()
    loop.close()
    asyncio.set_event_loop(None)
    assert mailbox.subjects == ["one", "one"]
