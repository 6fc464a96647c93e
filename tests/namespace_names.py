"""The public names of asyncio on Linux, by the Pythons that have them, and where trioasync has its own."""

# Public from 3.10 to 3.15.
ALWAYS = """
    ALL_COMPLETED AbstractEventLoop AbstractServer BaseEventLoop BaseProtocol BaseTransport BoundedSemaphore
    BufferedProtocol CancelledError Condition DatagramProtocol DatagramTransport Event FIRST_COMPLETED
    FIRST_EXCEPTION Future Handle IncompleteReadError InvalidStateError LifoQueue LimitOverrunError Lock
    PriorityQueue Protocol Queue QueueEmpty QueueFull ReadTransport SelectorEventLoop Semaphore
    SendfileNotAvailableError Server StreamReader StreamReaderProtocol StreamWriter SubprocessProtocol
    SubprocessTransport Task TimeoutError TimerHandle Transport WriteTransport _enter_task _get_running_loop
    _leave_task _register_task _set_running_loop _unregister_task all_tasks as_completed create_subprocess_exec
    create_subprocess_shell create_task current_task ensure_future gather get_event_loop get_event_loop_policy
    get_running_loop iscoroutine iscoroutinefunction isfuture new_event_loop open_connection
    open_unix_connection run run_coroutine_threadsafe set_event_loop set_event_loop_policy shield sleep
    start_server start_unix_server to_thread wait wait_for wrap_future
"""

# Public from this Python on; trioasync has them on every Python.
SINCE = {
    "Barrier": (3, 11),
    "BrokenBarrierError": (3, 11),
    "Runner": (3, 11),
    "TaskGroup": (3, 11),
    "Timeout": (3, 11),
    "timeout": (3, 11),
    "timeout_at": (3, 11),
    "create_eager_task_factory": (3, 12),
    "eager_task_factory": (3, 12),
    "EventLoop": (3, 13),
    "QueueShutDown": (3, 13),
    "FrameCallGraphEntry": (3, 14),
    "FutureCallGraph": (3, 14),
    "capture_call_graph": (3, 14),
    "format_call_graph": (3, 14),
    "future_add_to_awaited_by": (3, 14),
    "future_discard_from_awaited_by": (3, 14),
    "print_call_graph": (3, 14),
}

# Public up to and with this Python; trioasync has them as long as asyncio.
UNTIL = {
    "AbstractChildWatcher": (3, 13),
    "AbstractEventLoopPolicy": (3, 13),
    "DefaultEventLoopPolicy": (3, 13),
    "FastChildWatcher": (3, 13),
    "MultiLoopChildWatcher": (3, 13),
    "PidfdChildWatcher": (3, 13),
    "SafeChildWatcher": (3, 13),
    "ThreadedChildWatcher": (3, 13),
    "get_child_watcher": (3, 13),
    "set_child_watcher": (3, 13),
}

# Removed from asyncio, offered on every Python all the same: it was public up to and with this Python.
KEPT = {"coroutine": (3, 10)}

# No longer in `asyncio.__all__`, but given on request, with a DeprecationWarning, from this Python on.
WARNED = {"AbstractEventLoopPolicy": (3, 14), "DefaultEventLoopPolicy": (3, 14)}

# Names that asyncio does not have.
ADDED = {"ScopeCancelled", "format_task_tree", "install", "open_loop", "print_task_tree", "uninstall"}

EVERY = (99,)

# Where `trioasync.NAME is asyncio.NAME` does not hold although asyncio has the name: up to which Python, and why.
OURS = {
    "EventLoop": (EVERY, "trio turns it"),
    "Runner": (EVERY, "it starts a trio run"),
    "Task": (EVERY, "it is a trio task"),
    "create_task": (EVERY, "it takes the keywords of 3.15"),
    "eager_task_factory": (EVERY, "it makes our Task"),
    "get_event_loop": (EVERY, "it makes our EventLoop where asyncio's makes a loop"),
    "new_event_loop": (EVERY, "it makes our EventLoop"),
    "run": (EVERY, "it starts a trio run"),
    "to_thread": (EVERY, "trio has the threads"),
    "capture_call_graph": (EVERY, "it leaves out the frames between a Task and its host"),
    "format_call_graph": (EVERY, "it leaves out the frames between a Task and its host"),
    "print_call_graph": (EVERY, "it leaves out the frames between a Task and its host"),
    "TaskGroup": ((3, 14), "cancel() came with 3.15"),
    "create_eager_task_factory": ((3, 13), "the factories take eager_start since 3.14"),
    "LifoQueue": ((3, 12), "shutdown() came with 3.13"),
    "PriorityQueue": ((3, 12), "shutdown() came with 3.13"),
    "Queue": ((3, 12), "shutdown() came with 3.13"),
    "as_completed": ((3, 12), "`async for` over it came with 3.13"),
    "Server": ((3, 12), "close_clients() came with 3.13"),
    "StreamReader": ((3, 12), "readuntil() takes several separators since 3.13"),
    "StreamWriter": ((3, 10), "start_tls() came with 3.11"),
    "create_subprocess_exec": ((3, 12), "it makes our StreamReader"),
    "create_subprocess_shell": ((3, 12), "it makes our StreamReader"),
    "open_connection": ((3, 12), "it makes our StreamReader"),
    "open_unix_connection": ((3, 12), "it makes our StreamReader"),
    "start_server": ((3, 12), "it makes our StreamReader"),
    "start_unix_server": ((3, 12), "it makes our StreamReader"),
}

# Public modules of asyncio that need not be whole, and the names they keep to themselves: neither documented nor typed.
INTERNAL = {
    "base_events": {"MAXIMUM_SELECT_TIMEOUT"},
    "coroutines": {"CoroWrapper"},
    "events": {"on_fork"},
    "futures": {"STACK_DEBUG"},
    "selector_events": {"SC_IOV_MAX"},
    "unix_events": {"can_use_pidfd", "waitstatus_to_exitcode"},
}
