"""asyncio, hosted on trio: `import trioasync as asyncio`.

The names are asyncio's, in the order of its documentation; each comes from the module that is named as in asyncio.
What newer Pythons have added is there on every Python, what CPython removed is there where the running Python has it.
"""

import sys
from asyncio import (
    _enter_task as _enter_task,
    _leave_task as _leave_task,
    _register_task as _register_task,
    _unregister_task as _unregister_task,
)
from typing import TYPE_CHECKING

# Every public module can be reached as an attribute, as in asyncio.
from . import (
    base_events as base_events,
    base_futures as base_futures,
    base_subprocess as base_subprocess,
    base_tasks as base_tasks,
    constants as constants,
    coroutines as coroutines,
    events as events,
    exceptions as exceptions,
    format_helpers as format_helpers,
    futures as futures,
    graph as graph,
    locks as locks,
    log as log,
    mixins as mixins,
    protocols as protocols,
    queues as queues,
    runners as runners,
    selector_events as selector_events,
    sslproto as sslproto,
    staggered as staggered,
    streams as streams,
    subprocess as subprocess,
    taskgroups as taskgroups,
    tasks as tasks,
    threads as threads,
    timeouts as timeouts,
    transports as transports,
    trsock as trsock,
)
from ._host.tree import format_task_tree as format_task_tree, print_task_tree as print_task_tree
from ._install import install as install, uninstall as uninstall
from ._version import __version__ as __version__
from .base_events import *
from .coroutines import *
from .events import *
from .exceptions import *
from .futures import *
from .graph import *
from .locks import *
from .protocols import *
from .queues import *
from .runners import *
from .runners import open_loop as open_loop
from .streams import *
from .subprocess import *
from .taskgroups import *
from .tasks import *
from .threads import *
from .timeouts import *
from .transports import *

if sys.platform == "win32":
    from . import windows_events as windows_events
    from .windows_events import *
else:
    from . import unix_events as unix_events
    from .unix_events import *

__all__ = ["format_task_tree", "install", "open_loop", "print_task_tree", "uninstall"]

# Runners
__all__ += runners.__all__

# Coroutines and tasks
__all__ += tasks.__all__
__all__ += taskgroups.__all__
__all__ += timeouts.__all__
__all__ += threads.__all__
__all__ += coroutines.__all__

# Streams
__all__ += streams.__all__

# Synchronisation primitives
__all__ += locks.__all__

# Subprocesses
__all__ += subprocess.__all__

# Queues
__all__ += queues.__all__

# Exceptions
__all__ += exceptions.__all__

# Call graphs
__all__ += graph.__all__

# Event loop, and policies and child watchers as far as the running Python has them
__all__ += base_events.__all__
__all__ += events.__all__
if sys.platform == "win32":
    __all__ += windows_events.__all__
else:
    __all__ += unix_events.__all__

# Futures
__all__ += futures.__all__

# Transports and protocols
__all__ += transports.__all__
__all__ += protocols.__all__

# Extending: what asyncio documents for other people's tasks
__all__ += ["_enter_task", "_leave_task", "_register_task", "_unregister_task"]

if sys.version_info >= (3, 14):
    if TYPE_CHECKING:
        from asyncio import (
            AbstractEventLoopPolicy as AbstractEventLoopPolicy,
            DefaultEventLoopPolicy as DefaultEventLoopPolicy,
        )
    else:

        def __getattr__(name):
            """Give the policy classes with asyncio's own warning, which names the line that asked."""
            if not name.endswith("EventLoopPolicy"):
                raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
            import asyncio
            import warnings

            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                policy = getattr(asyncio, name)
            for warning in caught:
                warnings.warn(warning.message, stacklevel=2)
            return policy
