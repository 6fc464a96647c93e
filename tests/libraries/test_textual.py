"""textual: applications that a pilot types to and clicks on, without a terminal."""

import asyncio

import pytest

import trioasync
from tests.libraries.ways import every_way, needs, whole_program

app_module, widgets = needs("textual.app", "textual"), needs("textual.widgets", "textual")
textual = needs("textual")
message, screen = needs("textual.message"), needs("textual.screen")


def application(way, **members):
    """Return an application with a button, an input line and a label, that handles messages by `members`."""

    def compose(self):
        yield widgets.Button("press", id="button")
        yield widgets.Input(id="input")
        yield widgets.Label("nothing", id="label")

    def say(self, text):
        self.query_one("#label", widgets.Label).update(text)

    return type("Application", (app_module.App,), {"compose": compose, "say": say, **members})()


def said(app):
    """Return what stands in the label."""
    return str(app.query_one("#label", widgets.Label).render())


@every_way()
async def test_message_handlers_wait(way):
    """A click and keys are handled by async functions, in the order in which they were sent."""

    async def on_button_pressed(self, event):
        self.say(await way.through(f"pressed {event.button.id}"))

    async def on_input_changed(self, event):
        await way.pause()
        self.say(event.value)

    app = application(way, on_button_pressed=on_button_pressed, on_input_changed=on_input_changed)
    async with app.run_test() as pilot:
        await pilot.click("#button")
        await pilot.pause()
        assert said(app) == "pressed button"
        app.query_one("#input").focus()
        await pilot.press(*"hello")
        await pilot.pause()
        assert said(app) == "hello"


@every_way()
async def test_workers_run_beside_the_application(way):
    """An exclusive worker is cancelled by the next, one in a thread calls back."""
    events = []

    async def search(self, text):
        try:
            await way.pause(60 if text == "slow" else 0.001)
            events.append(f"found {text}")
        finally:
            events.append(f"ended {text}")

    def count(self):
        self.call_from_thread(self.say, "from a thread")
        return 5

    app = application(way)
    async with app.run_test() as pilot:
        app.run_worker(search(app, "slow"), exclusive=True)
        await way.pause(0.01)
        quick = app.run_worker(search(app, "quick"), exclusive=True)
        await quick.wait()
        assert await app.run_worker(lambda: count(app), thread=True).wait() == 5
        await pilot.pause()
        assert said(app) == "from a thread"
    assert events == ["ended slow", "found quick", "ended quick"]


@every_way()
async def test_a_screen_gives_its_answer(way):
    """`push_screen_wait` in a worker waits for what a modal screen is dismissed with."""
    answers = []

    class Question(screen.ModalScreen):
        def compose(self):
            yield widgets.Button("yes", id="yes")

        async def on_button_pressed(self, event):
            self.dismiss(await way.through(event.button.id))

    async def ask():
        answers.append(await app.push_screen_wait(Question()))

    app = application(way)
    async with app.run_test() as pilot:
        asking = app.run_worker(ask())
        await pilot.pause()
        await pilot.click("#yes")
        await asking.wait()
    assert answers == ["yes"]


@every_way()
async def test_timers_tick_until_the_application_exits(way):
    """`set_interval` calls an async function again and again; the result of `exit` is what the run returns."""
    ticks, enough = [], asyncio.Event()

    async def tick():
        await way.pause()
        ticks.append(1)
        if len(ticks) == 3:
            enough.set()

    def on_mount(self):
        self.set_interval(0.005, tick)

    app = application(way, on_mount=on_mount)
    async with app.run_test():
        await enough.wait()
        app.exit("result")
    assert app.return_value == "result"


@every_way()
async def test_a_handler_that_fails_ends_the_application(way):
    """What it raised comes out of the test."""

    async def on_button_pressed(self, event):
        await way.pause()
        raise ValueError("failed")

    app = application(way, on_button_pressed=on_button_pressed)
    with pytest.raises(ValueError, match="failed"):
        async with app.run_test() as pilot:
            await pilot.click("#button")
            await pilot.pause()


@whole_program
def test_an_application_that_makes_its_own_loop(way):
    """`App.run` asks asyncio for a loop, which is ours when we are installed."""
    seen = []

    async def on_mount(self):
        await way.pause()
        seen.append(type(asyncio.get_running_loop()) is trioasync.EventLoop)
        self.exit("result")

    app = application(way, on_mount=on_mount)
    assert app.run(headless=True) == "result"
    assert seen == [way.hosted]
