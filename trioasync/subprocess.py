"""Subprocesses: asyncio's own."""

from asyncio.subprocess import *
from asyncio.subprocess import (
    DEVNULL as DEVNULL,
    PIPE as PIPE,
    STDOUT as STDOUT,
    Process as Process,
    SubprocessStreamProtocol as SubprocessStreamProtocol,
)

__all__ = ("create_subprocess_exec", "create_subprocess_shell")
