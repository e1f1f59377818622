"""Which of its two workers aioturso uses: a thread like any other, or one that runs calls without the GIL."""

import os

VARIABLE = "AIOTURSO_WORKER"
WORKERS = ("python", "native")


def chosen() -> str:
    """The one that is measured as `aioturso`: what the environment says, or the package's own choice."""
    from aioturso.call_queue import DEFAULT_WORKER

    return os.environ.get(VARIABLE, DEFAULT_WORKER)


def other() -> str:
    """The one that is measured as `other-worker`."""
    return next(name for name in WORKERS if name != chosen())
