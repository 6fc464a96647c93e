"""What asyncio's names are: which are modules, which make objects of a known kind, which are methods of the loop."""

from __future__ import annotations

import trioasync

__all__ = [
    "EXPORTED",
    "KINDS",
    "LOOP",
    "LOOP_METHODS",
    "LOOP_NAMES",
    "LOOP_TASKS",
    "SUBMODULES",
    "canonical",
    "use_name",
]

EXPORTED = frozenset(trioasync.__all__)

_SUBMODULES = """
    base_events base_futures base_subprocess base_tasks constants coroutines events exceptions format_helpers futures
    graph locks log mixins proactor_events protocols queues runners selector_events sslproto staggered streams
    subprocess taskgroups tasks threads timeouts tools transports trsock unix_events windows_events windows_utils
"""
SUBMODULES = frozenset(_SUBMODULES.split())

LOOP = "asyncio.AbstractEventLoop"

_CLASSES = """
    Barrier BoundedSemaphore Condition Event Future LifoQueue Lock PriorityQueue Queue Runner Semaphore StreamReader
    Task TaskGroup Timeout
"""
# What a call gives: the class of the object, by the name that is called.
KINDS = {
    **{f"asyncio.{name}": f"asyncio.{name}" for name in _CLASSES.split()},
    "asyncio.get_running_loop": LOOP,
    "asyncio.get_event_loop": LOOP,
    "asyncio.new_event_loop": LOOP,
    "asyncio.SelectorEventLoop": LOOP,
    "asyncio.BaseEventLoop": LOOP,
    "asyncio.EventLoop": LOOP,
    "asyncio.create_task": "asyncio.Task",
    "asyncio.ensure_future": "asyncio.Task",
    "asyncio.current_task": "asyncio.Task",
    "asyncio.run_coroutine_threadsafe": "concurrent.futures.Future",
    "asyncio.gather": "asyncio.Future",
    "asyncio.shield": "asyncio.Future",
    "asyncio.wrap_future": "asyncio.Future",
    "asyncio.timeout": "asyncio.Timeout",
    "asyncio.timeout_at": "asyncio.Timeout",
}

# The same for methods of the loop and of a TaskGroup.
LOOP_TASKS = {
    "create_task": "asyncio.Task",
    "create_future": "asyncio.Future",
    "run_in_executor": "asyncio.Future",
    "call_soon": "asyncio.Handle",
    "call_soon_threadsafe": "asyncio.Handle",
    "call_later": "asyncio.TimerHandle",
    "call_at": "asyncio.TimerHandle",
}

_LOOP_METHODS = """
    add_reader add_signal_handler add_writer call_at call_exception_handler call_later call_soon call_soon_threadsafe
    close connect_accepted_socket connect_read_pipe connect_write_pipe create_connection create_datagram_endpoint
    create_future create_server create_task create_unix_connection create_unix_server default_exception_handler
    get_debug get_exception_handler get_task_factory getaddrinfo getnameinfo is_closed is_running remove_reader
    remove_signal_handler remove_writer run_forever run_in_executor run_until_complete sendfile set_debug
    set_default_executor set_exception_handler set_task_factory shutdown_asyncgens shutdown_default_executor
    slow_callback_duration sock_accept sock_connect sock_recv sock_recv_into sock_recvfrom sock_recvfrom_into
    sock_sendall sock_sendfile sock_sendto start_tls stop subprocess_exec subprocess_shell time
"""
LOOP_METHODS = frozenset(_LOOP_METHODS.split())

# Names under which programs keep a loop, for receivers of which nothing else is known.
LOOP_NAMES = frozenset(["loop", "_loop", "event_loop", "_event_loop"])


def canonical(name: str) -> str:
    """Give the one name by which rules know it: `trioasync.tasks.sleep` is "asyncio.sleep"."""
    head, _, rest = name.partition(".")
    if head == "trioasync":
        name, head = ("asyncio." + rest if rest else "asyncio"), "asyncio"
    if head != "asyncio" or "." not in rest:
        return name
    module, _, inner = rest.partition(".")
    if module in SUBMODULES and module != "subprocess" and inner.split(".")[0] in EXPORTED:
        return "asyncio." + inner
    return name


def use_name(name: str) -> str:
    """Cut a canonical name after what asyncio itself defines: "asyncio.Task.all_tasks" is a use of "asyncio.Task"."""
    parts = name.split(".")
    length = 3 if len(parts) > 2 and parts[1] in SUBMODULES else 2
    return ".".join(parts[:length])
