"""Bad input to each method of a loop and to our constructors: asyncio's own error, type and text, on each Python."""

import asyncio
import contextlib
import gc
import inspect
import io
import re
import signal
import socket
import ssl
import tempfile
import warnings

import pytest

import trioasync
from tests.network.certificate import client_context, server_context
from tests.network.peers import Told
from tests.network.ways import WAYS
from tests.support.observation import describe, time_limit
from tests.support.outcomes import outcome_of


async def nothing():
    """Do nothing."""


class Bench:
    """What bad calls are made with: a running loop, sockets, a transport, a file."""

    def __init__(self, aio, stack):
        self.aio, self.loop = aio, asyncio.get_running_loop()
        pair = socket.socketpair()
        self.stream, self.other = (stack.enter_context(each) for each in pair)
        self.udp = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        self.tcp = stack.enter_context(socket.socket())
        for each in (self.stream, self.other, self.udp, self.tcp):
            each.setblocking(False)
        self.blocking = stack.enter_context(socket.socket())
        self.tls = stack.enter_context(ssl.create_default_context().wrap_socket(socket.socket(), server_hostname="x"))
        self.file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        self.text = stack.enter_context(tempfile.TemporaryFile("w+"))  # noqa: SIM115 - the same
        self.folder = stack.enter_context(tempfile.TemporaryDirectory())
        self.transport = asyncio.Transport()

    def coroutine(self):
        """A coroutine that is closed at the end of the case."""
        made = nothing()
        self.loop.call_soon(made.close)
        return made


CONNECTIONS = {
    "nothing to connect to": lambda b: b.loop.create_connection(Told),
    "a host and a socket": lambda b: b.loop.create_connection(Told, "127.0.0.1", 1, sock=b.stream),
    "a datagram socket": lambda b: b.loop.create_connection(Told, sock=b.udp),
    "a host name without TLS": lambda b: b.loop.create_connection(Told, sock=b.stream, server_hostname="x"),
    "TLS on a socket without a host name": lambda b: b.loop.create_connection(Told, sock=b.stream, ssl=True),
    "a handshake timeout without TLS": lambda b: b.loop.create_connection(
        Told, "127.0.0.1", 1, ssl_handshake_timeout=1
    ),
    "a handshake timeout of nothing": lambda b: b.loop.create_connection(
        Told, sock=b.stream, ssl=client_context(), server_hostname="x", ssl_handshake_timeout=0
    ),
    "a local address that is none": lambda b: b.loop.create_connection(Told, "127.0.0.1", 1, local_addr=42),
    "a port that is none": lambda b: b.loop.create_connection(Told, "127.0.0.1", "no port"),
    "a happy eyeball that is none": lambda b: b.loop.create_connection(
        Told, "127.0.0.1", 1, happy_eyeballs_delay="x", sock=b.stream
    ),
    "a server on nothing": lambda b: b.loop.create_server(Told),
    "a server on a host and a socket": lambda b: b.loop.create_server(Told, "127.0.0.1", 0, sock=b.tcp),
    "a server on a datagram socket": lambda b: b.loop.create_server(Told, sock=b.udp),
    "a server with TLS by a flag": lambda b: b.loop.create_server(Told, "127.0.0.1", 0, ssl=True),
    "a server with a timeout without TLS": lambda b: b.loop.create_server(
        Told, "127.0.0.1", 0, ssl_handshake_timeout=1
    ),
    "a server on an address of somebody else": lambda b: b.loop.create_server(Told, "203.0.113.1", 0),
    "an accepted datagram socket": lambda b: b.loop.connect_accepted_socket(Told, b.udp),
    "an accepted socket with a timeout without TLS": lambda b: b.loop.connect_accepted_socket(
        Told, b.stream, ssl_handshake_timeout=1
    ),
    "an accepted socket with TLS by a flag": lambda b: b.loop.connect_accepted_socket(Told, b.stream, ssl=True),
}

UNIX = {
    "no path": lambda b: b.loop.create_unix_connection(Told),
    "a path and a socket": lambda b: b.loop.create_unix_connection(Told, "x", sock=b.stream),
    "a socket of another family": lambda b: b.loop.create_unix_connection(Told, sock=b.tcp),
    "TLS without a host name": lambda b: b.loop.create_unix_connection(Told, "x", ssl=client_context()),
    "a host name without TLS": lambda b: b.loop.create_unix_connection(Told, "x", server_hostname="x"),
    "a timeout without TLS": lambda b: b.loop.create_unix_connection(Told, "x", ssl_handshake_timeout=1),
    "a server without a path": lambda b: b.loop.create_unix_server(Told),
    "a server with a path and a socket": lambda b: b.loop.create_unix_server(Told, "x", sock=b.stream),
    "a server on a socket of another family": lambda b: b.loop.create_unix_server(Told, sock=b.tcp),
    "a server with TLS by a flag": lambda b: b.loop.create_unix_server(Told, "x", ssl=True),
    "a server with a timeout without TLS": lambda b: b.loop.create_unix_server(Told, "x", ssl_handshake_timeout=1),
    "a server in a folder that is not there": lambda b: b.loop.create_unix_server(Told, b.folder + "/none/socket"),
    "a server on a folder": lambda b: b.loop.create_unix_server(Told, b.folder),
}

DATAGRAMS = {
    "no address": lambda b: b.loop.create_datagram_endpoint(asyncio.DatagramProtocol),
    "a stream socket": lambda b: b.loop.create_datagram_endpoint(asyncio.DatagramProtocol, sock=b.stream),
    "a socket and an address": lambda b: b.loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, ("127.0.0.1", 0), sock=b.udp
    ),
    "an address that is none": lambda b: b.loop.create_datagram_endpoint(asyncio.DatagramProtocol, 42),
    "addresses of different families": lambda b: b.loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, ("127.0.0.1", 0), ("::1", 1)
    ),
    "a unix path that is no text": lambda b: b.loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, 42, family=socket.AF_UNIX
    ),
}

TLS = {
    "no context": lambda b: b.loop.start_tls(b.transport, asyncio.Protocol(), None),
    "a transport that has no TLS": lambda b: b.loop.start_tls(b.transport, asyncio.Protocol(), server_context()),
    "a timeout that is none": lambda b: b.loop.start_tls(
        b.transport, asyncio.Protocol(), server_context(), ssl_handshake_timeout="x"
    ),
}

SOCKETS = {
    "receive on a TLS socket": lambda b: b.loop.sock_recv(b.tls, 1),
    "receive into on a TLS socket": lambda b: b.loop.sock_recv_into(b.tls, bytearray(1)),
    "send on a TLS socket": lambda b: b.loop.sock_sendall(b.tls, b"x"),
    "connect a TLS socket": lambda b: b.loop.sock_connect(b.tls, ("127.0.0.1", 1)),
    "accept on a TLS socket": lambda b: b.loop.sock_accept(b.tls),
    "receive on what is no socket": lambda b: b.loop.sock_recv(42, 1),
    "send what is no data": lambda b: b.loop.sock_sendall(b.stream, 42),
    "receive a size that is none": lambda b: b.loop.sock_recv(b.stream, "x"),
    "receive into what is no buffer": lambda b: b.loop.sock_recv_into(b.stream, b"x"),
    "connect to what is no address": lambda b: b.loop.sock_connect(b.tcp, 42),
    "connect to a name that is none": lambda b: b.loop.sock_connect(b.tcp, ("127.0.0.1", "no port")),
    "accept on a socket that does not listen": lambda b: b.loop.sock_accept(b.tcp),
    "send on a socket that is not connected": lambda b: b.loop.sock_sendall(b.tcp, b"x"),
    "a blocking socket receives": lambda b: b.loop.sock_recv(b.blocking, 1),
    "a blocking socket sends": lambda b: b.loop.sock_sendall(b.blocking, b"x"),
    "a blocking socket accepts": lambda b: b.loop.sock_accept(b.blocking),
    "a blocking socket connects": lambda b: b.loop.sock_connect(b.blocking, ("127.0.0.1", 1)),
}

SENDFILE = {
    "a text file": lambda b: b.loop.sock_sendfile(b.stream, b.text),
    "an offset that is none": lambda b: b.loop.sock_sendfile(b.stream, b.file, "x"),
    "a negative offset": lambda b: b.loop.sock_sendfile(b.stream, b.file, -1),
    "a count that is none": lambda b: b.loop.sock_sendfile(b.stream, b.file, 0, "x"),
    "a count of nothing": lambda b: b.loop.sock_sendfile(b.stream, b.file, 0, 0),
    "a datagram socket": lambda b: b.loop.sock_sendfile(b.udp, b.file),
    "no file, and no fallback": lambda b: b.loop.sock_sendfile(b.stream, io.BytesIO(b"x"), fallback=False),
    "a transport that cannot": lambda b: b.loop.sendfile(b.transport, b.file),
}

PIPES_AND_PROCESSES = {
    "read from a file": lambda b: b.loop.connect_read_pipe(Told, b.file),
    "write to a file": lambda b: b.loop.connect_write_pipe(Told, b.file),
    "a shell command that is a list": lambda b: b.loop.subprocess_shell(asyncio.SubprocessProtocol, ["true"]),
    "a shell that is none": lambda b: b.loop.subprocess_shell(asyncio.SubprocessProtocol, "true", shell=False),
    "a program through a shell": lambda b: b.loop.subprocess_exec(asyncio.SubprocessProtocol, "true", shell=True),
    "a program that is a number": lambda b: b.loop.subprocess_exec(asyncio.SubprocessProtocol, 42),
    "a program that does not exist": lambda b: b.loop.subprocess_exec(asyncio.SubprocessProtocol, "/no/such/program"),
    "a folder that does not exist": lambda b: b.aio.create_subprocess_exec("true", cwd="/no/such/folder"),
    **{
        f"a process with {option}": lambda b, option=option, value=value: b.loop.subprocess_exec(
            asyncio.SubprocessProtocol, "true", **{option: value}
        )
        for option, value in [
            ("universal_newlines", True),
            ("bufsize", 1),
            ("text", True),
            ("encoding", "utf-8"),
            ("errors", "strict"),
            ("no_such_option", True),
        ]
    },
    "a pipe that is none": lambda b: b.loop.subprocess_exec(asyncio.SubprocessProtocol, "true", stdout="x"),
}

DESCRIPTORS = {
    f"{method} of {what}": lambda b, method=method, thing=thing: getattr(b.loop, method)(
        thing, *([print] if method.startswith("add") else [])
    )
    for method in ("add_reader", "add_writer", "remove_reader", "remove_writer")
    for what, thing in [("an object", object()), ("a negative number", -1), ("text", "x"), ("nothing", None)]
} | {
    f"{method} without a function": lambda b, method=method: getattr(b.loop, method)(b.stream)
    for method in ("add_reader", "add_writer")
}


async def _nothing_to_call():
    """Do nothing."""


SIGNALS = {
    "a coroutine function": lambda b: b.loop.add_signal_handler(signal.SIGUSR1, _nothing_to_call),
    "a coroutine": lambda b: b.loop.add_signal_handler(signal.SIGUSR1, b.coroutine()),
    "a signal that is text": lambda b: b.loop.add_signal_handler("SIGUSR1", print),
    "signal number zero": lambda b: b.loop.add_signal_handler(0, print),
    "a signal number too high": lambda b: b.loop.add_signal_handler(1000, print),
    "a signal that cannot be caught": lambda b: b.loop.add_signal_handler(signal.SIGKILL, print),
    "the removal of text": lambda b: b.loop.remove_signal_handler("SIGUSR1"),
    "the removal of number zero": lambda b: b.loop.remove_signal_handler(0),
    "another thread": lambda b: b.loop.run_in_executor(None, b.loop.add_signal_handler, signal.SIGUSR1, print),
}

CALLS = {
    "call_later without a delay": lambda b: b.loop.call_later(None, print),
    "call_later with a delay that is text": lambda b: b.loop.call_later("1", print),
    "call_at without a time": lambda b: b.loop.call_at(None, print),
    "run_until_complete of a number": lambda b: b.loop.run_until_complete(42),
    "run_until_complete inside": lambda b: b.loop.run_until_complete(b.coroutine()),
    "close inside": lambda b: b.loop.close(),
    "run inside": lambda b: b.aio.run(b.coroutine()),
    "create_task of a number": lambda b: b.loop.create_task(42),
    "create_task of a function": lambda b: b.loop.create_task(nothing),
    "a task factory that is none": lambda b: b.loop.set_task_factory(42),
    "an exception handler that is none": lambda b: b.loop.set_exception_handler(42),
    "an executor that is none": lambda b: b.loop.run_in_executor("x", print),
    "names of a number": lambda b: b.loop.getaddrinfo(42, 80),
    "a name that does not exist": lambda b: b.loop.getaddrinfo("no name", 80, flags=socket.AI_NUMERICHOST),
    "the name of no address": lambda b: b.loop.getnameinfo(42),
}

OBJECTS = {
    "a Future of a loop that is none": lambda b: b.aio.Future(loop=42).set_result(1),
    "a Future with too much": lambda b: b.aio.Future(b.loop),
    "a Future that is done": lambda b: _done(b).set_result(2),
    "a Future that is done gets an exception": lambda b: _done(b).set_exception(ValueError()),
    "the result of a Future that is not done": lambda b: b.loop.create_future().result(),
    "the exception of a Future that is not done": lambda b: b.loop.create_future().exception(),
    "an exception that is none": lambda b: b.loop.create_future().set_exception(42),
    "a Task of a number": lambda b: b.aio.Task(42),
    "a Task of a function": lambda b: b.aio.Task(nothing),
    "the result of a Task set from outside": lambda b: b.aio.current_task().set_result(1),
    "the exception of a Task set from outside": lambda b: b.aio.current_task().set_exception(ValueError()),
    "the result of a Task that is not done": lambda b: b.aio.current_task().result(),
    "wait_for of a number": lambda b: b.aio.wait_for(42, 1),
    "wait of nothing": lambda b: b.aio.wait([]),
    "wait of a number": lambda b: b.aio.wait(42),
    "wait for something else": lambda b: b.aio.wait([b.aio.current_task()], return_when="x"),
    "gather of a number": lambda b: b.aio.gather(42),
    "shield of a number": lambda b: b.aio.shield(42),
    "sleep of text": lambda b: b.aio.sleep("x"),
    "to_thread of a number": lambda b: b.aio.to_thread(42),
    "run_coroutine_threadsafe of a number": lambda b: b.aio.run_coroutine_threadsafe(42, b.loop),
    "wrap_future of a number": lambda b: b.aio.wrap_future(42),
    "a Semaphore of less than nothing": lambda b: b.aio.Semaphore(-1),
    "a Lock of a loop": lambda b: b.aio.Lock(loop=b.loop),
    "a Lock released": lambda b: b.aio.Lock().release(),
    "a Queue that is empty": lambda b: b.aio.Queue().get_nowait(),
    "a Queue with nothing to be done": lambda b: b.aio.Queue().task_done(),
}


# Mistakes that Python itself finds: its text names the function, which may be ours.
ARGUMENTS = {
    "call_soon of nothing": lambda b: b.loop.call_soon(),
    "call_soon with an option that nobody knows": lambda b: b.loop.call_soon(print, no_such_option=1),
    "call_later of nothing": lambda b: b.loop.call_later(),
    "call_at with an option that nobody knows": lambda b: b.loop.call_at(1, print, no_such_option=1),
    "create_task of nothing": lambda b: b.loop.create_task(),
    "run_in_executor of nothing": lambda b: b.loop.run_in_executor(),
    "add_reader of nothing": lambda b: b.loop.add_reader(),
    "a Task of nothing": lambda b: b.aio.Task(),
    "a Task of a coroutine, and more": lambda b: b.aio.Task(b.coroutine(), b.loop),
    "a Task with an option that nobody knows": lambda b: b.aio.Task(b.coroutine(), no_such_option=1),
    "a Task's stack with a limit by position": lambda b: b.aio.current_task().get_stack(1),
    "run of nothing": lambda b: b.aio.run(),
    "a Runner of something": lambda b: b.aio.Runner(42) if hasattr(asyncio, "Runner") else asyncio.Future(42),
}


def _done(bench):
    future = bench.loop.create_future()
    future.set_result(1)
    return future


TABLE = {
    "connections": CONNECTIONS,
    "unix sockets": UNIX,
    "datagrams": DATAGRAMS,
    "TLS": TLS,
    "sockets": SOCKETS,
    "sendfile": SENDFILE,
    "pipes and processes": PIPES_AND_PROCESSES,
    "descriptors": DESCRIPTORS,
    "signals": SIGNALS,
    "calls": CALLS,
    "objects": OBJECTS,
}


async def errors_of(aio, cases):
    """Make each bad call of a group, and return what each raised, less numbers, addresses and descriptors."""
    errors = {}
    with contextlib.ExitStack() as stack:
        bench = Bench(aio, stack)
        for name, call in cases.items():
            try:
                result = call(bench)
                result = await result if inspect.isawaitable(result) else result
                errors[name] = f"no error: {result!r}"
            except Exception as error:
                errors[name] = re.sub(r"[0-9]+", "#", describe(error).replace(bench.folder, "…"))
        await asyncio.sleep(0)
    return errors


def errors_on_both(way, cases):
    """Make the bad calls of a group on asyncio and in one of our ways, and return what each raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # a call that fails half-way leaves a transport behind
        with time_limit(30):
            stock = asyncio.run(errors_of(asyncio, cases))
        with time_limit(30):
            ours = WAYS[way](lambda aio: errors_of(aio, cases), None)
        gc.collect()
    assert [name for name, error in stock.items() if error.startswith("no error")] == []
    return stock, ours


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("group", TABLE)
def test_each_mistake_gets_asyncios_own_error(group, way):
    """Type and text are those of the running Python's asyncio."""
    stock, ours = errors_on_both(way, TABLE[group])
    assert ours == stock


@pytest.mark.parametrize("way", WAYS)
def test_wrong_arguments_are_type_errors(way):
    """As for any function of Python's."""
    _, ours = errors_on_both(way, ARGUMENTS)
    assert {error.partition("(")[0] for error in ours.values()} == {"builtins.TypeError"}


ON_A_CLOSED_LOOP = {
    "call_soon": lambda loop, one: loop.call_soon(print),
    "call_soon_threadsafe": lambda loop, one: loop.call_soon_threadsafe(print),
    "call_later": lambda loop, one: loop.call_later(1, print),
    "call_at": lambda loop, one: loop.call_at(1, print),
    "run_forever": lambda loop, one: loop.run_forever(),
    "run_until_complete": lambda loop, one: loop.run_until_complete(loop.create_future()),
    "run_in_executor": lambda loop, one: loop.run_in_executor(None, print),
    "add_reader": lambda loop, one: loop.add_reader(one, print),
    "add_writer": lambda loop, one: loop.add_writer(one, print),
    "add_signal_handler": lambda loop, one: loop.add_signal_handler(signal.SIGUSR1, print),
    "sock_recv": lambda loop, one: loop.sock_recv(one, 1).send(None),
    "sock_accept": lambda loop, one: loop.sock_accept(one).send(None),
    "getaddrinfo": lambda loop, one: loop.getaddrinfo("127.0.0.1", 80).send(None),
    "getnameinfo": lambda loop, one: loop.getnameinfo(("127.0.0.1", 80)).send(None),
}


@pytest.mark.parametrize("name", ON_A_CLOSED_LOOP)
def test_a_closed_loop_says_so(name):
    """What asyncio's closed loop raises, ours raises."""

    def outcome(new_event_loop):
        loop = new_event_loop()
        loop.close()
        with socket.socket() as one:
            one.setblocking(False)
            return outcome_of(ON_A_CLOSED_LOOP[name], loop, one)

    stock = outcome(asyncio.new_event_loop)
    assert outcome(trioasync.new_event_loop) == stock
    assert stock[0] in ("RuntimeError", "OSError")
