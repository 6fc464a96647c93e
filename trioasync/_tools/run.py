"""`trioasync run`: executes an unmodified asyncio program as python would, with every loop it asks for hosted by trio.

What python does with `-m`, `-c`, a script, a directory or zip file and `-` is done here step by step, in a fresh
`__main__`: the same `sys.argv`, `sys.path[0]`, messages and exit status. What the program raises goes on to the
interpreter, which alone knows how to end a process (SystemExit, the signal death of Ctrl-C); only our own frames are
taken from the traceback that it shows.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import io
import linecache
import os
import pkgutil
import runpy
import sys
import tempfile
import textwrap
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from trioasync._host.clocks import virtual_clock
from trioasync._install import install
from trioasync._tools.arguments import Options, Program, read
from trioasync._tools.watch import TimeLimit, print_task_tree_on
from trioasync.loop import EventLoop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = ["command"]


def command(arguments: list[str]) -> int:
    """Run the program that `arguments` name and return its exit status; what the program raises passes through."""
    options, program = read(arguments)
    install()
    main = _fresh_main()
    with _in_force(options), _our_frames_hidden():
        return _run(program, main)


def _in_force(options: Options) -> contextlib.AbstractContextManager[None]:
    if options.autojump:
        EventLoop.default_clock = staticmethod(virtual_clock)
    if options.task_tree_on is not None:
        print_task_tree_on(options.task_tree_on)
    return contextlib.nullcontext() if options.timeout is None else TimeLimit(options.timeout)


def _run(program: Program, main: ModuleType) -> int:
    if program.kind == "-m":
        return _run_module(program.name, program.arguments)
    if program.kind == "-c":
        return _run_text(main, program.name, program.arguments)
    if program.kind == "-":
        return _run_standard_input(main, program.arguments)
    if pkgutil.get_importer(program.name) is not None:
        return _run_directory(program.name, program.arguments)
    return _run_script(main, program.name, program.arguments)


def _fresh_main() -> ModuleType:
    # Ours stays on the stack, and is not to be taken for the program's.
    vars(sys.modules["__main__"])["__name__"] = __package__
    main = ModuleType("__main__")
    if sys.version_info < (3, 14):
        main.__annotations__ = {}
    # It stays: what runs at the end of the process (atexit, other threads) still finds the program's own __main__.
    sys.modules["__main__"] = main
    return main


# The kinds of program


def _run_module(name: str, arguments: list[str]) -> int:
    _place(["-m", *arguments], os.getcwd())
    return _run_as_main(name, alter_argv=True)


def _run_directory(path: str, arguments: list[str]) -> int:
    # It is imported from, so it goes on the path even where python is told to leave the path alone.
    _place([path, *arguments], os.path.join(os.getcwd(), path), imported_from=True)
    return _run_as_main("__main__", alter_argv=False)


def _run_text(main: ModuleType, text: str, arguments: list[str]) -> int:
    _place(["-c", *arguments], "")
    text += "\n"
    if sys.version_info >= (3, 14):
        text = textwrap.dedent(text)
    vars(main)["__loader__"] = importlib.machinery.BuiltinImporter
    code = compile(text, "<string>", "exec", dont_inherit=True)
    _show_lines(code, text)
    return _execute(code, main)


def _run_standard_input(main: ModuleType, arguments: list[str]) -> int:
    _place(["-", *arguments], "")
    vars(main)["__loader__"] = importlib.machinery.BuiltinImporter
    _set_file(main, "<stdin>")
    return _execute_file(sys.stdin.buffer.read(), "<stdin>", main)


def _run_script(main: ModuleType, path: str, arguments: list[str]) -> int:
    absolute = os.path.join(os.getcwd(), path)
    _place([path, *arguments], os.path.dirname(os.path.realpath(path)))
    try:
        with open(absolute, "rb") as script:
            content = script.read()
    except OSError as unreadable:
        reason = f"[Errno {unreadable.errno}] {unreadable.strerror}"
        print(f"{sys.executable}: can't open file {absolute!r}: {reason}", file=sys.stderr)
        return 2
    vars(main)["__loader__"] = importlib.machinery.SourceFileLoader("__main__", absolute)
    _set_file(main, absolute)
    code = pkgutil.read_code(io.BytesIO(content))
    return _execute(code, main) if code is not None else _execute_file(content, absolute, main)


# What they share


def _place(argv: list[str], path: str, *, imported_from: bool = False) -> None:
    """Set `sys.argv`, and put `path` where python has put the place of our own command."""
    sys.argv[:] = argv
    # `python -P`, and `python -I` before 3.11: then neither we nor the program have a place on the path.
    safe = getattr(sys.flags, "safe_path", bool(sys.flags.isolated))
    if not safe:
        sys.path[0] = path
    elif imported_from:
        sys.path.insert(0, path)


def _set_file(main: ModuleType, path: str) -> None:
    main.__file__ = path
    if sys.version_info < (3, 15):
        vars(main)["__cached__"] = None


def _show_lines(code: CodeType, text: str) -> None:
    """Make tracebacks show the lines of a program given with -c, as python does since 3.13."""
    if hasattr(linecache, "_interactive_cache"):
        linecache._register_code(code, text, "<string>")  # type: ignore[attr-defined]
    elif sys.version_info >= (3, 13):
        linecache.cache["<string>"] = (len(text), None, text.splitlines(keepends=True), "<string>")


def _execute(code: CodeType, main: ModuleType) -> int:
    exec(code, vars(main))
    return 0


def _execute_file(content: bytes, name: str, main: ModuleType) -> int:
    try:
        code = compile(content, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        code = None
    if code is None:
        # python does not read a program's file as compile() does: it words, places and marks some errors otherwise.
        return _execute_as_python_reads(content, name, main)
    return _execute(code, main)


def _execute_as_python_reads(content: bytes, name: str, main: ModuleType) -> int:
    """Give `content` to the function with which the interpreter itself reads and executes a program's file."""
    import ctypes

    with tempfile.TemporaryFile() as copy:
        copy.write(content)
        copy.seek(0)
        open_stream = ctypes.CDLL(None).fdopen
        open_stream.restype = ctypes.c_void_p
        stream = open_stream(os.dup(copy.fileno()), b"rb")
    execute = ctypes.pythonapi.PyRun_FileExFlags
    execute.restype = ctypes.py_object
    execute.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.py_object,
        ctypes.py_object,
        ctypes.c_int,
        ctypes.c_void_p,
    ]
    whole_file, close_stream = 257, 1
    execute(stream, os.fsencode(name), whole_file, vars(main), vars(main), close_stream, None)
    return 0


def _run_as_main(name: str, *, alter_argv: bool) -> int:
    # The interpreter itself calls this function for -m, for directories and for zip files: messages, `__spec__` and the
    # frames in a traceback are the same because they are the same code's.
    run_module_as_main: Any = runpy._run_module_as_main  # type: ignore[attr-defined]
    run_module_as_main(name, alter_argv)
    return 0


@contextlib.contextmanager
def _our_frames_hidden() -> Iterator[None]:
    """Let an exception pass, and have the interpreter report it as if no frame of ours had been under the program."""
    try:
        yield
    except BaseException as uncaught:
        theirs = _without_our_frames(uncaught.__traceback__)
        program_hook = sys.excepthook

        def report(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
            sys.excepthook = program_hook
            program_hook(kind, error.with_traceback(theirs), theirs)

        sys.excepthook = report
        raise


def _without_our_frames(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    return traceback
