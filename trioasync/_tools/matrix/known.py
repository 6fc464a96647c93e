"""The table of known differences: where trioasync is not asyncio, on purpose, why, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DIFFERENCES", "Difference"]


@dataclass(frozen=True)
class Difference:
    """One difference from asyncio; the matrix shows on which Pythons its proofs have run."""

    title: str
    reason: str
    workaround: str
    # The tests that show the difference; a case of CPython's suite that fails for it names its title instead.
    proofs: tuple[str, ...] = ()
    # The last Python on which there is a difference, "" where asyncio differs to this day.
    until: str = ""


_OWN = "tests/tools/matrix/test_differences.py::"
_TIMERS = "tests/parity/test_loop_timers.py::"

DIFFERENCES = (
    Difference(
        "Tasks are held strongly",
        "asyncio keeps weak references alone, so that a Task nobody refers to may vanish half-way. A Task here is a"
        " trio task, which its nursery holds until it has ended.",
        "None is needed; a Task that shall not go on is cancelled.",
        (_OWN + "test_a_task_that_nobody_refers_to_goes_on",),
    ),
    Difference(
        "Timers of one deadline keep their order",
        "asyncio leaves the order of equal deadlines open, as its heap happens to have it. Here they fire in the order"
        " in which they were set.",
        "None is needed; code that must run on asyncio as well does not count on an order.",
        (_TIMERS + "test_any_number_of_timers_with_one_deadline_fire_in_the_order_of_their_setting",),
    ),
    Difference(
        "Every phase of closing runs",
        "Tasks, async generators and the default executor are finished one after the other, also when"
        " KeyboardInterrupt or SystemExit strikes in one of these phases, where asyncio skips the rest.",
        "None is needed; what shall end at once is ended by `os._exit`.",
        ("tests/test_signals.py::test_every_phase_of_closing_runs",),
    ),
    Difference(
        "The loop's private queues",
        "A step of a Task stands in `loop._ready` as a tuple, without a Handle, and `loop._scheduled` is a copy: that"
        " is what makes a step cheap.",
        "`call_soon`, `call_later` and the handles that they return do what can be done by way of the queues.",
        (_OWN + "test_a_step_of_a_task_is_no_handle",),
    ),
    Difference(
        "Turning the loop by private methods",
        "The loop is turned by trio: asyncio's private `_run_forever_setup`, `_run_once` and `_run_forever_cleanup` are"
        " no way to turn it by hand.",
        "`loop.run_forever()` turns it, and so does a trio program in the block of `open_loop`.",
    ),
    Difference(
        "Referrers of a delivered exception",
        "In the step in which a Task is told of a cancellation, the driver around its coroutine refers to the exception"
        " too, which `gc.get_referrers` shows. It lets go of it at the end of the step.",
        "None is needed; code that counts referrers does so in a later step.",
    ),
    Difference(
        "Policies under install()",
        "After `install()` a policy whose loops are not trio's is replaced by a copy of a derived class whose loops"
        " are, so that `get_event_loop_policy()` gives another object than was set.",
        "A policy whose `new_event_loop` makes trioasync's loops is taken as it is.",
    ),
    Difference(
        "TaskGroup is that of 3.15",
        "On older Pythons it has `cancel()`, and closes the coroutine that it refuses, as the newest asyncio does.",
        "`asyncio.TaskGroup` is the running Python's own, and works on the loop as well.",
        ("tests/parity/test_page_task_group_cancel.py::test_cancel_in_the_body",),
        until="3.14",
    ),
    Difference(
        "Threads are trio's",
        "`to_thread` and the default executor run functions in trio's threads, under trio's limiter, so that"
        " `trio.from_thread` works in them.",
        "`loop.set_default_executor` with a `ThreadPoolExecutor` brings asyncio's threads back for `run_in_executor`.",
        (
            _OWN + "test_a_thread_of_the_default_executor_is_trios",
            _OWN + "test_a_pool_of_the_program_has_its_own_threads",
        ),
    ),
    Difference(
        "A call in the executor that is cancelled at once is not made",
        "The call begins when trio has its next turn, so that cancelling its future in the same step prevents it. In"
        " asyncio it is a race with the thread, which has often begun.",
        "Wait for what must not be left out, or keep it from being cancelled with `shield`.",
        (_OWN + "test_a_call_in_the_executor_that_is_cancelled_at_once_is_not_made",),
    ),
    Difference(
        "An async generator belongs to the world that iterates it first",
        "One that is begun in a plain trio task and then dropped is finished by trio, which warns, and cancels the"
        " awaits of its clean-up; in a Task asyncio's way holds.",
        "`contextlib.aclosing` around the iteration, in either world.",
        ("tests/mixing/test_async_generators.py::test_a_generator_dropped_in_a_plain_trio_task_is_finished_by_trio",),
    ),
    Difference(
        "A process that the program starts has plain asyncio",
        "`install()` and `trioasync run` change the process that calls them; what is spawned is a new interpreter.",
        "The child's program calls `trioasync.install()`, or is started by `trioasync run`.",
        ("tests/network/test_forks.py::test_a_spawned_child_of_an_installed_parent_has_plain_asyncio",),
    ),
    Difference(
        "A Task of asyncio's own class cannot await trio",
        "Such a Task was made from `asyncio.Task`, or a class derived from it, without `install()`: it runs on the"
        " loop, but no trio task is under it, and trio refuses.",
        "Make it with `create_task`, or call `trioasync.install()` before the library that makes it is imported.",
        (
            "tests/test_install.py::test_a_subclass_from_before_is_refused_by_trio_and_harms_nobody",
            _OWN + "test_a_task_of_asyncios_own_class_cannot_await_trio",
        ),
    ),
    Difference(
        "A Task that an eager start has ended keeps its coroutine",
        "`get_coro()` gives None for such a Task since Python 3.12. `repr()` of the older Pythons' Tasks, which know no"
        " eager start, cannot do without the coroutine.",
        "`done()` says whether the Task has ended.",
        ("tests/parity/test_page_cancellation.py::test_the_coroutine_of_a_task_that_was_done_eagerly",),
        until="3.11",
    ),
    Difference(
        "A Task in a trio call does not outlive its run",
        "`run_until_complete` starts and ends a trio run. A Task that waits for a future goes on in the next run; one"
        " that waits inside a trio call or scope cannot, and is cancelled with a message that says so.",
        "Run everything in one `trioasync.run`, or leave trio's calls before the loop stops.",
        ("tests/test_trio_calls.py::test_a_task_cannot_stay_in_a_trio_call_between_two_runs",),
    ),
)
