"""The list of what differs."""

from __future__ import annotations

from comparison import Difference

FROM_SQLITE3: list[Difference] = []
FROM_BLOCKING: list[Difference] = []
