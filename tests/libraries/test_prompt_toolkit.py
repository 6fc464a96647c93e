"""prompt_toolkit: prompts and applications that are typed to through a pipe."""

import asyncio
import contextlib

import pytest

import trioasync
from tests.libraries.ways import every_way, needs, whole_program

needs("prompt_toolkit")
application, bindings = needs("prompt_toolkit.application"), needs("prompt_toolkit.key_binding")
completion = needs("prompt_toolkit.completion")
inputs, output = needs("prompt_toolkit.input"), needs("prompt_toolkit.output")
layout, shortcuts = needs("prompt_toolkit.layout"), needs("prompt_toolkit.shortcuts")


@contextlib.asynccontextmanager
async def typed(way, *keys):
    """Give a session, to which the keys are typed while the block runs, with waits between them."""
    with inputs.create_pipe_input() as pipe:

        async def type_all():
            for text in keys:
                await way.pause(0.01)
                while text == UP and not has_history(session):
                    await way.pause(0.01)
                pipe.send_text(text)

        session = shortcuts.PromptSession(input=pipe, output=output.DummyOutput())
        async with way.crew() as start:
            start(type_all)
            yield session


UP = "\x1b[A"


def has_history(session):
    """Whether a prompt has loaded the lines before its own, which it does while one may type already."""
    return len(session.default_buffer._working_lines) > 1


@every_way()
async def test_a_line_is_edited_and_read(way):
    """Letters, a backspace, the beginning of the line, and what history has of the line before."""
    home, backspace = "\x01", "\x7f"
    async with typed(way, "hel", "lp", backspace, "o\r", UP, home, "Oh, \r") as session:
        assert await session.prompt_async("> ") == "hello"
        assert await session.prompt_async("> ") == "Oh, hello"


@every_way()
async def test_control_c_and_control_d_are_exceptions(way):
    """As in a terminal: KeyboardInterrupt and EOFError out of the prompt, and the next prompt works."""
    async with typed(way, "ab\x03", "\x04", "c\r") as session:
        with pytest.raises(KeyboardInterrupt):
            await session.prompt_async("> ")
        with pytest.raises(EOFError):
            await session.prompt_async("> ")
        assert await session.prompt_async("> ") == "c"


@every_way()
async def test_a_key_may_be_bound_to_an_async_function(way):
    """It waits while typing goes on, and writes into the line."""
    keys, inserted = bindings.KeyBindings(), asyncio.Event()

    @keys.add("c-t")
    async def insert(event):
        event.current_buffer.insert_text(await way.through("[bound]"))
        inserted.set()

    @keys.add("c-g")
    async def accept(event):
        await way.pause()
        await inserted.wait()
        event.current_buffer.validate_and_handle()

    async with typed(way, "a", "\x14", "b\x07") as session:
        assert sorted(await session.prompt_async("> ", key_bindings=keys)) == sorted("a[bound]b")


@every_way()
async def test_completions_may_be_awaited(way):
    """A completer that waits fills the word in."""

    class Cities(completion.Completer):
        def get_completions(self, document, event):
            raise AssertionError("there is an async one")

        async def get_completions_async(self, document, event):
            await way.pause()
            yield completion.Completion("Amsterdam", start_position=-len(document.text))

    with inputs.create_pipe_input() as pipe:
        session = shortcuts.PromptSession(input=pipe, output=output.DummyOutput())

        async def accept_the_completion():
            while session.default_buffer.text != "Amsterdam":
                await way.pause()
            pipe.send_text("\r")

        async with way.crew() as start:
            start(accept_the_completion)
            pipe.send_text("Am\t")
            options = {"completer": Cities(), "complete_while_typing": False}
            assert await session.prompt_async("> ", **options) == "Amsterdam"


@every_way()
async def test_an_application_has_background_tasks(way):
    """They change what is shown until the application exits with a result, and are cancelled then."""
    ended, shown = [], []
    control = layout.FormattedTextControl(lambda: shown.append(1) or f"shown {len(shown)} times")
    with inputs.create_pipe_input() as pipe:
        app = application.Application(
            layout=layout.Layout(layout.Window(control)),
            input=pipe,
            output=output.DummyOutput(),
            refresh_interval=0.005,
        )

        async def stay():
            try:
                await way.pause(60)
            finally:
                ended.append("stay")

        async def leave():
            await way.pause(0.05)
            app.exit(result=await way.through("result"))

        def begin():
            app.create_background_task(stay())
            app.create_background_task(leave())

        assert await app.run_async(pre_run=begin) == "result"
    assert ended == ["stay"]
    assert len(shown) > 2


@every_way()
async def test_a_prompt_can_be_given_up(way):
    """A deadline around it ends it, and another can be shown."""
    with inputs.create_pipe_input() as pipe:
        session = shortcuts.PromptSession(input=pipe, output=output.DummyOutput())
        assert await way.cut_off(0.05, session.prompt_async, "> ")
        pipe.send_text("next\r")
        assert await session.prompt_async("> ") == "next"


@whole_program
def test_a_prompt_of_a_plain_program_makes_its_own_loop(way):
    """`session.prompt()` asks asyncio for a loop, which is ours when we are installed."""
    loops = []
    keys = bindings.KeyBindings()

    @keys.add("c-t")
    async def look(event):
        await way.pause()
        loops.append(type(asyncio.get_running_loop()))
        event.app.exit(result="looked")

    with inputs.create_pipe_input() as pipe:
        session = shortcuts.PromptSession(input=pipe, output=output.DummyOutput(), key_bindings=keys)
        pipe.send_text("\x14")
        assert session.prompt("> ") == "looked"
        pipe.send_text("again\r")
        assert session.prompt("> ", in_thread=True) == "again"
    assert [kind is trioasync.EventLoop for kind in loops] == [way.hosted]
