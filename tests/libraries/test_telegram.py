"""python-telegram-bot with a stub of Telegram's server, which answers in threads of its own."""

import asyncio
import contextlib
import functools
import http.server
import json
import os
import signal
import threading
import urllib.parse

import pytest

from tests.libraries.limits import every_limit, interrupted
from tests.libraries.ways import every_way, needs, whole_program

telegram = needs("telegram", "python-telegram-bot")
ext = needs("telegram.ext", "python-telegram-bot")

TOKEN = "1:token"
PEOPLE = {"id": 7, "type": "private", "first_name": "ann"}


class Telegram:
    """A server that hands out updates and takes messages, for the length of a block."""

    def __init__(self):
        self.sent, self.files = [], {}
        self._updates = []
        self._news = threading.Condition()
        self._closed = False

    def __enter__(self):
        handler = functools.partial(_Request, self)
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/bot"

    def say(self, text):
        """Have somebody write to the bot."""
        with self._news:
            number = len(self._updates) + 1
            command = {"type": "bot_command", "offset": 0, "length": len(text.split()[0])}
            message = {"message_id": number, "date": 0, "chat": PEOPLE, "text": text}
            message |= {"from": PEOPLE | {"is_bot": False}}
            message |= {"entities": [command]} if text.startswith("/") else {}
            self._updates.append({"update_id": number, "message": message})
            self._news.notify_all()

    def answer(self, method, fields):
        """Return what the API's method gives; it is called in a thread of the server."""
        if method == "getMe":
            return {"id": 1, "is_bot": True, "first_name": "bot", "username": "the_bot"}
        if method == "getUpdates":
            return self._updates_since(int(fields.get("offset", 0)), float(fields.get("timeout", 0)))
        if method == "sendMessage":
            with self._news:
                self.sent.append(fields["text"])
            return {"message_id": len(self.sent), "date": 0, "chat": PEOPLE, "text": fields["text"]}
        if method == "sendDocument":
            return {"message_id": 1, "date": 0, "chat": PEOPLE, "text": str(fields["length"])}
        return True

    def _updates_since(self, offset, seconds):
        def wanted():
            return [update for update in self._updates if update["update_id"] >= offset]

        with self._news:
            self._news.wait_for(lambda: wanted() or self._closed, seconds)
            return wanted()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False  # they are waited for
    request_queue_size = 100


class _Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def __init__(self, stub, *args):
        self._stub = stub
        super().__init__(*args)

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        content = self.rfile.read(length)
        if len(content) < length:  # whoever asks has been given up
            return
        if self.headers.get("Content-Type", "").startswith("multipart/"):
            fields = {"length": len(content)}
        else:
            fields = dict(urllib.parse.parse_qsl(content.decode()))
        answer = json.dumps({"ok": True, "result": self._stub.answer(self.path.rpartition("/")[2], fields)}).encode()
        with contextlib.suppress(ConnectionError):  # whoever asked has been given up
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with Telegram() as server:
        yield server


def application(server, *handlers):
    """Return an application that talks to the stub."""
    built = ext.Application.builder().token(TOKEN).base_url(server.url).concurrent_updates(True).build()
    built.add_handlers(list(handlers))
    return built


@contextlib.asynccontextmanager
async def polling(app):
    """Have an application take updates during the block, in the running loop."""
    async with app:
        await app.start()
        await app.updater.start_polling(timeout=20)
        try:
            yield
        finally:
            await app.updater.stop()
            await app.stop()


@every_way()
async def test_a_bot_answers_commands_and_texts_with_waits_in_its_handlers(way, server):
    answered = asyncio.Queue()

    async def add(update, context):
        await way.pause()
        total = await way.through(sum(map(int, context.args)))
        answered.put_nowait((await update.message.reply_text(f"it is {total}")).text)

    async def echo(update, context):
        await update.effective_chat.send_message(await way.through(update.message.text.upper()))
        answered.put_nowait(update.message.text)

    handlers = ext.CommandHandler("add", add), ext.MessageHandler(ext.filters.TEXT, echo)
    async with polling(application(server, *handlers)):
        server.say("/add 1 2 3")
        assert await answered.get() == "it is 6"
        server.say("hello")
        assert await answered.get() == "hello"
        for number in range(20):
            server.say(f"/add {number} {number}")
        answers = [await answered.get() for _ in range(20)]
        assert sorted(answers) == sorted(f"it is {2 * number}" for number in range(20))
    assert server.sent[:2] == ["it is 6", "HELLO"]


@every_way()
async def test_an_error_in_a_handler_goes_to_the_error_handler_and_the_bot_goes_on(way, server):
    errors = asyncio.Queue()

    async def fail(update, context):
        await way.pause()
        raise ValueError(update.message.text)

    async def note(update, context):
        await way.pause()
        errors.put_nowait(context.error)

    app = application(server, ext.MessageHandler(ext.filters.TEXT, fail))
    app.add_error_handler(note)
    async with polling(app):
        for text in ("one", "two"):
            server.say(text)
            error = await errors.get()
            assert (type(error), error.args) == (ValueError, (text,))


@every_way()
async def test_a_handler_that_is_cut_off_by_a_limit_answers_nevertheless(way, server):
    answered = asyncio.Queue()

    async def ask_somebody_slow(update, context):
        given_up = await way.cut_off(0.02, context.bot.get_updates, 1000, 100, 20)
        answered.put_nowait((given_up, (await update.message.reply_text("sorry")).text))

    async with polling(application(server, ext.MessageHandler(ext.filters.TEXT, ask_somebody_slow))):
        server.say("?")
        assert await answered.get() == (True, "sorry")


@every_way()
async def test_requests_that_are_given_up_by_any_limit_leave_the_bot_usable(way, server):
    async with telegram.Bot(TOKEN, base_url=server.url) as bot:
        async for _ in every_limit(way, lambda: bot.get_updates(offset=1000, timeout=20)):
            assert (await bot.send_message(7, "x")).text == "x"
        document = await bot.send_document(7, b"0" * 100_000, filename="zeros")
        assert int(document.text) > 100_000


# A request that is given up leaves the generator of its body to the garbage collector; trio warns of it in its tasks.
@pytest.mark.filterwarnings("ignore:Async generator 'httpx:ResourceWarning")
@every_way()
async def test_requests_that_are_interrupted_at_any_moment_leave_the_bot_usable(way, server):
    async with telegram.Bot(TOKEN, base_url=server.url) as bot:

        async def send(number):
            assert (await bot.send_message(7, f"{number}")).text == f"{number}"

        async for number in interrupted(way, send, longest=0.01):
            await send(f"after {number}")
    assert {f"after {number}" for number in range(60)} <= set(server.sent)


# Python 3.12 and 3.13 warn of the first in a program that has made no loop before, Python 3.14 of the second.
@pytest.mark.filterwarnings("ignore:There is no current event loop:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:'asyncio.iscoroutinefunction' is deprecated:DeprecationWarning")
@pytest.mark.parametrize("ending", ["stop_running", "SIGTERM"])
@whole_program
def test_a_bot_is_a_whole_program_until_it_is_stopped(way, server, ending):
    """run_polling() runs its own loop, several times, until the bot stops itself or a signal ends it."""
    phases = []

    async def answer(update, context):
        await way.pause()
        await update.message.reply_text(await way.through(f"{update.message.text}!"))
        if update.message.text == "one":
            server.say("two")
        elif ending == "SIGTERM":
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            context.application.stop_running()

    async def begin(app):
        await way.pause()
        phases.append("begun")
        server.say("one")

    async def end(app):
        await way.pause()
        phases.append("ended")

    app = application(server, ext.MessageHandler(ext.filters.TEXT, answer))
    app.post_init, app.post_shutdown = begin, end
    before = signal.getsignal(signal.SIGTERM)
    try:
        app.run_polling(timeout=20)
    finally:
        asyncio.set_event_loop(None)
    assert phases == ["begun", "ended"]
    assert server.sent == ["one!", "two!"]
    assert signal.getsignal(signal.SIGTERM) == before
