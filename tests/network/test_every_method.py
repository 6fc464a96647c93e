"""Each method of asyncio's event loop has a test that calls it, on asyncio and on trioasync: this is the table."""

import asyncio
import importlib
import inspect
import re

import pytest

import trioasync

TESTS = {
    # Running
    "run_forever": "parity.test_loop_run.test_stop_before_run_forever_runs_one_turn",
    "run_until_complete": "parity.test_loop_run.test_run_until_complete_runs_several_times_on_one_loop",
    "stop": "parity.test_loop_run.test_stop_ends_this_turn",
    "is_running": "parity.test_loop_run.test_a_loop_knows_its_state",
    "is_closed": "parity.test_loop_run.test_a_loop_knows_its_state",
    "close": "parity.test_loop_run.test_closing_forgets_what_was_scheduled",
    "shutdown_asyncgens": "parity.test_loop_factory.test_shutdown_asyncgens_finishes_what_is_half_way",
    "shutdown_default_executor": "parity.test_loop_executors.test_shutdown_default_executor_waits_for_its_threads",
    # Callbacks, tasks and futures
    "call_soon": "parity.test_loop_order.test_callbacks_run_in_the_order_of_call_soon",
    "call_later": "parity.test_loop_timers.test_timers_fire_at_their_time",
    "call_at": "parity.test_loop_timers.test_call_at_takes_a_time_of_the_loop",
    "time": "parity.test_loop_timers.test_timers_fire_at_their_time",
    "call_soon_threadsafe": "parity.test_loop_threads.test_call_soon_threadsafe_wakes_an_idle_loop",
    "create_future": "parity.test_loop_factory.test_create_future_makes_asyncios_futures",
    "create_task": "parity.test_loop_factory.test_create_task_passes_its_options_on",
    "set_task_factory": "parity.test_loop_factory.test_a_task_factory_makes_the_tasks",
    "get_task_factory": "parity.test_loop_factory.test_the_name_reaches_a_task_of_a_factory",
    # Threads and names
    "run_in_executor": "parity.test_loop_executors.test_the_default_executor_runs_in_another_thread",
    "set_default_executor": "parity.test_loop_executors.test_set_default_executor_chooses_the_pool",
    "getaddrinfo": "network.test_names.test_the_addresses_of_a_host",
    "getnameinfo": "network.test_names.test_the_name_of_an_address",
    # Connections
    "create_connection": "network.test_connections.test_data_comes_back_through_two_protocols",
    "create_server": "network.test_connections.test_a_connection_through_a_socket_of_ones_own",
    "create_unix_connection": "network.test_connections.test_transports_over_a_unix_socket",
    "create_unix_server": "network.test_connections.test_transports_over_a_unix_socket",
    "connect_accepted_socket": "network.test_connections.test_an_accepted_socket_becomes_a_transport",
    "create_datagram_endpoint": "network.test_datagrams.endpoint",
    "start_tls": "network.test_tls.test_start_tls_on_both_sides",
    "sendfile": "network.test_sendfile.test_a_file_through_a_transport",
    # Sockets
    "sock_recv": "network.test_sockets.test_connect_accept_send_and_receive",
    "sock_recv_into": "network.test_sockets.test_receive_into_a_buffer",
    "sock_recvfrom": "network.test_sockets.test_datagrams_of_a_socket",
    "sock_recvfrom_into": "network.test_sockets.test_datagrams_of_a_socket",
    "sock_sendall": "network.test_sockets.test_sendall_waits_for_a_slow_reader",
    "sock_sendto": "network.test_sockets.test_datagrams_of_a_socket",
    "sock_connect": "network.test_sockets.test_connect_looks_names_up",
    "sock_accept": "network.test_sockets.test_connect_accept_send_and_receive",
    "sock_sendfile": "network.test_sendfile.test_a_file_through_a_socket",
    # Descriptors, pipes, processes and signals
    "add_reader": "network.test_descriptors.test_one_descriptor_has_a_reader_and_a_writer",
    "remove_reader": "network.test_descriptors.test_a_reader_is_called_while_there_is_something_to_read",
    "add_writer": "network.test_descriptors.test_one_descriptor_has_a_reader_and_a_writer",
    "remove_writer": "network.test_descriptors.test_one_descriptor_has_a_reader_and_a_writer",
    "connect_read_pipe": "network.test_pipes.test_a_pipe_is_read_to_its_end",
    "connect_write_pipe": "network.test_pipes.test_a_pipe_is_written_to",
    "subprocess_exec": "network.test_subprocesses.test_the_callbacks_of_a_subprocess_protocol",
    "subprocess_shell": "network.test_subprocesses.test_the_callbacks_of_a_subprocess_protocol",
    "add_signal_handler": "network.test_loop_signals.test_a_second_handler_takes_the_place_of_the_first",
    "remove_signal_handler": "network.test_loop_signals.test_a_second_handler_takes_the_place_of_the_first",
    # Reports and debug mode
    "set_exception_handler": "parity.test_loop_reports.test_a_failing_callback_is_told_to_the_handler",
    "get_exception_handler": "parity.test_loop_reports.test_the_handler_is_none_until_it_is_set",
    "default_exception_handler": "parity.test_loop_reports.test_a_handler_may_pass_on_to_the_default_one",
    "call_exception_handler": "parity.test_loop_reports.test_call_exception_handler_can_be_called_by_anybody",
    "set_debug": "parity.test_loop_debug.test_debug_mode_is_switched_by_set_debug",
    "get_debug": "parity.test_loop_debug.test_debug_mode_is_switched_by_set_debug",
}

METHODS = {name for name in vars(asyncio.AbstractEventLoop) if not name.startswith("_")}


def test_no_method_is_without_a_test():
    """What the running Python's AbstractEventLoop has, the table has."""
    assert METHODS - TESTS.keys() == set()


@pytest.mark.parametrize("method", sorted(METHODS & TESTS.keys()))
def test_the_test_calls_the_method_on_both(method):
    """It takes the module under test as its argument, or is what such tests share, and its text calls the method."""
    module, name = TESTS[method].rsplit(".", 1)
    test = getattr(importlib.import_module(f"tests.{module}"), name)
    body = inspect.unwrap(test)
    assert {"aio", "loop"} & inspect.signature(body).parameters.keys()
    assert re.search(rf"\.{method}\b", inspect.getsource(body))


@pytest.mark.skipif("sys.platform == 'win32'", reason="the loop of Windows has fewer methods")
@pytest.mark.parametrize("method", sorted(METHODS))
def test_no_method_is_left_abstract(method):
    """Each is implemented by the loop."""
    implementation = inspect.getattr_static(trioasync.EventLoop, method)
    assert implementation is not vars(asyncio.AbstractEventLoop)[method]
