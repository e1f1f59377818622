"""The workers that the matrix is run over. Another one joins by one line in each table."""

from __future__ import annotations

from typing import Any

WORKERS: dict[str, dict[str, Any]] = {
    "python thread": {},
    "native queue": {},
}
"""The arguments of `connect` that choose each of them."""

ENVIRONMENTS: dict[str, dict[str, str]] = {
    "python thread": {"AIOTURSO_WORKER": "python", "PROBE_AIO_WORKER": "python"},
    "native queue": {"AIOTURSO_WORKER": "native", "PROBE_AIO_WORKER": "native"},
}
"""The environment variables that do, for this process and its children."""
