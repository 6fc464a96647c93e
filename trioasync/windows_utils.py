"""Pipes on Windows: asyncio's own, and elsewhere the same ImportError."""

from asyncio.windows_utils import *
