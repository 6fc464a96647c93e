"""How many random programs the tests make, and from which seed."""

import os
import random

ENVIRONMENT_PROGRAMS = os.environ.get("TRIOASYNC_PROGRAMS")
PROGRAMS = int(ENVIRONMENT_PROGRAMS or 300)
SEED = int(
    os.environ.get("TRIOASYNC_SEED") or (0 if ENVIRONMENT_PROGRAMS is None else random.SystemRandom().randrange(10**9))
)
