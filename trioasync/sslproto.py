"""TLS: asyncio's own."""

from asyncio.sslproto import *
