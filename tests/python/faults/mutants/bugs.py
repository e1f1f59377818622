"""All workers with one bug each."""

from __future__ import annotations

from bug import Bug
from bugs_of_calls import CALLS
from bugs_of_ends import ENDS
from bugs_of_native_calls import NATIVE_CALLS
from bugs_of_sharing import SHARING
from bugs_of_the_queue import OF_THE_QUEUE

BUGS: list[Bug] = [*CALLS, *ENDS, *NATIVE_CALLS, *SHARING, *OF_THE_QUEUE]
