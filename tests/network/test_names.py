"""Names and addresses."""

import socket

from tests.network.ways import everywhere

TCP = {"type": socket.SOCK_STREAM, "proto": socket.IPPROTO_TCP}


@everywhere(returns=[(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 80))])
async def test_the_addresses_of_a_host(aio):
    """getaddrinfo() gives what socket.getaddrinfo gives, from a thread."""
    return await aio.get_running_loop().getaddrinfo("127.0.0.1", 80, **TCP)


@everywhere(returns=True)
async def test_the_addresses_of_localhost(aio):
    """A name is looked up."""
    found = await aio.get_running_loop().getaddrinfo("localhost", 80, family=socket.AF_INET, **TCP)
    return ("127.0.0.1", 80) in [address for *_, address in found]


@everywhere(returns=socket.EAI_NONAME)
async def test_a_name_that_is_none_is_an_error(aio):
    """gaierror, as from socket.getaddrinfo."""
    try:
        await aio.get_running_loop().getaddrinfo("no such name", 80, flags=socket.AI_NUMERICHOST)
    except socket.gaierror as error:
        return error.errno


@everywhere(returns=("127.0.0.1", "80"))
async def test_the_name_of_an_address(aio):
    """getnameinfo() gives host and service."""
    return await aio.get_running_loop().getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
