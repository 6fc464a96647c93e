"""Subprocesses: asyncio's own, with the streams of asyncio 3.13 on every Python."""

import sys
from asyncio.subprocess import *
from asyncio.subprocess import (
    DEVNULL as DEVNULL,
    PIPE as PIPE,
    STDOUT as STDOUT,
    Process as Process,
    SubprocessStreamProtocol as SubprocessStreamProtocol,
)

if sys.version_info < (3, 13):
    from ._backports.streams import create_subprocess_exec, create_subprocess_shell

__all__ = ("create_subprocess_exec", "create_subprocess_shell")
